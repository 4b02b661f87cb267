"""What is wrong with a folder is said once, in a sentence, with what to do."""

import os
import shutil
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.test_folders import (
    COUNT,
    as_values,
    cache,  # noqa: F401
    make_numbers,
    make_picture,
    names_of,
    read_all,
    save,
    write_folder,
    write_splits,
)
from unetbook.data import check_pictures, load_pets, load_pictures
from unetbook.pictures import read_picture
from unetbook.sources import checks
from unetbook.sources.copies import choose_groups, group_copies, shrink_to_greys
from unetbook.sources.layouts import Pair
from unetbook.sources.splits import choose_names

ORIENTATION = 0x0112


# -------------------------------------------------------------------- damage


def remove(path):
    path.unlink()


def truncate(path):
    path.write_bytes(path.read_bytes()[:45])


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def write_text(path):
    path.write_text("This is no picture.\n" * 9)


def write_zeros(path):
    path.write_bytes(bytes(4000))


def shrink(path):
    Image.fromarray(np.zeros((2, 3), "uint8")).save(path)


def turn(path):
    Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)


def write_bomb(path):
    """A PNG of a few bytes that promises 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    chunks = b""
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99)))):
        body = kind + data
        chunks += struct.pack(">I", len(data)) + body
        chunks += struct.pack(">I", zlib.crc32(body))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def write_nan(path):
    values = np.array([[np.nan, 1.0], [0.0, 1.0]], "float32")
    Image.fromarray(values).save(path, format="TIFF")


def write_half(path):
    Image.fromarray(np.full((10, 12), 0.5, "float32")).save(path, format="TIFF")


def paint_many(path):
    rng = np.random.default_rng(0)
    save(rng.integers(0, 256, (400, 400, 3), dtype="uint8"), path)


def become_folder(path):
    path.unlink()
    path.mkdir()


def write_second(path):
    shutil.copy(path, path.with_name(f"{path.stem}_mask.png"))


def write_twin(path):
    shutil.copy(path, path.with_suffix(".tif"))


def rename_to_text(path):
    path.rename(path.with_suffix(".txt"))


def break_line(path):
    truncate(path)
    for file in path.parent.parent.glob("*/p2.png"):
        file.rename(file.with_name("p\n2.png"))


def link_nowhere(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere.png"))


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("masks/p2.png", remove, r"images/p2.png has no mask: expected .*masks/p2.png"),
        ("images/p2.png", remove, r"masks/p2.png has no picture: expected .*images/p2"),
        ("images/p2.png", truncate, "images/p2.png cannot be read"),
        ("masks/p2.png", truncate, "masks/p2.png cannot be read"),
        ("images/p2.png", halve, "images/p2.png cannot be read"),
        ("images/p2.png", empty, "images/p2.png cannot be read"),
        ("masks/p2.png", empty, "masks/p2.png cannot be read"),
        ("images/p2.png", write_text, "images/p2.png cannot be read"),
        ("masks/p2.png", write_zeros, "masks/p2.png cannot be read"),
        (
            "images/p2.png",
            write_bomb,
            "images/p2.png cannot be read .DecompressionBomb",
        ),
        ("masks/p2.png", write_bomb, "masks/p2.png cannot be read .DecompressionBomb"),
        ("masks/p2.png", shrink, "is 2 x 3 pixels .* expected 10 x 12"),
        ("masks/p2.png", turn, "is 12 x 10 pixels .* expected 10 x 12"),
        ("images/p2.png", shrink, "masks/p2.png is 10 x 12 pixels .* expected 2 x 3"),
        ("masks/p2.png", write_nan, "holds the value nan, expected whole numbers"),
        ("masks/p2.png", write_half, "holds the value 0.5, expected whole numbers"),
        ("masks/p2.png", paint_many, "more than 65536 colours, as a photograph"),
        ("masks/p2.png", become_folder, "images/p2.png has no mask"),
        ("masks/p2.png", link_nowhere, "images/p2.png has no mask"),
        (
            "masks/p2.png",
            write_second,
            "p2.png has two masks, .*p2.png and p2_mask.png",
        ),
        ("images/p2.png", write_twin, "images/p2.png and p2.tif have one name"),
        ("images/p2.png", rename_to_text, "has no picture.*; p2.txt there"),
        ("images/p2.png", break_line, r"p\\n2.png cannot be read"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, file, damage, message):
    write_folder(tmp_path, picture="images/p{}.png")
    damage(tmp_path / file)
    with pytest.raises(ValueError, match=message) as caught:
        load_pictures(tmp_path)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    report = check_pictures(tmp_path)
    assert report.faults[0] in str(caught.value).replace(f"{tmp_path}/", "")
    assert len(report.faults) == 1
    assert len(report.pairs) == COUNT - 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name", [b"p\xff", b"a\nb", b"$x$", b"%s{0}", b" ", b"-rf", b"'"]
)
def test_any_name_is_loaded_and_can_be_printed(tmp_path, capsys, name):
    write_folder(tmp_path / os.fsdecode(name))
    for file in (tmp_path / os.fsdecode(name)).glob("*/p0.*"):
        file.rename(file.with_name(os.fsdecode(name) + file.suffix))
    fill(tmp_path / os.fsdecode(name), 1, 0)
    with pytest.warns(UserWarning, match="p1.jpg") as caught:
        pictures = load_pictures(tmp_path / os.fsdecode(name))
    assert sum(1 for split in pictures[:3] for _ in split) == COUNT
    said = capsys.readouterr().out + str(caught[0].message)
    assert said.encode()
    assert said.count("\n") == 1


def test_faults_are_counted_once(tmp_path):
    write_folder(tmp_path)
    for index in range(3):
        (tmp_path / "masks" / f"p{index}.png").unlink()
    with pytest.raises(ValueError, match=r"p\d.jpg has no mask.*\(2 more in "):
        load_pictures(tmp_path)


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("images", "there are 0 pictures, masks/ with 6 pictures"),
        ("masks", "there are 0 pictures, images/ with 6 pictures"),
    ],
)
def test_a_missing_folder_is_said_with_what_is_there(tmp_path, gone, message):
    shutil.rmtree(write_folder(tmp_path) / gone)
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=message) as caught:
        load_pictures(tmp_path)
    assert str(tmp_path / "images") in str(caught.value)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_pairs_are_refused(tmp_path, count):
    write_folder(tmp_path)
    for index in range(count, COUNT):
        (tmp_path / "images" / f"p{index}.jpg").unlink()
        (tmp_path / "masks" / f"p{index}.png").unlink()
    with pytest.raises(ValueError, match=f"holds {count} pairs"):
        load_pictures(tmp_path)


@pytest.mark.parametrize("count", [3, 5])
def test_three_pairs_are_enough(tmp_path, count):
    write_folder(tmp_path)
    for index in range(count, COUNT):
        (tmp_path / "images" / f"p{index}.jpg").unlink()
        (tmp_path / "masks" / f"p{index}.png").unlink()
    pictures = load_pictures(tmp_path)
    assert [len(split) for split in pictures[:3]] == [count - 2, 1, 1]


# --------------------------------------------------------------------- paths


@pytest.mark.parametrize("folder", [None, "", 3, b"x", ["a"]])
def test_what_is_no_path_is_named(folder):
    with pytest.raises(ValueError, match="give the path of a folder"):
        load_pictures(folder)


@pytest.mark.parametrize("name", ["nowhere", "x" * 5000, "a\0b", "line\nbreak"])
def test_a_folder_that_is_missing_is_said_with_where_it_was_looked_for(name):
    with pytest.raises(ValueError, match="there is no such folder. Looked for") as seen:
        load_pictures(name)
    assert "\n" not in str(seen.value)


def test_a_relative_path_starts_where_the_reader_started(tmp_path, monkeypatch):
    write_folder(tmp_path / "mine")
    (tmp_path / "book").mkdir()
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.chdir(tmp_path / "book")
    monkeypatch.setenv("PWD", str(tmp_path))
    assert len(load_pictures("mine").train) == 4
    with pytest.raises(ValueError, match="there is no such folder") as caught:
        load_pictures("other")
    for place in (tmp_path / "book" / "other", tmp_path / "other"):
        assert str(place) in str(caught.value)


def test_a_tilde_is_the_readers_home(tmp_path, monkeypatch):
    write_folder(tmp_path / "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(load_pictures("~/mine").train) == 4


@pytest.mark.parametrize("source", ["my_pictures", "Oxford", None])
def test_load_pets_names_the_door_for_folders(source):
    with pytest.raises(
        ValueError, match=r"load_pictures\(folder\), in chapter 12"
    ) as e:
        load_pets(source)
    assert "Chapters 1 to 11 are about" in str(e.value)


# -------------------------------------------------------------- the same way up


def write_turned(folder, orientation, turn_mask, size=(40, 60)):
    """Six pictures with an EXIF turn: a bright box, outlined by its mask.

    `turn_mask` says whether the mask was drawn on the picture as one sees it.
    """
    for index in range(COUNT):
        pixels = make_picture(index, size) // 16
        pixels[5:15, 20:35] += 180
        image = Image.fromarray(pixels)
        exif = image.getexif()
        exif[ORIENTATION] = orientation
        save(image, folder / "images" / f"p{index}.png", exif=exif)
        mask = np.zeros(size, "uint8")
        mask[5:15, 20:35] = 255
        mask = Image.fromarray(mask)
        if turn_mask:
            mask = mask.transpose(checks.TURNS[orientation])
        save(mask, folder / "masks" / f"p{index}.png")
    return folder


@pytest.mark.parametrize("size", [(40, 60), (60, 60)])
@pytest.mark.parametrize("drawn_upright", [True, False])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_mask_is_turned_with_its_picture_where_it_was_drawn_before(
    tmp_path, capsys, orientation, drawn_upright, size
):
    write_turned(tmp_path, orientation, drawn_upright, size)
    pictures = load_pictures(tmp_path)
    for image, mask in read_all(pictures).values():
        np.testing.assert_array_equal(mask == 2, image.mean(-1) > 100)
    said = "before its EXIF turn" in capsys.readouterr().out
    assert said == (not drawn_upright)


def test_a_mask_is_turned_by_its_own_tag(tmp_path):
    write_turned(tmp_path, 3, turn_mask=False)
    for path in (tmp_path / "masks").iterdir():
        mask = Image.open(path)
        exif = mask.getexif()
        exif[ORIENTATION] = 3
        mask.save(path, exif=exif)
    for image, mask in read_all(load_pictures(tmp_path)).values():
        np.testing.assert_array_equal(mask == 2, image.mean(-1) > 100)


def test_a_turn_that_edges_do_not_tell_is_doubtful(tmp_path):
    write_turned(tmp_path, 3, turn_mask=True)
    flat = Image.new("RGB", (60, 40), "grey")
    exif = flat.getexif()
    exif[ORIENTATION] = 3
    flat.save(tmp_path / "images" / "p2.png", exif=exif)
    with pytest.warns(UserWarning, match="p2.png has the EXIF turn 3.*look at it"):
        load_pictures(tmp_path)
    (doubt,) = check_pictures(tmp_path).doubtful
    assert doubt.startswith("p2.png")


# --------------------------------------------------------------- what looks odd


def fill(folder, index, value):
    size = make_numbers(index).shape
    save(np.full(size, value, "uint8"), folder / "masks" / f"p{index}.png")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0,), "1 of 6 pictures has a mask that is all background: p0.jpg"),
        ((0, 0), "2 of 6 pictures have a mask that is all background: p"),
        ((255,), "1 of 6 pictures has a mask of a single class: p0.jpg"),
    ],
)
def test_masks_of_one_value_are_reported_and_load(tmp_path, values, message):
    write_folder(tmp_path)
    for index, value in enumerate(values):
        fill(tmp_path, index, value)
    with pytest.warns(UserWarning, match=message):
        pictures = load_pictures(tmp_path)
    assert len(read_all(pictures)) == COUNT


def test_masks_without_annotation_are_reported(tmp_path):
    write_folder(tmp_path, (1, 2))
    fill(tmp_path, 0, 9)
    with pytest.warns(UserWarning, match="p0.jpg|nothing is annotated"):
        load_pictures(tmp_path, {"a": 1, "b": 2, "void": 9})


def test_inverted_masks_are_reported(tmp_path):
    write_folder(tmp_path)
    path = tmp_path / "masks" / "p3.png"
    save(255 - np.asarray(Image.open(path)), path)
    with pytest.warns(UserWarning, match="1 of 6 .* may be inverted.*: p3.jpg"):
        load_pictures(tmp_path)


# -------------------------------------------------------------------- copies


def test_named_copies_stay_in_one_split(tmp_path):
    for index in range(30):
        name = f"cat{index // 3}_jpg.rf.{index:032x}"
        save(make_picture(index), tmp_path / f"{name}.jpg")
        mask = as_values(0, 1)(make_numbers(index))
        save(mask, tmp_path / f"{name}_mask.png")
    pictures = load_pictures(tmp_path, seed=1)
    sources = [{name[:4] for name in names_of(split)} for split in pictures[:3]]
    assert [len(split) for split in pictures[:3]] == [21, 3, 6]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 10


def test_near_equal_pictures_are_copies_and_others_are_not():
    smooth = [np.kron(make_picture(n, (4, 5)), np.ones((20, 20, 1))) for n in range(4)]
    smooth = [one.astype("uint8") for one in smooth]
    noisy = np.clip(smooth[1] + make_picture(9, (80, 100)) / 64.0, 0, 255)
    small = smooth[2][::2, ::2]
    shown = [*smooth, noisy.astype("uint8"), small, smooth[3][:, ::-1]]
    greys = np.stack([shrink_to_greys(picture) for picture in shown])
    groups = group_copies([str(n) for n in range(len(shown))], greys)
    assert groups.tolist() == [0, 1, 2, 3, 1, 2, 6]


def test_plain_pictures_are_no_copies():
    greys = np.full((3, 8, 9), 7, "uint8")
    assert group_copies(["a", "b", "c"], greys).tolist() == [0, 1, 2]


def test_equal_pictures_stay_in_one_split(tmp_path):
    write_folder(tmp_path, picture="images/p{}.png")
    shutil.copy(tmp_path / "images" / "p0.png", tmp_path / "images" / "p1.png")
    for seed in range(8):
        pictures = load_pictures(tmp_path, seed=seed)
        for split in pictures[:3]:
            assert len({"p0.png", "p1.png"} & set(names_of(split))) != 1


def test_without_copies_the_cut_is_that_of_the_pets():
    names = [f"pet_{index}.jpg" for index in range(50)]
    groups = np.arange(50)
    np.testing.assert_array_equal(
        choose_groups(names, groups, 0.2, 0), choose_names(names, 0.2, 0)
    )


def test_pictures_that_all_look_alike_are_cut_and_reported(tmp_path):
    write_folder(tmp_path, picture="images/p{}.png")
    for index in range(1, COUNT):
        shutil.copy(tmp_path / "images/p0.png", tmp_path / f"images/p{index}.png")
    with pytest.warns(UserWarning, match="nearly all pictures look alike"):
        pictures = load_pictures(tmp_path)
    assert [len(split) for split in pictures[:3]] == [4, 1, 1]


def test_copies_in_splits_that_a_folder_brings_are_reported(tmp_path):
    write_splits(tmp_path, ("train", "valid", "test"))
    for index in range(2):
        source = tmp_path / "train" / "images" / f"train{index}.png"
        shutil.copy(source, tmp_path / "test" / "images" / f"test{index}.png")
    with pytest.warns(UserWarning, match="2 of 6 test pictures are copies of training"):
        load_pictures(tmp_path)


# ------------------------------------------------------ one reader, any size, once


def test_training_reads_the_pixels_that_prediction_reads(tmp_path):
    write_folder(tmp_path, picture="images/p{}.png")
    clear = np.zeros((10, 12, 4), "uint8")
    clear[:5] = (200, 10, 10, 255)  # below it transparent, over hidden black
    Image.fromarray(clear).save(tmp_path / "images" / "p0.png")
    deep = np.linspace(0, 65535, 10 * 12).reshape(10, 12).astype("uint16")
    Image.fromarray(deep).save(tmp_path / "images" / "p1.png")
    read = read_all(load_pictures(tmp_path))
    assert read["p0.png"][0][-1].min() == 255, "transparent parts become white"
    assert (read["p1.png"][0].min(), read["p1.png"][0].max()) == (0, 255)
    for name, (image, _) in read.items():
        expected = read_picture(tmp_path / "images" / name)
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_large_pictures_are_shrunk_with_their_masks(tmp_path, ending):
    for index in range(3):
        dark = np.full((1500, 2100, 3), 30 + index, "uint8")
        dark[:, 1050:] = 220
        dark[: 300 * index + 300] //= 2
        save(dark, tmp_path / "images" / f"p{index}.{ending}")
        mask = as_values(0, 255)(1 + (dark[..., 0] > 100).astype("uint8"))
        save(mask, tmp_path / "masks" / f"p{index}.png")
    for image, mask in read_all(load_pictures(tmp_path)).values():
        assert image.shape == (731, 1024, 3)
        assert mask.shape == (731, 1024)
        off = (mask == 2) != (image.mean(-1) > 90)
        assert off.mean() < 0.003, "but for the pixels along an edge"


def test_what_was_checked_is_remembered_until_a_file_changes(tmp_path, monkeypatch):
    write_folder(tmp_path, picture="images/p{}.png")
    looked, look = [], checks.check_pair

    def count(pair):
        looked.append(pair.image.name)
        return look(pair)

    monkeypatch.setattr(checks, "check_pair", count)
    first = read_all(load_pictures(tmp_path))
    assert len(looked) == COUNT
    again = read_all(load_pictures(tmp_path))
    assert len(looked) == COUNT
    for name, (image, mask) in first.items():
        np.testing.assert_array_equal(image, again[name][0])
        np.testing.assert_array_equal(mask, again[name][1])
    path = tmp_path / "masks" / "p3.png"
    save(make_numbers(4) // 2 * 255, path)
    os.utime(path, ns=(1, 1))
    load_pictures(tmp_path)
    assert looked[COUNT:] == ["p3.png"]


def test_outlines_that_change_are_checked_again(tmp_path, monkeypatch):
    write_folder(tmp_path)
    outline = tmp_path / "labels.json"
    pair = Pair(tmp_path / "images" / "p0.jpg", lambda: make_numbers(0))
    looked, look = [], checks.check_pair
    monkeypatch.setattr(
        checks, "check_pair", lambda pair: looked.append(1) or look(pair)
    )
    for number, text in enumerate(("[]", "[]", "[1]"), 1):
        outline.write_text(text)
        os.utime(outline, (1, 1))
        checks.check_pairs(tmp_path, [pair])
        assert len(looked) == (1, 1, 2)[number - 1]


def test_a_cache_that_cannot_be_written_costs_a_check_and_nothing_else(
    tmp_path, monkeypatch
):
    write_folder(tmp_path / "mine")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        assert len(load_pictures(tmp_path / "mine").train) == 4


def test_full_memory_is_said_and_not_remembered(tmp_path, monkeypatch):
    write_folder(tmp_path)

    def fill_memory(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(checks, "read_picture", fill_memory)
        with pytest.raises(ValueError, match=r"p\d.jpg and its mask need more memory"):
            load_pictures(tmp_path)
    assert len(load_pictures(tmp_path).train) == 4


def test_a_damaged_cache_is_checked_again(tmp_path, cache):  # noqa: F811
    write_folder(tmp_path)
    load_pictures(tmp_path)
    (file,) = (cache / "checks").iterdir()
    for content in ("", "[]", '{"edition": 1}', '{"edition": 0, "pairs": {}}'):
        file.write_text(content)
        assert len(load_pictures(tmp_path).train) == 4


def test_a_file_that_is_gone_after_loading_is_named(tmp_path):
    pictures = load_pictures(write_folder(tmp_path))
    (tmp_path / "images" / names_of(pictures.test)[0]).unlink()
    with pytest.raises(tf.errors.InvalidArgumentError, match="was whole when.*again"):
        list(pictures.test)


# -------------------------------------------------------------------- report


def test_a_report_counts_classes_and_sizes(tmp_path):
    write_folder(tmp_path)
    report = check_pictures(tmp_path)
    assert report.classes.names == ("background", "foreground")
    assert report.sizes.tolist() == [[10, 12]] * COUNT
    assert (report.faults, report.doubtful) == ([], [])
    # Six masks of 120 pixels: stripes of 6 x 2, one pixel beside them in three.
    expected = (6 * 12 + 3) / (6 * 120)
    assert report.shares == pytest.approx(
        {"": 0, "background": 1 - expected, "foreground": expected}
    )
    image, mask = report.read(0)
    assert image.shape == (10, 12, 3)
    assert mask.shape == (10, 12, 1)


# ---------------------------------------------------------------- at random

ENDINGS = ("png", "jpg", "bmp", "gif", "tif", "webp")
LISTS = {
    "classes.csv": "name,value,background\nground,0,yes\nleaf,255,\n",
    "_classes.csv": "Pixel Value, Class\n0, ground\n255, leaf\n",
    "labelmap.txt": "# label:color_rgb\nground:0,0,0::\nleaf:255,255,255::\n",
}
JUNK = (
    b"",
    b"\0" * 9,
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"nan",
    b'"',
    b"\n",
    b"-1",
    b"9" * 30,
)


def write_any(folder, rng):
    """Write a small folder of a random kind, with a class list or none."""
    endings = rng.choice(ENDINGS, 2)
    mask = "png" if endings[1] in ("jpg", "webp") else endings[1]
    write_folder(folder, (0, 255), f"images/p{{}}.{endings[0]}", f"masks/p{{}}.{mask}")
    name = rng.choice([*LISTS, ""])
    if name:
        (folder / name).write_text(LISTS[name])


def damage_bytes(content, rng):
    """Return bytes with one to three random faults: cut, put in, written over."""
    for _ in range(rng.integers(1, 4)):
        start = int(rng.integers(0, len(content) + 1))
        stop = start + int(rng.choice([0, 1, 4, 40, len(content)]))
        junk = bytes(rng.choice(JUNK)) if rng.random() < 0.6 else rng.bytes(4)
        content = content[:start] + junk + content[stop:]
    return content


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_hundred_damaged_folders_load_or_are_refused_in_a_sentence(tmp_path):
    refused = 0
    for seed in range(200):
        rng, folder = np.random.default_rng(seed), tmp_path / str(seed)
        write_any(folder, rng)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        file = files[rng.integers(len(files))]
        file.write_bytes(damage_bytes(file.read_bytes(), rng))
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        try:
            said = check_pictures(folder).faults
        except ValueError as error:
            said = [str(error).partition("\n\nname,")[0]]  # the list to complete
        refused += bool(said)
        assert all("\n" not in fault and len(fault) < 700 for fault in said), said
        assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert 60 < refused < 200
