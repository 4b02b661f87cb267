"""Predict masks, and count truth against prediction over a data set."""

import keras
import numpy as np

from unetbook.metrics import confusion_matrix
from unetbook.pictures import check_images, read_picture, squeeze_picture


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


def segment_picture(model, picture):
    """Segment one picture of any size, and return everything at the picture's size.

    The picture is squeezed to the model's square, as all training pictures were; the
    probabilities are stretched back and only then compared.

    Args:
        model: A model from images to probabilities.
        picture: What `read_picture` takes.

    Returns:
        `(mask, probabilities)`: int32 `(height, width)` and float32 `(height, width,
        num_classes)` in [0, 1].

    Raises:
        ValueError: If the picture cannot be read.
    """
    pixels = read_picture(picture)
    height, width = pixels.shape[:2]
    _, model_height, model_width, _ = model.input_shape
    small = squeeze_picture(pixels, model_height, model_width)
    images = small[None].astype("float32") / 255  # (1, H, W, 3)
    probabilities = model.predict_on_batch(images)[0]
    channels = np.moveaxis(probabilities, -1, 0).astype("float32")
    channels = [squeeze_picture(channel, height, width) for channel in channels]
    probabilities = np.stack(channels, axis=-1)  # (height, width, num_classes)
    return probabilities.argmax(axis=-1).astype("int32"), probabilities
