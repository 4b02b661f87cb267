"""A reader's own folder: layouts, masks, classes, copies, faults, and what is said."""

import json
import shutil
import unicodedata
import warnings

import numpy as np
import pytest
from PIL import Image

from unetbook.classes import PETS, Classes, colour_by_bits
from unetbook.data import load_pictures
from unetbook.pictures import read_picture
from unetbook.sources import layouts
from unetbook.sources.annotations import Annotations
from unetbook.sources.class_lists import ClassList
from unetbook.sources.codes import name_classes
from unetbook.sources.splits import list_names

COUNT = 6
NAMES = ("background", "leaf", "stem")
RED, GREEN, BLUE, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 200), (0, 0, 0)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache that remembers no other test."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("UNETBOOK_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def strict():
    """A warning that a test does not expect is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def make_numbers(index, classes=2, size=(10, 12)):
    """A mask that counts from 1: vertical stripes, the first class outermost."""
    mask = np.ones(size, "uint8")
    for number in range(2, classes + 1):
        mask[2:-2, 2 * number : 2 * number + 2] = number
    mask[3, 3] = 1 + index % classes
    return mask


def make_picture(index, size=(10, 12)):
    return np.random.default_rng(index).integers(0, 256, (*size, 3), dtype="uint8")


def save(pixels, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


def write_folder(
    folder, codes=(0, 255), picture="images/p{}.jpg", mask="masks/p{}.png"
):
    """Write pictures and masks whose class number n has the code `codes[n - 1]`."""
    codes = np.array(codes, "uint8")
    for index in range(COUNT):
        save(make_picture(index), folder / picture.format(index))
        numbers = make_numbers(index, len(codes))
        save(codes[numbers - 1], folder / mask.format(index))
    return folder


def read_all(pictures):
    """Map the file names of all splits to their `(image, mask)`."""
    return {
        example["file_name"].decode(): (
            example["image"],
            example["segmentation_mask"][..., 0],
        )
        for split in pictures[:3]
        for example in split.as_numpy_iterator()
    }


def names_of(split):
    return sorted(name.decode() for name in list_names(split))


def expect_masks(pictures, classes, count=COUNT):
    """Check that all masks are those of `make_numbers`."""
    read = read_all(pictures)
    assert len(read) == count
    for name, (_, mask) in read.items():
        index = int("".join(c for c in name.split(".")[0] if c.isdigit()))
        np.testing.assert_array_equal(mask, make_numbers(index, classes))


# ------------------------------------------------------------------- layouts


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("images/p{}.jpg", "masks/p{}.png"),
        ("Images/p{}.JPG", "Masks/p{}.PNG"),
        ("images/p{}.jpg", "masks/P{}.PNG"),
        ("images/p{}.png", "masks/p{}.tif"),
        ("images/p{}.jpeg", "masks/p{}.bmp"),
        ("images/p{}.jpg", "masks/p{}.gif"),
        ("images/p{}.jpg", "masks/p{}_mask.png"),
        ("images/p{}.jpg", "masks/p{}.jpg.png"),
        ("images/p{}.jpg", "masks/p{}.jpg_mask.png"),
        ("imgs/p{}.jpg", "labels/p{}.png"),
        ("images/p{}.jpg", "annotations/trimaps/p{}.png"),
        ("JPEGImages/p{}.jpg", "SegmentationClass/p{}.png"),
        ("p{}.jpg", "p{}_mask.png"),
        ("p{}.jpg", "p{}.png"),
        ("p{}.jpg", "masks/p{}.png"),
        ("export/images/p{}.jpg", "export/masks/p{}.png"),
        ("img/my cat.v2 {}.jpg", "masks/my cat.v2 {}.png"),
        ("images/\N{CAT FACE}{}.jpg", "masks/\N{CAT FACE}{}.png"),
        ("images/../images/p{}.webp", "masks/p{}.png"),
    ],
)
def test_every_layout_is_paired(tmp_path, picture, mask):
    pictures = load_pictures(write_folder(tmp_path, picture=picture, mask=mask))
    read = read_all(pictures)
    assert len(read) == COUNT
    for name, (image, numbers) in read.items():
        index = int(name.rsplit(".", 1)[0][-1])
        np.testing.assert_array_equal(numbers, make_numbers(index))
        path = (tmp_path / picture.format(index)).resolve()
        path = path if path.exists() else tmp_path / "export" / "images" / name
        np.testing.assert_array_equal(image, read_picture(path))


def test_examples_have_the_shape_of_the_pets(tmp_path, drawn_pets):
    pictures = load_pictures(write_folder(tmp_path))
    for split, drawn in zip(pictures[:3], drawn_pets[:3], strict=True):
        assert split.element_spec == drawn.element_spec
        assert not split.options().autotune.enabled
    assert [split.cardinality() for split in pictures[:3]] == [4, 1, 1]


def test_names_are_compared_in_one_unicode_form(tmp_path):
    write_folder(tmp_path, mask="masks/Mädchen{}.png", picture="images/x{}.jpg")
    for path in (tmp_path / "images").iterdir():
        name = unicodedata.normalize("NFD", path.name.replace("x", "Mädchen"))
        path.rename(path.with_name(name))
    for path in (tmp_path / "masks").iterdir():
        path.rename(path.with_name(unicodedata.normalize("NFC", path.name)))
    expect_masks(load_pictures(tmp_path), 2)


@pytest.mark.parametrize(
    "name",
    ["images/Thumbs.db", "images/desktop.ini", "masks/.DS_Store", "notes.txt"]
    + ["images/sub/a.jpg", "masks/._p0.png", "images/p0.xmp"],
)
def test_files_that_are_no_pictures_are_passed_over(tmp_path, name):
    path = write_folder(tmp_path) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no picture")
    expect_masks(load_pictures(tmp_path), 2)


def write_splits(folder, names, picture="{0}/images/{1}.png", mask="{0}/masks/{1}.png"):
    """Write split folders whose pictures all differ."""
    for place, split in enumerate(names):
        for index in range(COUNT):
            name = f"{split}{index}"
            number = index + COUNT * place
            save(make_picture(number), folder / picture.format(split, name))
            numbers = make_numbers(index)
            save(as_values(0, 255)(numbers), folder / mask.format(split, name))
    return folder


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("{0}/images/{1}.png", "{0}/masks/{1}.png"),
        ("{0}/{1}.jpg", "{0}/{1}_mask.png"),
        ("{0}/{1}.png", "{0}annot/{1}.png"),
        ("{0}/{1}.jpg", "{0}_labels/{1}.png"),
        ("images/{0}/{1}.png", "masks/{0}/{1}.png"),
    ],
)
@pytest.mark.parametrize("valid", ["valid", "val", "Validation"])
def test_splits_that_a_folder_brings_stay_what_they_are(tmp_path, picture, mask, valid):
    names = ("train", valid, "test")
    pictures = load_pictures(write_splits(tmp_path, names, picture, mask))
    for split, name in zip(pictures[:3], names, strict=True):
        assert len(split) == COUNT
        assert all(file.startswith(name) for file in names_of(split))


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("{0}/images/{1}.png", "{0}/masks/{1}.png"),
        ("images/{0}/{1}.png", "masks/{0}/{1}.png"),
    ],
)
def test_a_split_without_masks_is_passed_over_and_said(tmp_path, capsys, picture, mask):
    write_splits(tmp_path, ("train", "test"), picture, mask)
    shutil.rmtree((tmp_path / mask.format("test", "x")).parent)
    pictures = load_pictures(tmp_path)
    assert [len(split) for split in pictures[:3]] == [4, 1, 1]
    assert "Note: test/ holds no masks and is passed over." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("brought", "sizes"),
    [
        (("train", "valid", "test"), [6, 6, 6]),
        (("train", "test"), [5, 1, 6]),
        (("train", "val"), [5, 6, 1]),
        (("train",), [4, 1, 1]),
    ],
)
def test_only_missing_splits_are_cut_from_train(tmp_path, brought, sizes):
    pictures = load_pictures(write_splits(tmp_path, brought))
    assert [len(split) for split in pictures[:3]] == sizes
    for name, split in zip(("train", "val", "test"), pictures[:3], strict=True):
        given = [one for one in brought if one.startswith(name)]
        if given:
            assert all(file.startswith(given[0]) for file in names_of(split))


def test_the_lists_of_pascal_voc_are_splits(tmp_path):
    write_folder(tmp_path, (0, 1), "JPEGImages/p{}.jpg", "SegmentationClass/p{}.png")
    save(make_picture(9), tmp_path / "JPEGImages" / "without_mask.jpg")
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("p0\np1\np2\np3\n")
    (lists / "val.txt").write_text("p4\np5\n")
    pictures = load_pictures(tmp_path)
    assert names_of(pictures.validation) == ["p4.jpg", "p5.jpg"]
    assert len(pictures.train) + len(pictures.test) == 4


def test_pairs_in_no_list_of_pascal_voc_are_left_out_and_said(tmp_path, capsys):
    write_folder(tmp_path, (0, 1), "JPEGImages/p{}.jpg", "SegmentationClass/p{}.png")
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("p0\np1\np2\n")
    (lists / "val.txt").write_text("p4\n")
    assert sum(map(len, load_pictures(tmp_path)[:3])) == 4
    assert "Note: 2 pairs stand in no list of ImageSets" in capsys.readouterr().out


def test_a_list_of_pascal_voc_may_hold_names_of_any_language_and_broken_bytes(tmp_path):
    name = "b\u00e4r{}"
    picture, mask = f"JPEGImages/{name}.jpg", f"SegmentationClass/{name}.png"
    write_folder(tmp_path, (0, 1), picture, mask)
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("\n".join(map(name.format, range(4))), "utf-8")
    content = "\n".join(map(name.format, (4, 5))).encode()
    (lists / "val.txt").write_bytes(b"\xef\xbb\xbf" + content + b"\nb\xe4r3\n\0\xff")
    pictures = load_pictures(tmp_path)
    assert names_of(pictures.validation) == ["b\u00e4r4.jpg", "b\u00e4r5.jpg"]


def test_one_name_in_train_and_test_is_told_apart_by_its_folder(tmp_path):
    write_splits(tmp_path, ("train", "test"))
    for path in (tmp_path / "test").glob("*/*.png"):
        path.rename(path.with_name(path.name.replace("test", "train")))
    pictures = load_pictures(tmp_path)
    assert names_of(pictures.test)[0] == "test/images/train0.png"
    assert len(read_all(pictures)) == 12


def test_exports_that_lie_beside_each_other_are_taken_together(tmp_path, capsys):
    for name in ("lion", "fox"):
        folder = tmp_path / "data" / name
        write_folder(folder, (5, 9), "JPEGImages/p{}.jpg", "SegmentationClass/p{}.png")
    (tmp_path / "classes.csv").write_text("name,value\nground,5\nanimal,9\n")
    for place, path in enumerate(sorted(tmp_path.rglob("*.jpg"))):
        save(make_picture(place), path)
    pictures = load_pictures(tmp_path)
    assert "in data/, these are taken together: fox, lion." in capsys.readouterr().out
    assert pictures.classes.names == ("ground", "animal")
    expect_masks(pictures, 2, 2 * COUNT)
    assert "data/fox/JPEGImages/p0.jpg" in read_all(pictures)


def test_class_lists_of_exports_beside_each_other_must_agree(tmp_path):
    for place, name in enumerate(("lion", "fox")):
        write_folder(tmp_path / name, (5, 9))
        for index in range(COUNT):
            number = COUNT * place + index
            save(make_picture(number), tmp_path / name / "images" / f"p{index}.jpg")
        (tmp_path / name / "classes.csv").write_text("name,value\nground,5\nanimal,9\n")
    pictures = load_pictures(tmp_path)
    assert pictures.classes.names == ("ground", "animal")
    expect_masks(pictures, 2, 2 * COUNT)
    (tmp_path / "fox" / "classes.csv").write_text("name,value\nground,9\nfox,5\n")
    with pytest.raises(ValueError, match="fox and .*lion name different classes"):
        load_pictures(tmp_path)
    (tmp_path / "classes.csv").write_text("name,value\nground,5\nbeast,9\n")
    assert load_pictures(tmp_path).classes.names == ("ground", "beast")


def draw(number):
    return lambda: make_numbers(number, 3)


def test_outlines_are_drawn_when_there_are_no_masks(tmp_path, monkeypatch):
    write_folder(tmp_path)
    (tmp_path / "masks").rename(tmp_path / "other")
    images = sorted((tmp_path / "images").iterdir())
    drawn = [(path, draw(place)) for place, path in enumerate(images)]
    listing = ClassList(name_classes(NAMES), {7: 1, 8: 2, 9: 3})
    found = Annotations(drawn, listing)
    monkeypatch.setattr(layouts, "find_annotations", lambda folder: found)
    pictures = load_pictures(tmp_path)
    assert pictures.classes.names == NAMES
    expect_masks(pictures, 3)


def test_an_export_of_cvat_is_loaded_as_it_is(tmp_path):
    write_folder(tmp_path, picture="JPEGImages/p{}.jpg", mask="masks/p{}.png")
    shutil.rmtree(tmp_path / "masks")
    for index in range(COUNT):
        name = f"p{index}.png"
        mask = as_rgb(BLACK, RED, GREEN)(make_numbers(index, 3))
        save(mask, tmp_path / "SegmentationClass" / name)
        save(as_rgb(BLACK, BLUE, GREEN)(make_numbers(1, 3)), tmp_path / "x.png")
        (tmp_path / "SegmentationObject").mkdir(exist_ok=True)
        (tmp_path / "x.png").rename(tmp_path / "SegmentationObject" / name)
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/default.txt").write_text("p0\np1\n")
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nleaf:200,0,0::\n"
        "stem:0,200,0::\n"
    )
    pictures = load_pictures(tmp_path)
    assert pictures.classes == Classes(NAMES, (BLACK, RED, GREEN), 0)
    expect_masks(pictures, 3)


def test_an_export_of_roboflow_is_loaded_as_it_is(tmp_path):
    for place, split in enumerate(("train", "valid", "test")):
        for index in range(3):
            name = f"p{index}_jpg.rf.{3 * place + index:032x}"
            save(make_picture(3 * place + index), tmp_path / split / f"{name}.jpg")
            mask = as_values(0, 1, 2)(make_numbers(index, 3))
            save(mask, tmp_path / split / f"{name}_mask.png")
        table = "Pixel Value, Class\n0, background\n1, leaf\n2, stem\n"
        (tmp_path / split / "_classes.csv").write_text(table)
    with pytest.warns(UserWarning, match="3 of 3 validation pictures are copies"):
        pictures = load_pictures(tmp_path)
    assert pictures.classes.names == NAMES
    assert [len(split) for split in pictures[:3]] == [3, 3, 3]
    for name, (_, mask) in read_all(pictures).items():
        np.testing.assert_array_equal(mask, make_numbers(int(name[1]), 3))


@pytest.mark.parametrize("splits", [("", ""), ("train2017", "val2017")])
def test_outlines_of_labelme_are_loaded_as_they_are(tmp_path, splits):
    for index in range(COUNT):
        folder = tmp_path / splits[index % 2]
        folder.mkdir(exist_ok=True)
        save(make_picture(index), folder / f"p{index}.jpg")
        box = {"label": "leaf", "shape_type": "rectangle", "points": [[2, 3], [6, 8]]}
        content = {"version": "5.4.1", "flags": {}, "shapes": [box]}
        content |= {"imagePath": f"p{index}.jpg", "imageData": None}
        content |= {"imageHeight": 10, "imageWidth": 12}
        (folder / f"p{index}.json").write_text(json.dumps(content))
    pictures = load_pictures(tmp_path)
    assert len(pictures.validation) == (3 if splits[1] else 1)
    assert pictures.classes.names == ("background", "leaf")
    for _, mask in read_all(pictures).values():
        assert (mask[4:7, 3:5] == 2).all()
        assert (mask[:2] == 1).all()
        assert (mask == 2).sum() in range(4 * 5, 6 * 7)


# --------------------------------------------------------------------- masks


def as_palette(colours):
    """Return a function that makes a palette image of a mask of values."""

    def convert(values):
        image = Image.fromarray(values)
        image = image.convert("L")
        image.putpalette(np.ravel(colours).tolist())
        return image

    return convert


VOC = as_palette([colour_by_bits(value) for value in range(256)])


def as_rgb(*colours):
    return lambda numbers: np.array(colours, "uint8")[numbers - 1]


def as_values(*values, dtype="uint8"):
    return lambda numbers: np.array(values, dtype)[numbers - 1]


def as_alpha(numbers):
    return np.dstack([np.full((*numbers.shape, 3), 90), 255 * (numbers - 1)]).astype(
        "B"
    )


def opaque(*colours):
    return lambda numbers: np.dstack(
        [as_rgb(*colours)(numbers), np.full(numbers.shape, 255, "uint8")]
    )


TWO = ("background", "foreground")
COLOURS = dict(zip(NAMES, (BLACK, RED, GREEN), strict=True))


@pytest.mark.parametrize(
    ("make", "classes", "expected"),
    [
        (as_values(0, 255), None, TWO),
        (as_values(0, 1), None, TWO),
        (as_values(False, True, dtype=bool), None, TWO),
        (as_values(0, 255, dtype="uint16"), None, TWO),
        (as_values(0, 1, dtype="float32"), None, TWO),
        (as_values(0, 1, dtype="int32"), None, TWO),
        (as_rgb((0, 0, 0), (255, 255, 255)), None, TWO),
        (opaque((0, 0, 0), (255, 255, 255)), None, TWO),
        (as_alpha, None, TWO),
        (
            lambda n: VOC(as_values(0, 8, 15)(n)),
            None,
            (NAMES[0], "class 8", "class 15"),
        ),
        (as_values(0, 1, 2), NAMES, NAMES),
        (as_values(1, 2, 3), NAMES, NAMES),
        (as_values(0, 127, 255), NAMES, NAMES),
        (as_values(0, 1000, 40000, dtype="uint16"), NAMES, NAMES),
        (as_values(40, 4, 7), {"a": 40, "b": 4, "c": 7}, ("a", "b", "c")),
        (as_rgb(BLACK, RED, GREEN), COLOURS, NAMES),
        (opaque(BLACK, RED, GREEN), COLOURS, NAMES),
        (as_rgb(BLACK, RED, GREEN), Classes(NAMES, (BLACK, RED, GREEN), 0), NAMES),
        (
            lambda n: as_palette([BLACK, RED, GREEN])(n - 1),
            {"background": BLACK, "leaf": RED, "stem": GREEN},
            NAMES,
        ),
        (as_values(0, 255), ("background", "leaf"), ("background", "leaf")),
    ],
)
def test_every_kind_of_mask_becomes_class_numbers(tmp_path, make, classes, expected):
    write_folder(tmp_path)
    count = len(expected)
    for index in range(COUNT):
        path = tmp_path / "masks" / f"p{index}.png"
        path.unlink()
        mask = make(make_numbers(index, count))
        is_float = isinstance(mask, np.ndarray) and mask.dtype.kind in "fi"
        save(mask, path.with_suffix(".tif") if is_float else path)
    pictures = load_pictures(tmp_path, classes)
    assert pictures.classes.names == expected
    expect_masks(pictures, count)


@pytest.mark.parametrize("count", [2, 3])
def test_trimaps_are_pets(tmp_path, count):
    write_folder(tmp_path, (2, 1, 3)[:count])
    pictures = load_pictures(tmp_path, None if count == 3 else PETS)
    assert pictures.classes == PETS
    for name, (_, mask) in read_all(pictures).items():
        expected = np.array([2, 1, 3])[make_numbers(int(name[1]), count) - 1]
        np.testing.assert_array_equal(mask, expected)


def test_255_in_a_palette_of_pascal_voc_is_not_annotated(tmp_path):
    write_folder(tmp_path)
    for index in range(COUNT):
        values = as_values(0, 8, 255)(make_numbers(index, 3))
        save(VOC(values), tmp_path / "masks" / f"p{index}.png")
    pictures = load_pictures(tmp_path)
    assert pictures.classes.names == ("background", "class 8")
    assert pictures.classes.background == 0
    for name, (_, mask) in read_all(pictures).items():
        expected = np.array([1, 2, 0])[make_numbers(int(name[1]), 3) - 1]
        np.testing.assert_array_equal(mask, expected)


def test_a_class_called_void_is_not_annotated(tmp_path):
    write_folder(tmp_path, (10, 20, 30))
    pictures = load_pictures(tmp_path, {"void": 10, "a": 20, "b": 30})
    assert pictures.classes.names == ("a", "b")
    for name, (_, mask) in read_all(pictures).items():
        np.testing.assert_array_equal(mask, make_numbers(int(name[1]), 3) - 1)


def test_a_class_list_in_the_folder_names_the_values(tmp_path):
    write_folder(tmp_path, (5, 9))
    (tmp_path / "classes.csv").write_text("name,value\nsky,5\nkite,9\n")
    pictures = load_pictures(tmp_path)
    assert pictures.classes.names == ("sky", "kite")
    assert pictures.classes.background is None
    expect_masks(pictures, 2)


def test_given_names_order_the_classes_of_a_list(tmp_path):
    write_folder(tmp_path, (5, 9))
    (tmp_path / "classes.csv").write_text("name,value\nkite,9\nsky,5\n")
    expect_masks(load_pictures(tmp_path, ("sky", "kite")), 2)
    with pytest.raises(ValueError, match="classes names bird, and the class list in"):
        load_pictures(tmp_path, ("sky", "bird"))


def test_classes_of_a_list_that_occur_nowhere_are_said_and_can_be_left_out(tmp_path):
    write_folder(tmp_path, (5, 9))
    (tmp_path / "classes.csv").write_text("name,value\nsky,5\ncar,7\nkite,9\n")
    with pytest.warns(UserWarning, match=r"1 of 3 classes occur in no mask \(car\)"):
        pictures = load_pictures(tmp_path)
    assert pictures.classes.names == ("sky", "car", "kite")
    pictures = load_pictures(tmp_path, ("sky", "kite"))
    assert pictures.classes.names == ("sky", "kite")
    expect_masks(pictures, 2)


def test_a_class_that_stands_in_masks_cannot_be_left_out(tmp_path):
    write_folder(tmp_path, (5, 7, 9))
    (tmp_path / "classes.csv").write_text("name,value\nsky,5\ncar,7\nkite,9\n")
    with pytest.raises(ValueError, match=r"leaves out 'car', which has [\d.]+% of the"):
        load_pictures(tmp_path, ("sky", "kite"))


def test_palettes_that_differ_from_file_to_file_are_read_as_colours(tmp_path):
    write_folder(tmp_path)
    for index in range(COUNT):
        colours = (BLACK, RED) if index % 2 else (RED, BLACK)
        numbers = make_numbers(index) - 1
        values = numbers if index % 2 else 1 - numbers
        save(as_palette(colours)(values), tmp_path / "masks" / f"p{index}.png")
    with pytest.raises(ValueError, match="not sure what they stand for"):
        load_pictures(tmp_path)
    expect_masks(load_pictures(tmp_path, {"a": BLACK, "b": RED}), 2)


def test_jpeg_masks_are_mended_with_a_warning(tmp_path):
    write_folder(tmp_path, mask="masks/p{}.png")
    for index in range(COUNT):
        save(make_picture(index, (40, 48)), tmp_path / "images" / f"p{index}.jpg")
        numbers = np.kron(make_numbers(index), np.ones((4, 4), "uint8"))
        (tmp_path / "masks" / f"p{index}.png").unlink()
        mask = as_values(0, 255)(numbers)
        save(mask, tmp_path / "masks" / f"p{index}.jpg", quality=95)
    with pytest.warns(UserWarning, match="6 of 6 pictures have a JPEG as mask"):
        pictures = load_pictures(tmp_path)
    for name, (_, mask) in read_all(pictures).items():
        expected = np.kron(make_numbers(int(name[1])), np.ones((4, 4), "uint8"))
        np.testing.assert_array_equal(mask, expected)


def test_soft_edges_count_as_the_nearest_class(tmp_path):
    write_folder(tmp_path)
    for index in range(COUNT):
        size = (60, 60)
        save(make_picture(index, size), tmp_path / "images" / f"p{index}.jpg")
        mask = np.zeros(size, "uint8")
        mask[10:50, 30:] = 255
        mask[10:50, 29] = np.linspace(1, 254, 40)
        save(mask, tmp_path / "masks" / f"p{index}.png")
    with pytest.warns(UserWarning, match="soft edges"):
        pictures = load_pictures(tmp_path)
    for _, mask in read_all(pictures).values():
        assert (mask[10:30, 29] == 1).all()
        assert (mask[30:50, 29] == 2).all()
        assert (mask[:, :29] == 1).all()


# --------------------------------------------------------------------- doubt


@pytest.mark.parametrize(
    ("codes", "classes", "lines"),
    [
        ((0, 1, 2), None, ["?,0,,", "?,1,,", "?,2,,"]),
        ((0, 7), None, ["?,0,,", "?,7,,"]),
        ((1, 2), None, ["?,1,,", "?,2,,"]),
        ((BLACK, RED, GREEN), None, ["?,0,0,0,,", "?,200,0,0,,", "?,0,200,0,,"]),
        ((0, 1, 2, 255), None, ["?,255,,"]),
        ((0, 127, 255), ("cat", "dog"), ["?,127,,"]),
        ((0, 1, 2), ("cat", "dog"), ["?,2,,"]),
        ((0, 255), {"background": 0, "cat": 1}, ["?,255,,"]),
        ((0, 1, 7), {"background": 0, "cat": 1}, ["hold 7, for which", "?,7,,"]),
        ((BLACK, RED), {"background": BLACK, "cat": GREEN}, ["hold (200, 0, 0)"]),
    ],
)
def test_doubt_is_one_error_with_the_lines_to_complete(tmp_path, codes, classes, lines):
    write_folder(tmp_path, codes)
    with pytest.raises(ValueError, match="classes.csv") as caught:
        load_pictures(tmp_path, classes)
    text = str(caught.value)
    for line in lines:
        assert line in text
    assert "%" in text
    assert "grey" not in text, "saving colours as grey would destroy them"


@pytest.mark.parametrize("classes", [None, ("background", "leaf")])
def test_masks_that_are_all_empty_are_said_to_be(tmp_path, classes):
    write_folder(tmp_path, (0, 0))
    with pytest.raises(
        ValueError, match="hold 0 in every pixel.*saved empty"
    ) as caught:
        load_pictures(tmp_path, classes)
    assert "\n" not in str(caught.value)


def test_the_printed_lines_completed_settle_the_doubt(tmp_path):
    write_folder(tmp_path, (BLACK, RED, GREEN))
    with pytest.raises(ValueError, match="not sure what they stand for") as caught:
        load_pictures(tmp_path)
    table = str(caught.value).split("\n\n")[1]
    for name in ("background", "leaf", "stem"):
        table = table.replace("?", name, 1)
    (tmp_path / "classes.csv").write_text(table)
    pictures = load_pictures(tmp_path)
    assert set(pictures.classes.names) == {"background", "leaf", "stem"}
    assert pictures.classes.background == pictures.classes.names.index("background")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("cat", "classes='cat': give names"),
        (3, "classes=3: give names"),
        (("cat",), "give 2 to 255 names"),
        (("cat", "cat"), "each of them once"),
        (("cat", 3), "every class needs a name"),
        ({"a": 0, "b": "red"}, "classes has 'red' for 'b'"),
        ({"a": 0, "b": 0}, "two names have the value 0"),
        ({"a": 0, "b": (1, 2)}, r"classes has \(1, 2\) for 'b'"),
        ({"a": 0, "b": (1, 2, 300)}, "classes has"),
        ({"a": 0, "b": -1}, "classes has -1"),
    ],
)
def test_a_wrong_argument_is_named(tmp_path, classes, message):
    with pytest.raises(ValueError, match=message):
        load_pictures(write_folder(tmp_path), classes)
