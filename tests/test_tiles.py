"""A picture in squares, mirrored, and seen twice, with networks of nothing to train."""

import numpy as np
import pytest

from tests.flags import flag
from unetbook.classes import PETS, Classes
from unetbook.pictures import squeeze_picture
from unetbook.prediction import segment_picture
from unetbook.tiles import choose_side, find_box, place_windows, predict_piece

TWO = Classes(("background", "cell"), ((0, 0, 0), (255, 255, 255)), 0)


class Brightness:
    """Two classes: how dark a pixel is, and how bright. Keeps what it was given."""

    def __init__(self, height=4, width=4):
        self.input_shape = (None, height, width, 3)
        self.output_shape = (None, height, width, 2)
        self.seen = []

    def predict_on_batch(self, images):
        self.seen.append(images)
        bright = images[..., :1]
        return np.concatenate([1 - bright, bright], axis=-1)


class Constant(Brightness):
    """The same probabilities everywhere."""

    def predict_on_batch(self, images):
        super().predict_on_batch(images)
        return np.full((*images.shape[:3], 2), (0.25, 0.75), "float32")


class LeftIsCell(Brightness):
    """Is sure of a cell in the left half, whatever the picture."""

    def predict_on_batch(self, images):
        bright = np.zeros((*images.shape[:3], 1), "float32")
        bright[:, :, : images.shape[2] // 2] = 1
        return np.concatenate([1 - bright, bright], axis=-1)


def noise(height, width):
    """Return a grey picture of random pixels."""
    grey = np.random.default_rng(0).integers(0, 256, (height, width, 1), dtype="uint8")
    return np.repeat(grey, 3, axis=-1)


# windows


@pytest.mark.parametrize(
    ("length", "side"), [(10, 4), (11, 4), (4, 4), (3, 4), (5, 1), (7, 3), (100, 99)]
)
def test_weights_of_all_windows_add_up_to_one_at_every_pixel(length, side):
    total = np.zeros(length)
    for start, weights in place_windows(length, side):
        assert len(weights) == min(side, length)
        total[start : start + len(weights)] += weights
    assert total == pytest.approx(np.ones(length), abs=1e-6)


def test_windows_overlap_by_half_and_end_with_the_picture():
    assert [start for start, _ in place_windows(8, 4)] == [0, 2, 4]
    assert [start for start, _ in place_windows(9, 4)] == [0, 2, 3, 5]


def test_weights_by_hand():
    # sin² of 45 and 135 degrees is 1/2: alone 1, with another window's half 1/2.
    windows = place_windows(3, 2)
    assert [start for start, _ in windows] == [0, 1]
    assert windows[0][1] == pytest.approx([1, 0.5])
    assert windows[1][1] == pytest.approx([0.5, 1])


@pytest.mark.parametrize(
    ("height", "width", "tile", "side"),
    [
        (300, 400, None, None),
        (200, 400, None, None),  # twice as wide: still in one piece
        (200, 401, None, 200),
        (401, 200, None, 200),
        (10, 800, None, 100),  # no more than eight squares long
        (300, 400, 128, 128),
        (300, 400, 350, 300),  # a tile is a square
        (300, 400, 400, None),  # the picture fits into a tile
        (100, 400, 500, 100),
    ],
)
def test_side_of_the_squares(height, width, tile, side):
    assert choose_side(height, width, tile) == side


# pictures


def test_tiles_of_the_models_size_give_each_pixel_back():
    pixels = noise(11, 9)
    mask, probabilities = segment_picture(Brightness(), pixels, tile=4)
    assert probabilities[..., 1] == pytest.approx(pixels[..., 0] / 255, abs=1e-6)
    assert (mask == (pixels[..., 0] > 127)).all()


@pytest.mark.parametrize("size", [(9, 40), (40, 9), (12, 12)])
@pytest.mark.parametrize("tile", [None, 5])
def test_a_constant_prediction_stays_constant(size, tile):
    model = Constant()
    _, probabilities = segment_picture(model, noise(*size), tile=tile)
    expected = np.broadcast_to([0.25, 0.75], (*size, 2))
    assert probabilities == pytest.approx(expected, abs=1e-6)


def test_a_strip_is_seen_in_squares_along_its_length():
    model = Brightness()
    strip = noise(4, 12)
    _, probabilities = segment_picture(model, strip)
    assert len(model.seen) == 5  # starts at 0, 2, 4, 6, 8
    np.testing.assert_array_equal(model.seen[1][0], (strip[:, 2:6] / 255).astype("f4"))
    assert probabilities[..., 1] == pytest.approx(strip[..., 0] / 255, abs=1e-6)


def test_a_picture_twice_as_wide_as_tall_is_predicted_in_one_piece_to_the_bit():
    model, pixels = Brightness(), noise(6, 12)
    mask, probabilities = segment_picture(model, pixels)
    small = squeeze_picture(pixels, 4, 4).astype("float32") / 255
    np.testing.assert_array_equal(model.seen, [small[None]])
    channels = (1 - small[..., 0], small[..., 0])
    expected = [squeeze_picture(channel, 6, 12) for channel in channels]
    np.testing.assert_array_equal(probabilities, np.stack(expected, axis=-1))
    np.testing.assert_array_equal(mask, probabilities.argmax(-1))


# mirrored


def test_a_flip_averages_with_the_mirrored_picture():
    pixels = noise(4, 4)
    plain = segment_picture(LeftIsCell(), pixels)[1]
    assert plain[..., 1].tolist() == [[1, 1, 0, 0]] * 4
    flipped = segment_picture(LeftIsCell(), pixels, flip=True)[1]
    assert flipped[..., 1].tolist() == [[0.5] * 4] * 4


def test_a_flip_sees_the_picture_and_its_mirror_image():
    model, pixels = Brightness(), noise(4, 4)
    predicted = predict_piece(model, pixels, flip=True)
    np.testing.assert_array_equal(model.seen[0][1], model.seen[0][0][:, ::-1])
    assert predicted[..., 1] == pytest.approx(pixels[..., 0] / 255)


# seen twice


def test_box_around_what_was_found_with_a_margin_cut_at_the_picture():
    found = np.zeros((40, 40), bool)
    found[10:20, 0:20] = True
    rows, columns = find_box(found, margin=0.1)
    assert (rows.start, rows.stop) == (9, 21)
    assert (columns.start, columns.stop) == (0, 22)
    assert find_box(np.zeros((3, 3), bool)) is None


def test_the_second_look_enlarges_what_was_found_and_averages():
    model = Brightness(8, 8)
    pixels = np.zeros((32, 32, 3), "uint8")
    pixels[8:16, 8:16] = 255  # squeezed: 2 x 2 of 8 x 8
    first = segment_picture(Brightness(8, 8), pixels, classes=TWO)[1]
    second = segment_picture(model, pixels, look_twice=True, classes=TWO)[1]
    box = find_box(first[..., 1] > 0.5)
    part = squeeze_picture(np.ascontiguousarray(pixels[box]), 8, 8)
    np.testing.assert_array_equal(model.seen[1][0], part.astype("float32") / 255)
    again = predict_piece(model, pixels[box])
    assert second[box] == pytest.approx((first[box] + again) / 2)
    second[box] = first[box]
    np.testing.assert_array_equal(second, first)


@pytest.mark.parametrize("value", [0, 255])
def test_nothing_or_everything_found_is_not_looked_at_again(value):
    model, pixels = Brightness(), np.full((9, 9, 3), value, "uint8")
    plain = segment_picture(Brightness(), pixels)[1]
    looked = segment_picture(model, pixels, look_twice=True, classes=TWO)[1]
    assert len(model.seen) == 1
    np.testing.assert_array_equal(looked, plain)


def test_the_classes_say_which_channel_is_the_background():
    pixels = np.zeros((32, 32, 3), "uint8")
    pixels[8:16, 8:16] = 255
    dark = TWO._replace(background=1)  # now the dark part is what is looked for
    model = Brightness()
    segment_picture(model, pixels, look_twice=True, classes=dark)
    assert len(model.seen) == 1  # the dark part is almost everything
    segment_picture(model, pixels, look_twice=True, classes=TWO)
    assert len(model.seen) == 3


# what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": 0}, "tile=0: give the side"),
        ({"tile": 2.5}, "tile=2.5: give the side"),
        ({"look_twice": True, "classes": PETS}, "3 names, and the model 2"),
        ({"look_twice": True, "classes": TWO._replace(background=None)}, "have none"),
    ],
)
def test_options_that_do_not_fit_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        segment_picture(Brightness(), flag(8, 8), **options)


@pytest.mark.parametrize("shape", [(None, None, None, 3), (None, 8, 8, 1), [1, 2]])
def test_a_model_of_other_pictures_is_refused(shape):
    model = Brightness()
    model.input_shape = shape
    with pytest.raises(ValueError, match=r"expected \(None, height, width, 3\)"):
        segment_picture(model, flag(8, 8))
