"""Every figure of the book, and the only place that knows the colours of the classes.

A `plot_` function takes arrays and returns the axes it drew on. It neither trains nor
predicts nor saves, and it leaves `plt.show()` to the chapter.
"""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from unetbook.config import CLASS_NAMES

# Dark, middle and light, so that the three classes stay apart in grey print and for
# every kind of colour vision; blue and yellow also stand out from fur and grass.
CLASS_COLOURS = ("#2f7fc1", "#343a4a", "#ffcb2e")  # pet, background, border
CLASS_HATCHES = ("//", "", "..")
CLASS_MAP = ListedColormap(CLASS_COLOURS, name="classes")
SERIES_COLOURS = ("#2f7fc1", "#e08a1e", "#3c9d75", "#8a63b0", "#6b7280")
SERIES_LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
SERIES_HATCHES = ("", "//", "..", "xx", "\\\\")
SHADES = plt.get_cmap("Blues")

COLUMNS = 4  # pictures side by side; more go into the next rows
WIDTH = 6.4  # inches: a figure fills the text column and is still legible on a phone
STYLE = {
    "figure.dpi": 120,
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "figure.titlesize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.8,
    "axes.titlepad": 6,
}


def check_image(image, name="image"):
    """Return one picture as float32 `(H, W, 3)` in [0, 1].

    Args:
        image: `(H, W, 3)`, floats in [0, 1] or uint8 in 0 to 255.
        name: What the error message calls it.

    Raises:
        ValueError: If the shape or the range is another.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(
            f"{name} has shape {image.shape}, expected (height, width, 3). Pass one "
            "RGB picture, without a batch axis."
        )
    if image.dtype == np.uint8:
        return image.astype("float32") / 255
    low, high = np.min(image), np.max(image)
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"{name} holds values from {low:g} to {high:g}, expected [0, 1]. Divide "
            "by 255, or pass uint8."
        )
    return np.clip(image, 0, 1).astype("float32")


def check_mask(mask, name="mask", shape=None):
    """Return one mask as an integer array `(H, W)` of class codes.

    Args:
        mask: `(H, W)`, values 0 pet, 1 background, 2 border.
        name: What the error message calls it.
        shape: The `(H, W)` of its picture, or None for any.

    Raises:
        ValueError: If the shape or a value is another.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or (shape is not None and mask.shape != tuple(shape)):
        wanted = "(height, width)" if shape is None else f"{tuple(shape)}"
        raise ValueError(
            f"{name} has shape {mask.shape}, expected {wanted}. Take the argmax of "
            "probabilities over the last axis, and pass one mask at a time."
        )
    found = np.unique(mask)
    if not np.isin(found, range(len(CLASS_NAMES))).all():
        raise ValueError(
            f"{name} holds the values {found[:6].tolist()}, expected 0, 1 and 2. A raw "
            "trimap holds 1, 2 and 3: subtract 1."
        )
    return mask.astype("int32")


def new_axes(height, ax=None):
    """Return `ax`, or the axes of a new figure of the book's width."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]


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


def draw_picture(ax, pixels, title=None, **options):
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
    mask = check_mask(mask)
    axes = new_axes(4.6, ax)
    if ax is None:
        add_class_legend(axes.figure)
    return draw_picture(axes, mask, title, cmap=CLASS_MAP, vmin=0, vmax=2)


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
    axes = new_axes(4.6, ax)
    tint = CLASS_MAP(mask)  # (H, W, 4)
    tint[..., 3] = np.where(mask == 1, 0, alpha)
    draw_picture(axes, image, title)
    draw_picture(axes, tint)
    outline(axes, mask)
    if ax is None:
        handles = class_handles(0.8, (0, 2))
        axes.figure.legend(
            handles=handles, loc="outside lower center", ncols=2, frameon=False
        )
    return axes


def check_examples(images, masks, pred_masks, titles):
    """Return `{name: pictures}` for the rows of `plot_examples`, checked."""
    given = {"masks": masks, "pred_masks": pred_masks, "titles": titles}
    for name, values in given.items():
        if values is not None and len(values) != len(images):
            raise ValueError(
                f"{name} has {len(values)} entries for {len(images)} images. Pass one "
                "for each picture."
            )
    if len(images) == 0:
        raise ValueError("images is empty. Pass one picture at least.")
    images = [check_image(image, f"images[{i}]") for i, image in enumerate(images)]
    rows = {"picture": images}
    for label, name in (("truth", "masks"), ("prediction", "pred_masks")):
        if given[name] is not None:
            rows[label] = [
                check_mask(mask, f"{name}[{i}]", images[i].shape[:2])
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
            draw_picture(axes[row, column], pictures[number], vmin=0, **options)
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
def plot_history(history):
    """Draw the loss, and the mean IoU where it was kept, over the epochs.

    Args:
        history: A dictionary of lists, one number an epoch, as `train` returns it:
            `loss`, and any of `val_loss`, `mean_iou`, `val_mean_iou`.

    Returns:
        The axes, an array `(panels,)`.

    Raises:
        ValueError: If `loss` is missing or the lists differ in length.
    """
    if not history.get("loss"):
        raise ValueError(
            f"history has the keys {sorted(history)}, expected loss among them, not "
            "empty. Pass what train returned."
        )
    panels = [name for name in ("loss", "mean_iou") if history.get(name)]
    axes = plt.subplots(
        1, len(panels), figsize=(WIDTH, 3.4), squeeze=False, layout="constrained"
    )[1][0]
    for ax, name in zip(axes, panels, strict=True):
        draw_curves(ax, history, name)
    axes[0].set_ylim(bottom=0)
    return axes


def draw_curves(ax, history, name):
    """Draw one quantity of a history for training and validation."""
    epochs = range(1, len(history["loss"]) + 1)
    curves = ((name, "training", "o--"), ("val_" + name, "validation", "s-"))
    for (key, label, style), colour in zip(curves, SERIES_COLOURS, strict=False):
        if not history.get(key):
            continue
        if len(history[key]) != len(epochs):
            raise ValueError(
                f"history[{key!r}] has {len(history[key])} entries and history['loss'] "
                f"{len(epochs)}. Every list holds one number an epoch."
            )
        ax.plot(epochs, history[key], style, color=colour, label=label, markersize=4.5)
    ax.set_title({"loss": "Loss", "mean_iou": "Mean IoU"}[name])
    ax.set_xlabel("epoch")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)


@plt.rc_context(STYLE)
def plot_runs(curves, ax=None, title=None):
    """Draw one curve a recipe: the mean over its runs, in a band from least to most.

    Args:
        curves: A dictionary from labels to arrays `(runs, epochs)`; recipes may differ
            in both.
        ax: Axes to draw on; by default a new figure.
        title: Text above the curves.

    Returns:
        The axes.

    Raises:
        ValueError: If a recipe's runs are not all of one length.
    """
    ax = new_axes(3.8, ax)
    for number, (label, runs) in enumerate(curves.items()):
        lengths = sorted({len(run) for run in runs})
        if len(lengths) != 1:
            raise ValueError(
                f"curves[{label!r}] has runs of {lengths} epochs. Give at least one "
                "run, all with the same number of epochs."
            )
        runs = np.asarray(runs, dtype="float64")
        epochs = np.arange(1, runs.shape[1] + 1)
        colour = SERIES_COLOURS[number % len(SERIES_COLOURS)]
        style = SERIES_LINES[number % len(SERIES_LINES)]
        ax.plot(epochs, runs.mean(axis=0), linestyle=style, color=colour, label=label)
        ax.fill_between(
            epochs,
            runs.min(axis=0),
            runs.max(axis=0),
            color=colour,
            alpha=0.25,
            linewidth=0,
        )
    ax.set(xlabel="epoch", title=title or "")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


@plt.rc_context(STYLE)
def plot_differences(differences, ax=None, title=None):
    """Draw gains and losses: a bar for the mean, least to most as a line, a dot a run.

    Args:
        differences: A dictionary from labels to numbers `(runs,)`.
        ax: Axes to draw on; by default a new figure.
        title: Text above the bars.

    Returns:
        The axes; the first label is at the top.
    """
    ax = new_axes(0.42 * len(differences) + 0.9, ax)
    for place, values in enumerate(differences.values()):
        colour = SERIES_COLOURS[0 if np.mean(values) >= 0 else 1]
        ax.barh(place, np.mean(values), 0.62, color=colour, edgecolor="black")
        ends = (np.min(values), np.max(values))
        ax.plot(ends, (place, place), color="black", linewidth=1.5)
        ax.plot(values, [place] * len(values), "o", color="black", markersize=4)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(differences)), list(differences))
    ax.invert_yaxis()
    ax.set_title(title or "")
    ax.grid(axis="x", alpha=0.3)
    return ax


def check_square(matrix, class_names):
    """Return a confusion matrix as float64 `(C, C)`, checked."""
    matrix = np.asarray(matrix, dtype="float64")
    if matrix.shape != (len(class_names),) * 2 or (matrix < 0).any():
        raise ValueError(
            f"matrix has shape {matrix.shape} and the lowest value {matrix.min():g}, "
            f"expected counts {(len(class_names),) * 2}, one row and one column for "
            "each of class_names."
        )
    return matrix


@plt.rc_context(STYLE)
def plot_confusion_matrix(matrix, class_names=CLASS_NAMES, ax=None, title=None):
    """Draw a confusion matrix: each row's shares in per cent, and the counts.

    Args:
        matrix: Counts `(C, C)`, rows are the truth, columns the prediction.
        class_names: One name a class.
        ax: Axes to draw on; by default a new figure.
        title: Text above the matrix.

    Returns:
        The axes.

    Raises:
        ValueError: If `matrix` is not `(C, C)` or holds a negative count.
    """
    matrix = check_square(matrix, class_names)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, where=totals > 0, out=np.zeros_like(matrix))
    ax = new_axes(4.6, ax)
    ax.imshow(shares, cmap=SHADES, vmin=0, vmax=1.25)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.1%}\n{matrix[row, column]:,.0f}"
        colour = "white" if share > 0.85 else "black"
        ax.text(column, row, text, ha="center", va="center", color=colour)
    ticks = range(len(class_names))
    ax.set_xticks(ticks, class_names)
    ax.set_yticks(ticks, class_names, rotation=90, va="center")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="predicted class", ylabel="true class", title=title or "")
    return ax


def check_shares(shares, name, class_names):
    """Return one number in [0, 1] (or nan) for each class, checked."""
    shares = np.asarray(shares, dtype="float64")
    known = shares[~np.isnan(shares)]
    if shares.shape != (len(class_names),) or (known < 0).any() or (known > 1).any():
        raise ValueError(
            f"{name} is {np.round(shares, 3).tolist()}, expected {len(class_names)} "
            f"numbers in [0, 1], one for each of {tuple(class_names)}."
        )
    return shares


@plt.rc_context(STYLE)
def plot_class_shares(shares, ax=None, title=None):
    """Draw which share of all pixels each class has.

    Args:
        shares: `(3,)` in [0, 1], in the order of `CLASS_NAMES`.
        ax: Axes to draw on; by default a new figure.
        title: Text above the bars.

    Returns:
        The axes.

    Raises:
        ValueError: If there are not three shares in [0, 1].
    """
    shares = check_shares(shares, "shares", CLASS_NAMES)
    ax = new_axes(2.4, ax)
    for i, share in enumerate(shares):
        ax.barh(i, share, color=CLASS_COLOURS[i], hatch=CLASS_HATCHES[i], ec="black")
        ax.text(share + 0.01, i, f"{share:.1%}", va="center")
    ax.set_yticks(range(len(shares)), CLASS_NAMES)
    ax.invert_yaxis()
    ax.set_xlim(0, min(1.12, np.nanmax(shares) + 0.15))
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set(xlabel="share of the pixels", title=title or "")
    return ax


@plt.rc_context(STYLE)
def plot_scores(scores, class_names=CLASS_NAMES, ax=None, title=None):
    """Draw one score a class as bars, for one network or for several side by side.

    Args:
        scores: `(C,)` in [0, 1], or a dictionary from labels to such arrays; nan
            stands for a class that does not occur.
        class_names: One name a class.
        ax: Axes to draw on; by default a new figure.
        title: Text above the bars.

    Returns:
        The axes.

    Raises:
        ValueError: If a series does not hold one number in [0, 1] for each class.
    """
    series = scores if isinstance(scores, dict) else {"scores": scores}
    ax = new_axes(3.6, ax)
    thickness = 0.8 / max(len(series), 1)
    for number, (label, values) in enumerate(series.items()):
        values = check_shares(values, label, class_names)
        places = np.arange(len(values)) + (number - (len(series) - 1) / 2) * thickness
        draw_bars(ax, places, values, 0.92 * thickness, number, label)
    if len(series) > 1:
        rows = math.ceil(len(series) / 3)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
        ax.set_title(title or "", pad=8 + 20 * rows)
    else:
        ax.set_title(title or "")
    ax.set_xticks(range(len(class_names)), class_names)
    ax.set(ylim=(0, 1.08), ylabel="IoU")
    return ax


def draw_bars(ax, places, values, thickness, number, label):
    """Draw one series of scores with its numbers above the bars."""
    ax.bar(
        places,
        np.nan_to_num(values),
        thickness,
        color=SERIES_COLOURS[number % len(SERIES_COLOURS)],
        hatch=SERIES_HATCHES[number % len(SERIES_HATCHES)],
        edgecolor="black",
        label=label,
    )
    for place, value in zip(places, values, strict=True):
        text = "absent" if np.isnan(value) else f"{value:.2f}"
        ax.text(place, np.nan_to_num(value) + 0.02, text, ha="center", fontsize=11)


def number_text(value, decimals):
    """Write a number without a needless fraction or a minus zero."""
    digits = 0 if value == round(value) else decimals
    return f"{value + 0:.{digits}f}"  # adding 0 turns -0.0 into 0.0


@plt.rc_context(STYLE)
def plot_matrix(matrix, ax=None, title=None, decimals=2):
    """Draw a small matrix as a table of shaded numbers, with faint zeros.

    Args:
        matrix: `(rows, columns)`, 24 of each at most.
        ax: Axes to draw on; by default a new figure that fits the matrix.
        title: Text above the matrix.
        decimals: Digits after the point of numbers that are not whole.

    Returns:
        The axes.

    Raises:
        ValueError: If `matrix` is not two-dimensional, is empty or is too large.
    """
    matrix = np.asarray(matrix, dtype="float64")
    if matrix.ndim != 2 or matrix.size == 0 or max(matrix.shape) > 24:
        raise ValueError(
            f"matrix has shape {matrix.shape}, expected (rows, columns) with 1 to 24 "
            "of each. Show a part of a larger one."
        )
    rows, columns = matrix.shape
    cell = min(WIDTH / columns, 0.62)
    if ax is None:
        size = (max(cell * columns, 1.6), cell * rows + (0.4 if title else 0.1))
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    highest = np.abs(matrix).max() or 1
    ax.imshow(matrix, cmap="RdBu", vmin=-1.6 * highest, vmax=1.6 * highest)
    size = 12 if columns <= 10 else 10 if columns <= 16 else 9
    for (row, column), value in np.ndenumerate(matrix):
        shade = "0.68" if value == 0 else "black"
        text = number_text(value, decimals)
        ax.text(column, row, text, ha="center", va="center", color=shade, fontsize=size)
    draw_grid(ax, rows, columns)
    ax.set_title(title or "")
    return ax


def draw_grid(ax, rows, columns):
    """Draw thin lines between the cells of a matrix instead of ticks."""
    ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="0.75", linewidth=0.8)
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    ax.spines[:].set_visible(False)


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
        draw_picture(ax, maps[..., i], titles[i], cmap="gray")
    return axes
