"""The page's ONNX files belong to the shipped weights and compute what Keras does.

The browser tests compare the same networks once more, in the page.
"""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "site" / "try"
WEIGHTS = ROOT / "book" / "unetbook" / "weights"
MODELS = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
FEWEST = {
    "filters": (4, 8),
    "image_size": 16,
    "data": "none",
    "licence": "MIT",
    "recipe": "random numbers",
    "scores": {"test": {"matrix": np.eye(3).tolist()}},
    "limits": "knows nothing",
}

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])


def test_the_page_offers_the_small_network_first_and_one_size_of_picture():
    assert [model["name"] for model in MODELS] == ["tiny", "pretrained"]
    assert {model["imageSize"] for model in MODELS} == {128}


@each_model
def test_the_files_belong_to_the_shipped_weights(model):
    card = json.loads((WEIGHTS / f"{model['name']}.json").read_text())
    assert model["weights"] == card["sha256"], "make models"
    assert model["imageSize"] == card["image_size"]
    assert model["parameters"] == card["parameters"]
    content = (FOLDER / f"{model['name']}.onnx").read_bytes()
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    assert model["integrity"] == f"sha384-{digest}", "make models"
    assert model["bytes"] == len(content)


@each_model
def test_a_file_is_hardly_larger_than_its_weights(model):
    assert model["bytes"] < 2 * model["parameters"] + 60_000  # two bytes a number


@each_model
def test_the_score_is_the_one_of_the_card(model):
    from unetbook.metrics import mean_iou

    card = json.loads((WEIGHTS / f"{model['name']}.json").read_text())
    expected = mean_iou(np.array(card["scores"]["test"]["matrix"]))
    assert model["meanIou"] == round(float(expected), 4)


@each_model
def test_probabilities_are_those_of_keras(model):
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="pip install onnxruntime; `make pages` compares as well"
    )
    from unetbook.pretrained import load_pretrained

    shape = (4, model["imageSize"], model["imageSize"], 3)
    images = np.random.default_rng(0).random(shape, "float32")
    expected = load_pretrained(model["name"]).predict_on_batch(images)
    session = onnxruntime.InferenceSession(FOLDER / f"{model['name']}.onnx")
    found = [session.run(None, {"image": image[None]})[0] for image in images]
    assert np.abs(np.concatenate(found) - expected).max() <= 1e-5


def read_levels(model):
    """Return a Keras model of what a U-Net's decoder gets, from the top level down."""
    import keras

    layers = model.layers
    skips = [x.input[1] for x in layers if isinstance(x, keras.layers.Concatenate)]
    ups = [x.input for x in layers if isinstance(x, keras.layers.Conv2DTranspose)]
    levels = [*skips, *ups]
    deepest = min(levels, key=lambda level: level.shape[1])
    return keras.Model(model.input, [*skips[::-1], deepest])


@each_model
def test_feature_maps_are_those_that_the_decoder_gets(model):
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    from unetbook.pretrained import load_pretrained

    size = model["imageSize"]
    image = np.random.default_rng(0).random((1, size, size, 3), "float32")
    expected = read_levels(load_pretrained(model["name"])).predict_on_batch(image)
    session = onnxruntime.InferenceSession(FOLDER / f"{model['name']}.onnx")
    found = session.run(None, {"image": image})[1:]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.moveaxis(ours, 1, -1), theirs, atol=1e-3)


@pytest.fixture
def writer(monkeypatch, tmp_path):
    """`experiments.models`, which writes and reads in a folder of this test."""
    pytest.importorskip("onnx", reason="pip install -r requirements-models.txt")
    from experiments import models

    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    monkeypatch.setattr(models, "FOLDER", tmp_path)
    return models


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """The float16 weights of a network of two levels."""
    from unetbook import cards, pretrained
    from unetbook.model import build_unet

    monkeypatch.setattr(cards, "WEIGHTS_DIR", tmp_path)
    model = build_unet(16, filters=FEWEST["filters"])
    pretrained.save_pretrained(model, "least", FEWEST)
    with np.load(tmp_path / "least.npz") as arrays:
        return [arrays[f"arr_{number}"] for number in range(len(arrays))]


def test_written_weights_are_the_shipped_ones_to_the_bit(writer, weights):
    from onnx import numpy_helper

    model = writer.build_model(FEWEST, weights)
    kept = [numpy_helper.to_array(one) for one in model.graph.initializer]
    assert [one.dtype for one in kept] == [np.float16] * len(weights)
    for ours, theirs in zip(kept, weights, strict=True):
        assert np.array_equal(np.sort(ours.ravel()), np.sort(theirs.ravel()))


def test_weights_of_another_network_are_refused(writer, weights):
    with pytest.raises(ValueError, match="no weight of the shape"):
        writer.build_model({**FEWEST, "filters": (4, 16)}, weights)
    with pytest.raises(ValueError, match="left over"):
        writer.build_model(FEWEST, [*weights, weights[-1]])


def test_a_pretrained_network_computes_what_keras_does(writer):
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    from unetbook.encoders import STAGES
    from unetbook.pretrained import FILTERS, build_pretrained_unet

    keras_model = build_pretrained_unet(64)
    rng = np.random.default_rng(0)
    halves = []
    for weight in keras_model.weights:  # no two alike, variances above 0
        half = (np.array(weight) + 0.1 * rng.random(weight.shape)).astype("float16")
        weight.assign(half.astype("float32"))
        halves.append(half)
    card = {"encoder": "any", "stages": STAGES, "filters": FILTERS, "image_size": 64}
    content = writer.build_model(card, halves).SerializeToString()
    image = rng.random((1, 64, 64, 3), "float32")
    session = onnxruntime.InferenceSession(content)
    (found,) = session.run(["probabilities"], {"image": image})
    expected = keras_model.predict_on_batch(image)
    assert expected.std() > 0.01
    assert np.abs(found - expected).max() <= 1e-5


@pytest.mark.usefixtures("weights")
def test_what_the_page_reads_is_written_beside_the_file(writer, monkeypatch, tmp_path):
    monkeypatch.setattr(writer, "CHOSEN", ("absent", "least"))
    writer.main()
    (written,) = json.loads((tmp_path / "models.json").read_text())
    assert written["bytes"] == (tmp_path / "least.onnx").stat().st_size
    assert (written["name"], written["meanIou"]) == ("least", 1.0)
