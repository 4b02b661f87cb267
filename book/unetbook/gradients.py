"""What a feature depends on, measured by its gradient.

The one module of the network's side that needs TensorFlow: Keras has no gradients that
run on every backend.
"""

import numpy as np
import tensorflow as tf


def input_gradient(model, images, row, column):
    """Measure how strongly every pixel moves the features at one position.

    Built in chapter 3. Max pooling passes a gradient to the winner alone, so a batch
    of random images reaches pixels that a single image misses.

    Args:
        model: Model from images to feature maps `(batch, rows, columns, channels)`.
        images: float32 `(batch, height, width, channels)`.
        row: Row of the position in the feature maps.
        column: Column of the position in the feature maps.

    Returns:
        float32 `(height, width)`, the absolute gradients summed over the batch and the
        channels; 0 outside the receptive field.
    """
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        features = model(images, training=False)
        value = tf.reduce_sum(features[:, row, column])
    gradient = tape.gradient(value, images)  # (B, H, W, C)
    return np.abs(gradient).sum(axis=(0, 3))  # (H, W)
