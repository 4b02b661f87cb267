"""Pictures, masks and feature maps.

A `plot_` function takes arrays and returns the axes it drew on. It neither trains nor
predicts nor saves, and it leaves `plt.show()` to the chapter.
"""

import math
from itertools import cycle, islice

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from unetbook.classes import PETS
from unetbook.figures.style import (
    COLUMNS,
    GROUND,
    STYLE,
    VOID,
    WIDTH,
    class_looks,
    class_map,
    new_axes,
)
from unetbook.pictures import check_image, check_mask, shrink_picture

DRAWN_SIDE = 1024  # pixels; a figure has fewer, and larger pictures fill the memory
LETTERS_PER_INCH = 13  # of a legend
LEGEND_CLASSES = 6  # of more, a legend names those that a figure shows


def class_handles(masks, classes, class_ids=None, alpha=1.0):
    """Return one labelled patch a class for a legend, and one for void if there is any.

    Args:
        masks: Those that the figure shows.
        classes: A `Classes`.
        class_ids: Which classes to name; by default all. Of more than `LEGEND_CLASSES`
            only those are named that occur.
        alpha: How much the colours cover, in [0, 1].
    """
    found = set().union(*(np.unique(mask).tolist() for mask in masks))
    ids = range(len(classes.names)) if class_ids is None else class_ids
    ids = [i for i in ids if len(ids) <= LEGEND_CLASSES or i in found]
    looks = [class_looks(classes)[i] for i in ids] + [VOID] * (-1 in found)
    return [
        Patch(
            facecolor=look.colour,
            edgecolor=look.ink if look.hatch else "black",
            hatch=look.hatch,
            linewidth=0.8,
            alpha=alpha,
            label=look.name,
        )
        for look in looks
    ]


def add_legend(figure, handles):
    """Explain the colours below all axes of a figure, in as many columns as fit."""
    letters = max(len(handle.get_label()) for handle in handles) + 5  # with the patch
    columns = max(1, int(LETTERS_PER_INCH * figure.get_figwidth() / letters))
    return figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), columns),
        frameon=False,
    )


def draw_pixels(ax, pixels, title=None, **options):
    """Show pixels as squares, without axes."""
    ax.imshow(pixels, interpolation="nearest", **options)
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title)
    return ax


def draw_classes(ax, mask, classes, title=None):
    """Show a checked mask in the colours of the classes."""
    shown = np.ma.masked_equal(mask, -1)
    highest = len(classes.names) - 1
    draw_pixels(ax, shown, title, cmap=class_map(classes), vmin=0, vmax=highest)
    draw_hatches(ax, mask, classes)
    return ax


def draw_hatches(ax, mask, classes):
    """Hatch void, and all classes if grey print would not tell them apart."""
    for class_id, look in [*enumerate(class_looks(classes)), (-1, VOID)]:
        region = mask == class_id
        if look.hatch and region.any() and min(region.shape) > 1:
            lines = ax.contourf(region, [0.5, 1.5], colors="none", hatches=[look.hatch])
            lines.set(edgecolor=look.ink, linewidth=0)


@plt.rc_context(STYLE)
def plot_mask(mask, ax=None, title=None, classes=PETS):
    """Draw a mask in the colours of the classes.

    Classes of nearly one lightness are hatched too. So is what nobody annotated.

    Args:
        mask: Integers `(H, W)`, positions in the classes' names; -1: not annotated.
        ax: Axes to draw on; by default a new figure with a legend of the classes.
        title: Text above the mask.
        classes: A `Classes`.

    Returns:
        The axes.

    Raises:
        ValueError: If `mask` has another shape or holds another value.
    """
    mask = shrink_picture(check_mask(mask, classes=classes), DRAWN_SIDE)
    axes = new_axes(4.6, ax)
    if ax is None:
        add_legend(axes.figure, class_handles([mask], classes))
    return draw_classes(axes, mask, classes, title)


def outline(ax, mask, class_ids):
    """Draw the edges of these classes: of the first solid, of all together dashed.

    Those between, if there are more than two, are dotted and dash-dotted in turn.
    """
    black, white = {"colors": "black"}, {"colors": "white"}
    regions = [mask == i for i in class_ids[:-1]] + [np.isin(mask, class_ids)]
    styles = ["solid", *islice(cycle(("dotted", "dashdot")), max(len(regions) - 2, 0))]
    for region, style in zip(regions, [*styles, "dashed"], strict=False):
        if region.any() and not region.all() and min(region.shape) > 1:
            ax.contour(region, levels=[0.5], linewidths=2.6, **black)
            ax.contour(region, levels=[0.5], linewidths=1.2, linestyles=style, **white)


@plt.rc_context(STYLE)
def plot_overlay(image, mask, ax=None, title=None, alpha=0.45, classes=PETS):
    """Lay a mask over its picture: a tint and an outline for each class.

    The background, if there is one, keeps the picture's own colours. The solid line is
    the edge of the first other class, the dashed one that of all of them together: for
    pets, the edge of the pet and the outer edge of the border.

    Args:
        image: `(H, W, 3)`, floats in [0, 1] or uint8.
        mask: Integers `(H, W)`, positions in the classes' names; -1: not annotated.
        ax: Axes to draw on; by default a new figure with a legend.
        title: Text above the picture.
        alpha: How much the tint covers, in [0, 1].
        classes: A `Classes`.

    Returns:
        The axes.

    Raises:
        ValueError: If a shape or a range is another.
    """
    image = check_image(image)
    mask = check_mask(mask, shape=image.shape[:2], classes=classes)
    image, mask = (shrink_picture(x, DRAWN_SIDE) for x in (image, mask))
    axes = new_axes(4.6, ax)
    tint = class_map(classes)(np.ma.masked_equal(mask, -1))  # (H, W, 4)
    tint[..., 3] = np.where(mask == classes.background, 0, alpha)
    draw_pixels(axes, image, title)
    draw_pixels(axes, tint)
    draw_hatches(axes, mask, classes)
    tinted = [i for i in range(len(classes.names)) if i != classes.background]
    outline(axes, mask, tinted)
    if ax is None:
        add_legend(axes.figure, class_handles([mask], classes, tinted, 0.8))
    return axes


def check_examples(images, masks, pred_masks, titles, classes=PETS):
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
        shrink_picture(check_image(image, f"images[{i}]"), DRAWN_SIDE)
        for i, image in enumerate(images)
    ]
    rows = {"picture": images}
    for label, name in (("truth", "masks"), ("prediction", "pred_masks")):
        if given[name] is not None:
            rows[label] = [
                shrink_picture(
                    check_mask(mask, f"{name}[{i}]", shapes[i], classes), DRAWN_SIDE
                )
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
def plot_examples(images, masks, pred_masks=None, titles=None, classes=PETS):
    """Draw pictures above their masks, and above the predicted masks if there are any.

    Four stand side by side; more go into further rows.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8; or a list of such pictures.
        masks: Integers `(B, H, W)`, positions in the classes' names; -1: not annotated.
        pred_masks: Predicted masks of the same shape, or None.
        titles: One text a picture, or None.
        classes: A `Classes`.

    Returns:
        The axes, an array `(rows, columns)`.

    Raises:
        ValueError: If lengths, shapes or values do not fit.
    """
    rows = check_examples(images, masks, pred_masks, titles, classes)
    height = len(rows) * math.ceil(len(images) / COLUMNS)
    axes = picture_grid(height, min(len(images), COLUMNS))
    for number in range(len(images)):
        block, column = divmod(number, COLUMNS)
        for row, (name, pictures) in enumerate(rows.items(), block * len(rows)):
            if name == "picture":
                draw_pixels(axes[row, column], pictures[number])
            else:
                draw_classes(axes[row, column], pictures[number], classes)
            if column == 0:
                name_row(axes[row, 0], name)
        if titles is not None:
            axes[block * len(rows), column].set_title(titles[number])
    shown = [*rows["truth"], *rows.get("prediction", ())]
    add_legend(axes[0, 0].figure, class_handles(shown, classes))
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


@plt.rc_context(STYLE)
def plot_cut_outs(pictures, cut_outs, titles=None):
    """Draw pictures in a row, and below each what was cut out of it.

    Args:
        pictures: Sequence of what `imshow` takes, of any sizes.
        cut_outs: As many uint8 `(height, width, 4)`, from `cut_out`.
        titles: A text above each picture.

    Returns:
        Axes `(2, number of pictures)`.
    """
    columns = len(pictures)
    shares = [picture.shape[1] / picture.shape[0] for picture in pictures]
    height = WIDTH / sum(shares)  # all as high as each other
    figure, axes = plt.subplots(
        2,
        columns,
        figsize=(WIDTH, 2 * height + 0.35),
        width_ratios=shares,
        layout="constrained",
        squeeze=False,
    )
    for column, pair in enumerate(zip(pictures, cut_outs, strict=True)):
        for ax, pixels in zip(axes[:, column], pair, strict=True):
            ax.imshow(pixels)
            ax.set(xticks=[], yticks=[], facecolor=GROUND)
            ax.spines[:].set_visible(False)
    for ax, title in zip(axes[0], titles or (), strict=False):
        ax.set_title(title)
    return axes
