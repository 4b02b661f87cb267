"""Widgets hold every figure, and switch it with a slider with or without a kernel."""

import matplotlib

matplotlib.use("Agg")

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from unetbook.widgets import explore_examples, explore_overlay, step_through

IMAGES = np.full((3, 4, 4, 3), 0.5, "float32")
MASKS = np.tile(np.array([[0, 2, 1, 1]]), (3, 4, 1))


def test_each_picture_is_one_step_of_the_slider():
    slider, shown = explore_examples(IMAGES, MASKS, titles=list("abc")).children
    assert (slider.min, slider.max) == (0, 2)
    assert len(shown.children) == 3
    assert shown.children[0].value[1:4] == b"PNG"


def test_predicted_masks_may_be_given():
    _, shown = explore_examples(IMAGES[:2], MASKS[:2], MASKS[:2]).children
    assert len(shown.children) == 2


def test_an_overlay_steps_from_the_picture_to_the_mask():
    slider, shown = explore_overlay(IMAGES[0], MASKS[0], steps=3).children
    assert slider.max == 2
    assert len({image.value for image in shown.children}) == 3


def test_slider_and_pictures_are_linked_in_the_browser(monkeypatch):
    links = []
    monkeypatch.setattr(ipywidgets, "jslink", lambda *ends: links.append(ends))
    if not hasattr(ipywidgets, "Stack"):
        pytest.skip("ipywidgets before 8.1 has no Stack")
    slider, shown = step_through([b"a", b"b"], "step").children
    assert links == [((slider, "value"), (shown, "selected_index"))]


def test_without_stack_the_kernel_switches_the_picture(monkeypatch):
    monkeypatch.delattr(ipywidgets, "Stack", raising=False)
    slider, shown = step_through([b"a", b"b"], "step").children
    assert [image.value for image in shown.children] == [b"a"]
    slider.value = 1
    assert [image.value for image in shown.children] == [b"b"]


def test_no_figure_stays_open():
    explore_overlay(IMAGES[0], MASKS[0], steps=2)
    assert not plt.get_fignums()


def test_a_single_picture_needs_no_slider():
    with pytest.raises(ValueError, match="1 entries"):
        explore_examples(IMAGES[:1], MASKS[:1])


def test_raw_trimaps_are_refused():
    with pytest.raises(ValueError, match="subtract 1"):
        explore_examples(IMAGES, MASKS + 1)
