"""Drawings are shown as SVG, photographs as PNG alone."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from unetbook.figures.matrices import plot_matrix
from unetbook.figures.pictures import plot_overlay
from unetbook.inline import draw_svg, show_drawings_as_svg


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_matrix_is_shown_as_svg_beside_its_png_and_a_photograph_is_not(shell):
    show_drawings_as_svg()
    matrix = plot_matrix(np.eye(3)).figure
    pixels = np.zeros((64, 64, 3), "float32")
    photograph = plot_overlay(pixels, np.zeros((64, 64), "int32")).figure
    formats = shell.display_formatter.formatters
    assert formats["image/svg+xml"](matrix).startswith("<?xml")
    assert formats["image/svg+xml"](photograph) is None
    plt.close("all")


def test_the_same_drawing_is_the_same_text():
    first, second = (draw_svg(plot_matrix(np.eye(3)).figure) for _ in range(2))
    plt.close("all")
    assert first == second
    assert "<dc:date>" not in first


def test_outside_a_notebook_nothing_happens():
    assert show_drawings_as_svg() is None
