"""Curves, bars and differences: what trainings and scores look like."""

import matplotlib.pyplot as plt
import numpy as np

from unetbook.classes import PETS
from unetbook.figures.style import (
    FAINT,
    SERIES_COLOURS,
    SERIES_HATCHES,
    SERIES_LINES,
    STYLE,
    WIDTH,
    class_colours,
    class_hatches,
    name_ticks,
    new_axes,
)


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
def plot_runs(curves):
    """Draw one curve a recipe: the mean over its runs, in a band from least to most.

    Args:
        curves: A dictionary from labels to arrays `(runs, epochs)`; recipes may differ
            in both.

    Returns:
        The axes.

    Raises:
        ValueError: If a recipe's runs are not all of one length.
    """
    ax = new_axes(3.8)
    for number, (label, runs) in enumerate(curves.items()):
        lengths = sorted({len(run) for run in runs})
        if len(lengths) != 1:
            raise ValueError(
                f"curves[{label!r}] has runs of {lengths} epochs. Give at least one "
                "run, all with the same number of epochs."
            )
        draw_band(ax, np.asarray(runs, dtype="float64"), number, label)
    ax.set(xlabel="epoch")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def line_style(number):
    """Return colour and dashes of one line among several, as `plot` takes them."""
    return {
        "color": SERIES_COLOURS[number % len(SERIES_COLOURS)],
        "linestyle": SERIES_LINES[number % len(SERIES_LINES)],
    }


def draw_band(ax, runs, number, label):
    """Draw the mean of `(runs, epochs)` as a line in a band from least to most."""
    epochs = np.arange(1, runs.shape[1] + 1)
    line = line_style(number)
    ax.plot(epochs, runs.mean(axis=0), label=label, **line)
    band = (runs.min(axis=0), runs.max(axis=0))
    ax.fill_between(epochs, *band, color=line["color"], alpha=0.25, linewidth=0)


@plt.rc_context(STYLE)
def plot_label_curve(curves):
    """Draw a score over the number of labelled pictures: a line for the mean of runs.

    Args:
        curves: A dictionary from labels to dictionaries, which map a number of pictures
            to the scores of its runs, `(runs,)`.

    Returns:
        The axes; the number of pictures is drawn on a logarithmic scale.
    """
    ax = new_axes(3.8)
    for number, (label, scores) in enumerate(curves.items()):
        line = line_style(number)
        means = [np.mean(values) for values in scores.values()]
        ax.plot(list(scores), means, label=label, **line)
        for pictures, values in scores.items():
            dots = {"color": line["color"], "markersize": 5}
            ax.plot([pictures] * len(values), values, "o", **dots)
    ax.set(xlabel="labelled pictures", ylabel="mean IoU", xscale="log")
    ax.set_xticks(list(scores), [f"{pictures:,}" for pictures in scores])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


@plt.rc_context(STYLE)
def plot_differences(differences):
    """Draw gains and losses: a bar for the mean, least to most as a line, a dot a run.

    Args:
        differences: A dictionary from labels to numbers `(runs,)`.

    Returns:
        The axes; the first label is at the top.
    """
    ax = new_axes(0.42 * len(differences) + 0.9)
    for place, values in enumerate(differences.values()):
        colour = SERIES_COLOURS[0 if np.mean(values) >= 0 else 1]
        ax.barh(place, np.mean(values), 0.62, color=colour, edgecolor="black")
        ends = (np.min(values), np.max(values))
        ax.plot(ends, (place, place), color="black", linewidth=1.5)
        ax.plot(values, [place] * len(values), "o", color="black", markersize=4)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(differences)), list(differences))
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
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
def plot_class_shares(shares, classes=PETS):
    """Draw which share of all pixels each class has.

    Args:
        shares: `(C,)` in [0, 1], in the order of the classes.
        classes: A `Classes`.

    Returns:
        The axes.

    Raises:
        ValueError: If there is not one share in [0, 1] for each class.
    """
    shares = check_shares(shares, "shares", classes.names)
    ax = new_axes(max(2.4, 0.4 * len(shares) + 0.8))
    looks = zip(class_colours(classes), class_hatches(classes), strict=True)
    for i, (share, (colour, hatch)) in enumerate(zip(shares, looks, strict=True)):
        ax.barh(i, share, color=colour, hatch=hatch, ec="black")
        ax.text(share + 0.01, i, f"{share:.1%}", va="center")
    ax.set_yticks(range(len(shares)), classes.names)
    ax.invert_yaxis()
    ax.set_xlim(0, min(1.12, np.nanmax(shares) + 0.15))
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set(xlabel="share of the pixels")
    return ax


@plt.rc_context(STYLE)
def plot_scores(scores, class_names=PETS.names):
    """Draw one score a class as bars, for one network or for several side by side.

    Args:
        scores: `(C,)` in [0, 1], or a dictionary from labels to such arrays; nan
            stands for a class that has no score, as one that does not occur.
        class_names: One name a class.

    Returns:
        The axes.

    Raises:
        ValueError: If a series does not hold one number in [0, 1] for each class.
    """
    series = scores if isinstance(scores, dict) else {"scores": scores}
    ax = new_axes(3.6)
    thickness = 0.8 / max(len(series), 1)
    for number, (label, values) in enumerate(series.items()):
        values = check_shares(values, label, class_names)
        places = np.arange(len(values)) + (number - (len(series) - 1) / 2) * thickness
        draw_bars(ax, places, values, 0.92 * thickness, number, label)
    if len(series) > 1:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    name_ticks(ax, class_names)
    ax.set(ylim=(0, 1.08), ylabel="IoU")
    return ax


def draw_bars(ax, places, values, thickness, number, label):
    """Draw one series of scores with its numbers above the bars, upright if thin."""
    narrow = len(values) > 14 * thickness
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
        text = "no score" if np.isnan(value) else f"{value:.2f}"
        turned = {"fontsize": 11, "rotation": 90 if narrow or np.isnan(value) else 0}
        ax.text(place, np.nan_to_num(value) + 0.02, text, ha="center", **turned)


@plt.rc_context(STYLE)
def plot_reliability(counts):
    """Draw how often each network was right, by how sure it was.

    Args:
        counts: A dictionary from labels to what `count_confidence` counts.

    Returns:
        The axes. A network whose probabilities mean what they say stays in the grey
        boxes, each as high as its bin is wide.

    Raises:
        ValueError: If counts are not `(bins, 2)`.
    """
    ax = new_axes(4.2)
    for number, (label, values) in enumerate(counts.items()):
        values = np.asarray(values)
        if values.ndim != 2 or values.shape[1] != 2:
            raise ValueError(
                f"counts[{label!r}] has shape {values.shape}, expected (bins, 2): "
                "wrong and right pixels, as count_confidence returns them."
            )
        draw_reliability(ax, values, number, label)
    ax.set(xlabel="largest probability", ylabel="share of these pixels that is right")
    ax.legend(loc="upper left", frameon=False)
    return ax


def draw_reliability(ax, counts, number, label):
    """Draw the share of right pixels in each bin that holds any, above the boxes."""
    width = 1 / len(counts)
    filled = np.flatnonzero(counts.sum(axis=1))
    if number == 0:
        for place in filled:
            look = {"color": FAINT, "alpha": 0.25}
            look["label"] = "calibrated" if place == filled[0] else ""
            ax.add_patch(plt.Rectangle((place * width,) * 2, width, width, **look))
    shares = counts[filled, 1] / counts[filled].sum(axis=1)
    marker = "osD^v"[number % 5]
    places = (filled + 0.5) * width
    ax.plot(places, shares, marker, label=label, **line_style(number))
