"""What moves an image moves its mask; no change of colour leaves [0, 1]."""

import numpy as np

from unetbook import augmentation
from unetbook.augmentation import augment, change_colours, change_sharpness


def random_pairs(count=6, size=8):
    """Masks of noise, and pictures they can be read off: value = class / 2."""
    draws = np.random.default_rng(0)
    masks = draws.integers(0, 3, (count, size, size), dtype="int32")
    return np.repeat(masks[..., None] / 2, 3, axis=3).astype("float32"), masks


def test_a_flip_is_numpys_flip():
    images, masks = random_pairs()
    flip = np.array([True, False, True, True, False, False])
    flipped, flipped_masks = augment(images, masks, {"flip": flip})
    choice = flip[:, None, None]
    expected = np.where(choice, masks[:, :, ::-1], masks)
    np.testing.assert_array_equal(flipped_masks, expected)
    expected = np.where(choice[..., None], images[:, :, ::-1], images)
    np.testing.assert_array_equal(flipped, expected)


def test_a_crop_moves_image_and_mask_together():
    trimap = np.repeat(np.repeat([[1, 2], [3, 1]], 16, axis=0), 16, axis=1)
    masks = np.repeat(trimap[None] - 1, 20, axis=0).astype("int32")
    images = np.repeat(masks[..., None] / 2, 3, axis=3).astype("float32")
    draws = {"crop": np.random.default_rng(0).random((20, 3), dtype="float32")}
    images, masks = (np.asarray(array) for array in augment(images, masks, draws))
    agree = np.abs(images[..., 0] - masks / 2) < 1e-4
    assert agree.mean() > 0.9  # all but the pixels mixed at the edges of the squares
    assert len(np.unique(masks.reshape(20, -1), axis=0)) > 10


def test_void_moves_as_any_class_and_no_step_makes_it():
    images, masks = random_pairs(size=9)
    draws = {
        "flip": np.array([True, False] * 3),
        "crop": np.random.default_rng(1).random((6, 3), dtype="float32"),
    }
    moved = np.asarray(augment(images, masks, draws)[1])
    assert set(np.unique(moved)) == {0, 1, 2}
    void = np.where(masks == 2, -1, masks)
    found = np.asarray(augment(images, void, draws)[1])
    np.testing.assert_array_equal(found, np.where(moved == 2, -1, moved))


def test_a_whole_window_leaves_the_pair_as_it_was():
    images, masks = random_pairs()
    draws = {"crop": np.ones((6, 3), "float32")}
    cropped, cropped_masks = augment(images, masks, draws)
    np.testing.assert_allclose(cropped, images, atol=1e-6)
    np.testing.assert_array_equal(cropped_masks, masks)


def test_image_and_mask_are_cropped_with_transforms_of_their_own(monkeypatch):
    # Keras 3.15 on PyTorch changes the one that it is given: the mask, which came
    # second, was cropped elsewhere than its image.
    given = []

    def keep(x, transform, *_, **__):
        given.append(transform)
        return x

    monkeypatch.setattr(augmentation.ops.image, "affine_transform", keep)
    augment(*random_pairs(), {"crop": np.full((6, 3), 0.3, "float32")})
    assert given[0] is not given[1]
    np.testing.assert_array_equal(*given)


def test_factors_of_1_leave_the_colours_as_they_were():
    images = np.random.default_rng(0).random((2, 4, 4, 3), dtype="float32")
    factors = np.ones((2, 3), "float32")
    np.testing.assert_allclose(change_colours(images, factors), images, atol=1e-6)


def test_sharpness_0_averages_and_2_doubles_the_distance_from_the_average():
    images = np.full((3, 5, 5, 3), 0.5, "float32")
    images[:, 2, 2] = 0.59  # 0.01 above the average of its nine pixels, times eight
    changed = change_sharpness(images, np.array([0, 1, 2], "float32"))
    np.testing.assert_allclose(changed[0, 1:4, 1:4], 0.51, rtol=1e-5)
    np.testing.assert_allclose(changed[1], images[1], rtol=1e-5)
    np.testing.assert_allclose(changed[2, 2, 2], 0.67, rtol=1e-5)
