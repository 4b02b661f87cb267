"""Masks drawn from outlines: what annotation tools write as JSON or text."""

import os
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from unetbook.classes import MOST_CLASSES, Classes, choose_colours
from unetbook.files import shorten
from unetbook.sources.class_lists import (
    BACKGROUND_NAMES,
    VOID_NAMES,
    ClassList,
    is_named,
    tidy,
)
from unetbook.sources.coco import is_coco, read_coco
from unetbook.sources.label_studio import is_label_studio, read_label_studio
from unetbook.sources.labelme import is_labelme, read_labelme
from unetbook.sources.outlines import check_size, name_place, read_json, shorten_value
from unetbook.sources.supervisely import is_supervisely, read_supervisely
from unetbook.sources.yolo import read_yolo

DEPTH = 3  # folders below the one that is given
READERS = (
    (is_coco, read_coco),
    (is_labelme, read_labelme),
    (is_supervisely, read_supervisely),
    (is_label_studio, read_label_studio),
)
MASK_WORDS = ("mask", "label", "segment", "annot", "visual")
EXIF_TURN = 0x0112
TURNS = {
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Annotations(NamedTuple):
    """Pictures with functions that draw their masks, and the classes of the masks.

    Attributes:
        pairs: `(image_path, draw_mask)`; `draw_mask()` returns uint8 `(height, width)`
            of the upright picture, class numbers from 1, and 0 where void.
        class_list: The classes; its codes map each number to itself.
    """

    pairs: list[tuple[Path, Callable]]
    class_list: ClassList


def find_annotations(folder):
    """Find the outlines that annotation tools wrote for the pictures of a folder.

    Read are the JSON of COCO and Label Studio (one file for many pictures), and of
    labelme and Supervisely (one for each), in the folder and three levels below;
    without any of them, the text files of YOLO. What no outline covers is the
    background: the class of that name, or one that is added in front. Outlines called
    void, ignore or unlabeled, and COCO's crowds, are not annotated. Pictures that no
    file names are left out.

    Args:
        folder: The folder of a data set.

    Returns:
        `Annotations`, or None if there are no such files. Splits show in the paths.

    Raises:
        ValueError: If a file cannot be understood, or a picture is missing. Faults of
            a single outline are raised by its `draw_mask`.
    """
    folder = Path(folder)
    files, pictures = list_files(folder)
    drawings = [drawing for file in files for drawing in read_drawings(file)]
    drawings = prefer_instances(drawings) or read_yolo(folder, list_once(pictures))
    if not drawings:
        return None
    paths = locate_pictures(folder, drawings, pictures)
    class_list, numbers = number_names(drawings)
    background = class_list.classes.background + 1
    pairs = [
        (path, partial(draw_mask, path, drawing, numbers, background))
        for path, drawing in zip(paths, drawings, strict=True)
    ]
    return Annotations(sorted(pairs, key=lambda pair: pair[0]), class_list)


def list_files(folder):
    """Return the JSON files below a folder, and all other files by their names."""
    files, others = [], {}
    for place, inner, names in os.walk(folder, followlinks=True):
        depth = len(Path(place).relative_to(folder).parts)
        inner[:] = sorted(one for one in inner if one[0] != "." and depth < DEPTH)
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() == ".json":
                files.append(path)
            else:
                others.setdefault(normal(name), []).append(path)
                others.setdefault((normal(path.stem),), []).append(path)
    return files, others


def list_once(pictures):
    """Return the paths that `list_files` returns by their names, in order."""
    return sorted({path for paths in pictures.values() for path in paths})


def normal(name):
    """Return a name in the one form in which names are compared: Macs write another."""
    return unicodedata.normalize("NFC", name)


def read_drawings(file):
    """Return the `Drawing`s of a JSON file, none if it is no annotation tool's."""
    content = read_json(file)
    for is_readable, read in READERS:
        if is_readable(content):
            return read(file, content)
    return []


def prefer_instances(drawings):
    """Leave out what COCO's folders hold beside instances: key points, for example."""
    files = {drawing.file for drawing in drawings}
    chosen = {file.parent for file in files if file.name.startswith("instances")}
    return [
        drawing
        for drawing in drawings
        if drawing.file.parent not in chosen
        or drawing.file.name.startswith("instances")
    ]


def locate_pictures(folder, drawings, pictures):
    """Return the path of each drawing's picture, or raise a `ValueError`."""
    paths, missing, seen = [], [], {}
    for drawing in drawings:
        path = locate_picture(drawing, pictures)
        other = seen.setdefault(path, drawing) if path else drawing
        if other is not drawing:
            raise ValueError(
                f"{other.file} and {drawing.file} both outline the picture {path}. "
                "Keep one of them."
            )
        paths.append(path)
        missing += [] if path else [drawing]
    if missing:
        more = f" ({len(missing) - 1} more are missing.)" if len(missing) > 1 else ""
        raise ValueError(
            f"{missing[0].file} outlines the picture "
            f"{shorten_value(missing[0].picture)}, which is "
            f"nowhere in {folder}. Put it there, or remove it from the file.{more}"
        )
    return paths


def locate_picture(drawing, pictures):
    """Return the one file that a drawing means, or None.

    Tools write names, or paths on another machine: the file with the most folders in
    common wins, then the one nearest to the JSON, then one not in a folder of masks.
    """
    parts = normal(drawing.picture.replace("\\", "/")).split("/")
    found = pictures.get(parts[-1]) or pictures.get((normal(drawing.file.stem),), [])

    def rank(path):
        pairs = zip(reversed(path.parts), reversed(parts), strict=False)
        alike = [normal(mine) == theirs for mine, theirs in pairs]
        common = (alike + [False]).index(False)
        shared = len(Path(os.path.commonpath((path, drawing.file))).parts)
        is_mask = any(word in str(path.parent).lower() for word in MASK_WORDS)
        return common, shared, path.parent == drawing.file.parent, not is_mask

    best = sorted(found, key=rank, reverse=True)[:2]
    if len(best) == 2 and rank(best[0]) == rank(best[1]):
        raise ValueError(
            f"{drawing.file} outlines the picture "
            f"{shorten_value(drawing.picture)}, which may be "
            f"{best[0]} or {best[1]}. Remove or rename one of them."
        )
    return best[0] if best else None


def number_names(drawings):
    """Return the `ClassList` of some drawings, and the number of each of their names.

    The background comes first, the others in the order of the alphabet.
    """
    names = {name: drawing.file for drawing in drawings for name in drawing.names}
    check_spelling(names)
    voids = {name for name in names if is_named(name, VOID_NAMES)}
    backgrounds = {name for name in names if is_named(name, BACKGROUND_NAMES)}
    classes = sorted({tidy(name) for name in names.keys() - voids - backgrounds})
    if not 1 <= len(classes) < MOST_CLASSES:
        raise ValueError(
            f"{drawings[0].file} and the files beside it name {len(classes)} classes "
            f"without the background, expected 1 to {MOST_CLASSES - 1}. Outline "
            "objects of at least one class, and merge what you need not tell apart."
        )
    places = {name: place for place, name in enumerate(classes, 2)}
    numbers = {name: places.get(tidy(name), 1) for name in names}
    numbers |= dict.fromkeys([*voids, "void"], 0)
    colours = choose_colours(len(classes) + 1, background=0)
    codes = {0: None} | {number: number for number in range(1, len(classes) + 2)}
    return ClassList(Classes(("background", *classes), colours, 0), codes), numbers


def check_spelling(names):
    """Raise a `ValueError` if two names differ in nothing but case and blanks."""
    seen = {}
    for name, file in names.items():
        other = seen.setdefault(tidy(name).casefold(), name)
        if tidy(other) != tidy(name):
            raise ValueError(
                f"{names[other]} has the class {other!r}, and {file} has {name!r}: one "
                "class under two names. Rename one of them."
            )


def draw_mask(path, drawing, numbers, background):
    """Draw the mask of a picture; `Annotations` says more."""
    with name_place(f"{drawing.file}, {drawing.picture[-100:]}"):
        stored, upright, turn = read_sizes(path)
        size = check_size(drawing.size) or upright
        if size not in (upright, stored):
            raise ValueError(
                f"the outlines are for {size[1]} x {size[0]} pixels (width x height), "
                f"the picture has {upright[1]} x {upright[0]}. Put the picture there "
                "that was annotated, or export again."
            )
        mask = np.full(size, background, "uint8")
        for name, region, pixels in drawing.masks(*size):
            np.copyto(mask[region], numbers[name], where=pixels)
        if size != upright:  # drawn on the pixels as the camera stored them
            mask = np.asarray(Image.fromarray(mask).transpose(turn))
        return mask


def read_sizes(path):
    """Return `(height, width)` as stored and upright, and what turns one to the other.

    The turn is None where it does not change the size: tools that draw on the upright
    picture cannot be told from others there, and most do.
    """
    try:
        with Image.open(path) as image:
            stored = (image.height, image.width)
            turn = TURNS.get(image.getexif().get(EXIF_TURN))
    except Exception as error:  # Pillow raises nearly anything on broken files
        raise ValueError(
            f"{path} cannot be read ({shorten(error)}). Save it again as JPEG or PNG."
        ) from error
    return stored, stored[::-1] if turn else stored, turn
