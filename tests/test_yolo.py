"""Text files of YOLO become masks whose pixels can be counted by hand."""

import numpy as np
import pytest
from PIL import Image

from unetbook.sources.annotations import find_annotations
from unetbook.sources.folders import report_folder
from unetbook.sources.layouts import find_layout

LEFT = "0 0 0 0.49 0 0.49 1 0 1"  # columns 0 and 1 of four
ALL = "1 0 0 1 0 1 1 0 1"


def write_export(folder, *lines, place="train", names="names: [leaf, crack]", turn=1):
    """Write one picture of 4 x 2 pixels with its text file, and `data.yaml`."""
    for part in ("images", "labels"):
        (folder / place / part).mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (4, 2), "grey")
    image.getexif()[0x0112] = turn
    image.save(folder / place / "images" / "a.png", exif=image.getexif())
    (folder / place / "labels" / "a.txt").write_text("\n".join(lines))
    if names:
        (folder / "data.yaml").write_text(f"train: ../train/images\nnc: 2\n{names}\n")


def draw(folder):
    """Return the mask of the only picture, and the names of the classes."""
    ((_, draw_mask),), class_list = find_annotations(folder)
    return draw_mask(), class_list.classes.names


@pytest.mark.parametrize("names", ["[leaf, crack]", "{0: leaf, 1: crack}"])
def test_outline_has_shares_of_width_and_height(tmp_path, names):
    write_export(tmp_path, LEFT, "", names=f"names: {names}")
    mask, found = draw(tmp_path)
    assert found == ("background", "crack", "leaf")
    np.testing.assert_array_equal(mask, [[3, 3, 1, 1], [3, 3, 1, 1]])


def test_later_line_lies_on_top(tmp_path):
    write_export(tmp_path, ALL, LEFT)
    np.testing.assert_array_equal(draw(tmp_path)[0][0], [3, 3, 2, 2])
    write_export(tmp_path, LEFT, ALL)
    np.testing.assert_array_equal(draw(tmp_path)[0][0], [2, 2, 2, 2])


def test_turned_picture_is_outlined_upright(tmp_path):
    write_export(tmp_path, "0 0 0 1 0 1 0.24 0 0.24", turn=6)
    mask = draw(tmp_path)[0]
    np.testing.assert_array_equal(mask, [[3, 3], [1, 1], [1, 1], [1, 1]])


def test_picture_with_an_empty_or_no_text_file_has_no_objects(tmp_path):
    write_export(tmp_path, LEFT)
    write_export(tmp_path, place="valid")
    Image.new("RGB", (4, 2)).save(tmp_path / "train" / "images" / "b.png")
    (tmp_path / "train" / "images" / "Thumbs.db").write_text("x")
    pairs = find_annotations(tmp_path).pairs
    found = [(path.parts[-3], path.name, set(draw().flat)) for path, draw in pairs]
    assert found == [
        ("train", "a.png", {1, 3}),
        ("train", "b.png", {1}),
        ("valid", "a.png", {1}),
    ]


def test_splits_are_named_above_or_below_the_folder_of_pictures(tmp_path):
    write_export(tmp_path / "one", LEFT)
    write_export(tmp_path / "one", LEFT, place="valid")
    assert {*find_layout(tmp_path / "one").splits} == {"train", "validation"}
    for split in ("train", "val"):
        for part, name in (("images", "a.png"), ("labels", "a.txt")):
            place = tmp_path / "two" / part / split
            place.mkdir(parents=True)
            content = tmp_path / "one" / "train" / part / name
            (place / name).write_bytes(content.read_bytes())
    (tmp_path / "two" / "classes.txt").write_text("leaf\n")
    splits = find_layout(tmp_path / "two").splits
    assert {*splits} == {"train", "validation"}
    assert set(splits["train"][0].mask().flat) == {1, 2}


def test_numbers_without_names_ask_for_them(tmp_path):
    write_export(tmp_path, LEFT, names=None)
    (tmp_path / "train" / "classes.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"classes\.txt, one on each line"):
        find_annotations(tmp_path)


LISTS = [f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 12)]
LAUGHS = "\n".join(["a0: &a0 [x]", *LISTS, "names: *a11"])  # 9 ** 11 names


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("names: [leaf", "cannot be read as YAML"),
        ("names: leaf", "names is 'leaf', expected a list"),
        ("names: !!python/object/apply:os.getcwd []", "cannot be read as YAML"),
        (LAUGHS, r"names is {0: \[.* \.\.\., expected a list"),
    ],
)
def test_names_that_cannot_be_read_are_named_with_their_file(tmp_path, names, message):
    write_export(tmp_path, LEFT, names=names)
    with pytest.raises(ValueError, match=message) as caught:
        find_annotations(tmp_path)
    assert "data.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.2 0.2", "this export is for detection"),
        ("2 0 0 1 0 1 1", "the class is '2', expected one of the numbers 0 to 1"),
        ("leaf 0 0 1 0 1 1", "the class is 'leaf'"),
        ("0 0 0 1 0 1 1 1", "7 coordinates, expected pairs"),
        ("0 0 0 1 0 x 1", "the coordinate is 'x'"),
        ("0 0 0 1 0 nan 1", "the coordinate is 'nan'"),
        ("0 0 0 1 0 1 1.2", "the coordinate is '1.2', expected a share"),
        ("0 0 0", "a polygon has 1 points"),
    ],
)
def test_fault_of_a_line_is_named_with_file_and_line(tmp_path, line, message):
    write_export(tmp_path, LEFT, line)
    with pytest.raises(ValueError, match=message) as caught:
        draw(tmp_path)
    assert "a.txt, train/images/a.png: line 2: " in str(caught.value)


def test_text_file_that_was_changed_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path / "cache"))
    write_export(tmp_path / "leaves", LEFT)
    assert report_folder(tmp_path / "leaves", None).shares["leaf"] == 0.5
    write_export(tmp_path / "leaves", "0 0 0 1 0 1 1 0 1")
    assert report_folder(tmp_path / "leaves", None).shares["leaf"] == 1


def test_coordinate_a_little_outside_is_cut_off(tmp_path):
    write_export(tmp_path, "0 -0.01 0 1.01 0 1.01 1 -0.01 1")
    assert set(draw(tmp_path)[0].flat) == {3}
