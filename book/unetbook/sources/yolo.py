"""YOLO's outlines: `labels/NAME.txt` for `images/NAME.jpg`, names in `data.yaml`."""

from functools import partial
from pathlib import Path

import yaml

from unetbook.files import shorten
from unetbook.sources.outlines import Drawing, name_place, paint_polygon, shorten_value

SLACK = 0.01  # by which tools let an outline leave the picture


def read_yolo(folder, files):
    """Return a `Drawing` for each file of outlines of a YOLO export.

    Ultralytics has each line hold a class and the corners of a polygon, in shares of
    width and height. An empty file is a picture without objects.

    Args:
        folder: The folder of a data set.
        files: Maps `(stem,)` to the paths of the files below it that have this stem.

    Raises:
        ValueError: If outlines lie there, and nothing says how their classes are named.
    """
    texts = [
        path
        for key, paths in files.items()
        if isinstance(key, tuple)
        for path in paths
        if path.suffix == ".txt" and "labels" in path.parent.parts
    ]
    if not texts:
        return []
    names = read_names(folder)
    return [
        Drawing(
            text,
            find_picture(text, files.get((text.stem,), ())),
            None,
            tuple(names.values()),
            partial(draw_lines, text, names),
        )
        for text in sorted(texts)
    ]


def read_names(folder):
    """Return a dictionary from the numbers of classes to their names."""
    sheets = [path for path in sorted(folder.glob("*.y*ml")) if path.is_file()]
    if not sheets:
        raise ValueError(
            f"{folder} holds outlines in labels/, and no data.yaml that names their "
            "classes. Write one beside it, such as: names: [leaf, stem]"
        )
    try:
        names = yaml.safe_load(sheets[0].read_text(encoding="utf-8-sig"))["names"]
        names = names if isinstance(names, dict) else dict(enumerate(names))
    except (yaml.YAMLError, ValueError, TypeError, KeyError, OSError) as error:
        raise ValueError(
            f"{sheets[0]} names no classes ({shorten(error)}). Give it a line such as: "
            "names: [leaf, stem]"
        ) from error
    return {number: str(name) for number, name in names.items()}


def find_picture(text, found):
    """Return the picture of a file of outlines, as a path."""
    parts = list(text.parent.parts)
    place = len(parts) - 1 - parts[::-1].index("labels")
    parts[place] = "images"
    folders = (Path(*parts), text.parent)
    beside = [
        path for path in found if path.parent in folders and path.suffix != ".txt"
    ]
    return str(beside[0] if beside else Path(*parts, f"{text.stem}.jpg"))


def draw_lines(text, names, height, width):
    """Yield the name and the pixels of each outline; later ones lie on top."""
    lines = text.read_text(encoding="utf-8-sig").splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip():
            with name_place(f"line {number}"):
                name, shares = read_line(line.split(), names)
                x, y = shares[::2], shares[1::2]
                points = [[a * width, b * height] for a, b in zip(x, y, strict=True)]
                yield name, *paint_polygon(points, height, width)


def read_line(words, names):
    """Return the name of a class, and the corners as a flat list."""
    try:
        number, *shares = map(float, words)
    except ValueError:
        raise ValueError(
            f"{shorten_value(' '.join(words))} holds what is no number. Export again."
        ) from None
    if len(shares) == 4:
        raise ValueError(
            "it holds a box, not an outline. Export the data set for segmentation, "
            "with polygons, not for detection."
        )
    if number not in names:
        raise ValueError(
            f"class {words[0]} has no name in data.yaml, which names "
            f"{', '.join(map(str, names))}. Add it there."
        )
    if len(shares) < 6 or len(shares) % 2:
        raise ValueError(
            f"it holds {len(shares)} numbers after the class, expected three "
            "pairs x y or more. Draw the outline again."
        )
    if not all(-SLACK <= share <= 1 + SLACK for share in shares):
        raise ValueError(
            "it holds a number that is no share of width or height, from 0 to 1. "
            "Export again."
        )
    return names[number], shares
