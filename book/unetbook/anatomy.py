"""A U-Net block by block: its shapes and counts, what it sees, its feature maps.

The network explorer of chapter 6 shows what this module reads off a model; the layers
decide, not what we believe about them.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from unetbook.config import CLASS_NAMES
from unetbook.diagram import Box, size_boxes, trace_unet
from unetbook.inspection import multiply_adds
from unetbook.metrics import confusion_matrix, mean_iou
from unetbook.results import read_measured
from unetbook.uris import mask_uri, photo_uri, png_uri

LOST, WON, WRONG, RIGHT = range(4)  # what cutting a skip does to a pixel
CHANGE_NAMES = ("lost by the cut", "won by it", "wrong in both", "right in both")
CHANGE_COLOURS = ("#a3203a", "#5ec8f2", "#b9bfc9", "#ffffff")
MAPS_SHOWN = 64  # of a block; more are too small to look at
SHADES = 32  # more are not told apart in a small map, and weigh a third more


@dataclass
class Block:
    """One block of a U-Net.

    Attributes:
        part: `"encoder"`, `"bottleneck"`, `"decoder"` or `"output"`.
        level: 1 at the size of the picture, one more after every pooling.
        layers: Its layers in order; the last one gives the feature maps.
    """

    part: str
    level: int
    layers: list

    @property
    def name(self):
        """What the drawing calls the block."""
        numbered = self.part in ("encoder", "decoder")
        return f"{self.part} {self.level}" if numbered else self.part

    @property
    def shape(self):
        """Rows, columns and channels of the feature maps."""
        return self.layers[-1].output.shape[1:]

    @property
    def parameters(self):
        """The parameters of all its layers."""
        return sum(layer.count_params() for layer in self.layers)

    @property
    def work(self):
        """The multiply-adds of all its layers for one picture."""
        return sum(map(multiply_adds, self.layers))


def starts_block(layer):
    """Tell whether a block begins: at a pooling, on the way up, at the output."""
    if isinstance(layer, layers.MaxPooling2D | layers.Conv2DTranspose):
        return True
    return isinstance(layer, layers.Conv2D) and layer.kernel_size == (1, 1)


def split_blocks(model):
    """Group the layers of a U-Net into its blocks.

    Args:
        model: A functional `keras.Model` from `build_unet`.

    Returns:
        A list of `Block`, from the picture to the probabilities.

    Raises:
        ValueError: If a layer is of a kind that `build_unet` does not use, or nothing
            is pooled.
    """
    trace_unet(model)  # refuses other layers by name
    blocks = [Block("encoder", 1, [])]
    for layer in model.layers[1:]:
        if starts_block(layer):
            last = blocks[-1]
            if isinstance(layer, layers.MaxPooling2D):
                blocks.append(Block("encoder", last.level + 1, []))
            elif isinstance(layer, layers.Conv2DTranspose):
                blocks.append(Block("decoder", last.level - 1, []))
            else:
                blocks.append(Block("output", last.level, []))
        blocks[-1].layers.append(layer)
    deepest = max(blocks, key=lambda block: block.level)
    if deepest.level == 1:
        raise ValueError(
            f"model {model.name!r} has no pooling, so it is no U. Pass a model from "
            "build_unet with two widths at least."
        )
    deepest.part = "bottleneck"
    return blocks


def find_skips(blocks):
    """Return the skips as `(encoder, decoder)`, positions in `blocks`, from the top."""
    ends = {
        id(layer.output): number
        for number, block in enumerate(blocks)
        for layer in block.layers
    }
    found = [
        (ends[id(layer.input[1])], number)
        for number, block in enumerate(blocks)
        for layer in block.layers
        if isinstance(layer, layers.Concatenate)
    ]
    return sorted(found)


def rows_before(layer, first, last):
    """Return the first and the last input row that these rows of a layer depend on."""
    if isinstance(layer, layers.MaxPooling2D):
        pool = layer.pool_size[0]
        return first * pool, last * pool + pool - 1
    if isinstance(layer, layers.Conv2DTranspose):  # each input row stamps its kernel
        size, stride = layer.kernel_size[0], layer.strides[0]
        cut = (max(size, stride) - stride) // 2
        return -((size - 1 - first - cut) // stride), (last + cut) // stride
    if isinstance(layer, layers.Conv2D):
        before = (layer.kernel_size[0] - 1) // 2
        return first - before, last + layer.kernel_size[0] - 1 - before
    return first, last


def seen_rows(model, layer, row):
    """Find the picture's rows that a row of a layer's output depends on.

    This is the receptive field of `receptive_field`, followed back through
    up-sampling and skips as well; columns are alike.

    Args:
        model: A functional `keras.Model` with padding `"same"` throughout.
        layer: One of its layers.
        row: A row of the layer's output.

    Returns:
        `(first, last)`; rows outside the picture are padding.
    """
    makers = {id(maker.output): maker for maker in model.layers}

    def follow(layer, first, last):
        if isinstance(layer, layers.InputLayer):
            return first, last
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        rows = rows_before(layer, first, last)
        found = [follow(makers[id(tensor)], *rows) for tensor in inputs]
        return min(rows[0] for rows in found), max(rows[1] for rows in found)

    return follow(layer, row, row)


def seen_square(model, block):
    """Return what the middle unit of a block sees, and the side of that field.

    Returns:
        `((top, left, bottom, right), side)`: the part inside the picture, with `bottom`
        and `right` one beyond it, and the side in pixels with the padding.
    """
    edges = []
    for axis, size in enumerate(model.input_shape[1:3]):
        first, last = seen_rows(model, block.layers[-1], block.shape[axis] // 2)
        edges.append((max(first, 0), min(last + 1, size)))
    (top, bottom), (left, right) = edges
    return (top, left, bottom, right), last - first + 1


def compute_maps(model, blocks, image):
    """Run one picture through a model and return the feature maps of every block.

    Args:
        model: A functional `keras.Model`.
        blocks: What `split_blocks` returns for it.
        image: float32 `(height, width, 3)` in [0, 1], of the model's size.

    Returns:
        A list of float32 `(rows, columns, channels)`.
    """
    outputs = [block.layers[-1].output for block in blocks]
    reader = keras.Model(model.input, outputs)
    return [keras.ops.convert_to_numpy(maps)[0] for maps in reader(image[None])]


def grey_channels(maps, lowest=None, highest=None):
    """Bring every channel to 32 shades of grey, from its lowest to its highest value.

    Args:
        maps: `(rows, columns, channels)`.
        lowest: The value that becomes black, or None.
        highest: The value that becomes white, or None.

    Returns:
        uint8 `(channels, rows, columns)`; a channel of one value is black.
    """
    maps = np.moveaxis(np.asarray(maps, "float64"), -1, 0)
    low = maps.min(axis=(1, 2), keepdims=True) if lowest is None else lowest
    high = maps.max(axis=(1, 2), keepdims=True) if highest is None else highest
    spread = np.where(np.equal(high, low), 1.0, np.subtract(high, low))
    shades = np.rint((SHADES - 1) * (maps - low) / spread)
    return np.rint(shades * 255 / (SHADES - 1)).astype("uint8")


def size_blocks(blocks):
    """Return `(width, height)` of every block, as the architecture figure has them."""
    boxes = [Box(block.part, block.shape[:2], block.shape[2]) for block in blocks]
    size_boxes(boxes)
    return [(round(box.width, 1), round(box.height, 1)) for box in boxes]


def compare_masks(mask, whole, cut):
    """Mark what a mask loses, and wins, against another one.

    Args:
        mask: The truth, integers `(H, W)`.
        whole: The mask of the net with all its skips.
        cut: The mask of the net without one or all of them.

    Returns:
        uint8 `(H, W)`: `LOST` where only `whole` is right, `WON` where only `cut` is,
        `WRONG` where neither is, and `RIGHT`.
    """
    before, after = whole == mask, cut == mask
    cases = [before & ~after, ~before & after, ~before & ~after]
    return np.select(cases, [LOST, WON, WRONG], RIGHT).astype("uint8")


def describe_block(model, block, maps, size):
    """Return what the network explorer shows of a block, as JSON can hold it.

    Args:
        model: A functional `keras.Model` from `build_unet`.
        block: One of its blocks.
        maps: The block's feature maps `(rows, columns, channels)`.
        size: Width and height in the drawing.
    """
    seen, field = seen_square(model, block)
    is_output = block.part == "output"
    limits = (0, 1) if is_output else (None, None)
    channels = grey_channels(maps[..., :MAPS_SHOWN], *limits)
    return {
        "name": block.name,
        "part": block.part,
        "shape": block.shape,
        "parameters": block.parameters,
        "work": block.work,
        "seen": seen,
        "field": field,
        "width": size[0],
        "height": size[1],
        "classes": CLASS_NAMES if is_output and len(channels) == 3 else None,
        "maps": [png_uri(channel) for channel in channels],
    }


def describe_blocks(model, image):
    """Return every block of a model with its feature maps, and its skips.

    Args:
        model: A functional `keras.Model` from `build_unet`.
        image: float32 `(height, width, 3)` in [0, 1], of the model's size.

    Returns:
        `(blocks, skips)`: what `describe_block` and `find_skips` return.
    """
    blocks = split_blocks(model)
    maps, sizes = compute_maps(model, blocks, image), size_blocks(blocks)
    described = [
        describe_block(model, *parts) for parts in zip(blocks, maps, sizes, strict=True)
    ]
    return described, find_skips(blocks)


def describe_pet(name, image, mask, pred_masks):
    """Return one stored pet with every net's mask, as JSON can hold it."""
    nets = []
    for pred_mask in pred_masks:
        changes = compare_masks(mask, pred_masks[0], pred_mask)
        nets.append(
            {
                "mask": mask_uri(pred_mask),
                "meanIou": mean_iou(confusion_matrix(mask, pred_mask)),
                "changes": png_uri(changes, CHANGE_COLOURS),
                "lost": int((changes == LOST).sum()),
                "won": int((changes == WON).sum()),
            }
        )
    return {
        "name": name.split("_test_")[0].replace("_", " "),
        "image": photo_uri(image / 255),
        "mask": mask_uri(mask),
        "nets": nets,
    }


def describe_cuts(measured, stored):
    """Return the nets with skips cut, and their pets, as JSON can hold it.

    Args:
        measured: Scores, as `read_cuts` returns them.
        stored: Pictures and masks, as `read_cuts` returns them.
    """
    pets = zip(
        measured["pictures"],
        stored["images"],
        stored["masks"],
        stored["pred_masks"].swapaxes(0, 1),  # (pictures, nets, H, W)
        strict=True,
    )
    nets = [
        {
            "cut": net["cut"],
            "parameters": net["parameters"],
            "meanIou": net["test"]["class"]["mean_iou"],
            "iou": list(net["test"]["class"]["iou"].values()),
        }
        for net in measured["nets"]
    ]
    seeds = read_measured("quick_drawn")["mean_iou"]
    return {
        "nets": nets,
        "pets": [describe_pet(*pet) for pet in pets],
        "testPictures": measured["nets"][0]["test"]["pictures"],
        "epochs": measured["config"]["epochs"],
        "spread": (seeds["lowest"], seeds["highest"]),
        "classNames": CLASS_NAMES,
        "changeColours": CHANGE_COLOURS,
        "changeNames": CHANGE_NAMES,
    }
