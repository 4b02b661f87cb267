"""Weights that come with the book: written with a card, checked by hash."""

import hashlib
import json

import keras
import numpy as np
import pytest

from unetbook import cards
from unetbook.cards import CARD_KEYS, list_pretrained, read_card
from unetbook.data import cache_pairs, make_dataset
from unetbook.metrics import mean_iou
from unetbook.model import build_unet
from unetbook.prediction import evaluate_masks, evaluate_pictures
from unetbook.pretrained import load_pretrained, save_pretrained
from unetbook.results import read_pictures

CARD = {
    "filters": [2, 3],
    "image_size": 8,
    "data": "none",
    "licence": "MIT",
    "recipe": "untrained",
    "scores": {},
    "limits": "knows nothing",
}

PHOTOGRAPHS_NETS = sorted({*list_pretrained()} - {"drawn"})


@pytest.fixture
def weights_dir(tmp_path, monkeypatch):
    """Let the weights lie in an empty folder."""
    folder = tmp_path / "weights"
    monkeypatch.setattr(cards, "WEIGHTS_DIR", folder)
    return folder


@pytest.fixture
def saved(weights_dir):
    """Save an untrained net under the name `net` and return it."""
    keras.utils.set_random_seed(0)
    model = build_unet(8, filters=(2, 3))
    save_pretrained(model, "net", CARD)
    return model


def test_loaded_net_has_the_weights_of_the_saved_one_to_half_precision(saved):
    loaded = load_pretrained("net")
    for one, other in zip(saved.weights, loaded.weights, strict=True):
        one = keras.ops.convert_to_numpy(one)
        other = keras.ops.convert_to_numpy(other)
        np.testing.assert_array_equal(one.astype("float16"), other.astype("float16"))
        assert other.dtype == np.float32


def test_card_says_what_the_file_is(saved, weights_dir):
    card = read_card("net")
    content = (weights_dir / "net.npz").read_bytes()
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["bytes"] == len(content)
    assert card["parameters"] == saved.count_params()
    assert list_pretrained() == ["net"]
    assert {path.name for path in weights_dir.iterdir()} == {"net.npz", "net.json"}


def test_same_weights_make_the_same_file(saved, weights_dir):
    first = (weights_dir / "net.npz").read_bytes()
    save_pretrained(saved, "net", CARD)
    assert (weights_dir / "net.npz").read_bytes() == first


def test_old_name_raises_an_error_that_gives_the_new_one():
    with pytest.raises(ValueError, match="'course' is an old name.*called 'large'"):
        load_pretrained("course")


def test_unknown_name_lists_what_there_is(saved):
    with pytest.raises(ValueError, match="'cat'.*there are: net.*make weights"):
        load_pretrained("cat")


def test_no_weights_at_all_is_said(weights_dir):
    with pytest.raises(ValueError, match="there are: none.*make weights"):
        load_pretrained()


def test_path_in_place_of_a_name_is_refused(saved):
    with pytest.raises(ValueError, match="there are: net"):
        load_pretrained("../weights/net")


def test_missing_file_of_weights_is_named(saved, weights_dir):
    (weights_dir / "net.npz").unlink()
    with pytest.raises(ValueError, match=r"net\.npz is missing.*make weights"):
        load_pretrained("net")


def test_changed_file_of_weights_is_refused(saved, weights_dir):
    content = bytearray((weights_dir / "net.npz").read_bytes())
    content[500] ^= 1
    (weights_dir / "net.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"net\.npz has the SHA-256.*make weights"):
        load_pretrained("net")


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"filters": [2, 3]})])
def test_damaged_card_is_refused(saved, weights_dir, text):
    (weights_dir / "net.json").write_text(text)
    with pytest.raises(ValueError, match=r"net\.json.*make weights"):
        load_pretrained("net")


def test_card_without_limits_is_refused(weights_dir):
    card = {key: value for key, value in CARD.items() if key != "limits"}
    with pytest.raises(ValueError, match="card lacks limits"):
        save_pretrained(build_unet(8, filters=(2, 3)), "net", card)
    assert not weights_dir.exists()


def test_card_of_another_net_is_refused(weights_dir):
    with pytest.raises(ValueError, match="the model is another"):
        save_pretrained(build_unet(8, filters=(2, 4)), "net", CARD)


def test_weight_beyond_half_precision_is_refused(weights_dir):
    model = build_unet(8, filters=(2, 3))
    model.weights[0].assign(model.weights[0] * 0 + 70_000)
    with pytest.raises(ValueError, match="float16"):
        save_pretrained(model, "net", CARD)


@pytest.mark.skipif(not list_pretrained(), reason="no weights are there yet")
def test_weights_of_the_book_are_those_of_their_cards():
    most = {
        "drawn": 500_000,
        "large": 2_500_000,
        "pretrained": 3_700_000,
        "tiny": 130_000,
    }
    for name in list_pretrained():
        model, card = load_pretrained(name), read_card(name)
        assert model.count_params() == card["parameters"] <= most[name]
        assert card.keys() >= set(CARD_KEYS)


@pytest.mark.parametrize("name", PHOTOGRAPHS_NETS)
def test_shipped_networks_score_what_their_cards_say_on_drawn_pets(name, drawn_pets):
    card = read_card(name)
    examples = drawn_pets.test.take(card["scores"]["drawn"]["pictures"])
    pairs = cache_pairs(examples, card["image_size"])
    matrix = evaluate_masks(load_pretrained(name), make_dataset(pairs, 16))
    expected = card["scores"]["drawn"]["mean_iou"]
    assert mean_iou(matrix) == pytest.approx(expected, abs=0.001)


@pytest.mark.slow
@pytest.mark.photos
@pytest.mark.parametrize("name", PHOTOGRAPHS_NETS)
def test_shipped_networks_score_what_their_cards_say_on_photographs(name, photos):
    card = read_card(name)
    pairs = cache_pairs(photos.test, card["image_size"])
    matrices = evaluate_pictures(load_pretrained(name), make_dataset(pairs, 32))
    expected = np.array(card["scores"]["test"]["matrix"])
    assert mean_iou(matrices.sum(axis=0)) == pytest.approx(
        mean_iou(expected), abs=0.0005
    )
    stored = read_pictures(name)
    np.testing.assert_array_equal(stored.matrices.sum(axis=0), expected)
    changed = np.abs(matrices - stored.matrices).sum(axis=(1, 2)) / 128**2
    assert changed.mean() < 0.001, "pixels that another machine decides otherwise"


def test_the_weights_of_all_shipped_networks_fit_into_22_megabytes():
    assert {"large", "drawn"} <= set(list_pretrained())
    assert sum(read_card(name)["bytes"] for name in list_pretrained()) < 22e6
