"""Outlines that annotation tools write: checked, and drawn."""

import base64
import binascii
import io
import json
import reprlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from unetbook.files import shorten

# Telephones' HEIC is among them, so that an error names it instead of a missing file.
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".gif")
ENDINGS += (".webp", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm", ".tga")
ENDINGS += (".heic", ".heif")


class Drawing(NamedTuple):
    """What a JSON file says of one picture.

    Attributes:
        file: The JSON file.
        picture: The picture as the file names it.
        size: `(height, width)` as the file gives it, or None.
        names: The names of classes that occur.
        masks: `masks(height, width)` yields `(name, region, pixels)` in the order of
            painting; `pixels` is bool, and `region` two slices of the picture.
    """

    file: Path
    picture: str
    size: tuple | None
    names: tuple[str, ...]
    masks: Callable


@contextmanager
def name_place(place):
    """Put a place in front of the message of a `ValueError`, on one line."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{' '.join(place.split())}: {error}") from error


def read_json(file):
    """Return what a JSON file holds, or raise a `ValueError` that names it."""
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(
            f"{file} cannot be read as JSON ({shorten(error)}). Export it again, or "
            "remove it."
        ) from error


def is_number(value):
    """Return whether a value from a JSON file is a number of a sensible size."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) < 1e9  # False for NaN


def check_size(size):
    """Return a picture's size as `(height, width)` of integers, None if not given."""
    if size is None or tuple(size) == (None, None):
        return None
    if not all(is_number(length) and length == int(length) > 0 for length in size):
        raise ValueError(
            f"height and width are {shorten_value(size[0])} and "
            f"{shorten_value(size[1])}, expected whole numbers of pixels. Export the "
            "file again."
        )
    return int(size[0]), int(size[1])


def check_points(points, height, width):
    """Return points `[(x, y), ...]` as floats, or raise a `ValueError`."""
    is_list = isinstance(points, list) and points
    if not is_list or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise ValueError(
            f"the points are {shorten_value(points)}, expected pairs [x, y]. Draw the "
            "outline again, or remove it."
        )
    far = 2 * max(height, width)
    for value in (value for point in points for value in point):
        if not is_number(value) or abs(value) > far:
            raise ValueError(
                f"the coordinate {shorten_value(value)} is no number, or lies far "
                f"outside the picture of {width} x {height} pixels (width x height). "
                "Was it drawn on a picture of another size?"
            )
    check_length(points, height, width)
    return [(float(x), float(y)) for x, y in points]


def check_length(points, height, width):
    """Raise a `ValueError` for an outline so long that drawing it takes gigabytes."""
    steps = np.diff(np.array(points, "float64"), axis=0)
    if np.abs(steps).sum() > 1000 * (height + width):
        raise ValueError(
            f"an outline of {len(points)} points is longer than any outline in a "
            "picture can be. Draw it again, or remove it."
        )


def check_polygon(points, height, width):
    """Return the points of a polygon as floats, or raise a `ValueError`."""
    points = check_points(points, height, width)
    if len(points) < 3:
        raise ValueError(
            f"a polygon has {len(points)} points, expected three or more. Remove it, "
            "or draw it again."
        )
    return points


def shorten_value(value):
    """Return a value as text of at most 40 letters, however much it holds."""
    short = reprlib.Repr()
    short.maxlist = short.maxtuple = short.maxdict = short.maxset = 40
    short.maxstring = short.maxlong = short.maxother = 100
    short.maxlevel = 3
    text = short.repr(value)
    return text if len(text) <= 40 else f"{text[:40]} ..."


def paint(height, width, draw):
    """Draw with an `ImageDraw` on a black picture.

    Returns:
        `(region, pixels)`: two slices, and what is drawn there as bool. Nothing outside
        is copied or compared, which tells in pictures of 12 megapixels.
    """
    image = Image.new("L", (width, height))
    draw(ImageDraw.Draw(image))
    left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
    pixels = np.asarray(image.crop((left, top, right, bottom))) > 0
    return (slice(top, bottom), slice(left, right)), pixels


def paint_polygon(points, height, width, holes=()):
    """Draw a polygon, its outline too, without what lies in its holes; see `paint`."""
    points = check_polygon(points, height, width)
    holes = [check_polygon(hole, height, width) for hole in holes]

    def draw(canvas):
        canvas.polygon(points, 1, 1)
        for hole in holes:
            canvas.polygon(hole, 0, 0)

    return paint(height, width, draw)


def paint_patch(patch, left, top, height, width):
    """Lay a small mask onto a picture and cut off what juts out; see `paint`."""
    rows, columns = (
        slice(max(start, 0), max(min(start + length, end), start, 0))
        for start, length, end in zip(
            (top, left), patch.shape, (height, width), strict=True
        )
    )
    inner = patch[rows.start - top :, columns.start - left :]
    return (rows, columns), inner[: max(height - top, 0), : max(width - left, 0)]


def decode_base64(text):
    """Return the bytes of a base64 text, or raise a `ValueError`."""
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, binascii.Error) as error:
        raise ValueError(f"the mask is no base64 ({shorten(error)}).") from error


def decode_patch(content, height, width):
    """Return the PNG of a small mask as bool, at most the size of the picture."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width <= width and image.height <= height:
                return np.asarray(image.split()[-1]) > 0  # alpha, or the one channel
    except Exception as error:  # Pillow raises nearly anything on broken files
        raise ValueError(f"the mask is no PNG ({shorten(error)}).") from error
    raise ValueError("the mask is larger than its picture. Draw it again.")
