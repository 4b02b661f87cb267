"""The explorer of chapter 7: a training as a film, epoch by epoch."""

import numpy as np

from unetbook.classes import PETS
from unetbook.explorers.addresses import mask_uri, photo_uri
from unetbook.explorers.cells import explorer
from unetbook.figures.pictures import check_examples
from unetbook.figures.style import VOID, class_colours
from unetbook.metrics import confusion_matrix, mean_iou


def explore_training(images, masks, snapshots, history, classes=PETS):
    """Move through the epochs of a training: predicted masks and losses together.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8; a few pictures.
        masks: Their true masks, integers `(B, H, W)`, positions in the classes' names;
            -1: not annotated.
        snapshots: A dictionary from epochs, counted from 1, to the masks that were
            predicted after them, of the same shape. Epochs may be missing, as after a
            resume; the film says so.
        history: What `train` returned: lists with one number an epoch, `loss` and any
            of `val_loss` and `val_mean_iou`.
        classes: A `Classes`.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If shapes or values do not fit, or an epoch was not trained.
    """
    rows = check_examples(images, masks, None, None, classes)
    curves = check_curves(history)
    check_snapshots(snapshots, len(curves["loss"]))
    pets = [
        {"image": photo_uri(image), "truth": mask_uri(mask, classes)}
        | {"masks": {}, "scores": {}}
        for image, mask in zip(rows["picture"], rows["truth"], strict=True)
    ]
    for epoch, pred_masks in snapshots.items():
        given = (images, masks, pred_masks, None, classes)
        predicted = check_examples(*given)["prediction"]
        for pet, mask, pred_mask in zip(pets, rows["truth"], predicted, strict=True):
            pet["masks"][int(epoch)] = mask_uri(pred_mask, classes)
            matrix = confusion_matrix(mask, pred_mask, len(classes.names))
            pet["scores"][int(epoch)] = round(mean_iou(matrix), 4)
    named = list(zip(classes.names, class_colours(classes), strict=True))
    if any((mask == -1).any() for mask in rows["truth"]):
        named.append((VOID.name, VOID.colour))
    settings = {"history": curves, "pets": pets, "classes": named}
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
