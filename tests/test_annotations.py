"""Outlines of annotation tools become masks whose pixels can be counted by hand."""

import base64
import io
import json
import sys
import zlib

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

from unetbook.sources.annotations import find_annotations
from unetbook.sources.coco import unpack

SIZE = (4, 6)  # height, width
BOX = [1, 1, 4, 1, 4, 3, 1, 3]  # in COCO's coordinates, 3 x 2 pixels from (1, 1)


def save_picture(path, size=SIZE, turn=None):
    """Save a grey picture, with the camera's mark if it is turned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size[::-1], "grey")
    exif = image.getexif()
    if turn:
        exif[0x0112] = turn
    image.save(path, exif=exif)


def write_coco(folder, *outlines, name="annotations.json", size=SIZE, **changes):
    """Write a COCO file for a.png, one annotation for each outline, and the picture."""
    save_picture(folder / "a.png")
    annotations = [
        {"id": n, "image_id": 1, "category_id": 1, "iscrowd": 0} | outline
        for n, outline in enumerate(outlines, 1)
    ]
    content = {
        "images": [
            {"id": 1, "file_name": "a.png", "height": size[0], "width": size[1]}
        ],
        "categories": [{"id": 1, "name": "leaf"}, {"id": 7, "name": "crack"}],
        "annotations": annotations,
    }
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content | changes))


def write_labelme(folder, *shapes, name="a", **changes):
    """Write a file of labelme and its picture."""
    save_picture(folder / f"{name}.png")
    content = {
        "version": "5.5.0",
        "shapes": list(shapes),
        "imagePath": f"{name}.png",
        "imageData": None,
        "imageHeight": SIZE[0],
        "imageWidth": SIZE[1],
    }
    (folder / f"{name}.json").write_text(json.dumps(content | changes))


def shape(kind, *points, label="leaf", **more):
    """Return a shape as labelme writes it."""
    return {"label": label, "shape_type": kind, "points": list(points)} | more


def draw(folder):
    """Return the mask of the only picture in a folder, as text: one digit a pixel."""
    ((_, draw_mask),) = find_annotations(folder).pairs
    mask = draw_mask()
    assert mask.dtype == np.uint8
    return ["".join(map(str, row)) for row in mask.tolist()]


def png(values):
    """Return a mask as labelme keeps it: a PNG in base64."""
    buffer = io.BytesIO()
    Image.fromarray(np.array(values, "uint8") * 255).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_folder_without_outlines_has_none(tmp_path):
    save_picture(tmp_path / "a.png")
    (tmp_path / "package.json").write_text('{"name": "other"}')
    (tmp_path / "tasks.json").write_text("[1, 2]")
    assert find_annotations(tmp_path) is None


def test_what_no_outline_covers_is_background(tmp_path):
    write_coco(tmp_path, {"segmentation": [BOX]})
    annotations = find_annotations(tmp_path)
    assert annotations.class_list.classes.names == ("background", "crack", "leaf")
    assert annotations.class_list.classes.background == 0
    assert annotations.class_list.codes == {0: None, 1: 1, 2: 2, 3: 3}
    assert annotations.pairs[0][0] == tmp_path / "a.png"
    assert draw(tmp_path) == ["111111", "133311", "133311", "111111"]


def test_picture_without_outlines_is_all_background(tmp_path):
    write_coco(tmp_path)
    assert draw(tmp_path) == ["111111"] * 4


def test_category_called_background_is_the_background(tmp_path):
    categories = [{"id": 1, "name": "leaf"}, {"id": 7, "name": "Background"}]
    write_coco(tmp_path, {"segmentation": [BOX]}, categories=categories)
    assert find_annotations(tmp_path).class_list.classes.names == ("background", "leaf")
    assert draw(tmp_path)[1] == "122211"


def test_parts_of_an_outline_belong_together(tmp_path):
    parts = [[0, 0, 2, 0, 2, 1, 0, 1], [4, 3, 6, 3, 6, 4, 4, 4]]
    write_coco(tmp_path, {"segmentation": parts})
    assert draw(tmp_path) == ["331111", "111111", "111111", "111133"]


def test_run_lengths_go_down_the_columns_and_leave_holes(tmp_path):
    # 5 zeros, 2 ones, 2 zeros ...: columns 1 to 3 hold a ring around (row 2, column 2).
    counts = [5, 3, 1, 1, 1, 1, 1, 3, 8]
    rle = {"size": list(SIZE), "counts": counts}
    write_coco(tmp_path, {"segmentation": rle})
    assert draw(tmp_path) == ["111111", "133311", "131311", "133311"]


def test_compressed_run_lengths_are_what_the_library_packs(tmp_path):
    pixels = np.zeros(SIZE, "uint8", order="F")
    pixels[1:4, 1:4], pixels[2, 2] = 1, 0
    rle = coco_masks.encode(pixels)
    assert rle["counts"] == b"531N00027"
    write_coco(tmp_path, {"segmentation": rle | {"counts": "531N00027"}})
    assert draw(tmp_path) == ["111111", "133311", "131311", "133311"]


def test_run_lengths_are_unpacked_as_the_library_packs_them():
    rng = np.random.default_rng(0)
    for share in (0.001, 0.1, 0.5, 0.99):
        pixels = np.asfortranarray(rng.random((60, 70)) < share, "uint8")
        runs = unpack(coco_masks.encode(pixels)["counts"].decode())
        values = np.arange(len(runs)) % 2  # zeros first, then ones, and again
        np.testing.assert_array_equal(np.repeat(values, runs), pixels.ravel("F"))


def test_run_lengths_packed_by_hand_are_read(tmp_path):
    # A letter for each number below 16: "1", "2", "3"; from the fourth on, the
    # difference to the one before the last: 18 - 2 = 16, low bits "`" and then "0".
    write_coco(tmp_path, {"segmentation": {"size": [4, 6], "counts": "123`0"}})
    assert draw(tmp_path) == ["113333", "313333", "333333", "133333"]


def test_small_outline_lies_on_a_large_one(tmp_path):
    small, large = [1, 1, 2, 1, 2, 2, 1, 2], [0, 0, 6, 0, 6, 4, 0, 4]
    outlines = [
        {"segmentation": [small], "category_id": 7},
        {"segmentation": [large]},
    ]
    write_coco(tmp_path, *outlines)
    assert draw(tmp_path) == ["333333", "323333", "333333", "333333"]
    write_coco(tmp_path, *outlines[::-1])
    assert draw(tmp_path)[1] == "323333"


def test_crowd_is_void_where_nothing_else_is(tmp_path):
    rle = {"size": list(SIZE), "counts": [4, 8, 12]}
    crowd = {"segmentation": rle, "iscrowd": 1}
    write_coco(tmp_path, crowd, {"segmentation": [BOX]})
    assert draw(tmp_path) == ["100111", "133311", "133311", "100111"]


def test_mask_that_cvat_marks_as_a_crowd_is_its_class(tmp_path):
    rle = {"size": list(SIZE), "counts": [4, 8, 12]}
    crowd = {"segmentation": rle, "iscrowd": 1, "attributes": {"occluded": False}}
    write_coco(tmp_path, crowd)
    assert draw(tmp_path) == ["133111"] * 4


def test_project_that_roboflow_lists_as_a_category_is_none(tmp_path):
    categories = [
        {"id": 0, "name": "leaves", "supercategory": "none"},
        {"id": 1, "name": "leaf", "supercategory": "leaves"},
    ]
    name = "train/_annotations.coco.json"
    write_coco(tmp_path, {"segmentation": [BOX]}, name=name, categories=categories)
    classes = find_annotations(tmp_path).class_list.classes
    assert classes.names == ("background", "leaf")


def test_splits_share_one_class_list(tmp_path):
    for split, category in (("train", "leaf"), ("valid", "crack")):
        save_picture(tmp_path / split / "a.png")
        categories = [{"id": 1, "name": category}]
        outline = {"segmentation": [BOX]}
        write_coco(tmp_path / split, outline, categories=categories)
    annotations = find_annotations(tmp_path)
    assert annotations.class_list.classes.names == ("background", "crack", "leaf")
    assert [path.parent.name for path, _ in annotations.pairs] == ["train", "valid"]
    assert [draw_mask()[1, 1] for _, draw_mask in annotations.pairs] == [3, 2]


def test_picture_is_found_by_the_folders_it_was_exported_from(tmp_path):
    images = [{"id": 1, "file_name": "C:\\work\\train\\a.png"}]
    write_coco(tmp_path / "annotations", images=images, name="instances_train.json")
    (tmp_path / "annotations" / "a.png").unlink()
    for place in ("images/train", "images/val", "masks/train"):
        save_picture(tmp_path / place / "a.png")
    ((path, _),) = find_annotations(tmp_path).pairs
    assert path == tmp_path / "images" / "train" / "a.png"


def test_two_pictures_of_one_name_are_not_guessed(tmp_path):
    images = [{"id": 1, "file_name": "a.png"}]
    write_coco(tmp_path / "annotations", images=images)
    (tmp_path / "annotations" / "a.png").unlink()
    for place in ("left", "right"):
        save_picture(tmp_path / place / "a.png")
    with pytest.raises(
        ValueError, match=r"'a\.png', which may be .*a\.png or .*a\.png"
    ):
        find_annotations(tmp_path)


def test_key_points_beside_instances_are_passed_over(tmp_path):
    write_coco(tmp_path / "annotations", name="instances_val.json")
    write_coco(tmp_path / "annotations", name="person_keypoints_val.json")
    assert len(find_annotations(tmp_path).pairs) == 1


def test_size_tells_whether_outlines_are_for_the_turned_picture(tmp_path):
    corner = [0, 0, 2, 0, 2, 1, 0, 1]  # the first row, two pixels of it
    write_coco(tmp_path, {"segmentation": [corner]})
    save_picture(tmp_path / "a.png", turn=6)  # shown a quarter to the right
    assert draw(tmp_path) == ["1113", "1113", "1111", "1111", "1111", "1111"]
    write_coco(tmp_path, {"segmentation": [corner]}, size=SIZE[::-1])
    save_picture(tmp_path / "a.png", turn=6)
    assert draw(tmp_path) == ["3311", "1111", "1111", "1111", "1111", "1111"]


def test_upside_down_picture_keeps_its_size_and_its_outlines(tmp_path):
    write_coco(tmp_path, {"segmentation": [[0, 0, 2, 0, 2, 1, 0, 1]]})
    save_picture(tmp_path / "a.png", turn=3)
    assert draw(tmp_path)[0] == "331111"


@pytest.mark.parametrize(
    ("one", "rows"),
    [
        # labelme fills the outline too: columns 1 to 3, rows 1 and 2.
        (shape("polygon", [1, 1], [3, 1], [3, 2], [1, 2]), ["1222", "1222", "1111"]),
        (shape("rectangle", [3, 2], [1, 1]), ["1222", "1222", "1111"]),
        (shape("rectangle", [1, 1], [3, 1], [3, 2], [1, 2]), ["1222", "1222", "1111"]),
        (shape("circle", [2, 2], [2, 3]), ["1121", "1222", "1121"]),
        (shape("mask", [1, 1], [2, 2], mask=png([[1, 0], [1, 1]])), ["1211", "1221"]),
        (shape("mask", [2, 2], [4, 3], mask=png([[1] * 3] * 2)), ["1111", "1122"]),
        (shape(None, [1, 1], [3, 1], [3, 2], [1, 2]), ["1222", "1222", "1111"]),
    ],
    ids=["polygon", "rectangle", "corners", "circle", "mask", "cut", "old"],
)
def test_shape_of_labelme_fills_the_pixels_that_labelme_fills(tmp_path, one, rows):
    write_labelme(tmp_path, one)
    drawn = draw(tmp_path)
    assert drawn[0] == "111111"
    assert [row[:4] for row in drawn[1 : 1 + len(rows)]] == rows


@pytest.mark.parametrize("kind", ["line", "linestrip", "point"])
def test_line_and_point_of_labelme_are_some_pixels_wide(tmp_path, kind):
    points = [[20, 20]] if kind == "point" else [[20, 20], [30, 20]]
    write_labelme(tmp_path, shape(kind, *points), imageHeight=None, imageWidth=None)
    save_picture(tmp_path / "a.png", (40, 50))
    ((_, draw_mask),) = find_annotations(tmp_path).pairs
    column = draw_mask()[:, 25 if kind != "point" else 20]
    assert 10 <= (column == 2).sum() <= 11


def test_later_shape_lies_on_top_and_background_cuts_a_hole(tmp_path):
    write_labelme(
        tmp_path,
        shape("rectangle", [0, 0], [5, 3]),
        shape("rectangle", [1, 1], [1, 2], label="crack"),
        shape("rectangle", [3, 1], [3, 1], label="_background_"),
        shape("rectangle", [4, 2], [4, 2], label="__ignore__"),
    )
    names = find_annotations(tmp_path).class_list.classes.names
    assert names == ("background", "crack", "leaf")
    assert draw(tmp_path) == ["333333", "323133", "323303", "333333"]


def test_labels_of_all_files_make_one_class_list(tmp_path):
    write_labelme(tmp_path, shape("point", [1, 1], label="zebra"), name="a")
    write_labelme(tmp_path, shape("point", [1, 1], label="ant"), name="b")
    save_picture(tmp_path / "unlabelled.png")
    annotations = find_annotations(tmp_path)
    assert annotations.class_list.classes.names == ("background", "ant", "zebra")
    assert [path.name for path, _ in annotations.pairs] == ["a.png", "b.png"]


def test_label_in_two_spellings_is_named(tmp_path):
    write_labelme(tmp_path, shape("point", [1, 1], label="Leaf"), name="a")
    write_labelme(tmp_path, shape("point", [1, 1], label="leaf "), name="b")
    with pytest.raises(ValueError, match=r"a\.json has the class 'Leaf'.*b\.json"):
        find_annotations(tmp_path)


def test_renamed_picture_beside_its_file_is_found(tmp_path):
    one = shape("rectangle", [0, 0], [5, 3])
    write_labelme(tmp_path, one, imagePath="..\\IMG 1.JPG")
    assert draw(tmp_path) == ["222222"] * 4


def test_library_that_is_missing_is_named(tmp_path, monkeypatch):
    write_coco(tmp_path, {"segmentation": [BOX]})
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(ValueError, match=r"unetbook\[coco\].*pip install pycocotools"):
        find_annotations(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": [{"id": 1}]}, "no id or no file_name"),
        ({"images": [{"id": [], "file_name": "a.png"}]}, "no id or no file_name"),
        ({"images": [3]}, "the picture 3 has no id"),
        ({"images": [{"id": 1, "file_name": "b.png"}]}, r"'b\.png', which is nowhere"),
        ({"images": [{"id": 1, "file_name": n} for n in "ab"]}, "a and b have one id"),
        (
            {"images": [{"id": n, "file_name": "a.png"} for n in (1, 2)]},
            "both outline the picture",
        ),
        ({"categories": [{"id": 1}]}, "the category .* has no id or no name"),
        (
            {"categories": [{"id": 7, "name": "crack"}]},
            "category_id is 1, and the file",
        ),
        ({"annotations": [{"id": 5, "category_id": 1}]}, "5: image_id is None"),
        ({"annotations": ["x"]}, "image_id is None"),
        ({"categories": [{"id": 1, "name": "void"}]}, "name 0 classes without"),
        (
            {"categories": [{"id": n, "name": f"c{n}"} for n in range(300)]},
            "name 300 classes without the background, expected 1 to 254",
        ),
    ],
)
def test_fault_of_a_file_is_found_before_drawing(tmp_path, changes, message):
    write_coco(tmp_path, {"segmentation": [BOX]}, **changes)
    with pytest.raises(ValueError, match=message) as caught:
        find_annotations(tmp_path)
    assert "annotations.json" in str(caught.value)


BOMB = {"size": [10**5, 10**5], "counts": [10**10]}


@pytest.mark.parametrize(
    ("outline", "message"),
    [
        ([[1, 1, 2, 2]], "a polygon has 4 numbers, expected an even number from 6"),
        ([[1, 1, 2, 2, 3, 3, 4]], "a polygon has 7 numbers"),
        ([[1, 1, 2, 2, 3, "3"]], "the coordinate '3' is no number"),
        ([[1, 1, 2, 2, 3, float("nan")]], "the coordinate nan is no number"),
        ([[1, 1, 2, 2, 3, float("inf")]], "the coordinate inf is no number"),
        ([[1, 1, 2, 2, 3, 10**400]], "the coordinate 1000.* is no number"),
        ([[1, 1, 2, 2, 3, 500]], r"500 .* far outside the picture of 6 x 4 pixels"),
        ([[0, 0, 6, 4] * 3000], "longer than any outline"),
        ([3], "a polygon has 1 numbers"),
        (["x"], "a polygon has 1 numbers"),
        ([], r"the segmentation is \[\]: a box, perhaps, and no outline"),
        (None, "the segmentation is None"),
        ("x", "the segmentation is 'x'"),
        (BOMB, r"for a size of \[100000, 100000\], the picture has \[4, 6\]"),
        ({"size": [4, 6], "counts": [1, 2, 3]}, "do not fill a picture of 6 x 4"),
        ({"size": [4, 6], "counts": [-1, 25]}, "do not fill"),
        ({"size": [4, 6], "counts": ["24"]}, "do not fill"),
        ({"size": [4, 6], "counts": None}, "do not fill"),
        ({"size": [4, 6], "counts": "`"}, "do not fill"),
        ({"size": [4, 6], "counts": "é"}, "do not fill"),
        ({"size": [4, 6], "counts": "1"}, "the run lengths '1' do not fill"),
        ({"size": [4, 6], "counts": "123o0"}, "do not fill"),
        ({"size": [4, 6], "counts": "o" * 10**6}, "do not fill"),
    ],
)
def test_fault_of_an_outline_is_named_with_its_picture(tmp_path, outline, message):
    write_coco(tmp_path, {"segmentation": outline})
    with pytest.raises(ValueError, match=message) as caught:
        draw(tmp_path)
    assert "annotations.json, a.png: annotation 1: " in str(caught.value)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (("4", "6"), "height and width are '4' and '6', expected whole numbers"),
        ((4.5, 6), "height and width are 4.5 and 6"),
        ((float("nan"), 6), "height and width are nan"),
        ((0, 6), "height and width are 0"),
        ((None, 6), "height and width are None"),
        ((40, 60), r"for 60 x 40 pixels \(width x height\), the picture has 6 x 4"),
        ((10**9, 10**9), "the coordinate|for 1000000000 x|height and width are 1000"),
    ],
)
def test_size_that_is_none_or_another_is_named(tmp_path, size, message):
    write_coco(tmp_path, {"segmentation": [BOX]}, size=size)
    with pytest.raises(ValueError, match=message):
        draw(tmp_path)


def test_outline_that_juts_out_is_cut_off(tmp_path):
    write_coco(tmp_path, {"segmentation": [[-3, -2, 2, -2, 2, 1, -3, 1]]})
    assert draw(tmp_path) == ["331111", "111111", "111111", "111111"]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (shape("polygon", [1, 1], [2, 2]), "a polygon has 2 points"),
        (shape("polygon"), r"the points are \[\], expected pairs"),
        (shape("polygon", [1, 1, 1]), "expected pairs"),
        (shape("polygon", [1, 1], [2, "a"], [3, 3]), "the coordinate 'a'"),
        (shape("circle", [1, 1]), "a circle has 1 points, expected 2"),
        (shape("blob", [1, 1]), "shape_type 'blob' is unknown"),
        (shape(["list"], [1, 1]), "is unknown"),
        (shape("mask", [0, 0], [1, 1]), "the mask is no base64"),
        (shape("mask", [0, 0], [1, 1], mask="####"), "the mask is no base64"),
        (shape("mask", [0, 0], [1, 1], mask="aGVsbG8="), "the mask is no PNG"),
        (shape("mask", [0, 0], [1, 1], mask=png([[1] * 9])), "larger than its picture"),
    ],
)
def test_fault_of_a_shape_is_named_with_its_label(tmp_path, one, message):
    write_labelme(tmp_path, one)
    with pytest.raises(ValueError, match=message) as caught:
        draw(tmp_path)
    assert "a.json, a.png: shape 1 (leaf): " in str(caught.value)


def test_shape_without_a_label_is_named(tmp_path):
    for label in (None, 3, " "):
        write_labelme(tmp_path, shape("point", [1, 1], label=label))
        with pytest.raises(ValueError, match=r"a\.json, shape 1: the label is"):
            find_annotations(tmp_path)


@pytest.mark.parametrize("text", [b"{", b"", b"\xff\xfe{", b"[" * 200000, b'{"a": 1'])
def test_file_that_is_no_json_is_named(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"a\.json cannot be read as JSON"):
        find_annotations(tmp_path)


def test_picture_that_cannot_be_read_is_named(tmp_path):
    write_coco(tmp_path, {"segmentation": [BOX]})
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png cannot be read"):
        draw(tmp_path)


def write_supervisely(folder, *objects, size=SIZE):
    """Write a project of Supervisely with one picture."""
    save_picture(folder / "ds" / "img" / "a.png")
    save_picture(folder / "other" / "img" / "a.png")
    (folder / "meta.json").write_text('{"classes": [], "tags": []}')
    content = {"size": {"height": size[0], "width": size[1]}, "objects": list(objects)}
    (folder / "ds" / "ann").mkdir(exist_ok=True)
    (folder / "ds" / "ann" / "a.png.json").write_text(json.dumps(content))


def thing(kind, exterior=None, interior=(), name="leaf", **more):
    """Return an object as Supervisely writes it."""
    points = {"exterior": exterior, "interior": list(interior)}
    return {"classTitle": name, "geometryType": kind, "points": points} | more


def test_polygon_of_supervisely_has_a_hole(tmp_path):
    outer, inner = [[0, 0], [5, 0], [5, 3], [0, 3]], [[1, 1], [2, 1], [2, 2], [1, 2]]
    write_supervisely(tmp_path, thing("polygon", outer, [inner]))
    assert find_annotations(tmp_path).pairs[0][0] == tmp_path / "ds/img/a.png"
    assert draw(tmp_path) == ["222222", "211222", "211222", "222222"]


def test_bitmap_of_supervisely_lies_at_its_origin(tmp_path):
    packed = zlib.compress(base64.b64decode(png([[1, 0], [1, 1]])))
    bitmap = {"data": base64.b64encode(packed).decode(), "origin": [3, 1]}
    write_supervisely(tmp_path, thing("bitmap", bitmap=bitmap))
    assert draw(tmp_path) == ["111111", "111211", "111221", "111111"]


def test_later_object_of_supervisely_lies_on_top(tmp_path):
    rectangle = thing("rectangle", [[0, 0], [5, 3]])
    write_supervisely(
        tmp_path, rectangle, thing("rectangle", [[1, 1], [1, 1]], name="a")
    )
    assert draw(tmp_path) == ["333333", "323333", "333333", "333333"]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (thing("cuboid", [[1, 1]]), "shape_type 'cuboid' is unknown"),
        (thing(["x"] * 99, [[1, 1]]), r"shape_type \['x', .* \.\.\. is unknown"),
        (thing("polygon", [[1, 1]]), "a polygon has 1 points"),
        (thing("polygon", points=3), "the points are 3, expected an exterior"),
        (thing("bitmap"), r"the origin of a bitmap is None, expected \[x, y\]"),
        (thing("bitmap", bitmap={"data": "aGk=", "origin": [0, 0]}), "is damaged"),
        (thing("bitmap", bitmap={"data": 3, "origin": [0, 0]}), "no base64"),
    ],
)
def test_fault_of_an_object_is_named(tmp_path, one, message):
    write_supervisely(tmp_path, one)
    with pytest.raises(ValueError, match=message) as caught:
        draw(tmp_path)
    assert "a.png.json, a.png: object 1 (leaf): " in str(caught.value)


def test_bitmap_that_unpacks_to_gigabytes_is_refused(tmp_path):
    packed = base64.b64encode(zlib.compress(bytes(10**7), 9)).decode()
    bitmap = {"data": packed, "origin": [0, 0]}
    write_supervisely(tmp_path, thing("bitmap", bitmap=bitmap))
    with pytest.raises(ValueError, match="the mask is no PNG"):
        draw(tmp_path)


def write_label_studio(folder, *results, **changes):
    """Write an export of Label Studio with one task, and its picture."""
    save_picture(folder / "a.png")
    size = {"original_height": SIZE[0], "original_width": SIZE[1], "image_rotation": 0}
    annotation = {"result": [size | result for result in results]} | changes
    data = {"image": "/data/upload/1/0a1b2c3d-a.png"}
    tasks = [
        {"id": 1, "data": data, "annotations": [annotation]},
        {"id": 2, "data": {"image": "b.png"}, "annotations": []},
    ]
    (folder / "project-1.json").write_text(json.dumps(tasks))


def result(kind, label="leaf", **value):
    """Return an outline as Label Studio writes it."""
    return {"type": kind, "value": value | {kind: [label]}}


def test_outlines_of_label_studio_are_in_percent(tmp_path):
    points = [[0, 0], [50, 0], [50, 25], [0, 25]]  # to column 3 and row 1
    box = {"x": 200 / 3, "y": 50, "width": 100 / 6, "height": 25}
    write_label_studio(
        tmp_path,
        {"type": "choices", "value": {"choices": ["sharp"]}},
        result("polygonlabels", points=points),
        result("rectanglelabels", "crack", **box),
    )
    assert draw(tmp_path) == ["333311", "333311", "111122", "111122"]


def test_ellipse_of_label_studio_is_drawn(tmp_path):
    ellipse = {"x": 50, "y": 50, "radiusX": 100 / 6, "radiusY": 25}
    write_label_studio(tmp_path, result("ellipselabels", **ellipse))
    assert draw(tmp_path) == ["111111", "111211", "112221", "111211"]


def test_task_that_was_cancelled_is_no_background(tmp_path):
    write_label_studio(tmp_path, was_cancelled=True)
    assert find_annotations(tmp_path) is None


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (result("brushlabels", rle=[1]), "brushlabels cannot be drawn.*strokes as PNG"),
        (result("polygonlabels", points=[[1, "2"]]), r"the points are \[\[1, '2'\]\]"),
        (result("polygonlabels", points=[[1, 2]]), "a polygon has 1 points"),
        (result("rectanglelabels", x=1, y=1), "rectanglelabels cannot be drawn"),
        (result("polygonlabels") | {"image_rotation": 90}, "turned in Label Studio"),
    ],
)
def test_fault_of_a_result_is_named(tmp_path, one, message):
    write_label_studio(tmp_path, one)
    with pytest.raises(ValueError, match=message) as caught:
        draw(tmp_path)
    assert "project-1.json, a.png: outline 1 (leaf): " in str(caught.value)


def test_result_with_two_labels_is_named(tmp_path):
    one = {"type": "polygonlabels", "value": {"polygonlabels": ["a", "b"]}}
    write_label_studio(tmp_path, one)
    with pytest.raises(
        ValueError, match=r"task 1: an outline has the labels \['a', 'b'"
    ):
        find_annotations(tmp_path)
