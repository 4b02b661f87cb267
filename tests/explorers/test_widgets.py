"""Widgets hold every figure, and switch it with a slider with or without a kernel."""

import matplotlib

matplotlib.use("Agg")

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from unetbook.explorers.sliders import explore_examples, explore_overlay, step_through

IMAGES = np.full((3, 4, 4, 3), 0.5, "float32")
MASKS = np.tile(np.array([[0, 2, 1, 1]]), (3, 4, 1))


def steps_of(widget):
    """Return the picture of every step, with `Stack` or, before 8.1, without."""
    slider, shown = widget.children
    pictures = []
    for step in range(slider.min, slider.max + 1):
        slider.value = step
        place = step if hasattr(ipywidgets, "Stack") else 0
        pictures.append(shown.children[place].value)
    return pictures


def test_each_picture_is_one_step_of_the_slider():
    pictures = steps_of(explore_examples(IMAGES, MASKS, titles=list("abc")))
    assert len(set(pictures)) == 3
    assert all(picture[1:4] == b"PNG" for picture in pictures)


def test_predicted_masks_may_be_given():
    widget = explore_examples(IMAGES[:2], MASKS[:2], 2 - MASKS[:2], ["a", "b"])
    plain = explore_examples(IMAGES[:2], MASKS[:2], titles=["a", "b"])
    assert len(steps_of(widget)) == 2
    assert set(steps_of(widget)).isdisjoint(steps_of(plain))


def test_an_overlay_steps_from_the_picture_to_the_mask():
    assert len(set(steps_of(explore_overlay(IMAGES[0], MASKS[0], steps=3)))) == 3


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
