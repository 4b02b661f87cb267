"""Supervisely's JSON: `ann/NAME.jpg.json` beside `img/NAME.jpg`."""

import zlib
from functools import partial

from unetbook.files import shorten
from unetbook.sources.labelme import draw_shape
from unetbook.sources.outlines import (
    Drawing,
    decode_base64,
    decode_patch,
    name_place,
    paint_patch,
    paint_polygon,
    shorten_value,
)

KINDS = {"rectangle": "rectangle", "line": "linestrip", "polyline": "linestrip"}
KINDS |= {"point": "point"}


def is_supervisely(content):
    """Return whether JSON holds the objects of one picture, as Supervisely has them."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("objects"), list)
        and isinstance(content.get("size"), dict)
    )


def read_supervisely(file, content):
    """Return the `Drawing` of one of Supervisely's files."""
    objects = []
    for number, thing in enumerate(content["objects"], 1):
        name = thing.get("classTitle") if isinstance(thing, dict) else None
        if not isinstance(name, str) or not name.strip():
            raise ValueError(
                f"{file}, object {number}: classTitle is {shorten_value(name)}, "
                "expected a name. Name the class and export again."
            )
        objects.append((name, thing))
    size = (content["size"].get("height"), content["size"].get("width"))
    names = tuple(name for name, _ in objects)
    return [Drawing(file, file.stem, size, names, partial(draw_objects, objects))]


def draw_objects(objects, height, width):
    """Yield the name and the pixels of each object; later ones lie on top."""
    for number, (name, thing) in enumerate(objects, 1):
        with name_place(f"object {number} ({name})"):
            yield name, *draw_object(thing, height, width)


def draw_object(thing, height, width):
    """Draw an object, the holes of a polygon left out; see `paint`."""
    kind = thing.get("geometryType")
    if kind == "bitmap":
        return draw_bitmap(thing.get("bitmap"), height, width)
    points = thing.get("points")
    if not isinstance(points, dict) or not isinstance(points.get("interior", []), list):
        raise ValueError(
            f"the points are {shorten_value(points)}, expected an exterior and an "
            "interior. Draw the object again."
        )
    if kind == "polygon":
        holes = points.get("interior", [])
        return paint_polygon(points.get("exterior"), height, width, holes)
    shape = {"shape_type": KINDS.get(str(kind), kind), "points": points.get("exterior")}
    return draw_shape(shape, height, width)


def draw_bitmap(bitmap, height, width):
    """Lay a small mask at its place: a PNG, packed once more, in base64."""
    fields = bitmap if isinstance(bitmap, dict) else {}
    origin = fields.get("origin")
    if not isinstance(origin, list) or [type(value) for value in origin] != [int, int]:
        raise ValueError(
            f"the origin of a bitmap is {shorten_value(origin)}, expected [x, y]."
        )
    packed = decode_base64(fields.get("data"))
    try:  # no more than the picture needs, whatever the file says
        png = zlib.decompressobj().decompress(packed, 5 * height * width + 4096)
    except zlib.error as error:
        raise ValueError(f"the bitmap is damaged ({shorten(error)}).") from error
    patch = decode_patch(png, height, width)
    return paint_patch(patch, *origin, height, width)
