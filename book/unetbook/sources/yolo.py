"""Ultralytics' exports: `labels/NAME.txt` beside `images/NAME.jpg`, and `data.yaml`.

Each line of a text file is `class x1 y1 x2 y2 ...`, in shares of width and height.
"""

import re
from functools import cache, partial

import yaml

from unetbook.files import shorten
from unetbook.sources.class_lists import read_text
from unetbook.sources.outlines import (
    ENDINGS,
    Drawing,
    name_place,
    paint_polygon,
    shorten_value,
)

JUTTING = 0.05  # share of a side by which an outline may leave its picture


def read_yolo(folder, files):
    """Return a `Drawing` for each picture of an export, none if it is no export.

    A picture without a text file, or with an empty one, has no objects. The paths in
    `data.yaml` are often wrong, so that pictures are found by the names of folders.

    Args:
        folder: The folder of a data set.
        files: All files in it.
    """
    found = [(file, find_text(folder, file)) for file in files]
    pairs = [(file, label) for file, label in found if label is not None]
    if not any(label.is_file() for _, label in pairs):
        return []
    names_of = cache(partial(find_names, folder))
    drawings = []
    for picture, label in pairs:
        names = names_of(label.parent)
        draw = partial(draw_lines, label, names)
        place = picture.relative_to(folder).as_posix()
        drawings.append(Drawing(label, place, None, tuple(names.values()), draw))
    return drawings


def find_text(folder, file):
    """Return where the text file of a picture belongs, None if there is no place."""
    parts = list(file.relative_to(folder).parts)
    places = [n for n, part in enumerate(parts[:-1]) if part.lower() == "images"]
    if not places or file.suffix.lower() not in ENDINGS:
        return None
    parent = folder.joinpath(*parts[: places[-1]])
    inner = {path.name.lower(): path for path in parent.iterdir()}
    label = inner.get("labels", parent / "labels").joinpath(*parts[places[-1] + 1 :])
    return label.with_suffix(".txt") if label.parent.is_dir() else None


def find_names(folder, place):
    """Return the names of classes by their numbers, from the file nearest to a place.

    Raises:
        ValueError: If no file between the place and the folder names them.
    """
    while True:
        for file in sorted([*place.glob("*.yaml"), *place.glob("*.yml")]):
            if names := read_sheet(file):
                return names
        file = place / "classes.txt"
        lines = read_text(file).splitlines() if file.is_file() else ()
        names = {n: line.strip() for n, line in enumerate(lines) if line.strip()}
        if names:
            return names
        if place == folder:
            raise ValueError(
                f"{folder} holds outlines whose classes are only numbers. Write the "
                f"names into {folder / 'classes.txt'}, one on each line, the name of "
                "class 0 first; or give the folder that holds data.yaml."
            )
        place = place.parent


def read_sheet(file):
    """Return the names by number that a YAML file gives, None if it gives none."""
    try:
        content = yaml.safe_load(read_text(file))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(
            f"{file} cannot be read as YAML ({shorten(error)}). Export it again."
        ) from error
    names = content.get("names") if isinstance(content, dict) else None
    if names is None:
        return None
    names = dict(enumerate(names)) if isinstance(names, list) else names
    is_list = isinstance(names, dict) and names
    if not is_list or not all(
        type(number) is int and not isinstance(name, list | dict | set)
        for number, name in names.items()
    ):
        raise ValueError(
            f"{file}: names is {shorten_value(names)}, expected a list of names, or a "
            "name for each number. Write them as in names: [leaf, crack]."
        )
    return {number: str(name) for number, name in names.items()}


def draw_lines(label, names, height, width):
    """Yield the name and the pixels of each outline; later ones lie on top."""
    text = label.read_text("utf-8-sig", "replace") if label.is_file() else ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            with name_place(f"line {number}"):
                name, points = read_corners(line.split(), names)
                points = [[x * width, y * height] for x, y in points]
                yield name, *paint_polygon(points, height, width)


def read_corners(words, names):
    """Return the name of a class and the points `[[x, y], ...]` of its outline."""
    if not re.fullmatch("[0-9]{1,6}", words[0]) or int(words[0]) not in names:
        raise ValueError(
            f"the class is {shorten_value(words[0])}, expected one of the numbers "
            f"{min(names)} to {max(names)}. Name it in data.yaml, or export again."
        )
    if len(words) == 5:
        raise ValueError(
            "five numbers are a box, and this export is for detection. Export the "
            "polygons of segmentation instead."
        )
    if len(words) % 2 == 0:
        raise ValueError(
            f"{len(words) - 1} coordinates, expected pairs of x and y. Export again."
        )
    values = [read_share(word) for word in words[1:]]
    return names[int(words[0])], list(zip(values[::2], values[1::2], strict=True))


def read_share(word):
    """Return a share of a side, or raise a `ValueError`."""
    try:
        value = float(word)
    except ValueError:
        value = None
    if value is None or not -JUTTING <= value <= 1 + JUTTING:  # NaN is refused too
        raise ValueError(
            f"the coordinate is {shorten_value(word)}, expected a share of width or "
            "height from 0 to 1. Export again with normalized coordinates."
        )
    return value
