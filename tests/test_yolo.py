"""YOLO's outlines become masks whose pixels can be counted by hand."""

import numpy as np
import pytest
from PIL import Image

from unetbook.data import check_pictures, load_pictures
from unetbook.sources.annotations import find_annotations

NAMES = "nc: 2\nnames: ['leaf', 'crack']\n"
SQUARE = "0.2 0.2 0.6 0.2 0.6 0.6 0.2 0.6"  # of 10 x 10 pixels, 5 x 5 from (2, 2)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache that remembers no other test."""
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path_factory.mktemp("cache")))


def write_export(folder, *texts, split="train", names=NAMES, turn=None):
    """Write pictures of noise and their files of outlines; `a`, `b` and so on."""
    for stem, text in zip("abcdefgh", texts, strict=False):
        picture = folder / split / "images" / f"{stem}.jpg"
        label = folder / split / "labels" / f"{stem}.txt"
        for path in (picture, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(ord(stem)).integers(0, 256, (10, 10, 3), "uint8")
        image = Image.fromarray(noise)
        image.getexif()[0x0112] = turn or 1
        image.save(picture, exif=image.getexif())
        if text is not None:
            label.write_text(text)
    if names is not None:
        (folder / "data.yaml").write_text(names)


def draw(folder):
    """Return the masks of a folder, and the names of its classes."""
    found = find_annotations(folder)
    return [draw_mask() for _, draw_mask in found.pairs], found.class_list.classes.names


def test_a_line_is_a_polygon_in_shares_and_later_ones_lie_on_top(tmp_path):
    write_export(tmp_path, f"0 {SQUARE}\n1 0.4 0.4 0.9 0.4 0.9 0.9 0.4 0.9\n")
    (mask,), names = draw(tmp_path)
    assert names == ("background", "crack", "leaf")
    expected = np.ones((10, 10), "uint8")
    expected[2:7, 2:7] = 3
    expected[4:10, 4:10] = 2
    np.testing.assert_array_equal(mask, expected)


def test_an_empty_file_is_a_picture_of_background(tmp_path):
    write_export(tmp_path, "", f"0 {SQUARE}")
    (empty, other), _ = draw(tmp_path)
    assert (empty == 1).all()
    assert (other == 3).sum() == 25


@pytest.mark.parametrize("names", ["names: {0: leaf, 1: crack}", NAMES])
def test_names_are_a_list_or_a_dictionary(tmp_path, names):
    write_export(tmp_path, f"1 {SQUARE}", names=names)
    (mask,), _ = draw(tmp_path)
    assert set(np.unique(mask)) == {1, 2}


def test_splits_and_images_first_are_read_through_the_door(tmp_path):
    for number, split in enumerate(("train", "val", "test")):
        folder = tmp_path / "set"
        write_export(folder, *[f"0 {SQUARE}"] * 4, split=split)
        for kind in ("images", "labels"):
            (folder / kind).mkdir(exist_ok=True)
            (folder / split / kind).rename(folder / kind / split)
        (folder / split).rmdir()
        for path in (folder / "images" / split).iterdir():  # no copies across splits
            noise = np.random.default_rng((number, ord(path.stem)))
            pixels = noise.integers(0, 256, (10, 10, 3), "uint8")
            Image.fromarray(pixels).save(path)
    pictures = load_pictures(tmp_path / "set")
    assert [split.cardinality().numpy() for split in pictures[:3]] == [4, 4, 4]
    assert pictures.classes.names == ("background", "crack", "leaf")


def test_outlines_are_of_the_upright_picture(tmp_path):
    write_export(tmp_path, f"0 {SQUARE}", turn=3)
    (mask,), _ = draw(tmp_path)
    assert (mask[2:7, 2:7] == 3).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.2 0.2", "a box, not an outline"),
        (f"7 {SQUARE}", "class 7 has no name in data.yaml, which names 0, 1"),
        ("0 0.1 0.1 0.2 0.2 0.3", "5 numbers after the class"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "7 numbers after the class"),
        ("0 a b c d e f", "holds what is no number"),
        ("0 nan 0.1 0.2 0.2 0.3 0.3", "no share of width or height"),
        ("0 12 10 30 10 30 40", "no share of width or height"),
    ],
)
def test_a_fault_of_a_line_is_one_sentence_that_names_it(tmp_path, text, message):
    write_export(tmp_path, f"0 {SQUARE}", f"0 {SQUARE}\n{text}\n")
    (fault,) = check_pictures(tmp_path).faults
    assert message in fault
    assert "b.txt" in fault
    assert "line 2" in fault


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, "no data.yaml that names their classes"),
        ("nc: 2\n", "names no classes"),
        ("names: [leaf", "names no classes"),
        ("names: 3\n", "names no classes"),
    ],
)
def test_classes_without_names_are_an_error_that_shows_the_line(
    tmp_path, names, message
):
    write_export(tmp_path, f"0 {SQUARE}", names=names)
    with pytest.raises(ValueError, match=message) as error:
        load_pictures(tmp_path)
    assert "names: [leaf, stem]" in str(error.value)


def test_outlines_without_their_picture_are_an_error(tmp_path):
    write_export(tmp_path, f"0 {SQUARE}", f"0 {SQUARE}")
    (tmp_path / "train" / "images" / "b.jpg").unlink()
    with pytest.raises(ValueError, match="which is nowhere in"):
        load_pictures(tmp_path)


def test_an_outline_that_changed_is_checked_again(tmp_path):
    write_export(tmp_path, *[f"0 {SQUARE}"] * 3)
    assert check_pictures(tmp_path).faults == []
    (tmp_path / "train" / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2")
    assert len(check_pictures(tmp_path).faults) == 1
