"""Train packed runs with JAX, where there is neither TensorFlow nor a network.

    KERAS_BACKEND=jax PYTHONPATH=book python -m experiments.packed FOLDER \\
        article-0 tiny-0 rates --minutes 9 --results RESULTS

goes through the list until the time is over. Each run that ends writes its result in
the form of `measured/` and its weights, rounded to float16. The same command, given
again, goes on with one that was stopped. `rates` measures pictures a second.
"""

import argparse
import functools
import hashlib
import io
import json
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import keras
import numpy as np
from keras import ops
from PIL import Image

from experiments.augmentation import augment_stronger, draw_stronger
from experiments.measuring import (
    SCORE_BATCH,
    Batches,
    compile_network,
    describe_device,
    dtype_policy,
    find_run_dir,
    measure_network,
    train_network,
    write_run,
)
from experiments.networks import build_network, to_float32
from experiments.rates import measure_rates
from experiments.recipes import PRECISIONS, Recipe
from experiments.table import summarise_run
from unetbook.augmentation import augment
from unetbook.config import cache_dir
from unetbook.files import write_json
from unetbook.pretrained import write_halves

# Parameters. Of larger networks no weights are kept, not even to go on: nobody ships
# them, and to write them takes as long as an epoch on a GPU.
LARGEST_KEPT = 5_000_000
# Keras looks at the loss, and waits for it, only after so many steps.
STEPS_AT_ONCE = 16


class PackedRun(NamedTuple):
    """What `experiments.pack` wrote of one run.

    Attributes:
        recipe: The `Recipe`.
        name: Its name.
        seed: Seed of the run.
        pictures: Name of the folder of its pictures.
        epochs: Arrays by name, `(epochs, pictures of one epoch, ...)`: `order` and the
            draws for `augment`.
        weights: Initial weights by their number; empty if they did not travel.
    """

    recipe: Recipe
    name: str
    seed: int
    pictures: str
    epochs: dict
    weights: dict


def read_run(path):
    """Read a file of `experiments.pack`.

    Args:
        path: The file.

    Returns:
        A `PackedRun`.

    Raises:
        SystemExit: If there is none.
    """
    if not path.is_file():
        raise SystemExit(
            f"{path} is missing. Write it with `python -m experiments pack`."
        )
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    facts = json.loads(str(arrays.pop("facts")))
    recipe = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in facts.pop("recipe").items()
    }
    drawn = [name for name in arrays if name.startswith("weight ")]
    weights = {int(name.split()[1]): arrays.pop(name) for name in drawn}
    return PackedRun(Recipe(**recipe), **facts, epochs=arrays, weights=weights)


@functools.lru_cache(maxsize=1)  # the next run may use the same pictures
def read_pictures(folder):
    """Read the pictures that `experiments.pack` wrote, and check that all are there.

    Args:
        folder: Their folder.

    Returns:
        `(pictures, description)`: on the device, images and trimaps of training,
        validation and test, one behind the other; and what identifies them.

    Raises:
        SystemExit: If a part is missing or damaged.
    """
    description = json.loads((folder / "description.json").read_text())
    images, trimaps, digest = [], [], hashlib.sha256()
    for part in sorted(folder.glob("part-*.npz")):
        with np.load(part, allow_pickle=False) as arrays:
            files = np.split(arrays["pictures"], np.cumsum(arrays["sizes"])[:-1])
            trimaps += list(arrays["trimaps"])
        with ThreadPoolExecutor() as threads:
            images += threads.map(decompress, files)
    for pair in zip(images, trimaps, strict=True):
        for array in pair:
            digest.update(array.tobytes())
    if digest.hexdigest() != description["sha256"]:
        raise SystemExit(
            f"{folder}: {len(images)} pictures are there, and not those that were "
            "packed. Bring all of its parts again."
        )
    pictures = tuple(jax.device_put(np.stack(arrays)) for arrays in (images, trimaps))
    return pictures, description


def decompress(file):
    """Return the pixels of a WebP file."""
    return np.asarray(Image.open(io.BytesIO(file.tobytes())).convert("RGB"))


@jax.jit
def prepare(pictures, rows, draws, stronger):
    """Make a batch of `(images, masks)` from packed pictures, augmented.

    Args:
        pictures: Images and trimaps, from `read_pictures`.
        rows: Which of them, `(batch,)`.
        draws: For `augment`.
        stronger: For `augment_stronger`.
    """
    images, trimaps = (array[rows] for array in pictures)
    images = ops.cast(images, "float32") / 255
    masks = ops.cast(trimaps, "int32") - 1
    return augment_stronger(*augment(images, masks, draws), stronger)


class PackedBatches(keras.utils.PyDataset):
    """Batches of chosen pictures, made on the device.

    Args:
        pictures: From `read_pictures`.
        rows: The pictures' numbers, in their order.
        batch_size: Pictures in one batch; the last one may be smaller.
        draws: Arrays for `augment`, one row a picture.
        draw: From the number of a batch to the draws for `augment_stronger`.
    """

    def __init__(self, pictures, rows, batch_size, draws=None, draw=None):
        super().__init__()
        self.pictures, self.rows, self.batch_size = pictures, rows, batch_size
        self.draws, self.draw = draws or {}, draw or (lambda index: {})

    def __len__(self):
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index):
        here = slice(index * self.batch_size, (index + 1) * self.batch_size)
        rows = self.rows[here]
        draws = {name: array[here] for name, array in self.draws.items()}
        stronger = self.draw(index).items()
        stronger = {name: array[: len(rows)] for name, array in stronger}
        return prepare(self.pictures, rows, draws, stronger)


def make_packed_batches(run, pictures, description):
    """Return the `Batches` of a packed run."""
    recipe = run.recipe

    def train_ds(epoch):
        arrays = {name: array[epoch] for name, array in run.epochs.items()}
        rows = arrays.pop("order").astype("int32")

        def draw(index):
            return draw_stronger(
                recipe.batch_size, recipe.augmentation, run.seed, epoch, index
            )

        return PackedBatches(pictures, rows, recipe.batch_size, arrays, draw)

    sizes = [description[split] for split in ("train", "validation", "test")]
    splits = np.split(np.arange(sum(sizes), dtype="int32"), np.cumsum(sizes)[:-1])
    scored = [PackedBatches(pictures, rows, SCORE_BATCH) for rows in splits[1:]]
    return Batches(train_ds, *scored, description)


class Deadline(keras.callbacks.Callback):
    """Stop after the epoch in which the time is over; `train` has saved it."""

    def __init__(self, deadline):
        super().__init__()
        self.deadline = deadline

    def on_epoch_end(self, epoch, logs=None):
        """Look at the clock."""
        if time.monotonic() > self.deadline:
            self.model.stop_training = True


def start_packed(run, precision):
    """Build a run's network with its initial weights, as far as they travelled."""
    keras.utils.set_random_seed(run.seed)
    with dtype_policy(precision):
        model = build_network(run.recipe)
    for number, weight in run.weights.items():
        model.weights[number].assign(weight)
    return model


def train_packed(run, batches, precision, deadline):
    """Train a packed run, or go on with it.

    Returns:
        `(model, history)`, or None if the time was over before.
    """
    model = start_packed(run, precision)
    compile_network(model, run.recipe, batches)
    model.steps_per_execution = STEPS_AT_ONCE
    small = model.count_params() <= LARGEST_KEPT
    run_dir = find_run_dir(run.recipe, run.name, run.seed) if small else None
    stop = [Deadline(deadline)]
    history = train_network(model, run.recipe, run.seed, batches, run_dir, stop)
    if len(history["loss"]) < run.recipe.epochs:
        return None
    return to_float32(model, run.recipe), history


def describe_here(precision):
    """Return the device and the versions of a run on JAX."""
    kind = jax.devices()[0].device_kind
    return describe_device("CPU" if kind == "cpu" else kind, precision)


def measure_packed(run, batches, options, deadline):
    """Train and score a packed run and write its files, or say that time is over."""
    trained = train_packed(run, batches, options.precision, deadline)
    if trained is None:
        print("The time is over. The same command goes on from what is saved.")
        return
    model, history = trained
    origin = {"initial_weights": "TensorFlow's" if run.weights else "drawn by JAX"}
    measured = {
        "made_by": f"python -m experiments.packed {run.name}-{run.seed}",
        "recipe": run.name,
        "seed": run.seed,
        "where": describe_here(options.precision) | origin,
    }
    measured |= measure_network(model, history, run.recipe, batches)
    if model.count_params() <= LARGEST_KEPT:
        file = options.results / f"{run.name}-{run.seed}.npz"
        write_halves(file, map(ops.convert_to_numpy, model.weights))
    write_run(measured, options.results)
    print(summarise_run(measured), flush=True)


def write_rates(runs, options, deadline):
    """Measure the pictures a second of the runs' recipes, and write what is there."""
    file = options.results / "rates.json"
    known = json.loads(file.read_text())["rates"] if file.exists() else []
    recipes = {run.name: run.recipe for run in runs.values()}
    measured = {
        "made_by": "python -m experiments.packed rates",
        "where": describe_here("both"),
        "rates": measure_rates(recipes, known, deadline),
    }
    write_json(file, measured, indent=1)


def do_item(item, runs, options, deadline):
    """Do one thing of the list, unless it is done."""
    if item == "rates":
        write_rates(runs, options, deadline)
    elif not (options.results / f"{item}.json").exists():
        run = runs[item]
        pictures, description = read_pictures(options.folder / run.pictures)
        batches = make_packed_batches(run, pictures, description)
        measure_packed(run, batches, options, deadline)


def read_options():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("items", nargs="+", metavar="RECIPE-SEED or rates")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    return parser.parse_args()


def main():
    """Do what the list says, one after the other; what fails doesn't stop the rest."""
    options = read_options()
    deadline = time.monotonic() + 60 * options.minutes
    if keras.backend.backend() != "jax":
        sys.exit(f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=jax.")
    jax.config.update("jax_compilation_cache_dir", str(cache_dir() / "compiled"))
    options.results.mkdir(parents=True, exist_ok=True)
    names = [item for item in options.items if item != "rates"]
    runs = {name: read_run(options.folder / f"{name}.npz") for name in names}
    failed = False
    for item in options.items:
        if time.monotonic() > deadline:
            print(f"{item}: no time is left.", flush=True)
            continue
        print(f"{item}:", flush=True)
        try:
            do_item(item, runs, options, deadline)
        except Exception:  # the time on the machine is too short to lose the rest
            traceback.print_exc()
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
