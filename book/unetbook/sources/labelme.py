"""LabelMe's JSON: a file beside each picture."""

import math
from functools import partial

from unetbook.sources.outlines import (
    Drawing,
    check_points,
    decode_base64,
    decode_patch,
    name_place,
    paint,
    paint_patch,
    paint_polygon,
    shorten_value,
)

LINE_WIDTH = 10  # labelme draws lines and points so wide when it exports masks
POINT_RADIUS = 5


def is_labelme(content):
    """Return whether JSON is that of labelme, or of a tool that writes the same."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("shapes"), list)
        and "imagePath" in content
    )


def read_labelme(file, content):
    """Return the `Drawing` of one of labelme's files."""
    shapes = []
    for number, shape in enumerate(content["shapes"], 1):
        label = shape.get("label") if isinstance(shape, dict) else None
        if not isinstance(label, str) or not label.strip():
            raise ValueError(
                f"{file}, shape {number}: the label is {shorten_value(label)}, "
                "expected a name. Write one in the annotation tool."
            )
        kept = ("label", "shape_type", "points", "mask")
        shapes.append({key: shape.get(key) for key in kept})
    picture = content["imagePath"]
    return [
        Drawing(
            file,
            picture if isinstance(picture, str) else file.stem,
            (content.get("imageHeight"), content.get("imageWidth")),
            tuple(shape["label"] for shape in shapes),
            partial(draw_shapes, shapes),
        )
    ]


def draw_shapes(shapes, height, width):
    """Yield the label and the pixels of each shape; later shapes lie on top."""
    for number, shape in enumerate(shapes, 1):
        with name_place(f"shape {number} ({shape['label']})"):
            yield shape["label"], *draw_shape(shape, height, width)


def draw_shape(shape, height, width):
    """Draw a shape as labelme itself would fill it; see `paint`."""
    kind = shape["shape_type"] or "polygon"
    if not isinstance(kind, str) or kind not in SHAPES:
        raise ValueError(
            f"the shape_type {shorten_value(kind)} is unknown, expected "
            f"{', '.join(SHAPES)}. Draw it as a polygon."
        )
    draw, count = SHAPES[kind]
    points = shape["points"]
    if kind == "rectangle" and isinstance(points, list) and len(points) == 4:
        return paint_polygon(points, height, width)  # other tools give four corners
    if kind in ("polygon", "oriented_rectangle", "rotation"):
        return paint_polygon(points, height, width)
    points = check_points(points, height, width)
    if count and len(points) != count:
        raise ValueError(
            f"a {kind} has {len(points)} points, expected {count}. Draw it again."
        )
    if kind == "mask":
        return draw_patch(shape["mask"], points, height, width)
    return paint(height, width, partial(draw, points))


def draw_rectangle(points, draw):
    """Draw the rectangle between two corners."""
    (x0, y0), (x1, y1) = points
    corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    draw.rectangle(corners, 1, 1)


def draw_circle(points, draw):
    """Draw the circle around the first point through the second."""
    draw_disc(points[0], math.dist(*points), draw)


def draw_point(points, draw):
    """Draw a point as labelme does, as a small disc."""
    draw_disc(points[0], POINT_RADIUS, draw)


def draw_disc(centre, radius, draw):
    """Draw a disc."""
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), 1, 1)


def draw_line(points, draw):
    """Draw a line through all points."""
    draw.line(points, 1, LINE_WIDTH, joint="curve")


def draw_patch(text, corners, height, width):
    """Lay the mask that a shape holds as a PNG in base64 at its place."""
    patch = decode_patch(decode_base64(text), height, width)
    left, top = (round(value) for value in corners[0])
    return paint_patch(patch, left, top, height, width)


SHAPES = {  # how it is drawn, and from how many points; 0 is any number
    "polygon": (None, 0),
    "oriented_rectangle": (None, 4),
    "rotation": (None, 4),
    "rectangle": (draw_rectangle, 2),
    "circle": (draw_circle, 2),
    "line": (draw_line, 2),
    "linestrip": (draw_line, 0),
    "point": (draw_point, 1),
    "mask": (None, 2),
}
