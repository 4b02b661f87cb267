"""Train one recipe with one seed, score it, and write what was measured.

Built from the chapters' own functions; a recipe only gives them other arguments.
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
from keras import layers, ops

import unetbook
from experiments.losses import LOSSES
from experiments.recipes import RECIPES
from unetbook.augmentation import augment
from unetbook.config import device_name, runs_dir
from unetbook.data import cache_pairs, draw_augmentation, load_pets, make_dataset
from unetbook.files import write_json
from unetbook.inspection import multiply_adds
from unetbook.metrics import confusion_matrix
from unetbook.model import build_unet
from unetbook.results import MEASURED_DIR, read_measured
from unetbook.sources.splits import list_names, select
from unetbook.training import compile_unet, make_optimizer, train

SPLIT_SEED = 0  # one validation split for all seeds: the spread is the training's
SCORE_BATCH = 32


class Pairs(NamedTuple):
    """The three splits of a recipe, resized and cached, and what identifies them."""

    train: object
    validation: object
    test: object
    description: dict


def load_pairs(recipe):
    """Load, resize and cache a recipe's pictures.

    Args:
        recipe: A `Recipe`.

    Returns:
        `Pairs`.
    """
    pets = load_pets(recipe.data, seed=SPLIT_SEED)
    train_examples = pets.train.take(recipe.pictures or len(pets.train))
    validation = pets.validation
    if recipe.data == "oxford":
        validation = leave_out_doubles(pets.train, validation)
    examples = (train_examples, validation, pets.test)
    pairs = [cache_pairs(split, recipe.image_size) for split in examples]
    description = {
        "name": recipe.data,
        "image_size": recipe.image_size,
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


def build_network(recipe):
    """Build a recipe's uncompiled U-Net."""
    model = build_unet(
        recipe.image_size,
        filters=recipe.filters,
        up_kernel_size=recipe.up_kernel_size,
        batch_normalization=recipe.batch_normalization,
        dropout_rate=recipe.dropout_rate,
        block_dropout_rate=recipe.block_dropout_rate,
        use_skips=recipe.use_skips,
    )
    return replace_transposed(model) if recipe.up_sampling else model


def replace_transposed(model):
    """Replace every transposed convolution by up-sampling and a 3 x 3 convolution."""

    def replace_layer(layer):
        if not isinstance(layer, layers.Conv2DTranspose):
            return layer.__class__.from_config(layer.get_config())
        convolution = layers.Conv2D(layer.filters, 3, padding="same")
        return keras.Sequential([layers.UpSampling2D(2), convolution])

    return keras.models.clone_model(model, clone_function=replace_layer)


def training_epochs(pairs, settings, seed):
    """Return the function from an epoch to its training batches that `train` wants.

    Args:
        pairs: What `cache_pairs` returns.
        settings: A `Recipe` or a `Config`: its batch size and augmentation are used.
        seed: Seed of the order and the draws.
    """

    def train_ds(epoch):
        return make_dataset(
            pairs,
            settings.batch_size,
            training=True,
            augmentation=settings.augmentation,
            seed=seed,
            epoch=epoch,
        )

    return train_ds


def make_recipe_optimizer(recipe, total_steps):
    """Return the article's Adam, or the course's AdamW with its schedule."""
    if recipe.constant_rate:
        return keras.optimizers.Adam(recipe.learning_rate)
    return make_optimizer(recipe.learning_rate, total_steps)


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

    train_ds = training_epochs(train_pairs, recipe, seed)
    optimizer = make_recipe_optimizer(recipe, recipe.epochs * len(train_ds(0)))
    compile_unet(model, optimizer, loss=LOSSES[recipe.loss])
    settings = {**dataclasses.asdict(recipe), "seed": seed} | pairs.description
    settings.pop("about")
    val_ds = make_dataset(pairs.validation, SCORE_BATCH)
    run_dir = find_run_dir(recipe, name, seed)
    history = train(
        model, train_ds, val_ds, recipe.epochs, run_dir=run_dir, settings=settings
    )
    if recipe.after:
        average_weights(model, first_weights)
    return to_float32(model, recipe), history


def average_weights(model, others):
    """Give a model the mean of its weights and others of the same shapes.

    What a training without crops forgets, such as pets larger than the picture, comes
    back, and what it won stays: Wortsman et al., 2022, arXiv 2109.01903.
    """
    pairs = zip(model.get_weights(), others, strict=True)
    model.set_weights([(weight + other) / 2 for weight, other in pairs])


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


def to_float32(model, recipe):
    """Return a new network with the same weights that computes in float32."""
    copy = build_network(recipe)
    copy.set_weights(model.get_weights())
    return copy


def add_flips(model):
    """Return a model that averages the probabilities of a picture and its mirror."""
    images = keras.Input(model.input_shape[1:], name="image")
    mirrored = ops.flip(model(ops.flip(images, axis=2)), axis=2)
    return keras.Model(images, (model(images) + mirrored) / 2)


def score_pictures(model, pairs):
    """Count truth against prediction picture by picture.

    Args:
        model: A model from images to probabilities.
        pairs: What `cache_pairs` returns.

    Returns:
        `(matrices, loss)`: int64 `(pictures, 3, 3)` and the mean cross-entropy.
    """
    matrices, losses = [], []
    for images, masks in make_dataset(pairs, SCORE_BATCH):
        probabilities = model.predict_on_batch(images)
        masks = ops.convert_to_numpy(masks)
        truth = np.take_along_axis(probabilities, masks[..., None], axis=-1)
        losses.append(-np.log(np.clip(truth, 1e-7, 1)).mean(axis=(1, 2, 3)))
        for mask, pred_mask in zip(masks, probabilities.argmax(-1), strict=True):
            matrices.append(confusion_matrix(mask, pred_mask))
    return np.stack(matrices), float(np.concatenate(losses).mean())


def measure(
    recipe, name, seed, *, precision="float32", folder=MEASURED_DIR, pairs=None
):
    """Train a recipe, score it once on validation and test, and write the file.

    Args:
        recipe: A `Recipe`.
        name: Its name.
        seed: Seed of the run.
        precision: Keras's dtype policy while training.
        folder: Where `NAME-SEED.json` is written.
        pairs: `Pairs` of this recipe, if they are loaded already.

    Returns:
        The dictionary that was written.
    """
    pairs = pairs or load_pairs(recipe)
    model, history = train_recipe(recipe, name, seed, pairs, precision)
    began = time.perf_counter()
    validation, validation_loss = score_pictures(model, pairs.validation)
    test, test_loss = score_pictures(model, pairs.test)
    seconds = time.perf_counter() - began
    flipped = score_pictures(add_flips(model), pairs.test)[0]
    measured = {
        "made_by": f"python -m experiments run {name} --seed {seed}",
        "recipe": name,
        "seed": seed,
        "settings": dataclasses.asdict(recipe),
        "data": pairs.description,
        "where": describe_place(precision),
        "parameters": model.count_params(),
        "multiply_adds": count_multiply_adds(model),
        "seconds": {
            "training": round(sum(history["seconds"]), 1),
            "scoring": round(seconds, 1),
        },
        "validation": describe_score(validation, validation_loss),
        "test": describe_score(test, test_loss),
        "test_with_flips": {"matrix": flipped.sum(axis=0).tolist()},
        "history": {
            key: [round(value, 5) for value in values]
            for key, values in history.items()
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}-{seed}.json", measured, indent=1)
    return measured


def find_run_dir(recipe, name, seed):
    """Return the folder of a run; another definition of a recipe gets another one."""
    settings = dataclasses.asdict(recipe) | {"about": ""}
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:8]
    return runs_dir() / "experiments" / f"{name}-{key}-{seed}"


def describe_score(matrices, loss):
    """Return one confusion matrix (rows are the truth) and the mean cross-entropy."""
    return {"matrix": matrices.sum(axis=0).tolist(), "cross_entropy": round(loss, 5)}


def count_multiply_adds(model):
    """Add up the multiply-adds of a network for one picture."""
    total = 0
    for layer in model.layers:
        parts = layer.layers if isinstance(layer, keras.Sequential) else [layer]
        total += sum(multiply_adds(part) for part in parts)
    return total


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
