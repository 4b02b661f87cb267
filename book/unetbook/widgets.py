"""What can be moved: on the page, in JupyterLab and in Colab.

Most `explore_` functions draw every figure first, with the `plot_` functions, and only
then build a slider that steps through them. Where ipywidgets has `Stack` (8.1 and
later), slider and figures are linked in the browser, so that the widget works on a page
without a kernel; before that, the kernel switches the picture.

The others put a script of the folder `explorers` into the cell's output. It needs
neither a kernel nor the network nor ipywidgets.
"""

import base64
import html
import io
import json
import re
import zlib
from importlib.resources import files

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from unetbook.anatomy import describe_blocks, describe_cuts
from unetbook.config import CLASS_NAMES
from unetbook.metrics import (
    confusion_matrix,
    mean_iou,
    pack_pixels,
    threshold_matrix,
)
from unetbook.plotting import (
    CLASS_COLOURS,
    check_examples,
    check_image,
    plot_examples,
    plot_overlay,
)
from unetbook.prediction import load_pretrained, read_picture, squeeze_picture
from unetbook.results import read_cuts
from unetbook.uris import mask_uri, photo_uri

EXPLORERS = files("unetbook") / "explorers"


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


def explore_examples(images, masks, pred_masks=None, titles=None):
    """Step through pictures, each above its mask and its predicted mask, if any.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8.
        masks: Integers `(B, H, W)` in {0, 1, 2}.
        pred_masks: Predicted masks of the same shape, or None.
        titles: One text a picture, or None.

    Returns:
        An `ipywidgets.VBox`.

    Raises:
        ValueError: If lengths, shapes or values do not fit, or for a single picture.
    """
    check_examples(images, masks, pred_masks, titles)
    pictures = []
    for i in range(len(images)):
        only = slice(i, i + 1)
        optional = [None if x is None else x[only] for x in (pred_masks, titles)]
        axes = plot_examples(images[only], masks[only], *optional)
        pictures.append(render(axes[0, 0]))
    return step_through(pictures, "picture")


def explore_overlay(image, mask, steps=5):
    """Step from a picture to its mask: the tint covers more with every step.

    Args:
        image: `(H, W, 3)`, floats in [0, 1] or uint8.
        mask: Integers `(H, W)` in {0, 1, 2}.
        steps: How many strengths of the tint, from 0 to 1; two at least.

    Returns:
        An `ipywidgets.VBox`.

    Raises:
        ValueError: If a shape or a range does not fit, or `steps` is below 2.
    """
    strengths = [i / max(steps - 1, 1) for i in range(steps)]
    pictures = [
        render(plot_overlay(image, mask, title=f"tint {strength:.0%}", alpha=strength))
        for strength in strengths
    ]
    return step_through(pictures, "tint")


def read_script(name):
    """Return an explorer's script with what it imports from `shared.mjs` written in."""
    script = (EXPLORERS / f"{name}.mjs").read_text(encoding="utf-8")
    shared = (EXPLORERS / "shared.mjs").read_text(encoding="utf-8")
    before, after = re.split(r'import \{[^}]*\} from "\./shared\.mjs";\n', script)
    return f"{before}{shared}{after}"


def read_style(name):
    """Return what all explorers share of their style, and an explorer's own."""
    files = (EXPLORERS / f"{stem}.css" for stem in ("shared", name))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def explorer(name, settings):
    """Return one of the package's explorers as the output of a cell.

    Style and script stand in the output itself: outputs in Colab see no other file,
    and a browser loads no module for a page that was opened from the disk.

    Args:
        name: Stem of the files in the folder `explorers`.
        settings: What the explorer starts with, as JSON can hold it.

    Returns:
        An `IPython.display.HTML`.
    """
    return HTML(
        f'<div data-explorer="{name.replace("_", "-")}"'
        f' data-settings="{html.escape(json.dumps(settings))}">\n'
        "<p>Here the page shows an explorer. It needs a browser with scripts: open the"
        " rendered page, or run this cell.</p>\n</div>\n"
        f"<style>\n{read_style(name)}</style>\n"
        f'<script type="module">\n{read_script(name)}</script>'
    )


def explore_transposed_convolution(
    input_size=3, kernel_size=3, strides=2, padding="same"
):
    """Move the stamps of a transposed convolution, and see its matrix and overlaps.

    Args:
        input_size: Side of the input in pixels, 2 to 5.
        kernel_size: Side of the kernel in pixels, 1 to 5.
        strides: Steps between the stamps in pixels, 1 to 4.
        padding: `"valid"` or `"same"`.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If a setting is outside its range.
    """
    sizes = {"input_size": (input_size, 2, 5), "kernel_size": (kernel_size, 1, 5)}
    sizes["strides"] = (strides, 1, 4)
    for argument, (value, lowest, highest) in sizes.items():
        if value not in range(lowest, highest + 1):
            raise ValueError(
                f"{argument}={value!r}: the explorer shows {lowest} to {highest}."
            )
    if padding not in ("valid", "same"):
        raise ValueError(f"padding={padding!r}: choose 'valid' or 'same'.")
    settings = {"inputSize": input_size, "kernelSize": kernel_size}
    settings |= {"strides": strides, "padding": padding}
    return explorer("transposed_convolution", settings)


def explore_network(model=None, picture=None):
    """Look into every block of a U-Net, and cut its skip connections.

    Blocks, counts, receptive fields and feature maps are those of `model`. The masks
    with skips cut are stored: nets of the quick tier, trained by `python -m experiments
    run skips`; they are shown for models with as many levels.

    Args:
        model: A functional `keras.Model` from `build_unet`; None for the trained
            network that comes with the book.
        picture: What `read_picture` takes, of any size; None for a drawn pet.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If the model is no U-Net, or the picture cannot be read.
    """
    model = load_pretrained("drawn") if model is None else model
    measured, stored = read_cuts()
    picture = stored["images"][0] if picture is None else picture
    height, width = model.input_shape[1:3]
    image = squeeze_picture(read_picture(picture), height, width) / 255
    blocks, skips = describe_blocks(model, image.astype("float32"))
    comparable = len(skips) == max(len(net["cut"]) for net in measured["nets"])
    settings = {
        "parameters": model.count_params(),
        "image": photo_uri(image),
        "size": (height, width),
        "blocks": blocks,
        "skips": skips,
        "cuts": describe_cuts(measured, stored) if comparable else None,
    }
    return explorer("network", settings)


def explore_training(images, masks, snapshots, history):
    """Move through the epochs of a training: predicted masks and losses together.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8; a few pictures.
        masks: Their true masks, integers `(B, H, W)` in {0, 1, 2}.
        snapshots: A dictionary from epochs, counted from 1, to the masks that were
            predicted after them, of the same shape. Epochs may be missing, as after a
            resume; the film says so.
        history: What `train` returned: lists with one number an epoch, `loss` and any
            of `val_loss` and `val_mean_iou`.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If shapes or values do not fit, or an epoch was not trained.
    """
    rows = check_examples(images, masks, None, None)
    curves = check_curves(history)
    check_snapshots(snapshots, len(curves["loss"]))
    pets = [
        {"image": photo_uri(image), "truth": mask_uri(mask)}
        | {"masks": {}, "scores": {}}
        for image, mask in zip(rows["picture"], rows["truth"], strict=True)
    ]
    for epoch, pred_masks in snapshots.items():
        predicted = check_examples(images, masks, pred_masks, None)["prediction"]
        for pet, mask, pred_mask in zip(pets, rows["truth"], predicted, strict=True):
            pet["masks"][int(epoch)] = mask_uri(pred_mask)
            score = mean_iou(confusion_matrix(mask, pred_mask))
            pet["scores"][int(epoch)] = round(score, 4)
    classes = list(zip(CLASS_NAMES, CLASS_COLOURS, strict=True))
    settings = {"history": curves, "pets": pets, "classes": classes}
    return explorer("training", settings | {"size": rows["truth"][0].shape[0]})


def check_curves(history):
    """Return the curves that the film draws, as lists that JSON can hold."""
    if not history.get("loss"):
        raise ValueError(
            f"history has the keys {sorted(history)}, expected loss among them, not "
            "empty. Pass what train returned."
        )
    kept = ("loss", "val_loss", "val_mean_iou")
    curves = {name: history[name] for name in kept if history.get(name)}
    for name, values in curves.items():
        if len(values) != len(curves["loss"]):
            raise ValueError(
                f"history[{name!r}] has {len(values)} entries and history['loss'] "
                f"{len(curves['loss'])}. Every list holds one number an epoch."
            )
        curves[name] = [round(x, 5) if np.isfinite(x) else None for x in values]
    return curves


def check_snapshots(snapshots, epochs):
    """Raise a `ValueError` unless masks were kept, and of trained epochs only."""
    unknown = [epoch for epoch in snapshots if epoch not in range(1, epochs + 1)]
    if unknown or not snapshots:
        raise ValueError(
            f"snapshots has the epochs {list(snapshots)}, and history holds epochs 1 "
            f"to {epochs}. Write after each epoch, which Keras counts from 0: "
            "snapshots[epoch + 1] = predict_masks(model, images)."
        )


def explore_scores(images, masks, probabilities, titles, counts=None):
    """Move the threshold and the border's scoring; scores and masks follow.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8; a few pictures.
        masks: Their true masks, integers `(B, H, W)` in {0, 1, 2}.
        probabilities: What a model predicts for them, `(B, H, W, 3)` in [0, 1].
        titles: One text a picture.
        counts: Sum of `count_levels` over a whole data set, or None.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If shapes or values do not fit.
    """
    check_examples(images, masks, None, titles)
    codes, levels = pack_pixels(masks, probabilities)
    cases = [
        {
            "title": str(title),
            "image": photo_uri(check_image(image)),
            "codes": pack_bytes(picture_codes),
            "levels": pack_bytes(picture_levels),
        }
        for title, image, picture_codes, picture_levels in zip(
            titles, images, codes, levels, strict=True
        )
    ]
    if counts is not None:
        threshold_matrix(counts, 0.5)  # raises for another shape
        pictures = round(np.sum(counts) / codes[0].size)
        title = f"all {pictures:,} pictures"
        cases.append({"title": title, "counts": np.asarray(counts).tolist()})
    classes = list(zip(CLASS_NAMES, CLASS_COLOURS, strict=True))
    settings = {"cases": cases, "classes": classes, "size": codes[0].shape}
    return explorer("scores", settings)


def pack_bytes(values):
    """Return bytes as text: packed by zlib, written in base64."""
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()
