"""Class lists: which value or colour of a mask stands for which class."""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

from unetbook.classes import MOST_CLASSES, Classes, choose_colours, colour_by_bits
from unetbook.files import write_whole

FILE_NAME = "classes.csv"
# What the folders of a split are called; COCO's have a year.
SPLITS = {
    "train": ("train", "training", "train2017", "train2014"),
    "validation": ("valid", "val", "validation", "val2017", "val2014"),
    "test": ("test", "testing", "test2017", "test2015", "test2014"),
}
BACKGROUND_NAMES = ("background", "bg")
VOID_NAMES = ("void", "ignore", "ignored", "ignoreregion", "unlabeled", "unlabelled")
VOC_NAMES = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable "
    "dog horse motorbike person pottedplant sheep sofa train tvmonitor"
)


class ClassList(NamedTuple):
    """Classes, and what stands for them in the masks of a folder.

    Attributes:
        classes: Names, colours and background of the classes.
        codes: Maps a value of a mask, or an RGB colour, to the number of a class,
            which counts from 1, or to None: not annotated.
    """

    classes: Classes
    codes: dict[int | tuple[int, int, int], int | None]


class Row(NamedTuple):
    """One class as a file names it; what the file does not say is None."""

    place: str
    name: str
    value: int | None = None
    colour: tuple[int, int, int] | None = None
    background: bool = False


def read_class_list(folder):
    """Read the class list of a folder, whichever tool wrote it.

    Read are our own `classes.csv`, Roboflow's `_classes.csv`, CVAT's `labelmap.txt`
    and labelme's `class_names.txt`, in the folder or in its `train`, `valid` and
    `test`; a folder laid out as Pascal VOC without any of them has VOC's classes.
    A class called void, ignore or unlabeled stands for pixels that are not annotated.

    Args:
        folder: The folder of a data set.

    Returns:
        A `ClassList`, or None if the folder has none of these files.

    Raises:
        ValueError: If a file cannot be understood, or two contradict each other.
    """
    folder = Path(folder)
    for name, read in READERS.items():
        places = (folder, *(folder / word for word in sum(SPLITS.values(), ())))
        files = [file for place in places for file in find_file(place, name)]
        found = {file: rows for file in files if (rows := read(file))}
        lists = {file: collect_classes(rows) for file, rows in found.items()}
        if lists:
            return take_one(lists)
    parts = ("SegmentationClass", "ImageSets", "JPEGImages", "Annotations")
    if all((folder / part).is_dir() for part in parts):
        return describe_voc()
    return None


def find_file(folder, name):
    """Return the files of a folder with a name, in capital letters or not."""
    files = sorted(folder.iterdir()) if folder.is_dir() else ()
    return [file for file in files if file.name.casefold() == name and file.is_file()]


def take_one(lists):
    """Return the class list that all files agree on, or raise a `ValueError`."""
    (first, wanted), *others = lists.items()
    for file, other in others:
        if other != wanted:
            raise ValueError(
                f"{first} and {file} name different classes. Make them equal, or write "
                f"one {FILE_NAME} for all parts into the folder above."
            )
    return wanted


def describe_voc():
    """Return the classes of Pascal VOC, whose masks hold 255 where void."""
    rows = name_in_order([("Pascal VOC", name) for name in VOC_NAMES.split()])
    return collect_classes([*rows, Row("Pascal VOC", "void", 255)])


def name_in_order(places_and_names):
    """Return a row for each name: the values 0, 1, 2 ... and VOC's colours."""
    return [
        Row(place, name, value, colour_by_bits(value))
        for value, (place, name) in enumerate(places_and_names)
    ]


def read_classes_csv(file):
    """Read the rows of our own `classes.csv`."""
    header, *lines = read_table(file)
    columns = [word.casefold() for word in header[1]]
    for column in columns:
        if column not in KNOWN_COLUMNS or columns.count(column) > 1:
            raise ValueError(
                f"{file}, line {header[0]}: the column {column!r} is unknown or twice "
                "there. The first line is name,value or name,red,green,blue; a column "
                "background may follow."
            )
    colours = {"red", "green", "blue"} & set(columns)
    if "name" not in columns or not ("value" in columns or colours):
        raise ValueError(
            f"{file}, line {header[0]}: the columns are {', '.join(columns)}. Begin "
            "the file with the line name,value or name,red,green,blue."
        )
    return [read_line(file, number, columns, cells) for number, cells in lines]


KNOWN_COLUMNS = ("name", "value", "red", "green", "blue", "background", "share")


def read_line(file, number, columns, cells):
    """Read one class from the cells of a line."""
    place = f"{file}, line {number}"
    if len(cells) > len(columns) or not cells:
        raise ValueError(
            f"{place}: {len(cells)} cells, expected {len(columns)}, one for each of "
            f"{', '.join(columns)}. Put a name that holds a comma into quotes."
        )
    row = dict(zip(columns, cells + [""] * len(columns), strict=False))
    channels = [row.get(name, "") for name in ("red", "green", "blue")]
    has_colour = any(channels) or "value" not in row
    return Row(
        place,
        row["name"],
        read_byte(place, row["value"], 65535) if "value" in row else None,
        tuple(read_byte(place, one) for one in channels) if has_colour else None,
        read_yes(place, row.get("background", "")),
    )


def read_byte(place, text, highest=255):
    """Return a whole number in 0 to `highest`, or raise a `ValueError`."""
    if not re.fullmatch(r"[0-9]{1,5}(\.0+)?", text) or float(text) > highest:
        raise ValueError(
            f"{place}: found {text[:40]!r} where a whole number from 0 to {highest} is "
            "expected. Write the value or the colour as it is in the masks."
        )
    return int(float(text))


def read_yes(place, text):
    """Return whether a cell of the column `background` says yes."""
    if text.casefold() not in ("", "yes", "no"):
        raise ValueError(
            f"{place}: background is {text!r}. Write yes for the one class that is "
            "the background, and nothing for the others."
        )
    return text.casefold() == "yes"


def read_roboflow(file):
    """Read the rows of Roboflow's `_classes.csv`, None if it is for whole pictures."""
    header, *lines = read_table(file)
    words = [word.casefold() for word in header[1]]
    if words[:2] != ["pixel value", "class"]:
        return None
    rows = [read_line(file, n, ["value", "name"], cells) for n, cells in lines]
    # Roboflow fills what nobody outlined with 0, so that 0 is never void.
    return [row._replace(background=row.value == 0) for row in rows]


def read_labelmap(file):
    """Read the rows of CVAT's `labelmap.txt`, None if the file is another tool's."""
    rows = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        place, line = f"{file}, line {number}", line.strip()
        if not line or line.startswith("#"):
            continue
        name, *fields = line.rsplit(":", 3)
        if len(fields) != 3:
            if not rows:
                return None
            raise ValueError(
                f"{place}: found {line!r}, expected name:red,green,blue:: as CVAT "
                "writes it."
            )
        channels = [channel.strip() for channel in fields[0].split(",")]
        if len(channels) != 3:
            raise ValueError(
                f"{place}: {fields[0]!r} is no colour. Write red, green and blue, as "
                f"in {name}:224,64,64::"
            )
        colour = tuple(read_byte(place, channel) for channel in channels)
        rows.append(Row(place, name, colour=colour))
    return rows


def read_class_names(file):
    """Read the rows of labelme's `class_names.txt`, a name for each value from 0."""
    lines = [line.strip() for line in read_text(file).splitlines()]
    kept = [(f"{file}, line {n}", line) for n, line in enumerate(lines, 1) if line]
    if not kept or not is_named(kept[0][1], BACKGROUND_NAMES):
        return None  # other tools write such files too, and count in other ways
    return [*name_in_order(kept), Row(str(file), "void", 255)]


READERS = {
    FILE_NAME: read_classes_csv,
    "_classes.csv": read_roboflow,
    "labelmap.txt": read_labelmap,
    "class_names.txt": read_class_names,
}


def read_table(file):
    """Return `(line number, cells)` of each filled line, the first is the header."""
    text = read_text(file)
    first = text.lstrip().splitlines()[:1]
    separators = [mark for mark in ";\t" if first and mark in first[0]] + [","]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separators[0])
    try:
        lines = [(reader.line_num, [one.strip() for one in cells]) for cells in reader]
    except csv.Error as error:
        raise ValueError(
            f"{file}, line {reader.line_num}: {error}. Save it as plain text."
        ) from error
    filled = [(number, cells) for number, cells in lines if any(cells)]
    if len(filled) < 2:
        found = "no class below its first line" if filled else "nothing"
        raise ValueError(
            f"{file} holds {found}. Write the line name,value and below it one line "
            "for each class, or remove the file."
        )
    return filled


def read_text(file):
    """Return the text of a file in whatever encoding a spreadsheet saved it."""
    if file.stat().st_size > 2**20:
        raise ValueError(f"{file} is larger than 1 MiB, which no class list is.")
    content = file.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # a spreadsheet on Windows
        return content.decode("cp1252", errors="replace")


def collect_classes(rows):
    """Return the `ClassList` of some rows, or raise a `ValueError`."""
    check_rows(rows)
    kept = [row for row in rows if not is_void(row)]
    marked = [place for place, row in enumerate(kept) if row.background]
    named = [n for n, row in enumerate(kept) if is_named(row.name, BACKGROUND_NAMES)]
    background = next(iter(marked or named), None)
    chosen = choose_colours(len(kept), background)
    colours = [row.colour or spare for row, spare in zip(kept, chosen, strict=True)]
    numbers = {row.name: number for number, row in enumerate(kept, 1)}
    codes = {
        row.colour if row.value is None else row.value: numbers.get(row.name)
        for row in rows
    }
    names = tuple(tidy(row.name) for row in kept)
    return ClassList(Classes(names, tuple(colours), background), codes)


def check_rows(rows):
    """Raise a `ValueError` if a name, a value, a colour or a background is twice."""
    seen = {}
    for row in rows:
        if not tidy(row.name).strip("?"):
            raise ValueError(
                f"{row.place}: the name is {row.name!r}. Write what these pixels show, "
                "or void if they are not annotated."
            )
        marks = [("value", row.value), ("colour", row.colour)]
        marks += [] if is_void(row) else [("name", tidy(row.name).casefold())]
        marks += [("background", row.background or None)]
        for what, mark in [mark for mark in marks if mark[1] is not None]:
            other = seen.setdefault((what, mark), row.place)
            if other is not row.place:
                raise ValueError(
                    f"{row.place}: the {what} of {row.name!r} stands in {other} "
                    f"already ({mark}). Give each class one line of its own."
                )
    count = sum(not is_void(row) for row in rows)
    if not 2 <= count <= MOST_CLASSES:
        raise ValueError(
            f"{rows[0].place.split(', line')[0]} names {count} classes, void left out; "
            f"expected 2 to {MOST_CLASSES}. What is no object is a class too: name it "
            "background."
        )


def tidy(name):
    """Return a name on one line, without labelme's marks: `_background_`."""
    shown = "".join(one for one in name if one.isprintable() or one.isspace())
    return " ".join(shown.split()).strip("_ ")


def is_void(row):
    """Return whether a row stands for pixels that are not annotated."""
    return not row.background and is_named(row.name, VOID_NAMES)


def is_named(name, names):
    """Return whether a name is one of some, whatever its case, blanks and dashes."""
    return re.sub(r"[\W_]", "", name).casefold() in names


def write_class_list(folder, class_list):
    """Write a class list as `classes.csv`, the whole file or none of it.

    Args:
        folder: The folder, which is there.
        class_list: A `ClassList`. Its codes are all values or all colours.

    Returns:
        The path of the file.
    """
    classes, codes = class_list
    kinds = {isinstance(code, tuple) for code in codes}
    if len(kinds) != 1:
        raise ValueError(
            f"codes holds {sorted(map(str, codes))[:6]}, expected values or colours, "
            "not both. Write two class lists."
        )
    by_colour = kinds.pop()
    columns = ["name", *([] if by_colour else ["value"]), "red", "green", "blue"]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*columns, "background"])
    for code, number in codes.items():
        name = "void" if number is None else classes.names[number - 1]
        colour = ("", "", "") if number is None else classes.colours[number - 1]
        is_background = number is not None and number - 1 == classes.background
        code = code if by_colour else (code, *colour)
        table.writerow([name, *code, "yes" if is_background else ""])
    file = Path(folder) / FILE_NAME
    content = text.getvalue().encode()
    write_whole(file, lambda temporary: temporary.write_bytes(content))
    return file


def describe_classes_csv(values_with_shares):
    """Return the text of a `classes.csv` to complete: a `?` for every name.

    Args:
        values_with_shares: Pairs `(value or colour, share of the pixels)`, or a
            dictionary of them, all values or all colours.
    """
    pairs = dict(values_with_shares)
    by_colour = any(isinstance(code, tuple) for code in pairs)
    columns = "name,red,green,blue" if by_colour else "name,value"
    lines = [f"{columns},background,share"]
    for code, share in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])):
        cells = ",".join(str(int(one)) for one in (code if by_colour else (code,)))
        lines.append(f"?,{cells},,{share:.2%}")
    return "\n".join(lines) + "\n"
