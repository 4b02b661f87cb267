"""Sliders that step through figures, with ipywidgets.

Every figure is drawn first, with the `plot_` functions. Where ipywidgets has `Stack`
(8.1 and later), slider and figures are linked in the browser, so that the widget works
on a page without a kernel; before that, the kernel switches the picture.
"""

import io

import ipywidgets
import matplotlib.pyplot as plt

from unetbook.classes import PETS
from unetbook.figures.pictures import (
    DRAWN_SIDE,
    check_examples,
    plot_examples,
    plot_overlay,
)
from unetbook.pictures import check_image, check_mask, shrink_picture


def render(axes):
    """Return the figure of some axes as PNG bytes, and close it."""
    figure = axes.figure
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    plt.close(figure)
    return buffer.getvalue()


def step_through(pictures, description):
    """Return a slider that steps through pictures.

    Args:
        pictures: PNG bytes, one a step; two at least.
        description: What the slider counts.

    Returns:
        An `ipywidgets.VBox` of the slider and the picture.

    Raises:
        ValueError: If there are fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError(
            f"pictures has {len(pictures)} entries. A slider needs two at least; show "
            "a single one with its plot_ function."
        )
    images = [ipywidgets.Image(value=picture, format="png") for picture in pictures]
    slider = ipywidgets.IntSlider(
        min=0, max=len(images) - 1, description=description, continuous_update=True
    )
    if hasattr(ipywidgets, "Stack"):
        shown = ipywidgets.Stack(images, selected_index=0)
        ipywidgets.jslink((slider, "value"), (shown, "selected_index"))
    else:
        shown = ipywidgets.VBox(images[:1])

        def show(change):
            shown.children = (images[change["new"]],)

        slider.observe(show, names="value")
    return ipywidgets.VBox([slider, shown])


def explore_examples(images, masks, pred_masks=None, titles=None, classes=PETS):
    """Step through pictures, each above its mask and its predicted mask, if any.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8.
        masks: Integers `(B, H, W)`, positions in the classes' names; -1: not annotated.
        pred_masks: Predicted masks of the same shape, or None.
        titles: One text a picture, or None.
        classes: A `Classes`.

    Returns:
        An `ipywidgets.VBox`.

    Raises:
        ValueError: If lengths, shapes or values do not fit, or for a single picture.
    """
    check_examples(images, masks, pred_masks, titles, classes)
    pictures = []
    for i in range(len(images)):
        only = slice(i, i + 1)
        optional = [None if x is None else x[only] for x in (pred_masks, titles)]
        axes = plot_examples(images[only], masks[only], *optional, classes)
        pictures.append(render(axes[0, 0]))
    return step_through(pictures, "picture")


def explore_overlay(image, mask, steps=5, classes=PETS):
    """Step from a picture to its mask: the tint covers more with every step.

    Args:
        image: `(H, W, 3)`, floats in [0, 1] or uint8.
        mask: Integers `(H, W)`, positions in the classes' names; -1: not annotated.
        steps: How many strengths of the tint, from 0 to 1; two at least.
        classes: A `Classes`.

    Returns:
        An `ipywidgets.VBox`.

    Raises:
        ValueError: If a shape or a range does not fit, or `steps` is below 2.
    """
    image = check_image(image)
    mask = check_mask(mask, shape=image.shape[:2], classes=classes)
    # Once, not with every step.
    image, mask = (shrink_picture(x, DRAWN_SIDE) for x in (image, mask))
    strengths = [i / max(steps - 1, 1) for i in range(steps)]
    pictures = []
    for strength in strengths:
        look = {"title": f"tint {strength:.0%}", "alpha": strength, "classes": classes}
        pictures.append(render(plot_overlay(image, mask, **look)))
    return step_through(pictures, "tint")
