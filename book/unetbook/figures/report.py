"""The sheet that shows what a check of a folder found."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from unetbook.figures.pictures import draw_pixels
from unetbook.figures.style import FAINT, STYLE, WIDTH
from unetbook.pictures import shrink_picture

SHOWN = 6  # pairs
SIDE = 320  # pixels of the longer side at which pairs are drawn
TINT = 0.45
LINES = 6  # of faults and of doubts
LETTERS = 78  # in a line
ROW, LINE = 2.1, 0.16  # inches high: a row of pictures, a line of text


@plt.rc_context(STYLE)
def plot_report(report):
    """Draw what `check_pictures` found: pairs, shares, sizes, faults and doubts.

    Six pairs are shown, those that should be looked at first. The classes tint their
    pictures and a line runs around them; the background keeps the picture's colours.

    Args:
        report: What `check_pictures` returns.

    Returns:
        The axes: those of the pairs, then of shares, sizes and text.
    """
    places = choose_places(report)
    lines = list_findings(report)
    rows = -(-len(places) // 3)
    heights = [ROW] * rows + [1.1 * ROW]
    parts = [sum(heights), LINE * (len(lines) + 1)]
    figure = plt.figure(figsize=(WIDTH, sum(parts)), layout="constrained")
    drawn, written = figure.subfigures(2, 1, height_ratios=parts)
    grid = drawn.add_gridspec(rows + 1, 6, height_ratios=heights)
    axes = []
    for number, place in enumerate(places):
        row, column = divmod(number, 3)
        ax = drawn.add_subplot(grid[row, 2 * column : 2 * column + 2])
        axes.append(draw_pair(ax, report, place))
    axes.append(draw_shares(drawn.add_subplot(grid[rows, :3]), report))
    axes.append(draw_sizes(drawn.add_subplot(grid[rows, 3:]), report))
    axes.append(write_lines(written.add_subplot(), lines))
    return np.array(axes)


def choose_places(report):
    """Return the places of the pairs to show: doubtful ones, then some of all."""
    text = "\n".join(report.doubtful)
    places = range(len(report.pairs))
    doubtful = [place for place in places if report.pairs[place].image.name in text]
    evenly = np.linspace(0, len(places) - 1, SHOWN).astype(int) if places else []
    return list(dict.fromkeys([*doubtful[:SHOWN], *map(int, evenly)]))[:SHOWN]


def draw_pair(ax, report, place):
    """Draw a picture under the tint of its classes, and the lines between them."""
    image, mask = report.read(place)
    image, mask = (shrink_picture(x, SIDE) for x in (image, mask[..., 0]))
    classes = report.classes
    colours = np.array([(255, 255, 255), *classes.colours])
    share = np.full(len(colours), TINT)
    if classes.background is not None:
        share[classes.background + 1] = 0
    share = share[mask][..., None]
    tinted = (1 - share) * image + share * colours[mask]
    edge = np.zeros(mask.shape, bool)
    edge[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    edge[1:] |= mask[1:] != mask[:-1]
    tinted[edge] = 255
    name = report.pairs[place].image.name.encode("ascii", "replace").decode()
    draw_pixels(ax, tinted.astype("uint8"))
    name = name if len(name) <= 26 else f"{name[:12]}...{name[-11:]}"
    ax.set_title(name, fontsize=8)
    return ax


def draw_shares(ax, report):
    """Draw each class's share of all pixels as a bar."""
    classes = report.classes
    names, colours = [], []
    if classes is not None:
        names, colours = list(classes.names), np.array(classes.colours) / 255
    shares = [100 * report.shares[name] for name in names]
    bars = ax.barh(names, shares, color=colours, edgecolor="black", linewidth=0.6)
    ax.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
    ax.invert_yaxis()
    ax.margins(x=0.2)
    ax.set_xlabel("share of the pixels (%)")
    return ax


def draw_sizes(ax, report):
    """Draw the width and height of each picture as a point."""
    ax.scatter(report.sizes[:, 1], report.sizes[:, 0], s=14, alpha=0.5, color=FAINT)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("width (pixels)")
    ax.set_ylabel("height (pixels)")
    return ax


def list_findings(report):
    """Return the faults and the doubts as lines of text."""
    faults, doubts = len(report.faults), len(report.doubtful)
    lines = [f"{len(report.pairs)} pairs; faults: {faults}; to look at: {doubts}"]
    for sentence in [*report.faults[:LINES], *report.doubtful[:LINES]]:
        sentence = sentence.replace("$", r"\$")  # no formula
        lines += textwrap.wrap(f"- {sentence}", LETTERS, max_lines=3)
    return lines


def write_lines(ax, lines):
    """Write lines of text, which take no room from what is drawn."""
    text = ax.text(0, 1, "\n".join(lines), va="top", fontsize=9)
    text.set_in_layout(False)
    ax.set_axis_off()
    return ax
