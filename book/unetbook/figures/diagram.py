"""The architecture figure, read off a model, so that it cannot disagree with it.

`trace_unet` turns the layers of a Keras model into boxes (tensors) and arrows (what
happens between them), `place_boxes` gives every box its place in the U, and `draw_unet`
writes the figure as SVG text. `python -m unetbook.figures.diagram` prints the figure of
the course's network, which is kept in `book/images/unet.svg`.
"""

from dataclasses import dataclass
from html import escape

from keras import layers

from unetbook.figures.style import ARROW_COLOURS, BOX_COLOURS, CARD, FAINT, INK

TOP, SIDE, GAP, DROP = 80, 26, 19, 54  # margins and spaces between boxes, in SVG units
TALLEST, WIDEST, NARROWEST, TEXT = 150, 38, 6, 19
DIGIT = 0.58 * TEXT  # how wide a digit is
LOWEST_WIDTH, LEGEND_COLUMN, LEGEND_ROW = 760, 500, 29
STEPS = (layers.Conv2D, layers.Conv2DTranspose, layers.MaxPooling2D, layers.Softmax)
REMARKS = (
    layers.InputLayer,
    layers.Concatenate,
    layers.Dropout,
    layers.BatchNormalization,
    layers.Activation,
)


@dataclass
class Box:
    """One tensor: its shape, the part of the network it belongs to, and its place."""

    part: str
    size: tuple[int, int]
    channels: int
    copied: int = 0  # how many of the channels a skip connection brought
    dropout: float = 0.0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    copied_width: float = 0.0


@dataclass
class Arrow:
    """What leads from one box to another."""

    kind: str
    start: Box
    end: Box
    text: str


def describe_kernel(layer, text):
    """Return `3 × 3 convolution` for a layer with a kernel or a pool of 3 by 3."""
    size = getattr(layer, "kernel_size", None) or layer.pool_size
    return f"{size[0]} × {size[1]} {text}"


def name_step(layer):
    """Return the kind of the arrow and its text for a layer that makes a new tensor."""
    if isinstance(layer, layers.Conv2DTranspose):
        text = f"transposed convolution, stride {layer.strides[0]}"
        return "up", describe_kernel(layer, text)
    if isinstance(layer, layers.MaxPooling2D):
        return "pool", describe_kernel(layer, "max pooling")
    if isinstance(layer, layers.Softmax):
        return "head", "softmax"
    kind = "head" if layer.kernel_size == (1, 1) else "conv"
    return kind, describe_kernel(layer, "convolution")


def name_part(kind, source):
    """Return the part of the network that an arrow of this kind leads to."""
    ends = {"up": "decoder", "head": "output"}
    return ends.get(kind, "encoder" if source.part == "image" else source.part)


def check_layers(model):
    """Raise a `ValueError` for a layer of a kind that `build_unet` does not use."""
    for layer in model.layers:
        if not isinstance(layer, STEPS + REMARKS):
            raise ValueError(
                f"model has the layer {layer.name!r} of type {type(layer).__name__}, "
                "which the figure cannot show. Pass a model from build_unet."
            )


def read_layer(layer, source, arrows, box_of):
    """Return the box of a layer's output: a new one, or the source's with a remark."""
    if isinstance(layer, layers.InputLayer):
        return Box("image", layer.output.shape[1:3], layer.output.shape[-1])
    if isinstance(layer, layers.Concatenate):
        skip = box_of[id(layer.input[1])]
        arrows.append(Arrow("copy", skip, source, "copy (skip connection)"))
        source.channels, source.copied = layer.output.shape[-1], skip.channels
    elif isinstance(layer, layers.Dropout):
        source.dropout = layer.rate
    elif isinstance(layer, layers.BatchNormalization):
        arrows[-1].text += ", batch normalisation"
    elif isinstance(layer, layers.Activation):
        arrows[-1].text += f", {layer.activation.__name__}".replace("relu", "ReLU")
    else:
        kind, text = name_step(layer)
        _, height, width, channels = layer.output.shape
        box = Box(name_part(kind, source), (height, width), channels)
        arrows.append(Arrow(kind, source, box, text))
        return box
    return source


def trace_unet(model):
    """Read the tensors of a U-Net and what leads from one to the next.

    Args:
        model: A functional `keras.Model` from `build_unet`.

    Returns:
        `(boxes, arrows)`: the tensors a reader should see, and the steps between them.
        A normalisation, an activation and a dropout are remarks on the step or on the
        tensor before them.

    Raises:
        ValueError: If a layer is of a kind that the figure has no picture for.
    """
    check_layers(model)
    arrows, box_of = [], {}  # box_of: the identity of a Keras tensor -> its box
    for layer in model.layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        source = box_of[id(inputs[0])] if inputs else None
        box_of[id(layer.output)] = read_layer(layer, source, arrows, box_of)
    boxes = [arrows[0].start] + [a.end for a in arrows if a.kind != "copy"]
    lowest = min(box.size for box in boxes)
    for box in boxes:
        if box.size == lowest and box.part == "encoder":
            box.part = "bottleneck"
    return boxes, arrows


def size_boxes(boxes):
    """Give every box its width and height.

    Heights grow with the resolution and widths with the channels, both less than
    proportionally, or the smallest would vanish.
    """
    widest = max(box.channels - box.copied for box in boxes)
    for box in boxes:
        fresh, copied = (
            max(NARROWEST, WIDEST * (channels / widest) ** 0.5) if channels else 0
            for channels in (box.channels - box.copied, box.copied)
        )
        box.width, box.copied_width = fresh + copied, copied
        box.height = TALLEST * (box.size[0] / boxes[0].size[0]) ** 0.55


def step_right(start, box):
    """Return how far the middles of two neighbours are apart; labels need room too."""
    digits = len(str(start.channels)) + len(str(box.channels))
    return max((start.width + box.width) / 2 + GAP, digits / 2 * DIGIT + 7)


def place_boxes(boxes, arrows):
    """Give every box its place: right for a convolution, down a row, or up a row.

    Returns:
        The width of the figure and the lower end of its boxes.
    """
    size_boxes(boxes)
    heights = {box.size: box.height for box in boxes}  # from the top row down
    sizes = sorted(heights, reverse=True)
    rows = {
        s: TOP + sum(heights[t] + DROP for t in sizes[:i]) for i, s in enumerate(sizes)
    }
    boxes[0].x, boxes[0].y = SIDE, TOP
    for arrow in arrows:
        start, box = arrow.start, arrow.end
        if arrow.kind == "copy":
            continue
        box.y = rows[box.size]
        middle = start.x + start.width / 2
        if arrow.kind in ("pool", "up"):  # the copy stands left of the fresh part
            box.x = middle - (box.width + box.copied_width) / 2
        else:
            box.x = middle + step_right(start, box) - box.width / 2
    right = max(box.x + box.width for box in boxes) + SIDE
    for box in boxes:
        box.x += max(0, LOWEST_WIDTH - right) / 2
    return max(right, LOWEST_WIDTH), max(box.y + box.height for box in boxes)


def rectangle(x, y, width, height, colour, extra=""):
    """Return the SVG text of one rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{colour}"{extra}/>'
    )


def label(x, y, text, anchor="middle", extra=""):
    """Return the SVG text of one label; `y` is its base line."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>'
        f"{escape(text)}</text>"
    )


def line(x1, y1, x2, y2, kind):
    """Return the SVG text of one arrow, whose tip is at `(x2, y2)`."""
    dashes = ' stroke-dasharray="9 5"' if kind == "copy" else ""
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" fill="none" '
        f'stroke="{ARROW_COLOURS[kind]}" stroke-width="2.4"{dashes} '
        f'marker-end="url(#tip-{kind})"/>'
    )


def draw_box(box):
    """Return the SVG text of a box: its colour, its copied part, and its channels."""
    dashes = ' stroke-dasharray="4 3"' if box.dropout else ""
    edge = f' stroke="{INK}" stroke-width="1.6"{dashes} rx="2"'
    text = rectangle(box.x, box.y, box.width, box.height, BOX_COLOURS[box.part], edge)
    if box.copied:
        colour = BOX_COLOURS["encoder"]
        text += rectangle(box.x, box.y, box.copied_width, box.height, colour, edge)
    return text


def draw_arrow(arrow):
    """Return the SVG text of an arrow between two placed boxes."""
    start, end, kind = arrow.start, arrow.end, arrow.kind
    right = start.x + start.width
    if kind == "pool":
        x = start.x + start.width / 2
        return line(x, start.y + start.height + 3, x, end.y - 4, kind)
    if kind == "up":
        x = start.x + start.width / 2
        return line(x, start.y - TEXT - 5, x, end.y + end.height + 4, kind)
    y = start.y + start.height / 2
    return line(right + 2, y, end.x - 3, y, kind)


def draw_legend(boxes, arrows, top):
    """Return the SVG text of the legend in two columns, and its lower end."""
    entries = list(dict.fromkeys((arrow.kind, arrow.text) for arrow in arrows))
    rates = sorted({box.dropout for box in boxes if box.dropout})
    entries += [("dropout", f"dropout {rate:g}") for rate in rates]
    entries += [("number", "channels")]
    rows = -(-len(entries) // 2)
    parts = []
    for number, (kind, text) in enumerate(entries):
        column, row = divmod(number, rows)
        x, y = SIDE + column * LEGEND_COLUMN, top + row * LEGEND_ROW
        if kind == "dropout":
            edge = f' stroke="{INK}" stroke-width="1.6" stroke-dasharray="4 3"'
            parts.append(rectangle(x + 7, y - 9, 14, 18, "none", edge))
        elif kind == "number":
            parts.append(label(x + 14, y + 6, str(boxes[1].channels)))
        else:
            parts.append(line(x, y, x + 28, y, kind))
        parts.append(label(x + 40, y + 6, text, "start"))
    return "".join(parts), top + rows * LEGEND_ROW


def draw_labels(boxes, arrows):
    """Return the SVG text of the channels above boxes and of the rows' resolutions."""
    pooled = [id(arrow.end) for arrow in arrows if arrow.kind == "pool"]
    parts = [
        label(box.x + box.width / 2, box.y - 6, str(box.channels))
        for box in boxes
        if id(box) not in pooled
    ]
    ends = {box.size: box for box in boxes}  # the last box of every row
    for size, box in ends.items():
        text, bold = f"{size[0]} × {size[1]}", ' font-weight="bold"'
        x, y = box.x + box.width, box.y + box.height
        if box is boxes[-1]:
            parts.append(label(x, y + TEXT + 3, text, "end", bold))
        else:
            parts.append(label(x + 12, y - box.height / 2 + 6, text, "start", bold))
    return "".join(parts)


def draw_names(model, boxes, width):
    """Return the SVG text that names the figure and the parts of the U."""
    lowest = min(boxes, key=lambda box: box.size)
    faint = f' fill="{FAINT}"'
    title, bold = f"U-Net, {model.count_params():,} parameters", ' font-weight="bold"'
    y = lowest.y + lowest.height / 2 + 6
    return (
        label(width / 2, 32, title, "middle", bold)
        + label(SIDE, 32, "encoder", "start", faint)
        + label(width - SIDE, 32, "decoder", "end", faint)
        + label(lowest.x - 12, y, "bottleneck", "end", faint)
    )


def draw_tips():
    """Return the SVG text that defines an arrow head for every colour."""
    return "".join(
        f'<marker id="tip-{kind}" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for kind, colour in ARROW_COLOURS.items()
    )


def describe_unet(model, boxes):
    """Return one paragraph that says in words what the figure shows."""
    sizes = list(dict.fromkeys(box.size for box in boxes))
    widths = [max(b.channels - b.copied for b in boxes if b.size == s) for s in sizes]
    rows = ", ".join(
        f"{height} by {width} pixels with {channels} channels"
        for (height, width), channels in zip(sizes, widths, strict=True)
    )
    skips = sum(box.copied > 0 for box in boxes)
    return (
        "The encoder goes down the left side of a U, the decoder up its right side: "
        f"{rows}. {skips} skip connections copy the encoder's feature maps across. "
        f"The output has {boxes[-1].channels} channels. "
        f"{model.count_params():,} parameters."
    )


def draw_unet(model):
    """Draw a U-Net as SVG, from the layers and tensors of the model itself.

    Args:
        model: A functional `keras.Model` from `build_unet`.

    Returns:
        The SVG as text; `IPython.display.SVG` shows it in a notebook.

    Raises:
        ValueError: If a layer is of a kind that the figure has no picture for.
    """
    boxes, arrows = trace_unet(model)
    width, bottom = place_boxes(boxes, arrows)
    legend, height = draw_legend(boxes, arrows, bottom + 44)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} '
        f'{height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="{TEXT}" fill="{INK}">'
    )
    parts = [
        head,
        f"<title>U-Net with {model.count_params():,} parameters</title>",
        f"<desc>{describe_unet(model, boxes)}</desc>",
        f"<defs>{draw_tips()}</defs>",
        rectangle(0, 0, width, height, CARD, ' rx="10"'),
        *map(draw_arrow, arrows),
        *map(draw_box, boxes),
        draw_names(model, boxes, width),
        draw_labels(boxes, arrows),
        legend,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
