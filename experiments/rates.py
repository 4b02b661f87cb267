"""Measure how many pictures a second a network learns from; on any Keras backend."""

import itertools
import time

import keras
import numpy as np

from experiments.losses import LOSSES
from experiments.measuring import dtype_policy, make_recipe_optimizer
from experiments.networks import build_network
from unetbook.training import compile_unet

STEPS = {True: 32, False: 2}  # of compiled steps, and of others, which are slow


class SameBatch(keras.utils.PyDataset):
    """One made-up batch, again and again: only the steps themselves take time."""

    def __init__(self, recipe, steps):
        super().__init__()
        rng = np.random.default_rng(0)
        shape = (recipe.batch_size, recipe.image_size, recipe.image_size)
        images = rng.random((*shape, 3), "float32")
        masks = rng.integers(0, 3, shape, "int32")
        self.batch = tuple(map(keras.ops.convert_to_tensor, (images, masks)))
        self.steps = steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return self.batch


def measure_rate(recipe, precision, compiled):
    """Return the pictures a second of a recipe's training steps.

    Args:
        recipe: A `Recipe`.
        precision: Keras's dtype policy.
        compiled: Whether XLA compiles the whole step.
    """
    with dtype_policy(precision):
        model = build_network(recipe)
    compile_unet(model, make_recipe_optimizer(recipe, 1000), LOSSES[recipe.loss])
    model.jit_compile = compiled
    steps = STEPS[compiled]
    model.steps_per_execution = steps  # look at the loss, and wait for it, at the end
    batches = SameBatch(recipe, steps)
    model.fit(batches, verbose=0)  # compiles
    began = time.perf_counter()
    model.fit(batches, verbose=0)
    return steps * recipe.batch_size / (time.perf_counter() - began)


def measure_rates(recipes, known, deadline):
    """Measure recipes with and without XLA and 16 bits, until the time is over.

    Args:
        recipes: Recipes by name.
        known: What was measured before, as it is returned.
        deadline: In seconds of `time.monotonic`.

    Returns:
        A list of dictionaries that JSON can hold, those of `known` first.
    """
    rates = list(known)
    settings = itertools.product((True, False), recipes, ("float32", "mixed_bfloat16"))
    for compiled, name, precision in settings:
        setting = {"recipe": name, "precision": precision, "jit_compile": compiled}
        if any(setting.items() <= rate.items() for rate in known):
            continue
        if time.monotonic() > deadline:
            break
        rate = measure_rate(recipes[name], precision, compiled)
        batch_size = recipes[name].batch_size
        rates.append(
            setting | {"batch_size": batch_size, "images_per_second": round(rate, 1)}
        )
        print(rates[-1], flush=True)
    return rates
