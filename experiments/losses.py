"""The losses that the recipes compare, each a mean over the pixels of a batch."""

import keras
from keras import ops

# One over the share of each class's pixels in the training photographs (pet 30.0,
# background 58.7, border 11.4 %), scaled to a mean of 1 over the pixels.
CLASS_WEIGHTS = (1.11, 0.57, 2.93)


def cross_entropy(y_true, y_pred):
    """Return the cross-entropy of the true class, averaged over the pixels.

    Args:
        y_true: Integer masks `(batch, height, width)`.
        y_pred: Probabilities `(batch, height, width, num_classes)`.

    Returns:
        A scalar.
    """
    return ops.mean(keras.losses.sparse_categorical_crossentropy(y_true, y_pred))


def weighted_cross_entropy(y_true, y_pred):
    """Return the cross-entropy with every pixel weighted by its class's rarity."""
    weights = ops.take(ops.convert_to_tensor(CLASS_WEIGHTS), ops.cast(y_true, "int32"))
    losses = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
    return ops.mean(weights * losses)


def cross_entropy_and_dice(y_true, y_pred):
    """Add one minus the classes' mean Dice coefficient to the cross-entropy.

    The Dice term (Milletari et al., 2016) is taken over all pixels of a batch at once,
    class by class, so that a rare class weighs as much as a common one.
    """
    truth = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
    dice = keras.losses.dice(truth, y_pred, axis=(0, 1, 2))
    return cross_entropy(y_true, y_pred) + ops.mean(dice)


LOSSES = {
    "cross-entropy": cross_entropy,
    "weighted cross-entropy": weighted_cross_entropy,
    "cross-entropy + Dice": cross_entropy_and_dice,
}
