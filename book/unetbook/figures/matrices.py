"""Matrices as tables of shaded numbers."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from unetbook.classes import PETS
from unetbook.convolution import transposed_convolution
from unetbook.figures.style import (
    SERIES_COLOURS,
    SHADES,
    STYLE,
    WIDTH,
    name_ticks,
    new_axes,
)

COUNTED = 5  # classes: of more, a cell has room for a share alone
DARK = 0.71  # share from which white is easier to read than black on its shade


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
    ax.imshow(shares, cmap=SHADES, vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.1%}\n{matrix[row, column]:,.0f}" if few else whole_share(share)
        look = {"color": "white" if share > DARK else "black"}
        look |= {} if few else {"fontsize": 9}
        ax.text(column, row, text, ha="center", va="center", **look)
    name_ticks(ax, class_names)
    upright = {"rotation": 90, "va": "center"} if few else {}
    ax.set_yticks(range(len(class_names)), class_names, **upright)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("predicted class", labelpad=9)  # apart from the classes' names
    ax.set_ylabel("true class", labelpad=9)
    return ax


def whole_share(share):
    """Write a share in whole per cent, and nothing for less than half of one."""
    return f"{100 * share:.0f}" if share >= 0.005 else ""


def number_text(value):
    """Write a number without a needless fraction or a minus zero."""
    digits = 0 if value == round(value) else 2
    return f"{value + 0:.{digits}f}"  # adding 0 turns -0.0 into 0.0


@plt.rc_context(STYLE)
def plot_matrix(matrix, ax=None, title=None, highest=None):
    """Draw a small matrix as a table of shaded numbers, with faint zeros.

    Args:
        matrix: `(rows, columns)`, 24 of each at most.
        ax: Axes to draw on; by default a new figure that fits the matrix.
        title: Text above the matrix.
        highest: The number that has the darkest shade, so that several matrices share
            one scale; by default the largest one.

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
    highest = highest or np.abs(matrix).max() or 1
    ax.imshow(matrix, cmap="RdBu", vmin=-1.6 * highest, vmax=1.6 * highest)
    write_numbers(ax, matrix)
    ax.set_title(title or "")
    return ax


def write_numbers(ax, matrix):
    """Write the numbers of a matrix into a grid, zeros faintly."""
    rows, columns = matrix.shape
    size = 12 if columns <= 10 else 10 if columns <= 16 else 9
    for (row, column), value in np.ndenumerate(matrix):
        shade = "0.68" if value == 0 else "black"
        text = number_text(value)
        ax.text(column, row, text, ha="center", va="center", color=shade, fontsize=size)
    draw_grid(ax, rows, columns)


@plt.rc_context(STYLE)
def plot_stamps(x, kernel, strides=1):
    """Draw what each of four input pixels stamps, in its own colour, and the sum.

    Args:
        x: The input, `(2, 2)`.
        kernel: `(kernel_size, kernel_size)`.
        strides: Steps between the stamps in pixels.

    Returns:
        Dictionary of axes: `"input"`, `"kernel"`, `"stamp 0"` to `"stamp 3"`, `"sum"`.

    Raises:
        ValueError: If `x` has another shape.
    """
    x, kernel = np.asarray(x), np.asarray(kernel)
    if x.shape != (2, 2):
        raise ValueError(f"x has shape {x.shape}, expected (2, 2): four stamps.")
    names = [
        ["input", "stamp 0", "stamp 1", "sum"],
        ["kernel", "stamp 2", "stamp 3", "sum"],
    ]
    figure = plt.figure(figsize=(WIDTH, 3.5), layout="constrained")
    axes = figure.subplot_mosaic(names, width_ratios=(1, 1, 1, 1.7))
    draw_table(axes["input"], x, "input")
    draw_table(axes["kernel"], kernel, "kernel")
    draw_table(axes["sum"], transposed_convolution(x, kernel, strides), "sum")
    for number, place in enumerate(np.ndindex(2, 2)):
        only = np.where(np.arange(4).reshape(2, 2) == number, x, 0)
        stamp = transposed_convolution(only, kernel, strides)
        ax = axes[f"stamp {number}"]
        draw_table(ax, stamp, f"{number_text(x[place])} × kernel")
        colour = SERIES_COLOURS[number]
        corner = np.multiply(place, strides)
        tint_square(axes["input"], place, 1, colour)
        tint_square(ax, corner, len(kernel), colour)
        frame_square(axes["sum"], corner, len(kernel), colour, 0.03 + 0.04 * number)
    return axes


def draw_table(ax, matrix, title):
    """Draw a matrix as numbers on white, its first row at the top."""
    rows, columns = matrix.shape
    write_numbers(ax, matrix)
    limits = {"xlim": (-0.5, columns - 0.5), "ylim": (rows - 0.5, -0.5)}
    ax.set(title=title, aspect="equal", **limits)


def tint_square(ax, corner, side, colour):
    """Lay a colour over a square of a table whose first pixel is `corner`."""
    top, left = np.subtract(corner, 0.5)
    ax.add_patch(Rectangle((left, top), side, side, color=colour, alpha=0.45, lw=0))


def frame_square(ax, corner, side, colour, inset):
    """Frame a square of a table, a little inside, so that frames stay apart."""
    top, left = np.subtract(corner, 0.5) + inset
    side -= 2 * inset
    ax.add_patch(Rectangle((left, top), side, side, fill=False, ec=colour, lw=1.8))


def draw_grid(ax, rows, columns):
    """Draw thin lines between the cells of a matrix instead of ticks."""
    ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="0.75", linewidth=0.8)
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    ax.spines[:].set_visible(False)
