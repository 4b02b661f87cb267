"""Train small U-Nets on one device and on two, and compare their losses.

`python -m experiments devices` makes two devices of the processor, trains every
network of `NETWORKS` on one of them and on both, and writes `measured/devices.json`: by
how much the validation loss differs at most.
"""

import tempfile

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from unetbook.files import write_json
from unetbook.model import build_unet
from unetbook.results import MEASURED_DIR
from unetbook.sources.splits import without_autotune
from unetbook.training import LOSSES, compile_unet, make_optimizer, train

IMAGE_SIZE, PICTURES, BATCH_SIZE, EPOCHS = 16, 16, 4, 3
STEPS = EPOCHS * PICTURES // BATCH_SIZE
NETWORKS = {
    "no batch normalisation, no dropout": {},
    "synchronised batch normalisation": {"synchronised": True},
    "batch normalisation": {"batch_normalization": True},
    "dropout": {"dropout_rate": 0.3},
    "a Dice term in the loss": {"loss": "cross-entropy + Dice"},
}


def split_processor():
    """Make two logical devices of the processor; before TensorFlow uses it."""
    processor = tf.config.list_physical_devices("CPU")[0]
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(processor, [half, half])


def synchronise(model):
    """Return a copy whose batch normalisations share their means over all devices."""

    def copy_layer(layer):
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            config["synchronized"] = True
        return layer.__class__.from_config(config)

    return keras.models.clone_model(model, clone_function=copy_layer)


def make_batches(epoch):
    """Return batches of noise with masks that follow it, the same every epoch."""
    images = np.random.default_rng(0).random(
        (PICTURES, IMAGE_SIZE, IMAGE_SIZE, 3), dtype="float32"
    )
    pairs = (images, images.argmax(axis=-1).astype("int32"))
    batches = tf.data.Dataset.from_tensor_slices(pairs).batch(BATCH_SIZE)
    return batches.with_options(without_autotune())


def train_on(
    devices,
    *,
    batch_normalization=False,
    synchronised=False,
    dropout_rate=0.0,
    loss="cross-entropy",
    adamw=False,
):
    """Train one small U-Net on these devices.

    Args:
        devices: Names such as `"CPU:0"`; each takes its share of every batch.
        batch_normalization: Normalise, every device by its own share.
        synchronised: Normalise by the whole batch.
        dropout_rate: Dropout at the bottleneck.
        loss: A name in `LOSSES`.
        adamw: Take the chapters' optimizer. Behind a normalisation, where gradients of
            biases are rounding errors, it divides these by their own size.

    Returns:
        The validation loss after every epoch, float64 `(epochs,)`.
    """
    keras.utils.set_random_seed(0)
    one_device = tf.distribute.ReductionToOneDevice()
    strategy = tf.distribute.MirroredStrategy(devices, one_device)
    with strategy.scope():
        model = build_unet(
            IMAGE_SIZE,
            filters=(4, 8),
            batch_normalization=batch_normalization or synchronised,
            dropout_rate=dropout_rate,
        )
        model = synchronise(model) if synchronised else model
        optimizer = make_optimizer(0.01, STEPS) if adamw else keras.optimizers.SGD(0.1)
        compile_unet(model, optimizer, LOSSES[loss])
    with tempfile.TemporaryDirectory() as run_dir:  # checkpoints are a part of it
        history = train(model, make_batches, make_batches(0), EPOCHS, run_dir=run_dir)
    return np.array(history["val_loss"])


def compare_devices(options):
    """Train on one device and on two.

    Args:
        options: Arguments of `train_on`.

    Returns:
        The largest difference between their losses after any epoch.

    Raises:
        RuntimeError: If nothing was learnt, for then equal losses would say nothing.
    """
    losses, others = (
        train_on(devices, **options) for devices in (["CPU:0"], ["CPU:0", "CPU:1"])
    )
    if not losses[-1] < losses[0] - 1e-4:
        raise RuntimeError(f"{options}: the loss did not fall, {losses}.")
    return float(np.abs(losses - others).max())


def main(options):
    """Compare every network and write the file."""
    split_processor()
    differences = {name: compare_devices(net) for name, net in NETWORKS.items()}
    measured = {
        "made_by": "python -m experiments devices",
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "largest_difference": differences,
    }
    write_json((options.folder or MEASURED_DIR) / "devices.json", measured, indent=1)
    for name, difference in differences.items():
        print(f"{difference:.1e}  {name}")
