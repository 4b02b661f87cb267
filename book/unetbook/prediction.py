"""Predict masks, and count truth against prediction over a data set."""

from numbers import Integral

import keras
import numpy as np

from unetbook.classes import PETS
from unetbook.metrics import confusion_matrix
from unetbook.pictures import check_images, read_picture
from unetbook.tiles import look_again, predict_pixels


def predict_masks(model, images):
    """Predict the most probable class of every pixel.

    Built in chapter 8.

    Args:
        model: A model from images to probabilities.
        images: float32 `(batch, height, width, 3)` in [0, 1].

    Returns:
        int32 masks `(batch, height, width)`.

    Raises:
        ValueError: If `images` is a single picture or not in [0, 1].
    """
    check_images(images)
    probabilities = model.predict(images, batch_size=16, verbose=0)  # (B, H, W, C)
    return probabilities.argmax(axis=-1).astype("int32")  # (B, H, W)


def evaluate_masks(model, dataset):
    """Count truth against prediction over a whole data set.

    Args:
        model: A model from images to probabilities.
        dataset: Batches of `(images, masks)`; pixels of the class -1 are not counted.

    Returns:
        int64 `(num_classes, num_classes)`; rows are the truth, columns the prediction.
    """
    return evaluate_pictures(model, dataset).sum(axis=0)


def evaluate_pictures(model, dataset):
    """Count truth against prediction, one confusion matrix a picture.

    Args:
        model: A model from images to probabilities.
        dataset: Batches of `(images, masks)`, not shuffled if the order matters; pixels
            of the class -1 are not counted.

    Returns:
        int64 `(pictures, num_classes, num_classes)`, in the data set's order.

    Raises:
        ValueError: If the data set is empty.
    """
    num_classes = model.output_shape[-1]
    matrices = []
    for images, masks in dataset:
        masks = keras.ops.convert_to_numpy(masks)
        for mask, pred_mask in zip(masks, predict_masks(model, images), strict=True):
            matrices.append(confusion_matrix(mask, pred_mask, num_classes))
    if not matrices:
        raise ValueError("dataset is empty. Give batches of (images, masks).")
    return np.stack(matrices)


def segment_picture(
    model, picture, *, tile=None, look_twice=False, flip=False, classes=PETS
):
    """Segment one picture of any size, and return everything at the picture's size.

    The picture is squeezed to the model's square, as all training pictures were; the
    probabilities are stretched back and only then compared. One that is more than
    twice as long as the other way is seen in overlapping squares along its length.

    Args:
        model: A Keras model from images in [0, 1] to probabilities.
        picture: What `read_picture` takes.
        tile: Side in the picture's own pixels of overlapping squares, each squeezed to
            the model's; their probabilities are blended. None sees the whole picture.
        look_twice: Predict the part that is not background, and 15 % around it, once
            more, enlarged, and average.
        flip: Average with what the model makes of the mirrored picture.
        classes: The `Classes` of the model's channels; `look_twice` asks them which
            one is the background.

    Returns:
        `(mask, probabilities)`: int32 `(height, width)` and float32 `(height, width,
        num_classes)` in [0, 1].

    Raises:
        ValueError: If the picture cannot be read, the model takes no pictures of one
            size, or an option does not fit.
    """
    check_model(model)
    if tile is not None and not (isinstance(tile, Integral) and tile >= 1):
        raise ValueError(
            f"tile={tile!r}: give the side of a square in pixels, such as 512, or None."
        )
    if look_twice:
        check_background(classes, model)
    pixels = read_picture(picture)
    probabilities = predict_pixels(model, pixels, tile, flip)
    if look_twice:
        look_again(model, pixels, probabilities, classes.background, flip)
    return probabilities.argmax(axis=-1).astype("int32"), probabilities


def check_model(model):
    """Raise a `ValueError` unless a model takes RGB pictures of one size."""
    shape = getattr(model, "input_shape", None)
    known = isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:]
    if not known or shape[-1] != 3:
        raise ValueError(
            f"model has the input shape {shape}, expected (None, height, width, 3). "
            "Build it for pictures of one size, such as build_unet(128)."
        )


def check_background(classes, model):
    """Raise a `ValueError` unless the classes are a model's, with a background."""
    channels = model.output_shape[-1]
    if len(classes.names) != channels:
        raise ValueError(
            f"classes has {len(classes.names)} names, and the model {channels} "
            "channels. Give the classes that it was trained with."
        )
    if classes.background is None:
        raise ValueError(
            "look_twice=True looks again at what is not background, and these classes "
            "have none. Leave it out."
        )
