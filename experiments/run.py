"""Train one recipe with one seed, score it, and write what was measured.

Built from the chapters' own functions; a recipe only gives them other arguments.
"""

import functools
import hashlib
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from experiments.augmentation import augment_stronger, draw_stronger
from experiments.drawn import write_quick, write_skips
from experiments.measuring import (
    SCORE_BATCH,
    Batches,
    compile_network,
    describe_device,
    dtype_policy,
    find_run_dir,
    measure_network,
    score_batches,
    train_network,
    write_run,
)
from experiments.networks import average_weights, build_network, to_float32
from experiments.recipes import GROUPS, RECIPES, trial
from experiments.table import summarise_run
from unetbook.augmentation import augment
from unetbook.config import device_name
from unetbook.data import cache_pairs, draw_augmentation, load_pets, make_dataset
from unetbook.results import MEASURED_DIR, read_measured
from unetbook.sources.splits import list_names, select

# One validation split of the photographs for all seeds: the spread is the training's.
# Of the drawn pets each seed cuts its own, as chapter 7 does.
SPLIT_SEED = 0


class Pairs(NamedTuple):
    """The three splits of a recipe, resized and cached, and what identifies them."""

    train: object
    validation: object
    test: object
    description: dict


def load_pairs(recipe, seed):
    """Load, resize and cache a recipe's pictures.

    Args:
        recipe: A `Recipe`.
        seed: Seed of the run.

    Returns:
        `Pairs`.
    """
    split_seed = seed if recipe.data == "drawn" else SPLIT_SEED
    return cache_splits(recipe.data, recipe.pictures, recipe.image_size, split_seed)


@functools.lru_cache(maxsize=1)  # the next run may use the same pictures
def cache_splits(data, pictures, image_size, split_seed):
    """Return the `Pairs` of a source, with so many training pictures or all."""
    pets = load_pets(data, seed=split_seed)
    train_examples = pets.train.take(pictures or len(pets.train))
    validation = pets.validation
    if data == "oxford":
        validation = leave_out_doubles(pets.train, validation)
    examples = (train_examples, validation, pets.test)
    pairs = [cache_pairs(split, image_size) for split in examples]
    description = {
        "name": data,
        "image_size": image_size,
        "train": len(train_examples),
        "validation": len(validation),
        "test": len(pets.test),
        "sha256": hash_pairs(pairs),
    }
    return Pairs(*pairs, description)


def leave_out_doubles(train, validation):
    """Leave out validation pictures of which train holds a double."""
    train_names = {name.decode() for name in list_names(train)}
    doubles = read_measured("faults")["doubles_within"]["train"]
    known = {one for one, other in doubles if other in train_names}
    known |= {other for one, other in doubles if one in train_names}
    chosen = [name.decode() not in known for name in list_names(validation)]
    return select(validation, np.array(chosen))


def hash_pairs(splits):
    """Return the SHA-256 of all pictures and trimaps, in their order."""
    digest = hashlib.sha256()
    for split in splits:
        for image, trimap in split.as_numpy_iterator():
            digest.update(image.tobytes())
            digest.update(trimap.tobytes())
    return digest.hexdigest()


def freeze_flips(pairs, seed):
    """Flip half of the pairs once and for all, as a flip before the cache does."""

    def flip(index, image, trimap):
        draws = draw_augmentation(1, ("flip",), seed, 0, index)
        images, trimaps = augment(image[None], trimap[None], draws)
        return images[0], trimaps[0]

    flipped = pairs.enumerate().map(lambda index, pair: flip(index, *pair))
    return flipped.cache()


def repeat_pictures(pairs, recipe):
    """Show the pictures of an epoch as often as a recipe says; see `Recipe`."""
    if recipe.pictures_per_epoch is None:
        return pairs
    return pairs.repeat().take(recipe.pictures_per_epoch)


def training_epochs(pairs, recipe, seed):
    """Return the function from an epoch to its training batches that `train` wants.

    Args:
        pairs: What `cache_pairs` returns.
        recipe: A `Recipe`: its batch size and augmentation are used.
        seed: Seed of the order and the draws.
    """

    def train_ds(epoch):
        batches = make_dataset(
            pairs,
            recipe.batch_size,
            training=True,
            augmentation=recipe.augmentation,
            seed=seed,
            epoch=epoch,
        )
        return strengthen(batches, recipe, seed, epoch)

    return train_ds


def strengthen(batches, recipe, seed, epoch):
    """Add the steps of `experiments.augmentation` that a recipe names, if any."""
    draws = [
        draw_stronger(recipe.batch_size, recipe.augmentation, seed, epoch, index)
        for index in range(len(batches))
    ]
    if not any(draws):
        return batches

    def prepare(index, batch):
        num_images = tf.shape(batch[0])[0]  # the last batch may be smaller
        chosen = {name: table[index][:num_images] for name, table in tables.items()}
        return augment_stronger(*batch, chosen)

    tables = {name: tf.stack([draw[name] for draw in draws]) for name in draws[0]}
    stronger = batches.enumerate().map(prepare, tf.data.AUTOTUNE)
    return stronger.prefetch(tf.data.AUTOTUNE)


def arrange_pairs(pairs, recipe, seed):
    """Return the pairs of one epoch, before any order."""
    if recipe.frozen_flip:
        pairs = freeze_flips(pairs, seed)
    return repeat_pictures(pairs, recipe)


def make_batches(recipe, seed, pairs):
    """Return the `Batches` of a recipe's `Pairs`."""
    return Batches(
        training_epochs(arrange_pairs(pairs.train, recipe, seed), recipe, seed),
        make_dataset(pairs.validation, SCORE_BATCH),
        make_dataset(pairs.test, SCORE_BATCH),
        pairs.description,
    )


def train_recipe(recipe, name, seed, pairs, precision="float32"):
    """Train a recipe, or go on with a run that was stopped.

    Args:
        recipe: A `Recipe`.
        name: Its name.
        seed: Seed of the weights, the order and the draws.
        pairs: `Pairs` from `load_pairs`.
        precision: Keras's dtype policy while training.

    Returns:
        `(model, history)`; the model computes in float32 again.
    """
    model = start_network(recipe, seed, pairs, precision)
    first_weights = model.get_weights()
    batches = make_batches(recipe, seed, pairs)
    compile_network(model, recipe, batches)
    run_dir = find_run_dir(recipe, name, seed)
    history = train_network(model, recipe, seed, batches, run_dir)
    if recipe.after:
        average_weights(model, first_weights)
    return to_float32(model, recipe), history


def start_network(recipe, seed, pairs, precision):
    """Build the network that a training begins with; see `Recipe.after`."""
    before = None
    if recipe.after:
        before, _ = train_recipe(
            RECIPES[recipe.after], recipe.after, seed, pairs, precision
        )
    keras.utils.set_random_seed(seed)
    with dtype_policy(precision):
        model = build_network(recipe)
    if before:
        model.set_weights(before.get_weights())
    return model


def score_pictures(model, pairs):
    """Count truth against prediction picture by picture.

    Args:
        model: A model from images to probabilities.
        pairs: What `cache_pairs` returns.

    Returns:
        `(matrices, loss)`: int64 `(pictures, 3, 3)` and the mean cross-entropy.
    """
    return score_batches(model, make_dataset(pairs, SCORE_BATCH))


def measure(recipe, name, seed, precision="float32"):
    """Train a recipe, and score it once on validation and test.

    Args:
        recipe: A `Recipe`.
        name: Its name.
        seed: Seed of the run.
        precision: Keras's dtype policy while training.

    Returns:
        `(measured, model)`: a dictionary that JSON can hold, and the trained network.
    """
    pairs = load_pairs(recipe, seed)
    model, history = train_recipe(recipe, name, seed, pairs, precision)
    measured = {
        "made_by": f"python -m experiments run {name} --seed {seed}",
        "recipe": name,
        "seed": seed,
        "where": describe_place(precision),
    }
    batches = make_batches(recipe, seed, pairs)
    return measured | measure_network(model, history, recipe, batches), model


def write_runs(runs, folder):
    """Write one file a run.

    Args:
        runs: What `measure` returns, for each run.
        folder: Where the files `NAME-SEED.json` go.
    """
    for measured, _ in runs:
        write_run(measured, folder)


def describe_place(precision):
    """Return the device and the versions of a run."""
    return describe_device(device_name(), precision)


def measure_all(runs, options):
    """Yield what `measure` returns for each run, and say how it went."""
    for name, seed in runs:
        recipe = trial(RECIPES[name]) if options.trial else RECIPES[name]
        print(f"{name}, seed {seed}: {recipe.about}", flush=True)
        measured, model = measure(recipe, name, seed, options.precision)
        print(summarise_run(measured), flush=True)
        yield measured, model


def main(options):
    """Train every recipe asked for with every seed asked for, and write the files."""
    if options.trial and options.folder is None:
        raise SystemExit("A trial is no measurement: give its files a --folder.")
    if options.seed and any(name in GROUPS for name in options.names):
        raise SystemExit("quick and skips have seeds of their own: leave --seed out.")
    folder = options.folder or MEASURED_DIR
    folder.mkdir(parents=True, exist_ok=True)
    writers = {"quick": write_quick, "skips": write_skips}
    for name in options.names:
        runs = GROUPS.get(name) or [(name, seed) for seed in options.seed or [0]]
        write = writers.get(name, write_runs)
        write(measure_all(runs, options), folder)
