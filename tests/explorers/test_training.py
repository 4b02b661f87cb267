"""The training film shows each epoch's masks and losses, and says what is missing."""

import numpy as np
import pytest

from tests.explorers.modules import open_uri, read_settings, stored_output
from unetbook.classes import Classes
from unetbook.config import CLASS_NAMES
from unetbook.explorers.training import explore_training
from unetbook.figures.style import CLASS_COLOURS

RNG = np.random.default_rng(3)
IMAGES = RNG.random((2, 6, 6, 3)).astype("float32")
MASKS = RNG.integers(0, 3, (2, 6, 6))
SNAPSHOTS = {epoch: RNG.integers(0, 3, (2, 6, 6)) for epoch in (1, 2, 3)}
HISTORY = {
    "loss": [0.9, 0.6, 0.5],
    "val_loss": [0.8, 0.7, 0.4],
    "val_mean_iou": [0.3, 0.5, 0.6],
    "seconds": [1.0, 1.0, 1.0],
}


def film(snapshots=SNAPSHOTS, history=HISTORY, images=IMAGES, masks=MASKS):
    """Return the settings of a film."""
    return read_settings(explore_training(images, masks, snapshots, history).data)


def test_every_epoch_of_every_pet_has_its_mask():
    pets = film()["pets"]
    for number, pet in enumerate(pets):
        assert (np.array(open_uri(pet["truth"])) == MASKS[number]).all()
        assert set(pet["masks"]) == {"1", "2", "3"}
        for epoch, masks in SNAPSHOTS.items():
            shown = np.array(open_uri(pet["masks"][str(epoch)]))
            assert (shown == masks[number]).all()


def test_masks_have_the_colours_of_the_classes():
    mask = np.array([[0, 1, 2]])
    shown = film({1: mask[None]}, {"loss": [1.0]}, np.zeros((1, 1, 3, 3)), mask[None])
    pixels = np.array(open_uri(shown["pets"][0]["truth"]).convert("RGB"))[0]
    assert [f"#{bytes(pixel).hex()}" for pixel in pixels] == list(CLASS_COLOURS)
    assert [name for name, _ in shown["classes"]] == list(CLASS_NAMES)
    assert [colour for _, colour in shown["classes"]] == list(CLASS_COLOURS)


def test_any_classes_are_filmed_and_void_is_named_and_not_scored():
    two = Classes(("cell", "glass"), ((255, 255, 255), (0, 0, 0)), 1)
    truth, predicted = np.array([[[0, 1, -1]]]), np.array([[[0, 1, 1]]])
    pictures = np.zeros((1, 1, 3, 3))
    html = explore_training(pictures, truth, {1: predicted}, {"loss": [1.0]}, two).data
    shown = read_settings(html)
    assert [name for name, _ in shown["classes"]] == ["cell", "glass", "not annotated"]
    assert shown["pets"][0]["scores"] == {"1": 1.0}


def test_a_picture_survives_as_a_small_jpeg():
    shown = open_uri(film(images=np.full((2, 6, 6, 3), 0.5))["pets"][0]["image"])
    assert shown.format == "JPEG"
    assert np.abs(np.array(shown).astype(int) - 128).max() <= 2


def test_scores_are_the_mean_iou_of_one_picture():
    # By hand: pet 1/2, background 0/1 and border 1/1 in common.
    truth, predicted = np.array([[[0, 1, 2]]]), np.array([[[0, 0, 2]]])
    shown = film({1: predicted}, {"loss": [1.0]}, np.zeros((1, 1, 3, 3)), truth)
    assert shown["pets"][0]["scores"] == {"1": 0.5}


def test_only_the_curves_that_are_drawn_are_stored():
    assert film()["history"] == {k: v for k, v in HISTORY.items() if k != "seconds"}
    assert film(history={"loss": [0.9, 0.6, 0.5]})["history"] == {
        "loss": [0.9, 0.6, 0.5]
    }
    with_nan = {"loss": [0.9, 0.6, 0.5], "val_mean_iou": [0.3, float("nan"), 0.5]}
    assert film(history=with_nan)["history"]["val_mean_iou"] == [0.3, None, 0.5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"snapshots": {}}, r"snapshots has the epochs \[\]"),
        ({"snapshots": {0: SNAPSHOTS[1]}}, r"epochs \[0\], and history holds epochs 1"),
        ({"snapshots": {4: SNAPSHOTS[1]}}, r"epochs \[4\].*\[epoch \+ 1\]"),
        ({"snapshots": {1: SNAPSHOTS[1][:1]}}, "pred_masks has 1 entries for 2"),
        ({"snapshots": {1: SNAPSHOTS[1] + 1}}, "subtract 1"),
        ({"masks": MASKS[:1]}, "masks has 1 entries for 2 images"),
        ({"images": IMAGES * 255}, "Divide by 255"),
        ({"history": {"val_loss": [1.0]}}, r"keys \['val_loss'\], expected loss"),
        ({"history": {**HISTORY, "val_loss": [1.0]}}, "'val_loss'.* has 1 entries"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        film(**change)


def test_the_chapter_shows_three_pets_and_every_epoch():
    shown = read_settings(stored_output("training"))
    epochs = [str(epoch + 1) for epoch in range(len(shown["history"]["loss"]))]
    assert len(shown["pets"]) == 3
    assert all(list(pet["masks"]) == epochs for pet in shown["pets"])
    assert {"loss", "val_loss", "val_mean_iou"} == set(shown["history"])
