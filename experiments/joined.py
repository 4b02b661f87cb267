"""Train a small U-Net alone or as one process of several, on JAX.

`experiments.machines` runs it where TensorFlow is not installed:
`python -m experiments.joined BATCHES RUN_DIR`.
"""

import argparse
import contextlib
import os
import signal
import time

import keras
import numpy as np

from unetbook.model import build_unet
from unetbook.processes import ShareOfBatches, join_processes
from unetbook.training import compile_unet, make_optimizer, train

FILTERS = (8, 16, 32)
ENDED_AT = "ended at "


def build_model(image_size, steps, optimizer="SGD"):
    """Return the compiled U-Net, with batch normalisation and dropout.

    Args:
        image_size: Side of the pictures in pixels.
        steps: Training steps in all.
        optimizer: `"AdamW"`, the chapters' own, which divides gradients by their size,
            also where they are rounding errors, so that differences grow; or `"SGD"`.
    """
    if optimizer == "AdamW":
        chosen = make_optimizer(3e-3, steps)
    else:
        chosen = keras.optimizers.SGD(0.01, momentum=0.9)
    return compile_unet(build_unet(image_size, filters=FILTERS), chosen)


class EndInTheMiddle(keras.callbacks.Callback):
    """Tell the time and send this process a signal, in the middle of an epoch.

    Args:
        ending: `"SIGKILL:1"`: the signal, and the epoch counted from 0.
    """

    def __init__(self, ending):
        super().__init__()
        name, epoch = ending.split(":")
        self.signal, self.epoch, self.here = signal.Signals[name], int(epoch), False

    def on_epoch_begin(self, epoch, logs=None):
        """Remember whether this is the epoch."""
        self.here = epoch == self.epoch

    def on_train_batch_begin(self, batch, logs=None):
        """Send the signal before the second batch."""
        if self.here and batch == 1:
            print(f"{ENDED_AT}{time.time()}", flush=True)
            os.kill(os.getpid(), self.signal)


def read_batches(file):
    """Return the training batches of every epoch and the validation batches."""
    with np.load(file, allow_pickle=False) as arrays:
        pairs = {
            name: list(
                zip(arrays[f"{name}_images"], arrays[f"{name}_masks"], strict=True)
            )
            for name in ("train", "val")
        }
    epochs = [list(zip(*epoch, strict=True)) for epoch in pairs["train"]]
    return epochs, pairs["val"]


def train_small(options):
    """Train on the batches of a file, and keep the run in a folder."""
    keras.utils.set_random_seed(0)
    epochs, val_batches = read_batches(options.batches)
    image_size = val_batches[0][0].shape[1]
    train(
        build_model(image_size, len(epochs) * len(epochs[0]), options.optimizer),
        lambda epoch: ShareOfBatches(epochs[epoch]),
        ShareOfBatches(val_batches),
        len(epochs),
        run_dir=options.run_dir,
        callbacks=[options.end] if options.end else [],
    )


def main():
    """Train as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("batches")
    parser.add_argument("run_dir")
    parser.add_argument("--address")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--process", type=int, default=0)
    parser.add_argument("--optimizer", choices=("SGD", "AdamW"), default="SGD")
    parser.add_argument("--end", type=EndInTheMiddle, help="such as SIGKILL:1")
    options = parser.parse_args()
    together = contextlib.nullcontext()
    if options.processes > 1:
        together = join_processes(options.address, options.processes, options.process)
    with together:
        train_small(options)


if __name__ == "__main__":
    main()
