"""Pictures, masks and feature maps.

A `plot_` function takes arrays and returns the axes it drew on. It neither trains nor
predicts nor saves, and it leaves `plt.show()` to the chapter.
"""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from unetbook.config import CLASS_NAMES
from unetbook.figures.style import (
    CLASS_COLOURS,
    CLASS_MAP,
    COLUMNS,
    STYLE,
    WIDTH,
    new_axes,
)
from unetbook.pictures import check_image, check_mask, squeeze_picture

DRAWN_SIDE = 1024  # pixels: more than a figure of the book's width shows


def class_handles(alpha=1.0, class_ids=(0, 1, 2)):
    """Return one labelled patch a class, for a legend."""
    return [
        Patch(
            facecolor=CLASS_COLOURS[i],
            edgecolor="black",
            linewidth=0.8,
            alpha=alpha,
            label=CLASS_NAMES[i],
        )
        for i in class_ids
    ]


def add_class_legend(figure):
    """Name the colours of the classes below all axes of a figure."""
    return figure.legend(
        handles=class_handles(),
        loc="outside lower center",
        ncols=len(CLASS_NAMES),
        frameon=False,
    )


def shrink_to_draw(pixels):
    """Shrink a picture, antialiased, or a mask, nearest, to what a figure can show.

    A telephone's picture of 12 megapixels took gigabytes to draw.

    Args:
        pixels: float32 `(H, W, 3)` or integers `(H, W)`.

    Returns:
        The same at `DRAWN_SIDE` on the longer side; what is smaller, as it is.
    """
    sides = pixels.shape[:2]
    if max(sides) <= DRAWN_SIDE:
        return pixels
    height, width = (max(1, side * DRAWN_SIDE // max(sides)) for side in sides)
    if pixels.ndim == 3:
        channels = [pixels[..., i] for i in range(pixels.shape[-1])]
        channels = [squeeze_picture(channel, height, width) for channel in channels]
        return np.stack(channels, axis=-1)
    rows = (2 * np.arange(height) + 1) * sides[0] // (2 * height)  # middles of pixels
    columns = (2 * np.arange(width) + 1) * sides[1] // (2 * width)
    return pixels[np.ix_(rows, columns)]


def draw_pixels(ax, pixels, title=None, **options):
    """Show pixels as squares, without axes."""
    ax.imshow(pixels, interpolation="nearest", **options)
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title)
    return ax


@plt.rc_context(STYLE)
def plot_mask(mask, ax=None, title=None):
    """Draw a mask in the colours of the classes.

    Args:
        mask: Integers `(H, W)` in {0, 1, 2}.
        ax: Axes to draw on; by default a new figure with a legend of the classes.
        title: Text above the mask.

    Returns:
        The axes.

    Raises:
        ValueError: If `mask` has another shape or holds another value.
    """
    mask = shrink_to_draw(check_mask(mask))
    axes = new_axes(4.6, ax)
    if ax is None:
        add_class_legend(axes.figure)
    return draw_pixels(axes, mask, title, cmap=CLASS_MAP, vmin=0, vmax=2)


def outline(ax, mask):
    """Draw the edge of the pet solid, and the outer edge of the border dashed."""
    black, white = {"colors": "black"}, {"colors": "white"}
    for region, style in (((mask == 0), "solid"), ((mask != 1), "dashed")):
        if region.any() and not region.all():
            ax.contour(region, levels=[0.5], linewidths=2.6, **black)
            ax.contour(region, levels=[0.5], linewidths=1.2, linestyles=style, **white)


@plt.rc_context(STYLE)
def plot_overlay(image, mask, ax=None, title=None, alpha=0.45):
    """Lay a mask over its picture: tints for pet and border, and their outlines.

    The background keeps the picture's own colours. The solid line is the edge of the
    pet, the dashed one the outer edge of the border.

    Args:
        image: `(H, W, 3)`, floats in [0, 1] or uint8.
        mask: Integers `(H, W)` in {0, 1, 2}.
        ax: Axes to draw on; by default a new figure with a legend.
        title: Text above the picture.
        alpha: How much the tint covers, in [0, 1].

    Returns:
        The axes.

    Raises:
        ValueError: If a shape or a range is another.
    """
    image = check_image(image)
    mask = check_mask(mask, shape=image.shape[:2])
    image, mask = shrink_to_draw(image), shrink_to_draw(mask)
    axes = new_axes(4.6, ax)
    tint = CLASS_MAP(mask)  # (H, W, 4)
    tint[..., 3] = np.where(mask == 1, 0, alpha)
    draw_pixels(axes, image, title)
    draw_pixels(axes, tint)
    outline(axes, mask)
    if ax is None:
        handles = class_handles(0.8, (0, 2))
        axes.figure.legend(
            handles=handles, loc="outside lower center", ncols=2, frameon=False
        )
    return axes


def check_examples(images, masks, pred_masks, titles):
    """Return `{name: pictures}` for the rows of `plot_examples`, checked and shrunk."""
    given = {"masks": masks, "pred_masks": pred_masks, "titles": titles}
    for name, values in given.items():
        if values is not None and len(values) != len(images):
            raise ValueError(
                f"{name} has {len(values)} entries for {len(images)} images. Pass one "
                "for each picture."
            )
    if len(images) == 0:
        raise ValueError("images is empty. Pass one picture at least.")
    shapes = [np.shape(image)[:2] for image in images]
    images = [
        shrink_to_draw(check_image(image, f"images[{i}]"))
        for i, image in enumerate(images)
    ]
    rows = {"picture": images}
    for label, name in (("truth", "masks"), ("prediction", "pred_masks")):
        if given[name] is not None:
            rows[label] = [
                shrink_to_draw(check_mask(mask, f"{name}[{i}]", shapes[i]))
                for i, mask in enumerate(given[name])
            ]
    return rows


def name_row(ax, text):
    """Write a name up the left side of axes that are switched off."""
    ax.text(
        -0.04,
        0.5,
        text,
        rotation=90,
        ha="right",
        va="center",
        transform=ax.transAxes,
    )


@plt.rc_context(STYLE)
def plot_examples(images, masks, pred_masks=None, titles=None):
    """Draw pictures above their masks, and above the predicted masks if there are any.

    Four stand side by side; more go into further rows.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8; or a list of such pictures.
        masks: Integers `(B, H, W)` in {0, 1, 2}.
        pred_masks: Predicted masks of the same shape, or None.
        titles: One text a picture, or None.

    Returns:
        The axes, an array `(rows, columns)`.

    Raises:
        ValueError: If lengths, shapes or values do not fit.
    """
    rows = check_examples(images, masks, pred_masks, titles)
    height = len(rows) * math.ceil(len(images) / COLUMNS)
    axes = picture_grid(height, min(len(images), COLUMNS))
    for number in range(len(images)):
        block, column = divmod(number, COLUMNS)
        for row, (name, pictures) in enumerate(rows.items(), block * len(rows)):
            options = {} if name == "picture" else {"cmap": CLASS_MAP, "vmax": 2}
            draw_pixels(axes[row, column], pictures[number], vmin=0, **options)
            if column == 0:
                name_row(axes[row, 0], name)
        if titles is not None:
            axes[block * len(rows), column].set_title(titles[number])
    add_class_legend(axes[0, 0].figure)
    return axes


def picture_grid(height, width):
    """Return `(height, width)` axes without frames, sized for square pictures."""
    side = min(WIDTH / width, 2.2)
    axes = plt.subplots(
        height,
        width,
        figsize=(max(side * width, 3.6), side * height + 0.5),
        squeeze=False,
        layout="constrained",
    )[1]
    for ax in axes.flat:
        ax.set_axis_off()
    return axes


@plt.rc_context(STYLE)
def plot_feature_maps(maps, titles=None):
    """Draw the channels of one picture's feature maps, each on its own scale of grey.

    Args:
        maps: `(H, W, channels)`, 32 channels at most.
        titles: One text a channel; by default its number.

    Returns:
        The axes, an array `(rows, columns)`.

    Raises:
        ValueError: If `maps` has another shape, or `titles` another length.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or not 1 <= maps.shape[-1] <= 32:
        raise ValueError(
            f"maps has shape {maps.shape}, expected (height, width, channels) with 1 "
            "to 32 channels. Take one picture of the batch and a part of the channels."
        )
    channels = maps.shape[-1]
    titles = [f"channel {i}" for i in range(channels)] if titles is None else titles
    if len(titles) != channels:
        raise ValueError(f"titles has {len(titles)} entries for {channels} channels.")
    axes = picture_grid(math.ceil(channels / COLUMNS), min(channels, COLUMNS))
    for i, ax in enumerate(axes.flat[:channels]):
        draw_pixels(ax, maps[..., i], titles[i], cmap="gray")
    return axes
