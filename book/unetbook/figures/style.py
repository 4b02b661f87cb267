"""The look of every figure: the only place that knows colours."""

from itertools import combinations, cycle
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from unetbook.classes import PETS


class Look(NamedTuple):
    """How a class is named and drawn."""

    name: str
    colour: str
    hatch: str

    @property
    def ink(self):
        """The colour of the hatch: white on what is nearly black."""
        return "white" if luminance(bytes.fromhex(self.colour[1:])) < 0.05 else "black"


GROUND = "#b9cbe0"  # below a cut-out: no fur has this colour
VOID = Look("not annotated", "#dfe3e8", "xxx")
HATCHES = ("//", "..", "\\\\", "oo", "--", "++", "||", "**")  # of classes, in turn
SERIES_COLOURS = ("#2f7fc1", "#e08a1e", "#3c9d75", "#8a63b0", "#6b7280", "#b3446c")
SERIES_LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (2, 1)))
SERIES_HATCHES = ("", "//", "..", "xx", "\\\\", "oo")
SHADES = plt.get_cmap("Blues")
TICK_LETTERS = 60  # that fit below one pair of axes
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
    "axes.prop_cycle": plt.cycler(color=SERIES_COLOURS),
}
# Middle tones on a light card: an `<img>` in the page does not know the page's theme.
CARD, INK, FAINT = "#f8f9fb", "#1f2733", "#6b7482"
BOX_COLOURS = {
    "image": "#aab2bd",
    "encoder": "#4f93cf",
    "bottleneck": "#8a6bb5",
    "decoder": "#45a683",
    "output": "#f2bd3a",
}
ARROW_COLOURS = {
    "conv": INK,
    "pool": "#c2453a",
    "up": "#1f7a5c",
    "copy": "#2c6ca8",
    "head": "#a86f00",
}
CHANGE_COLOURS = ("#a3203a", "#5ec8f2", "#b9bfc9", "#ffffff")


def class_colours(classes):
    """Return the colour of each class as `"#rrggbb"`."""
    return tuple(f"#{bytes(colour).hex()}" for colour in classes.colours)


# Dark, middle and light, so that the three classes stay apart in grey print and for
# every kind of colour vision; blue and yellow also stand out from fur and grass.
CLASS_COLOURS = class_colours(PETS)


def class_map(classes):
    """Return the colour map of the classes; what is masked has the colour of void."""
    colours = ListedColormap(class_colours(classes), name="classes")
    return colours.with_extremes(bad=VOID.colour)


def class_hatches(classes):
    """Return a hatch for each class, and none for the background."""
    hatches = cycle(HATCHES)
    ids = range(len(classes.names))
    return tuple("" if i == classes.background else next(hatches) for i in ids)


def class_looks(classes):
    """Return the `Look` of each class in a mask: hatched if colours stand too close."""
    close = not stay_apart(classes)
    hatches = class_hatches(classes) if close else ("",) * len(classes.names)
    return [*map(Look, classes.names, class_colours(classes), hatches)]


def luminance(colour):
    """Return how light a colour of bytes is, from 0 to 1, as WCAG defines it."""
    share = np.array([*colour]) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def stay_apart(classes):
    """Tell whether all classes have a contrast of 2 or more, as in grey print."""
    pairs = combinations(map(luminance, classes.colours), 2)
    return all((max(pair) + 0.05) / (min(pair) + 0.05) > 2 for pair in pairs)


def new_axes(height, ax=None):
    """Return `ax`, or the axes of a new figure of the book's width."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]


def name_ticks(ax, class_names):
    """Write names below the axes, upright where they would run into each other."""
    upright = sum(map(len, class_names)) + 2 * len(class_names) > TICK_LETTERS
    rotation = {"rotation": 90} if upright else {}
    ax.set_xticks(range(len(class_names)), class_names, **rotation)
