"""What is packed for JAX is what TensorFlow trains on, and JAX learns the same."""

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments import backends, pack
from experiments.__main__ import main
from experiments.isolated import run_module
from experiments.networks import build_network
from experiments.recipes import ARTICLE, COURSE, RECIPES, trial
from experiments.run import Pairs, arrange_pairs, training_epochs
from tests.test_backends import is_cached
from unetbook.results import read_measured

SMALL = dataclasses.replace(
    trial(COURSE), filters=(2, 4), dropout_rate=0.0, batch_size=3, augmentation=()
)


def outline(value):
    """Return the names in a dictionary and below, without what one backend adds."""
    if not isinstance(value, dict):
        return None
    own = ("jax", "tensorflow", "initial_weights")
    return {key: outline(inner) for key, inner in value.items() if key not in own}


def make_pairs(count, size=4):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, size, size, 3), "uint8")
    trimaps = rng.integers(1, 4, (count, size, size), "uint8")
    return tf.data.Dataset.from_tensor_slices((images, trimaps)), images, trimaps


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"frozen_flip": True},
        {"augmentation": ("flip",)},
        {"frozen_flip": True, "augmentation": ("flip",), "pictures_per_epoch": 10},
    ],
)
def test_recorded_orders_and_flips_are_those_of_the_pipeline(changes):
    recipe = dataclasses.replace(SMALL, **changes)
    pairs, images, trimaps = make_pairs(7)
    train_ds = training_epochs(arrange_pairs(pairs, recipe, seed=5), recipe, seed=5)
    epochs = pack.record_epochs(recipe, seed=5, count=7)
    assert epochs["order"].shape == (2, recipe.pictures_per_epoch or 7)
    for epoch, order in enumerate(epochs["order"]):
        batches = list(train_ds(epoch).as_numpy_iterator())
        flip = epochs["flip"][epoch][:, None, None]
        expected = np.where(flip, trimaps[order][:, :, ::-1], trimaps[order])
        np.testing.assert_array_equal(
            np.concatenate([masks for _, masks in batches]), expected - 1.0
        )
        expected = np.where(flip[..., None], images[order][:, :, ::-1], images[order])
        found = np.concatenate([images for images, _ in batches])
        np.testing.assert_allclose(found, expected / 255, atol=1e-6)
    assert len({tuple(order) for order in epochs["order"]}) == 2
    if changes:
        assert len(np.unique(epochs["flip"])) == 2


def test_the_other_draws_stand_beside_their_pictures():
    recipe = dataclasses.replace(SMALL, augmentation=("crop", "colour", "sharpness"))
    epochs = pack.record_epochs(recipe, seed=0, count=7)
    assert {name: array.shape for name, array in epochs.items()} == {
        "order": (2, 7),
        "flip": (2, 7),
        "crop": (2, 7, 3),
        "colour": (2, 7, 3),
        "sharpness": (2, 7),
    }
    assert not epochs["flip"].any()
    assert len(np.unique(epochs["colour"])) == 2 * 7 * 3


def test_weights_that_every_seed_has_stay_at_home(monkeypatch):
    weights = pack.initial_weights(SMALL, 0, None)
    sides = [weight.ndim for weight in weights.values()]
    assert set(sides) == {4}  # kernels; no biases, no batch normalisation
    model = pack.start_network(SMALL, 0, None, "float32")
    for name, weight in weights.items():
        number = int(name.removeprefix("weight "))
        np.testing.assert_array_equal(model.get_weights()[number], weight)
    monkeypatch.setattr(pack, "LARGEST_WEIGHTS", 100)
    assert pack.initial_weights(SMALL, 0, None) == {}


def test_pictures_are_packed_in_parts_and_lose_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(pack, "PART_BYTES", 300)
    pairs, images, trimaps = make_pairs(5)
    nothing = pairs.take(0)
    pairs = Pairs(pairs, nothing, nothing, {"sha256": "0123456789abcdef"})
    folder = tmp_path / pack.write_pictures(pairs, tmp_path)
    parts = [np.load(part) for part in sorted(folder.glob("part-*.npz"))]
    assert len(parts) > 1
    stored = np.concatenate([part["trimaps"] for part in parts if len(part["sizes"])])
    np.testing.assert_array_equal(stored, trimaps)
    files = [
        file
        for part in parts
        for file in np.split(part["pictures"], np.cumsum(part["sizes"]))[:-1]
    ]
    for file, image in zip(files, images, strict=True):
        found = Image.open(io.BytesIO(file.tobytes()))
        np.testing.assert_array_equal(np.asarray(found.convert("RGB")), image)


def test_a_recipe_that_goes_on_from_another_is_not_packed(tmp_path):
    with pytest.raises(SystemExit, match="large goes on from course-long"):
        main(["pack", "large", "--folder", str(tmp_path)])


# ------------------------------------------------------------------ the real thing

# Every kind of draw, dropout off; two steps an epoch, the second one smaller.
SHORT = {"pictures": 24, "batch_size": 16, "filters": (4, 8), "epochs": 5}
ALIKE = {
    "course": dataclasses.replace(
        trial(COURSE),
        dropout_rate=0.0,
        augmentation=("flip", "crop", "colour", "sharpness", "zoom", "tint", "blur"),
        averaged_epochs=2,
        **SHORT,
    ),
    "article": dataclasses.replace(trial(ARTICLE), block_dropout_rate=0.0, **SHORT),
}


def train_on_jax(folder, results, *items):
    """Train what was packed where TensorFlow is not installed."""
    arguments = [str(folder), *items, "--minutes", "10", "--results", str(results)]
    variables = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    for name in ("CACHE", "RUNS"):
        variables[f"UNETBOOK_{name}"] = str(results / name.lower())
    options = backends.choose_packages("jax")
    run_module("experiments.packed", options, arguments, **variables)


def compare_runs(ours, theirs):
    """Assert that JAX wrote what TensorFlow wrote, with the same losses."""
    assert outline(theirs) == outline(ours)
    assert theirs["where"]["backend"] == "jax"
    assert theirs["data"] == ours["data"]
    losses = ours["history"]["loss"]
    assert len(losses) == 5
    assert max(losses) - min(losses) > 0.02
    assert theirs["history"]["loss"] == pytest.approx(losses, abs=1e-3)
    scored = [run["test"]["cross_entropy"] for run in (ours, theirs)]
    assert scored[0] == pytest.approx(scored[1], abs=1e-2)


@pytest.mark.backends
def test_ten_steps_on_jax_have_the_losses_of_ten_on_tensorflow(
    drawn_pets, tmp_path, monkeypatch
):
    if not is_cached("jax"):
        pytest.skip("uv does not have jax yet: `make backends` fetches it")
    monkeypatch.setenv("UNETBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(pack, "PART_BYTES", 2**18)
    for name, recipe in ALIKE.items():
        monkeypatch.setitem(RECIPES, name, recipe)
    main(["pack", *ALIKE, "--folder", str(tmp_path / "packed")])
    main(["run", *ALIKE, "--folder", str(tmp_path / "ours")])
    train_on_jax(tmp_path / "packed", tmp_path / "theirs", "course-0", "article-0")
    for name in ALIKE:
        ours = read_measured(f"{name}-0", tmp_path / "ours")
        theirs = read_measured(f"{name}-0", tmp_path / "theirs")
        compare_runs(ours, theirs)
        with np.load(tmp_path / "theirs" / f"{name}-0.npz") as halves:
            found = [(halves[key].shape, halves[key].dtype) for key in halves.files]
        weights = build_network(ALIKE[name]).weights
        assert found == [(tuple(weight.shape), np.float16) for weight in weights]
