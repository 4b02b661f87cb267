"""Class lists of several tools are read as they are; a fault is one clear sentence."""

import numpy as np
import pytest

from unetbook.classes import Classes, choose_colours
from unetbook.sources.class_lists import (
    ClassList,
    describe_classes_csv,
    read_class_list,
    write_class_list,
)

LEAVES = ClassList(
    Classes(("leaf", "background"), ((1, 2, 3), (4, 5, 6)), 1), {255: 1, 0: 2, 7: None}
)


def read(folder, content, name="classes.csv"):
    """Write one file into a folder, and read the folder's class list."""
    content = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(content)
    return read_class_list(folder)


def test_folder_without_a_list_has_none(tmp_path):
    assert read_class_list(tmp_path) is None
    assert read_class_list(tmp_path / "missing") is None


def test_value_stands_for_the_class_on_its_line_and_void_for_none(tmp_path):
    classes, codes = read(tmp_path, "name,value\ncat,7\nbackground,0\nvoid,255\n")
    assert classes.names == ("cat", "background")
    assert classes.background == 1
    assert codes == {7: 1, 0: 2, 255: None}


def test_colour_stands_for_the_class_and_is_drawn_too(tmp_path):
    text = "name,red,green,blue\ncat,224,64,64\ndog,0,0,9\n"
    classes, codes = read(tmp_path, text)
    assert codes == {(224, 64, 64): 1, (0, 0, 9): 2}
    assert classes.colours == ((224, 64, 64), (0, 0, 9))
    assert classes.background is None


def test_column_says_which_class_is_the_background(tmp_path):
    text = "name,value,background\nbackground,0,\nwall,1,YES\n"
    assert read(tmp_path, text)[0].background == 1


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffname,value\r\ncat,1\r\nsky blue,2\r\n",
        "NAME; Value\n'cat';1\nsky blue;2\n".replace("'", '"'),
        'name,value\n\n cat , 1 \n"sky blue",2.0\n,\n',
        "name\tvalue\ncat\t1\nsky  blue\t2",
        "name,value\ncat,1\nsky blue,2\n".encode("utf-16"),
    ],
    ids=["mark and Windows", "semicolons", "blanks", "tabs", "UTF-16"],
)
def test_what_spreadsheets_save_is_read(tmp_path, content):
    classes, codes = read(tmp_path, content)
    assert classes.names == ("cat", "sky blue")
    assert codes == {1: 1, 2: 2}


def test_letters_of_a_windows_spreadsheet_are_read(tmp_path):
    text = "name,value\nBär,1\nsea,2\n"
    assert read(tmp_path, text.encode("cp1252"))[0].names == ("Bär", "sea")


def test_labelmap_of_cvat_is_read_with_its_colours(tmp_path):
    text = (
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\n"
        "ignore_region:66,193,150::\nol:ive:217,3,216:a,b:c\n"
    )
    classes, codes = read(tmp_path, text, "labelmap.txt")
    assert classes == Classes(("background", "ol:ive"), ((0, 0, 0), (217, 3, 216)), 0)
    assert codes == {(0, 0, 0): 1, (66, 193, 150): None, (217, 3, 216): 2}


def test_list_of_roboflow_is_read_in_every_split_and_zero_is_no_void(tmp_path):
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        file = tmp_path / split / "_classes.csv"
        file.write_text("Pixel Value, Class\n0, unlabeled\n1, crack")
    classes, codes = read_class_list(tmp_path)
    assert classes.names == ("unlabeled", "crack")
    assert classes.background == 0
    assert codes == {0: 1, 1: 2}


def test_splits_that_disagree_are_named(tmp_path):
    for split, name in (("train", "crack"), ("valid", "leaf")):
        (tmp_path / split).mkdir()
        file = tmp_path / split / "_classes.csv"
        file.write_text(f"Pixel Value, Class\n0, background\n1, {name}")
    with pytest.raises(ValueError, match=r"train.*valid.*name different classes"):
        read_class_list(tmp_path)


def test_class_names_of_labelme_count_from_zero_and_255_is_void(tmp_path):
    classes, codes = read(tmp_path, "_background_\ncat\ndog\n", "class_names.txt")
    assert classes.names == ("background", "cat", "dog")
    assert classes.colours == ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    assert codes == {0: 1, 1: 2, 2: 3, 255: None}


def test_pascal_voc_has_its_twenty_classes_and_its_palette(tmp_path):
    for name in ("SegmentationClass", "ImageSets", "JPEGImages", "Annotations"):
        (tmp_path / name).mkdir()
    classes, codes = read_class_list(tmp_path)
    assert len(classes.names) == 21
    assert classes.names[8] == "cat"
    assert classes.colours[8] == (64, 0, 0)
    assert codes[8] == 9
    assert codes[255] is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_classes.csv", "filename, cat, dog\na.jpg, 1, 0\n"),
        ("labelmap.txt", "???\nperson\nbicycle\n"),
        ("class_names.txt", "cat\ndog\n"),
    ],
)
def test_list_of_the_same_name_for_another_purpose_is_passed_over(tmp_path, name, text):
    assert read(tmp_path, text, name) is None


def test_our_own_list_goes_first(tmp_path):
    (tmp_path / "labelmap.txt").write_text("a:0,0,0::\nb:1,1,1::\n")
    assert read(tmp_path, "name,value\ncat,1\ndog,2\n")[0].names == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"classes\.csv holds nothing\. Write the line"),
        (" \n\n", "holds nothing"),
        ("cat,1\ndog,2\n", r"line 1: the column 'cat' is unknown.*name,value"),
        ("name,name,value\na,b,1\n", "line 1: the column 'name' is unknown or twice"),
        ("name\ncat\n", r"line 1: the columns are name\. Begin"),
        ("name,value\ncat,1.5\ndog,2\n", "line 2: found '1.5' where a whole number"),
        ("name,value\ncat,-1\ndog,2\n", "line 2: found '-1'"),
        ("name,value\ncat,nan\ndog,2\n", "line 2: found 'nan'"),
        ("name,value\ncat,99999\ndog,2\n", "from 0 to 65535"),
        (f"name,value\ncat,{9**999}\n", r"found .\d{40}. where"),
        ("name,value\ncat\ndog,2\n", "line 2: found ''"),
        ("name,value\ncat,1\n\ncats, two,2\n", r"line 4: 3 cells, expected 2.*quotes"),
        ("name,red,green,blue\ncat,1,2,256\n", "line 2: found '256'.*from 0 to 255"),
        ("name,value\ncat,1\ndog,1\n", "line 3: the value of 'dog' stands in.*line 2"),
        ("name,value\ncat,1\nCAT,2\n", "line 3: the name of 'CAT' stands in.*line 2"),
        ("name,red,green,blue\na,1,1,1\nb,1,1,1\n", "line 3: the colour of 'b'"),
        ("name,value\n?,1\ndog,2\n", r"line 2: the name is '\?'\. Write what"),
        ("name,value\n,1\ndog,2\n", "line 2: the name is ''"),
        ("name,value,background\na,1,yes\nb,2,yes\n", "the background of 'b' stands"),
        ("name,value,background\na,1,maybe\n", "background is 'maybe'. Write yes"),
        ("name,value\ncat,1\nvoid,0\n", r"names 1 classes, void left out.*background"),
        ("name,value\n", "holds no class below"),
    ],
)
def test_fault_is_named_with_its_file_and_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:0,0,0::\nb\n", "line 2: found 'b', expected name:red,green,blue::"),
        ("a:0,0::\n", "line 1: '0,0' is no colour"),
        ("a:0,0,0::\nb:0,0,999::\n", "line 2: found '999'"),
        ("a:0,0,0::\nb:0,0,0::\n", "line 2: the colour of 'b' stands in"),
    ],
)
def test_fault_of_a_labelmap_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text, "labelmap.txt")


def test_bytes_that_are_no_text_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="line 1: the column"):
        read(tmp_path, bytes(range(256)))
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        read(tmp_path, b"a" * (2**20 + 1))


def test_list_that_is_written_is_read_again(tmp_path):
    file = write_class_list(tmp_path, LEAVES)
    assert file == tmp_path / "classes.csv"
    assert file.read_text().splitlines() == [
        "name,value,red,green,blue,background",
        "leaf,255,1,2,3,",
        "background,0,4,5,6,yes",
        "void,7,,,,",
    ]
    assert read_class_list(tmp_path) == LEAVES


def test_list_of_colours_is_read_again(tmp_path):
    classes = LEAVES.classes._replace(names=('a "b", c', "ground"))
    listed = ClassList(classes, {(1, 2, 3): 1, (4, 5, 6): 2, (9, 9, 9): None})
    write_class_list(tmp_path, listed)
    assert read_class_list(tmp_path) == listed


def test_values_beside_colours_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="not both"):
        write_class_list(tmp_path, LEAVES._replace(codes={1: 1, (4, 5, 6): 2}))
    assert not list(tmp_path.iterdir())


def test_list_to_complete_holds_the_values_by_share(tmp_path):
    text = describe_classes_csv([(255, 0.25), (0, 0.7), (3, 0.05)])
    assert text.splitlines() == [
        "name,value,background,share",
        "?,0,,70.00%",
        "?,255,,25.00%",
        "?,3,,5.00%",
    ]
    with pytest.raises(ValueError, match="Write what these pixels show"):
        read(tmp_path, text)
    for name in ("ground", "leaf", "void"):
        text = text.replace("?", name, 1)
    assert read(tmp_path, text)[1] == {0: 1, 255: 2, 3: None}


def test_list_to_complete_holds_colours(tmp_path):
    text = describe_classes_csv({(np.uint8(1), 2, 3): 1.0})
    assert text == "name,red,green,blue,background,share\n?,1,2,3,,100.00%\n"


def test_every_class_has_a_colour_of_its_own():
    assert len(set(choose_colours(255, background=3))) == 255
    assert choose_colours(5, background=1)[1] == (52, 58, 74)
    assert choose_colours(3) == choose_colours(9)[:3]


def test_neighbouring_colours_differ_in_grey_print():
    grey = np.array(choose_colours(12)) @ (0.299, 0.587, 0.114)
    for dark, middle, light in grey.reshape(-1, 3):
        assert dark + 20 < middle < light - 20
