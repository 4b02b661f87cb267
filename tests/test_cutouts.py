"""Cut-outs, counts and written masks, worked out by hand."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from unetbook.classes import PETS, Classes
from unetbook.cutouts import count_objects, cut_out, write_mask

NO_GROUND = PETS._replace(background=None)
PICTURE = np.arange(12, dtype="uint8").reshape(2, 2, 3)
MASK = np.array([[0, 1], [2, -1]])  # pet, background, border, not annotated
CELLS = Classes(("ground", "cell"), ((0, 0, 0), (255, 0, 0)), 0)


# cut out


def test_pet_and_border_stay_and_the_rest_is_transparent_and_empty():
    expected = [[[0, 1, 2, 255], [255] * 3 + [0]], [[6, 7, 8, 255], [255] * 3 + [0]]]
    assert cut_out(PICTURE, MASK).tolist() == expected


def test_a_cut_out_reads_back_as_it_was_written(tmp_path):
    cut = cut_out(PICTURE, MASK, path=tmp_path / "cat.png")
    assert cut.dtype == np.uint8
    with Image.open(tmp_path / "cat.png") as image:
        assert image.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(image), cut)
    assert [file.name for file in tmp_path.iterdir()] == ["cat.png"]


def test_probabilities_give_a_soft_edge():
    background = np.array([[1.0, 0.75, 0.5, 0.25, 0.0]], "float32")
    probabilities = np.stack([1 - background, background, 0 * background], axis=-1)
    cut = cut_out(np.zeros((1, 5), "uint8"), probabilities)
    assert cut[0, :, 3].tolist() == [0, 0, 128, 255, 255]


def test_what_is_far_from_the_object_is_not_kept_even_in_part():
    background = np.full((1, 12), 0.6, "float32")  # unsure everywhere
    background[0, 0] = 0.0
    probabilities = np.stack([1 - background, background, 0 * background], axis=-1)
    cut = cut_out(np.zeros((1, 12), "uint8"), probabilities)
    assert (cut[0, :, 3] > 0).tolist() == [True] * 4 + [False] * 8


def test_a_photograph_that_the_camera_turned_is_cut_out_upright(tmp_path):
    picture = Image.fromarray(np.zeros((2, 3, 3), "uint8"))
    exif = picture.getexif()
    exif[0x0112] = 6  # a quarter to the right
    picture.save(tmp_path / "turned.png", exif=exif)
    mask = np.zeros((3, 2), int)
    assert cut_out(tmp_path / "turned.png", mask).shape == (3, 2, 4)


def test_another_background_is_left_out():
    cut = cut_out(PICTURE, np.array([[0, 1], [1, 0]]), CELLS)
    assert cut[..., 3].tolist() == [[0, 255], [255, 0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PICTURE, MASK[:1]), r"\(1, 2\), and the picture \(2, 2\)"),
        ((PICTURE, MASK, NO_GROUND), "no background"),
        ((PICTURE, MASK, CELLS), "from -1 to 2, expected 0 to 1.*ground, cell"),
        ((PICTURE, np.zeros((2, 2, 2))), r"probabilities \(height, width, 3\)"),
        ((PICTURE, np.zeros((2, 2))), "float64.*as integers"),
        ((PICTURE, MASK, PETS, "cat.jpg"), "end it in .png"),
        ((PICTURE, MASK, PETS, "nowhere/cat.png"), "no folder .*nowhere"),
    ],
)
def test_what_cannot_be_cut_out_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        cut_out(*arguments)


def test_a_cut_out_that_failed_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "cat.png"
    path.write_text("old")

    def fail(self, file, *options):
        file.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        cut_out(PICTURE, MASK, path=path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


# count

ISLANDS = np.array(
    [
        [1, 0, 0, 0, 1],
        [0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0],
    ]
)


def test_pixels_that_touch_at_a_side_or_a_corner_are_one_object():
    assert count_objects(ISLANDS, "cell", CELLS) == 3
    assert count_objects(ISLANDS, "cell", CELLS, min_pixels=2) == 2
    assert count_objects(ISLANDS, "ground", CELLS) == 1
    assert count_objects(0 * ISLANDS, "cell", CELLS) == 0


def test_counts_are_those_of_scipy():
    mask = np.random.default_rng(0).integers(-1, 3, (40, 40))
    for number, name in enumerate(PETS.names):
        expected = ndimage.label(mask == number, np.ones((3, 3)))[1]
        assert count_objects(mask, name) == expected


def test_an_unknown_class_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'cat': the classes are ground, cell"):
        count_objects(ISLANDS, "cat", CELLS)


# write


def test_a_written_mask_counts_from_1_in_the_colours_of_the_classes(tmp_path):
    write_mask(MASK, tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "P"
        assert np.asarray(image).tolist() == [[1, 2], [3, 0]]
        colours = np.asarray(image.convert("RGB"))
    assert colours[0, 0].tolist() == list(PETS.colours[0])
    assert colours[1, 0].tolist() == list(PETS.colours[2])
    assert tuple(colours[1, 1]) not in PETS.colours


@pytest.mark.parametrize("count", [2, 3, 15, 16, 255])
def test_a_written_mask_of_any_number_of_classes_reads_back_equal(tmp_path, count):
    names = tuple(f"class {i}" for i in range(count))
    classes = Classes(names, tuple((i, 255 - i, 7) for i in range(count)), None)
    mask = np.arange(-1, count)[None]
    write_mask(mask, tmp_path / "mask.png", classes)
    with Image.open(tmp_path / "mask.png") as image:
        np.testing.assert_array_equal(np.asarray(image).astype(int) - 1, mask)


def test_too_many_classes_for_a_palette_are_refused(tmp_path):
    classes = Classes(tuple(map(str, range(256))), ((0, 0, 0),) * 256, None)
    with pytest.raises(ValueError, match="256 names.*255 at most"):
        write_mask(np.zeros((2, 2), int), tmp_path / "mask.png", classes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK + 1, "from 0 to 3, expected 0 to 2.*subtract 1"),
        (MASK - 1, "from -2 to 1"),
        (MASK[None], r"shape \(1, 2, 2\)"),
        (np.zeros((2, 2)), "float64"),
        (np.zeros((0, 2), int), r"shape \(0, 2\)"),
    ],
)
def test_a_mask_that_does_not_fit_its_classes_is_refused(tmp_path, mask, message):
    with pytest.raises(ValueError, match=message):
        write_mask(mask, tmp_path / "mask.png")
    assert not list(tmp_path.iterdir())
