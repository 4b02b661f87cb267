"""Train the network of a recipe, score it, and say what came out.

Keras and NumPy only: `run` feeds it from TensorFlow's pipelines, `packed` from files
where TensorFlow is not installed.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import time
from importlib.metadata import version
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

import unetbook
from experiments.losses import LOSSES
from experiments.networks import add_flips, count_multiply_adds
from unetbook.config import runs_dir
from unetbook.files import write_json
from unetbook.prediction import evaluate_masks, evaluate_pictures
from unetbook.training import MeanWeights, compile_unet, make_optimizer, train

SCORE_BATCH = 32


class Batches(NamedTuple):
    """What a training reads.

    Attributes:
        train: The function from an epoch to its batches that `train` wants.
        validation: Batches of `SCORE_BATCH` pictures, always the same.
        test: The same of the test split.
        description: What identifies the pictures.
    """

    train: object
    validation: object
    test: object
    description: dict


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


def compile_network(model, recipe, batches):
    """Give a recipe's network its loss and its optimizer, whose rate knows the end."""
    optimizer = make_recipe_optimizer(recipe, recipe.epochs * len(batches.train(0)))
    return compile_unet(model, optimizer, loss=LOSSES[recipe.loss])


def train_network(model, recipe, seed, batches, run_dir, callbacks=()):
    """Train a compiled network as its recipe says, or go on with the run in `run_dir`.

    Args:
        model: From `compile_network`.
        recipe: A `Recipe`.
        seed: Seed of the run.
        batches: `Batches`.
        run_dir: Folder of the run, as `train` takes it.
        callbacks: More callbacks for `train`.

    Returns:
        The history that `train` returns.
    """
    settings = {**dataclasses.asdict(recipe), "seed": seed} | batches.description
    settings.pop("about")
    return train(
        model,
        batches.train,
        batches.validation,
        recipe.epochs,
        run_dir=run_dir,
        settings=settings,
        callbacks=[*average_last_epochs(recipe), *callbacks],
    )


@contextlib.contextmanager
def dtype_policy(name):
    """Build layers under another of Keras's dtype policies."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def find_run_dir(recipe, name, seed):
    """Return the folder of a run; another definition of a recipe gets another one."""
    settings = dataclasses.asdict(recipe) | {"about": ""}
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:8]
    return runs_dir() / "experiments" / f"{name}-{key}-{seed}"


def mean_cross_entropy(model, batches):
    """Return the mean cross-entropy of all pixels, whatever the loss of training."""
    losses = []
    for images, masks in batches:
        probabilities = model.predict_on_batch(images)
        masks = ops.convert_to_numpy(masks)
        truth = np.take_along_axis(probabilities, masks[..., None], axis=-1)
        losses.append(-np.log(np.clip(truth, 1e-7, 1)).mean(axis=(1, 2, 3)))
    return float(np.concatenate(losses).mean())


def score_batches(model, batches):
    """Count truth against prediction picture by picture.

    Args:
        model: A model from images to probabilities.
        batches: Batches of `(images, masks)`.

    Returns:
        `(matrices, loss)`: int64 `(pictures, 3, 3)` and the mean cross-entropy.
    """
    return evaluate_pictures(model, batches), mean_cross_entropy(model, batches)


def describe_score(matrices, loss):
    """Return one confusion matrix (rows are the truth) and the mean cross-entropy."""
    return {"matrix": matrices.sum(axis=0).tolist(), "cross_entropy": round(loss, 5)}


def describe_device(device, precision):
    """Return the device and the versions of a run."""
    backend = keras.backend.backend()
    return {
        "device": device,
        "cores": os.cpu_count(),
        "backend": backend,
        "precision": precision,
        "python": platform.python_version(),
        backend: version(backend),
        "keras": version("keras"),
        "unetbook": unetbook.__version__,
    }


def measure_network(model, history, recipe, batches):
    """Score a trained network once on validation and test.

    Args:
        model: The network, which computes in float32.
        history: From `train_network`.
        recipe: The `Recipe` that it was trained by.
        batches: `Batches`.

    Returns:
        What a run's file holds, but for its name and its place: a dictionary that JSON
        can hold.
    """
    began = time.perf_counter()
    validation = describe_score(*score_batches(model, batches.validation))
    test = describe_score(*score_batches(model, batches.test))
    scoring = time.perf_counter() - began
    flipped = evaluate_masks(add_flips(model), batches.test)
    training = sum(history["seconds"])
    return {
        "settings": dataclasses.asdict(recipe),
        "data": batches.description,
        "parameters": model.count_params(),
        "multiply_adds": count_multiply_adds(model),
        "seconds": {"training": round(training, 1), "scoring": round(scoring, 1)},
        "validation": validation,
        "test": test,
        "test_with_flips": {"matrix": flipped.tolist()},
        "history": {key: [round(x, 5) for x in row] for key, row in history.items()},
    }


def write_run(measured, folder):
    """Write one run's file `NAME-SEED.json`."""
    name = f"{measured['recipe']}-{measured['seed']}.json"
    write_json(folder / name, measured, indent=1)
