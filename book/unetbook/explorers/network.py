"""The explorer of chapter 6: every block of a U-Net, and what a skip is worth."""

import numpy as np

from unetbook.config import CLASS_NAMES
from unetbook.explorers.addresses import mask_uri, photo_uri, png_uri
from unetbook.explorers.anatomy import (
    compute_maps,
    find_skips,
    seen_square,
    split_blocks,
)
from unetbook.explorers.cells import explorer
from unetbook.figures.diagram import Box, size_boxes
from unetbook.figures.style import CHANGE_COLOURS
from unetbook.metrics import confusion_matrix, mean_iou
from unetbook.pictures import read_picture, squeeze_picture
from unetbook.pretrained import load_pretrained
from unetbook.results import read_cuts, read_measured

LOST, WON, WRONG, RIGHT = range(4)  # what cutting a skip does to a pixel
CHANGE_NAMES = ("lost by the cut", "won by it", "wrong in both", "right in both")
MAPS_SHOWN = 64  # of a block; more are too small to look at
GREYS = 32  # more are not told apart in a small map, and weigh a third more


def explore_network(model=None, picture=None):
    """Look into every block of a U-Net, and cut its skip connections.

    Blocks, counts, receptive fields and feature maps are those of `model`. The masks
    with skips cut are stored: nets of the quick tier, trained by `python -m experiments
    run skips`; they are shown for models with as many levels.

    Args:
        model: A functional `keras.Model` from `build_unet`; None for the trained
            network that comes with the book.
        picture: What `read_picture` takes, of any size; None for a drawn pet.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If the model is no U-Net, or the picture cannot be read.
    """
    model = load_pretrained("drawn") if model is None else model
    measured, stored = read_cuts()
    picture = stored["images"][0] if picture is None else picture
    height, width = model.input_shape[1:3]
    image = squeeze_picture(read_picture(picture), height, width) / 255
    blocks, skips = describe_blocks(model, image.astype("float32"))
    comparable = len(skips) == max(len(net["cut"]) for net in measured["nets"])
    settings = {
        "parameters": model.count_params(),
        "image": photo_uri(image),
        "size": (height, width),
        "blocks": blocks,
        "skips": skips,
        "cuts": describe_cuts(measured, stored) if comparable else None,
    }
    return explorer("network", settings)


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
    shades = np.rint((GREYS - 1) * (maps - low) / spread)
    return np.rint(shades * 255 / (GREYS - 1)).astype("uint8")


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


def describe_net(net):
    """Return the scores of one net with skips cut, as JSON can hold it."""
    scores = net["test"]["class"]
    return {
        "cut": net["cut"],
        "parameters": net["parameters"],
        "meanIou": scores["mean_iou"],
        "iou": list(scores["iou"].values()),
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
    seeds = read_measured("quick_drawn")["mean_iou"]
    return {
        "nets": [describe_net(net) for net in measured["nets"]],
        "pets": [describe_pet(*pet) for pet in pets],
        "testPictures": measured["nets"][0]["test"]["pictures"],
        "epochs": measured["config"]["epochs"],
        "spread": (seeds["lowest"], seeds["highest"]),
        "classNames": CLASS_NAMES,
        "changeColours": CHANGE_COLOURS,
        "changeNames": CHANGE_NAMES,
    }
