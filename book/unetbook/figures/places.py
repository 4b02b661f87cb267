"""Details of the architecture figure: where a chapter is, and one block close up.

Both are read off a model by the same code as the whole figure in `diagram`.
"""

from IPython.display import SVG

from unetbook.figures.diagram import (
    GAP,
    LEGEND_ROW,
    SIDE,
    TEXT,
    draw_arrow,
    draw_box,
    draw_tips,
    label,
    line,
    place_boxes,
    rectangle,
    trace_unet,
)
from unetbook.figures.style import CARD, INK

PLACES = {  # what is marked: parts of the network, or kinds of arrows
    "pictures and masks": ("image", "output"),
    "the way up": ("up",),
    "the encoder": ("encoder", "pool"),
    "the bottleneck": ("bottleneck",),
    "the decoder": ("decoder", "up", "copy"),
    "the whole network": ("image", "encoder", "bottleneck", "decoder", "output")
    + ("conv", "pool", "up", "copy", "head"),
    "its predictions": ("output", "head"),
}
PALE = ' opacity="0.22"'
BLOCK_WIDTH = 540  # of a block's figure: its letters are legible on a phone
LARGE = 36  # letters of a figure that is shown at less than half its size


def frame(width, height, shown_width, title, parts):
    """Return the SVG of a card with its parts, as wide as a page shows it."""
    width, height = round(width), round(height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} '
        f'{height}" width="{shown_width:.0f}" role="img" style="max-width: 100%; '
        'height: auto" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="{TEXT}" fill="{INK}">'
    )
    card = rectangle(0, 0, width, height, CARD, ' rx="10"')
    tips = f"<defs>{draw_tips()}</defs>"
    lines = [head, f"<title>{title}</title>", tips, card, *parts, "</svg>"]
    return SVG("\n".join(lines))


def belongs(arrow, marked):
    """Tell whether an arrow is marked: by its kind, or by the part that it is in."""
    if arrow.kind == "conv":
        return arrow.end.part in marked
    return arrow.kind in marked


def draw_place(model, place):
    """Draw the U-Net in small, with one part of it marked.

    Args:
        model: A functional `keras.Model` from `build_unet`.
        place: One of `PLACES`, such as `"the encoder"`.

    Returns:
        An `IPython.display.SVG`.

    Raises:
        ValueError: If there is no such place.
    """
    if place not in PLACES:
        raise ValueError(f"place={place!r}, expected one of {', '.join(PLACES)}.")
    marked = PLACES[place]
    boxes, arrows = trace_unet(model)
    width, bottom = place_boxes(boxes, arrows)
    parts = [
        f"<g{'' if belongs(arrow, marked) else PALE}>{draw_arrow(arrow)}</g>"
        for arrow in arrows
    ] + [f"<g{'' if box.part in marked else PALE}>{draw_box(box)}</g>" for box in boxes]
    text = f"You are here: {place}"
    large = f' font-weight="bold" font-size="{LARGE}"'
    parts.append(label(width / 2, 48, text, "middle", large))
    return frame(width, bottom + SIDE, 0.48 * width, text, parts)


def pick_block(boxes, arrows, part, level):
    """Return the boxes and arrows of one block, counted from the top of the U.

    An encoder's block ends below its pooling, a decoder's begins below its up-sampling
    and on the left with what is copied.
    """
    size = sorted({box.size for box in boxes}, reverse=True)[level]
    inside = [box for box in boxes if box.part == part and box.size == size]
    chosen = [
        arrow
        for arrow in arrows
        if arrow.end in inside
        and (arrow.start in inside or arrow.kind in ("up", "copy"))
        or (arrow.kind == "pool" and arrow.start in inside)
    ]
    ends = [box for arrow in chosen for box in (arrow.start, arrow.end)]
    return [box for box in boxes if any(box is end for end in ends)], chosen


def move_close(boxes, arrows):
    """Move a block into the upper left corner, and what it copies close to it."""
    for arrow in arrows:
        if arrow.kind == "copy":
            arrow.start.x = arrow.end.x - arrow.start.width - 4 * GAP
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    for box in boxes:
        box.x, box.y = box.x - left + SIDE, box.y - top + 2 * TEXT


def name_tensors(boxes, arrows):
    """Return the SVG text of the channels at each box, and of each row's size."""
    pooled = [id(arrow.end) for arrow in arrows if arrow.kind == "pool"]
    parts = []
    for box in boxes:
        y = box.y + box.height + TEXT if id(box) in pooled else box.y - 6
        parts.append(label(box.x + box.width / 2, y, str(box.channels)))
    ends = {box.size: box for box in sorted(boxes, key=lambda box: box.x)}
    for (height, width), box in ends.items():
        x, y = box.x + box.width + 12, box.y + box.height / 2 + 6
        bold = ' font-weight="bold"'
        parts.append(label(x, y, f"{height} × {width}", "start", bold))
    return "".join(parts)


def name_steps(boxes, arrows, y):
    """Return the SVG text that names a block's steps below `y`, and its lower end."""
    x = SIDE
    parts = []
    for kind, text in dict.fromkeys((arrow.kind, arrow.text) for arrow in arrows):
        parts += [line(x, y, x + 28, y, kind), label(x + 40, y + 6, text, "start")]
        y += LEGEND_ROW
    for rate in sorted({box.dropout for box in boxes if box.dropout}):
        edge = f' stroke="{INK}" stroke-width="1.6" stroke-dasharray="4 3"'
        parts.append(rectangle(x + 7, y - 9, 14, 18, "none", edge))
        parts.append(label(x + 40, y + 6, f"dropout {rate:g}", "start"))
        y += LEGEND_ROW
    return "".join(parts), y


def draw_block(model, part, level=0):
    """Draw one block of a U-Net, with its tensors, steps and numbers.

    Args:
        model: A functional `keras.Model` from `build_unet`.
        part: `"encoder"`, `"bottleneck"` or `"decoder"`.
        level: Which block, from the top of the U. The bottleneck has but one.

    Returns:
        An `IPython.display.SVG`.

    Raises:
        ValueError: If the network has no such block.
    """
    every_box, every_arrow = trace_unet(model)
    place_boxes(every_box, every_arrow)
    depth = len({box.size for box in every_box}) - 1
    level = depth if part == "bottleneck" else level
    last = depth if part == "bottleneck" else depth - 1
    if part not in ("encoder", "bottleneck", "decoder") or not 0 <= level <= last:
        raise ValueError(
            f"part={part!r}, level={level}: expected encoder, bottleneck or decoder, "
            f"and a level from 0 to {depth - 1}."
        )
    boxes, arrows = pick_block(every_box, every_arrow, part, level)
    move_close(boxes, arrows)
    bottom = max(box.y + box.height for box in boxes)
    steps, height = name_steps(boxes, arrows, bottom + 3 * TEXT)
    title = "The bottleneck" if part == "bottleneck" else f"A block of the {part}"
    parts = [*map(draw_arrow, arrows), *map(draw_box, boxes)]
    parts += [name_tensors(boxes, arrows), steps]
    return frame(BLOCK_WIDTH, height, 0.8 * BLOCK_WIDTH, title, parts)
