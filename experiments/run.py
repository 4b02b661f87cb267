"""Train one recipe with one seed, score it, and write what was measured.

Built from the chapters' own functions; a recipe only gives them other arguments.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import platform
import time
from importlib.metadata import version
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import unetbook
from experiments.augmentation import augment_stronger, draw_stronger
from experiments.drawn import write_quick, write_skips
from experiments.losses import LOSSES
from experiments.networks import (
    add_flips,
    average_weights,
    build_network,
    count_multiply_adds,
    to_float32,
)
from experiments.recipes import GROUPS, RECIPES, trial
from experiments.table import summarise_run
from unetbook.augmentation import augment
from unetbook.config import device_name, runs_dir
from unetbook.data import cache_pairs, draw_augmentation, load_pets, make_dataset
from unetbook.files import write_json
from unetbook.prediction import evaluate_masks, evaluate_pictures
from unetbook.results import MEASURED_DIR, read_measured
from unetbook.sources.splits import list_names, select
from unetbook.training import MeanWeights, compile_unet, make_optimizer, train

# One validation split of the photographs for all seeds: the spread is the training's.
# Of the drawn pets each seed cuts its own, as chapter 7 does.
SPLIT_SEED = 0
SCORE_BATCH = 32


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


def make_recipe_optimizer(recipe, total_steps):
    """Return the article's Adam, or the course's AdamW with its schedule."""
    if recipe.constant_rate:
        return keras.optimizers.Adam(recipe.learning_rate)
    return make_optimizer(recipe.learning_rate, total_steps)


def average_last_epochs(recipe):
    """Return the callbacks that average a recipe's last epochs, if it asks for that."""
    if not recipe.averaged_epochs:
        return ()
    return (MeanWeights(max(0, recipe.epochs - recipe.averaged_epochs)),)


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
    train_pairs = pairs.train
    if recipe.frozen_flip:
        train_pairs = freeze_flips(train_pairs, seed)

    train_pairs = repeat_pictures(train_pairs, recipe)
    train_ds = training_epochs(train_pairs, recipe, seed)
    optimizer = make_recipe_optimizer(recipe, recipe.epochs * len(train_ds(0)))
    compile_unet(model, optimizer, loss=LOSSES[recipe.loss])
    settings = {**dataclasses.asdict(recipe), "seed": seed} | pairs.description
    settings.pop("about")
    val_ds = make_dataset(pairs.validation, SCORE_BATCH)
    run_dir = find_run_dir(recipe, name, seed)
    history = train(
        model,
        train_ds,
        val_ds,
        recipe.epochs,
        run_dir=run_dir,
        settings=settings,
        callbacks=average_last_epochs(recipe),
    )
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


@contextlib.contextmanager
def dtype_policy(name):
    """Build layers under another of Keras's dtype policies."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def score_pictures(model, pairs):
    """Count truth against prediction picture by picture.

    Args:
        model: A model from images to probabilities.
        pairs: What `cache_pairs` returns.

    Returns:
        `(matrices, loss)`: int64 `(pictures, 3, 3)` and the mean cross-entropy.
    """
    batches = make_dataset(pairs, SCORE_BATCH)
    return evaluate_pictures(model, batches), mean_cross_entropy(model, batches)


def mean_cross_entropy(model, batches):
    """Return the mean cross-entropy of all pixels, whatever the loss of training."""
    losses = []
    for images, masks in batches:
        probabilities = model.predict_on_batch(images)
        masks = ops.convert_to_numpy(masks)
        truth = np.take_along_axis(probabilities, masks[..., None], axis=-1)
        losses.append(-np.log(np.clip(truth, 1e-7, 1)).mean(axis=(1, 2, 3)))
    return float(np.concatenate(losses).mean())


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
    began = time.perf_counter()
    validation = describe_score(*score_pictures(model, pairs.validation))
    test = describe_score(*score_pictures(model, pairs.test))
    scoring = time.perf_counter() - began
    flipped = evaluate_masks(add_flips(model), make_dataset(pairs.test, SCORE_BATCH))
    training = sum(history["seconds"])
    measured = {
        "made_by": f"python -m experiments run {name} --seed {seed}",
        "recipe": name,
        "seed": seed,
        "settings": dataclasses.asdict(recipe),
        "data": pairs.description,
        "where": describe_place(precision),
        "parameters": model.count_params(),
        "multiply_adds": count_multiply_adds(model),
        "seconds": {"training": round(training, 1), "scoring": round(scoring, 1)},
        "validation": validation,
        "test": test,
        "test_with_flips": {"matrix": flipped.tolist()},
        "history": {key: [round(x, 5) for x in row] for key, row in history.items()},
    }
    return measured, model


def write_runs(runs, folder):
    """Write one file a run.

    Args:
        runs: What `measure` returns, for each run.
        folder: Where the files `NAME-SEED.json` go.
    """
    for measured, _ in runs:
        name = f"{measured['recipe']}-{measured['seed']}.json"
        write_json(folder / name, measured, indent=1)


def find_run_dir(recipe, name, seed):
    """Return the folder of a run; another definition of a recipe gets another one."""
    settings = dataclasses.asdict(recipe) | {"about": ""}
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:8]
    return runs_dir() / "experiments" / f"{name}-{key}-{seed}"


def describe_score(matrices, loss):
    """Return one confusion matrix (rows are the truth) and the mean cross-entropy."""
    return {"matrix": matrices.sum(axis=0).tolist(), "cross_entropy": round(loss, 5)}


def describe_place(precision):
    """Return the device and the versions of a run."""
    return {
        "device": device_name(),
        "cores": os.cpu_count(),
        "backend": keras.backend.backend(),
        "precision": precision,
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "keras": version("keras"),
        "unetbook": unetbook.__version__,
    }


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
