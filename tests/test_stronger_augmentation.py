"""The experiments' stronger augmentation: masks follow, and draws are their own."""

import dataclasses

import numpy as np
import pytest

from experiments.augmentation import augment_stronger, blur, draw_stronger, tint
from experiments.recipes import COURSE, trial
from experiments.run import training_epochs
from unetbook.data import cache_pairs, make_dataset

ALL = ("zoom", "tint", "blur")


def pairs_of_squares(count):
    """Four squares of three classes, and pictures they can be read off."""
    classes = np.repeat(np.repeat([[0, 1], [2, 0]], 16, axis=0), 16, axis=1)
    masks = np.repeat(classes[None], count, axis=0).astype("int32")
    return np.repeat(masks[..., None] / 2, 3, axis=3).astype("float32"), masks


def zoom(images, masks, *window):
    """Look at every pair through the same window."""
    draws = {"zoom": np.array([window] * len(images), "float32")}
    return [np.asarray(array) for array in augment_stronger(images, masks, draws)]


def test_the_whole_picture_unturned_is_the_picture():
    images, masks = pairs_of_squares(1)
    seen, seen_masks = zoom(images, masks, 1, 1, 0.3, 0.8, 0)
    np.testing.assert_allclose(seen, images, atol=1e-5)
    np.testing.assert_array_equal(seen_masks, masks)


def test_zoom_moves_image_and_mask_together():
    images, masks = pairs_of_squares(20)
    draws = draw_stronger(20, ("zoom",), 0, 0, 0)
    images, masks = (np.asarray(a) for a in augment_stronger(images, masks, draws))
    agree = np.abs(images[..., 0] - masks / 2) < 1e-4
    assert agree.mean() > 0.85  # all but the pixels mixed at the edges of the squares
    assert len(np.unique(masks.reshape(20, -1), axis=0)) == 20


def test_a_small_window_shows_its_corner():
    masks = np.arange(25, dtype="int32").reshape(1, 5, 5)
    images = np.repeat(masks[..., None] / 32, 3, axis=3).astype("float32")
    seen, seen_masks = zoom(images, masks, 0.5, 0.5, 1, 0, 0)  # upper right
    assert seen_masks[0, ::2, ::2].tolist() == [[2, 3, 4], [7, 8, 9], [12, 13, 14]]
    np.testing.assert_allclose(seen[0, 0, :, 0] * 32, [2, 2.5, 3, 3.5, 4], atol=1e-4)


def test_a_large_window_repeats_the_edge_in_image_and_mask():
    masks = np.array([[[0, 1, 2], [3, 4, 5], [6, 7, 8]]], "int32")
    images = np.repeat(masks[..., None] / 8, 3, axis=3).astype("float32")
    # Twice the height, the picture in the upper half: rows 0, 2 and 4 are seen.
    seen, seen_masks = zoom(images, masks, 1, 2, 0, 0, 0)
    assert seen_masks[0].tolist() == [[0, 1, 2], [6, 7, 8], [6, 7, 8]]
    np.testing.assert_allclose(seen[..., 0] * 8, seen_masks, atol=1e-4)


def test_a_window_turned_by_a_quarter_is_numpys():
    masks = np.arange(9, dtype="int32").reshape(1, 3, 3)
    images = np.repeat(masks[..., None] / 8, 3, axis=3).astype("float32")
    seen, seen_masks = zoom(images, masks, 1, 1, 0.5, 0.5, np.pi / 2)
    assert seen_masks[0].tolist() == np.rot90(masks[0]).tolist()
    np.testing.assert_allclose(seen[..., 0] * 8, seen_masks, atol=1e-4)


def test_tint_bends_gains_and_takes_the_colour():
    images = np.full((3, 1, 1, 3), 0.5, "float32") * np.array([1, 1, 0], "float32")
    factors = np.array([[1, 1, 1, 1, 1], [2, 1, 3, 1, 1], [1, 1, 1, 1, 0]], "float32")
    expected = [[0.5, 0.5, 0], [0.25, 0.75, 0], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(tint(images, factors)[:, 0, 0], expected, rtol=1e-5)
    assert np.max(tint(images, np.full((3, 5), 4, "float32"))) <= 1


def test_blur_pulls_to_the_average_of_25_pixels():
    images = np.zeros((3, 7, 7, 3), "float32")
    images[:, 3, 3] = 1
    blurred = blur(images, np.array([0, 0.5, 1], "float32"))
    np.testing.assert_allclose(blurred[:, 3, 3, 0], [1, 0.52, 0.04], rtol=1e-5)
    np.testing.assert_allclose(blurred[:, 2, 2, 0], [0, 0.02, 0.04], rtol=1e-5)


def test_draws_are_within_their_ranges_and_reach_them():
    draws = draw_stronger(4000, ALL, 0, 0, 0)
    assert {array.dtype.name for array in draws.values()} == {"float32"}
    across, down, left, top, angle = draws["zoom"].T
    side, stretch = (across * down) ** 0.5, across / down
    gamma, *gains, colour = draws["tint"].T
    for values, low, high in (
        (side, 0.6, 1.4),
        (stretch, 0.8, 1.25),
        (left, 0, 1),
        (top, 0, 1),
        (np.degrees(angle), -15, 15),
        (gamma, 0.67, 1.5),
        *((gain, 0.8, 1.25) for gain in gains),
        (draws["blur"], 0, 1),
    ):
        margin = 0.01 * (high - low)
        assert low - 1e-5 <= values.min() <= low + margin
        assert high - margin <= values.max() <= high + 1e-5
    assert set(colour) == {0, 1}
    assert (colour == 0).mean() == pytest.approx(0.1, abs=0.02)
    assert (draws["blur"] > 0).mean() == pytest.approx(0.3, abs=0.03)


def test_draws_come_from_seed_epoch_and_index_alone():
    first = draw_stronger(3, ALL, 1, 2, 3)
    alone = draw_stronger(3, ("blur",), 1, 2, 3)
    np.testing.assert_array_equal(first["blur"], alone["blur"])
    for other in ((0, 2, 3), (1, 0, 3), (1, 2, 0)):
        again = draw_stronger(3, ALL, *other)
        assert not np.array_equal(again["zoom"], first["zoom"])
    np.testing.assert_array_equal(draw_stronger(3, ALL, 1, 2, 3)["tint"], first["tint"])


def collect(batches):
    """Return all batches as arrays, images and masks in turn."""
    return [array for batch in batches.as_numpy_iterator() for array in batch]


def test_a_recipe_adds_its_steps_to_the_same_batches(drawn_pets):
    pairs = cache_pairs(drawn_pets.train.take(10), 16)
    names = ("flip", "crop", "colour", "sharpness")
    options = {"training": True, "augmentation": names, "seed": 3, "epoch": 5}
    plain = collect(make_dataset(pairs, 8, **options))
    recipe = dataclasses.replace(trial(COURSE), augmentation=names)
    unchanged = collect(training_epochs(pairs, recipe, 3)(5))
    recipe = dataclasses.replace(recipe, augmentation=(*names, *ALL))
    stronger = collect(training_epochs(pairs, recipe, 3)(5))
    again = collect(training_epochs(pairs, recipe, 3)(5))
    expected = []
    for index in range(2):  # of 8 pictures and of 2
        batch = plain[2 * index : 2 * index + 2]
        draws = draw_stronger(8, ALL, 3, 5, index)
        draws = {name: array[: len(batch[0])] for name, array in draws.items()}
        expected += [np.asarray(array) for array in augment_stronger(*batch, draws)]
    for one, same, new, repeated, wanted in zip(
        plain, unchanged, stronger, again, expected, strict=True
    ):
        np.testing.assert_array_equal(one, same)
        np.testing.assert_array_equal(new, repeated)
        np.testing.assert_allclose(new, wanted, atol=1e-5)
        assert new.dtype == one.dtype
        assert new.shape == one.shape
        assert 0 <= new.min() <= new.max() <= (1 if new.dtype == "float32" else 2)
