"""A short training in which two devices see very unequal shares of annotated pixels.

As a program, on two devices of the processor: on TensorFlow by `MirroredStrategy`, on
JAX by `keras.distribution`.
"""

import json
import sys
from contextlib import nullcontext

import keras
import numpy as np

from unetbook.model import build_unet
from unetbook.training import LOSSES, compile_unet


def build(loss):
    """Build and compile a U-Net that has nothing random and nothing of one device."""
    keras.utils.set_random_seed(0)
    network = {"filters": (2, 3), "batch_normalization": False, "dropout_rate": 0.0}
    model = build_unet(8, **network)
    return compile_unet(model, keras.optimizers.SGD(0.5), LOSSES[loss])


def fit(model):
    """Train on batches of four whose last two masks are annotated in one row alone."""
    images = np.random.default_rng(0).random((8, 8, 8, 3), dtype="float32")
    masks = images.argmax(axis=-1).astype("int32")
    masks[2::4, 1:] = masks[3::4, 1:] = -1
    options = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}
    history = model.fit(images, masks, validation_data=(images, masks), **options)
    return history.history


def use_two_devices():
    """Return the scope in which a model is built that trains on two devices."""
    if keras.backend.backend() == "jax":
        devices = keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"])
        keras.distribution.set_distribution(devices)
        return nullcontext()
    import tensorflow as tf

    from experiments.devices import split_processor

    split_processor()
    one_device = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], one_device).scope()


def main(weights, loss):
    """Train from given weights and print the history."""
    with use_two_devices():
        model = build(loss)
    with np.load(weights) as arrays:
        model.set_weights(list(arrays.values()))
    print("RESULT", json.dumps(fit(model)))


if __name__ == "__main__":
    main(*sys.argv[1:])
