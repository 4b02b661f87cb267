"""Label Studio's JSON: one file for many pictures, lengths in percent."""

import re
from functools import partial

from unetbook.sources.outlines import (
    Drawing,
    is_number,
    name_place,
    paint,
    paint_polygon,
    shorten_value,
)


def is_label_studio(content):
    """Return whether JSON is a list of Label Studio's tasks with annotations."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(
            isinstance(task, dict)
            and isinstance(task.get("data"), dict)
            and isinstance(task.get("annotations"), list)
            for task in content
        )
    )


def read_label_studio(file, content):
    """Return a `Drawing` for each annotated task of one of Label Studio's files."""
    drawings = []
    for task in content:
        place = f"{file}, task {shorten_value(task.get('id'))}"
        results = list_results(task)
        if results is None:
            continue
        labels = tuple(find_label(place, part) for part in results)
        sizes = [(p.get("original_height"), p.get("original_width")) for p in results]
        parts = list(zip(labels, results, strict=True))
        picture = find_picture(place, task["data"])
        size = sizes[0] if sizes else None
        drawings.append(Drawing(file, picture, size, labels, partial(draw_all, parts)))
    return drawings


def list_results(task):
    """Return the outlines of a task's first annotation, None if nobody gave one."""
    for annotation in task["annotations"]:
        fields = annotation if isinstance(annotation, dict) else {}
        results = fields.get("result")
        if isinstance(results, list) and not fields.get("was_cancelled"):
            return [
                part
                for part in results
                if isinstance(part, dict) and str(part.get("type")).endswith("labels")
            ]
    return None


def find_label(place, part):
    """Return the one label of an outline, or raise a `ValueError`."""
    value = part.get("value") if isinstance(part.get("value"), dict) else {}
    labels = value.get(part["type"])
    is_one = isinstance(labels, list) and len(labels) == 1
    if not is_one or not isinstance(labels[0], str):
        raise ValueError(
            f"{place}: an outline has the labels {shorten_value(labels)}, expected one "
            "name. Label it in the annotation tool and export again."
        )
    return labels[0]


def find_picture(place, data):
    """Return the name of a task's picture, without what Label Studio put before it."""
    values = [value for value in data.values() if isinstance(value, str)]
    if not values:
        raise ValueError(f"{place}: the data name no picture. Export the file again.")
    name = values[0].split("?d=")[-1].split("/")[-1]
    return re.sub(r"^[0-9a-f]{8}-", "", name)


def draw_all(parts, height, width):
    """Yield the label and the pixels of each outline; later ones lie on top."""
    for number, (label, part) in enumerate(parts, 1):
        with name_place(f"outline {number} ({label})"):
            yield label, *draw_one(part, height, width)


def draw_one(part, height, width):
    """Draw a polygon, a rectangle or an ellipse; see `paint`."""
    if part.get("image_rotation"):
        raise ValueError("the picture was turned in Label Studio. Export as COCO.")
    kind, value = part["type"], part["value"]
    if kind == "polygonlabels":
        points = value.get("points")
        if not isinstance(points, list) or not all(map(is_pair, points)):
            raise ValueError(f"the points are {shorten_value(points)}. Draw it again.")
        points = [[x * width / 100, y * height / 100] for x, y in points]
        return paint_polygon(points, height, width)
    x, y, wide, high = measure(kind, value, height, width)
    if kind == "ellipselabels":
        box = (x - wide, y - high, x + wide, y + high)
        return paint(height, width, lambda draw: draw.ellipse(box, 1, 1))
    corners = [[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]]
    return paint_polygon(corners, height, width)


def measure(kind, value, height, width):
    """Return place and size of a rectangle or an ellipse in pixels."""
    names = {"rectanglelabels": ("width", "height")}
    names["ellipselabels"] = ("radiusX", "radiusY")
    numbers = [value.get(name) for name in ("x", "y", *names.get(kind, ()))]
    if kind not in names or value.get("rotation") or not all(map(is_number, numbers)):
        raise ValueError(
            f"{kind} cannot be drawn from this file, only polygons, and rectangles and "
            "ellipses that are not turned. Export as COCO, or brush strokes as PNG."
        )
    lengths = [width, height, width, height]
    return [n * length / 100 for n, length in zip(numbers, lengths, strict=True)]


def is_pair(point):
    """Return whether this is a point of two numbers."""
    return isinstance(point, list) and len(point) == 2 and all(map(is_number, point))
