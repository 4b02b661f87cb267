"""Kill a training in the middle of an epoch, resume it, and compare all weights.

`python -m experiments resume` trains one tiny U-Net in a process of its own, kills it
with SIGKILL in its second epoch, and resumes the training in this process. It trains
once more without a break, and prints the largest difference between the variables.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from unetbook.model import build_unet
from unetbook.training import compile_unet, make_optimizer, train

ROOT = Path(__file__).parents[1]
EPOCHS, BATCHES, BATCH_SIZE, IMAGE_SIZE = 3, 6, 4, 32
KILLED_AT = (1, 3)  # epoch and batch, both counted from 0


class KillInTheMiddle(keras.callbacks.Callback):
    """Send this process the signal that nothing can catch."""

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Kill at the chosen batch."""
        if (self.epoch, batch) == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)


def make_batches():
    """Return `(train_ds, val_ds)` of random pictures, through the book's pipeline."""
    import tensorflow as tf

    from unetbook.data import make_dataset
    from unetbook.sources.splits import without_autotune

    rng = np.random.default_rng(0)
    shape = (BATCHES * BATCH_SIZE, IMAGE_SIZE, IMAGE_SIZE)
    images = rng.integers(0, 256, (*shape, 3), dtype="uint8")
    trimaps = rng.integers(1, 4, shape, dtype="uint8")
    pairs = tf.data.Dataset.from_tensor_slices((images, trimaps))
    pairs = pairs.with_options(without_autotune())

    def train_ds(epoch):
        return make_dataset(
            pairs,
            BATCH_SIZE,
            training=True,
            augmentation=("flip", "crop", "colour"),
            epoch=epoch,
        )

    return train_ds, make_dataset(pairs, BATCH_SIZE)


def train_once(run_dir, callbacks=()):
    """Train, with dropout and batch normalisation, in this process."""
    keras.utils.set_random_seed(0)
    train_ds, val_ds = make_batches()
    model = build_unet(IMAGE_SIZE, filters=(4, 8), block_dropout_rate=0.2)
    compile_unet(model, make_optimizer(3e-3, EPOCHS * BATCHES))
    train(model, train_ds, val_ds, EPOCHS, run_dir=run_dir, callbacks=callbacks)


def train_and_kill(run_dir):
    """Train in a new process; return its exit status, negative for a signal."""
    command = [sys.executable, "-m", "experiments.resume", str(run_dir)]
    finished = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(f"{finished.stdout}killed: exit status {finished.returncode}", flush=True)
    return finished.returncode


def largest_difference(one, other):
    """Return the largest difference between two checkpoints, and their variables."""
    with (
        np.load(one / "checkpoint.npz") as left,
        np.load(other / "checkpoint.npz") as right,
    ):
        names = [name for name in left.files if name != "progress"]
        assert set(left.files) == set(right.files)
        differences = [
            np.abs(left[name].astype("float64") - right[name]).max() for name in names
        ]
    return max(differences), len(names)


def main(options):
    """Run the three trainings and print the largest difference."""
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder, "uninterrupted"), Path(folder, "killed")
        assert train_and_kill(broken) == -signal.SIGKILL
        rows = (broken / "history.csv").read_text().count("\n")
        assert rows == 2, "one finished epoch and the head of the table"
        train_once(broken)
        rows = (broken / "history.csv").read_text().count("\n")
        assert rows == EPOCHS + 1, "each epoch once"
        train_once(whole)
        difference, count = largest_difference(whole, broken)
    print(f"largest difference in {count} variables: {difference}")


if __name__ == "__main__":  # as `train_and_kill` calls it
    train_once(Path(sys.argv[1]), [KillInTheMiddle()])
