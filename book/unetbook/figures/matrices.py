"""Matrices as tables of shaded numbers."""

import matplotlib.pyplot as plt
import numpy as np

from unetbook.classes import PETS
from unetbook.figures.style import SHADES, STYLE, WIDTH, name_ticks, new_axes

COUNTED = 5  # classes: of more, a cell has room for a share alone


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
def plot_confusion_matrix(matrix, class_names=PETS.names):
    """Draw a confusion matrix: each row's shares in per cent, and the counts.

    Above five classes only the shares are written, and of these no zeros.

    Args:
        matrix: Counts `(C, C)`, rows are the truth, columns the prediction.
        class_names: One name a class.

    Returns:
        The axes.

    Raises:
        ValueError: If `matrix` is not `(C, C)` or holds a negative count.
    """
    matrix = check_square(matrix, class_names)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, where=totals > 0, out=np.zeros_like(matrix))
    few = len(class_names) <= COUNTED
    ax = new_axes(4.6 if few else WIDTH)
    ax.imshow(shares, cmap=SHADES, vmin=0, vmax=1.25)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.1%}\n{matrix[row, column]:,.0f}" if few else whole_share(share)
        look = {"color": "white" if share > 0.85 else "black"}
        look |= {} if few else {"fontsize": 9}
        ax.text(column, row, text, ha="center", va="center", **look)
    name_ticks(ax, class_names)
    upright = {"rotation": 90, "va": "center"} if few else {}
    ax.set_yticks(range(len(class_names)), class_names, **upright)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax


def whole_share(share):
    """Write a share in whole per cent, and nothing for less than half of one."""
    return f"{100 * share:.0f}" if share >= 0.005 else ""


def number_text(value):
    """Write a number without a needless fraction or a minus zero."""
    digits = 0 if value == round(value) else 2
    return f"{value + 0:.{digits}f}"  # adding 0 turns -0.0 into 0.0


@plt.rc_context(STYLE)
def plot_matrix(matrix, ax=None, title=None):
    """Draw a small matrix as a table of shaded numbers, with faint zeros.

    Args:
        matrix: `(rows, columns)`, 24 of each at most.
        ax: Axes to draw on; by default a new figure that fits the matrix.
        title: Text above the matrix.

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
        text = number_text(value)
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
