"""The look of every figure: the only place that knows colours."""

import matplotlib.pyplot as plt
from matplotlib.colors import ListedColormap

# Dark, middle and light, so that the three classes stay apart in grey print and for
# every kind of colour vision; blue and yellow also stand out from fur and grass.
CLASS_COLOURS = ("#2f7fc1", "#343a4a", "#ffcb2e")  # pet, background, border
CLASS_HATCHES = ("//", "", "..")
CLASS_MAP = ListedColormap(CLASS_COLOURS, name="classes")
SERIES_COLOURS = ("#2f7fc1", "#e08a1e", "#3c9d75", "#8a63b0", "#6b7280", "#b3446c")
SERIES_LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (2, 1)))
SERIES_HATCHES = ("", "//", "..", "xx", "\\\\", "oo")
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


def new_axes(height, ax=None):
    """Return `ax`, or the axes of a new figure of the book's width."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]
