"""COCO's JSON: one file for many pictures, with polygons or run lengths."""

from collections import defaultdict
from functools import partial

from unetbook.sources.outlines import (
    Drawing,
    check_polygon,
    is_number,
    name_place,
    shorten_value,
)


def is_coco(content):
    """Return whether JSON is COCO's with instances, and not captions or panoptic."""
    if not isinstance(content, dict):
        return False
    keys = ("images", "annotations", "categories")
    lists = [content.get(key) for key in keys]
    if not all(isinstance(one, list) for one in lists):
        return False
    first = next(iter(content["annotations"]), {})
    return not isinstance(first, dict) or "segments_info" not in first


def read_coco(file, content):
    """Return a `Drawing` for each picture that a COCO file lists."""
    import_masks(file)
    names = read_names(file, content)
    outlines = defaultdict(list)
    pictures = list_pictures(file, content["images"])
    for annotation in content["annotations"]:
        place = check_annotation(file, annotation, names, pictures)
        name = names[annotation["category_id"]]
        outlines[annotation["image_id"]].append((place, name, annotation))
    kept = tuple(drop_parents(content, names))
    return [
        Drawing(
            file,
            picture["file_name"],
            (picture.get("height"), picture.get("width")),
            kept,
            partial(draw_outlines, outlines[number]),
        )
        for number, picture in pictures.items()
    ]


def import_masks(file):
    """Return the module `pycocotools.mask`, or say how to install it."""
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ValueError(
            f"{file} is COCO's JSON, which needs the package pycocotools: install "
            "unetbook[coco], or run `pip install pycocotools`."
        ) from error
    return mask


def read_names(file, content):
    """Return the names of categories by their id."""
    names = {}
    for category in content["categories"]:
        name = category.get("name") if isinstance(category, dict) else None
        number = category.get("id") if isinstance(category, dict) else None
        if not isinstance(name, str) or not name.strip() or not is_number(number):
            raise ValueError(
                f"{file}: the category {shorten_value(category)} has no id or no name. "
                "Name it in the annotation tool and export again."
            )
        names[number] = name
    return names


def drop_parents(content, names):
    """Return the names that a pixel can have.

    Roboflow declares the project itself as category 0 and the parent of all others.
    """
    used = {annotation["category_id"] for annotation in content["annotations"]}
    parents = {category.get("supercategory") for category in content["categories"]}
    return [
        name for number, name in names.items() if number in used or name not in parents
    ]


def list_pictures(file, images):
    """Return what a COCO file says of each picture, by its id."""
    pictures = {}
    for picture in images:
        fields = picture if isinstance(picture, dict) else {}
        name, number = fields.get("file_name"), fields.get("id")
        is_known = isinstance(number, int | str)
        if not isinstance(name, str) or not name or not is_known:
            raise ValueError(
                f"{file}: the picture {shorten_value(picture)} has no id or no "
                "file_name. Export the file again."
            )
        if number in pictures:
            raise ValueError(
                f"{file}: the pictures {pictures[number]['file_name']} and {name} have "
                f"one id, {number}. Export the file again."
            )
        pictures[number] = picture
    return pictures


def check_annotation(file, annotation, names, pictures):
    """Return where an annotation stands, or raise a `ValueError`."""
    fields = annotation if isinstance(annotation, dict) else {}
    place = f"annotation {shorten_value(fields.get('id'))}"
    for key, known, what in (
        ("image_id", pictures, "picture"),
        ("category_id", names, "category"),
    ):
        number = fields.get(key)
        if not isinstance(number, int | str) or number not in known:
            raise ValueError(
                f"{file}, {place}: {key} is {shorten_value(number)}, and the file "
                f"lists no such {what}. Export it again, or remove the annotation."
            )
    return place


def draw_outlines(outlines, height, width):
    """Yield the name and the pixels of each annotation, the largest first.

    COCO does not say what lies on top; what is small would be lost underneath. Crowds,
    outlined roughly, are void where nothing else is. CVAT marks every mask as a crowd:
    its annotations have `attributes`, COCO's own have none.
    """
    masks = import_masks("")
    found = []
    for place, name, annotation in outlines:
        with name_place(place):
            rle = encode_outlines(masks, annotation.get("segmentation"), height, width)
        is_crowd = annotation.get("iscrowd") == 1 and "attributes" not in annotation
        area = float("inf") if is_crowd else float(masks.area(rle))
        found.append((area, "void" if is_crowd else name, rle, place))
    for _, name, rle, place in sorted(found, key=lambda one: -one[0]):
        with name_place(place):
            left, top, wide, high = masks.toBbox(rle).astype(int)
            region = (slice(top, top + high), slice(left, left + wide))
            yield name, region, masks.decode(rle)[region] > 0


def encode_outlines(masks, segmentation, height, width):
    """Return COCO's compressed run lengths of one annotation."""
    if isinstance(segmentation, dict):
        counts = check_runs(segmentation, height, width)
        runs = {"size": [height, width], "counts": counts}
        return masks.frPyObjects(runs, height, width)
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError(
            f"the segmentation is {shorten_value(segmentation)}: a box, perhaps, and "
            "no outline. Export for segmentation, and outline the object."
        )
    if not isinstance(segmentation[0], list):
        segmentation = [segmentation]
    polygons = [flatten_outline(part, height, width) for part in segmentation]
    return masks.merge(masks.frPyObjects(polygons, height, width))


def flatten_outline(part, height, width):
    """Check the numbers x, y, x, y ... of a polygon, and return them as floats."""
    if not isinstance(part, list) or len(part) % 2 or len(part) < 6:
        count = len(part) if isinstance(part, list) else 0
        raise ValueError(
            f"a polygon has {count} numbers, expected an even number from 6: x and y "
            "of three points or more. Remove it, or draw it again."
        )
    pairs = [part[start : start + 2] for start in range(0, len(part), 2)]
    points = check_polygon(pairs, height, width)
    return [value for point in points for value in point]


def check_runs(segmentation, height, width):
    """Return run lengths as a list, or raise a `ValueError` if they do not fit.

    Where runs are missing, the library returns what happened to lie in memory.
    """
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise ValueError(
            f"the run lengths are for a size of {shorten_value(size)}, the picture has "
            f"[{height}, {width}] (height, width). Export both at one size."
        )
    runs = unpack(counts) if isinstance(counts, str) else counts
    is_list = isinstance(runs, list) and all(type(run) is int for run in runs)
    if not is_list or min(runs, default=-1) < 0 or sum(runs) != height * width:
        raise ValueError(
            f"the run lengths {shorten_value(counts)} do not fill a picture of {width} "
            f"x {height} pixels. Export the file again."
        )
    return runs


def unpack(text):
    """Return the run lengths that COCO packs into a text, None if they are broken.

    A letter holds five bits, the lowest first, and whether more follow. From the fourth
    on, the difference to the last run but one is packed.
    """
    runs, value, shift = [], 0, 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 60:
            return None
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            value -= code >> 4 << shift  # the highest bit is the sign
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs if shift == 0 else None
