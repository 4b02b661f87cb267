"""The training film shows each epoch's masks and losses, and says what is missing."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.explorer_modules import read_settings, run_module, stored_output
from unetbook.config import CLASS_NAMES
from unetbook.explorers.cells import explorer
from unetbook.explorers.training import explore_training
from unetbook.figures.style import CLASS_COLOURS

CHAPTER = Path(__file__).parents[1] / "book" / "07_training.ipynb"
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


def picture(address):
    """Open the picture that an address holds."""
    content = base64.b64decode(address.split(",")[1])
    return Image.open(io.BytesIO(content))


def film(snapshots=SNAPSHOTS, history=HISTORY, images=IMAGES, masks=MASKS):
    """Return the settings of a film."""
    return read_settings(explore_training(images, masks, snapshots, history).data)


def test_every_epoch_of_every_pet_has_its_mask():
    pets = film()["pets"]
    for number, pet in enumerate(pets):
        assert (np.array(picture(pet["truth"])) == MASKS[number]).all()
        assert set(pet["masks"]) == {"1", "2", "3"}
        for epoch, masks in SNAPSHOTS.items():
            shown = np.array(picture(pet["masks"][str(epoch)]))
            assert (shown == masks[number]).all()


def test_masks_have_the_colours_of_the_classes():
    mask = np.array([[0, 1, 2]])
    shown = film({1: mask[None]}, {"loss": [1.0]}, np.zeros((1, 1, 3, 3)), mask[None])
    pixels = np.array(picture(shown["pets"][0]["truth"]).convert("RGB"))[0]
    assert [f"#{bytes(pixel).hex()}" for pixel in pixels] == list(CLASS_COLOURS)
    assert [name for name, _ in shown["classes"]] == list(CLASS_NAMES)
    assert [colour for _, colour in shown["classes"]] == list(CLASS_COLOURS)


def test_a_picture_survives_as_a_small_jpeg():
    shown = picture(film(images=np.full((2, 6, 6, 3), 0.5))["pets"][0]["image"])
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


# ------------------------------------------------------------ the chapter's film


def stored_film():
    """Return the film that chapter 7 stores, as HTML."""
    return stored_output(CHAPTER, "explore_training(")


def test_the_chapter_stores_the_film_as_it_is_now():
    stored = stored_film()
    shown = explorer("training", read_settings(stored)).data
    assert stored == shown, "python tools/outputs.py book/07_*.ipynb"


def test_the_chapter_shows_three_pets_and_every_epoch():
    shown = read_settings(stored_film())
    epochs = [str(epoch + 1) for epoch in range(len(shown["history"]["loss"]))]
    assert len(shown["pets"]) == 3
    assert all(list(pet["masks"]) == epochs for pet in shown["pets"])
    assert {"loss", "val_loss", "val_mean_iou"} == set(shown["history"])


# ------------------------------------------------------------ the module, in Node

RUNNER = """
const pets = [{ masks: { 2: "", 3: "" } }, { masks: { 2: "", 3: "" } }];
const history = { loss: [0.9, 0.6, 0.5], val_loss: [0.8, null, 0.4],
  val_mean_iou: [0.3, null, 0.6] };
const { x, y, epoch } = tools.scales(history);
return {
  ranges: [[3], [1, 2], [5, 6, 7], [1, 3, 4, 8, 9, 10]].map(tools.ranges),
  sentences: [1, 2, 3].map((e) => tools.epochSentence(history, pets, e)),
  missing: tools.missingSentence(history, pets),
  complete: tools.missingSentence({ loss: [1] }, [{ masks: { 1: "" } }]),
  back: [1, 2, 3].map((e) => epoch(x(e))),
  outside: [epoch(-50), epoch(900)],
  level: [y(0), y(0.9) < y(0.5)],
  steps: [[1.05, 5], [0.34, 5], [60, 10], [9, 10]].map((of) => tools.axisSteps(...of)),
};
"""


@pytest.fixture(scope="module")
def answers():
    """What the module makes of a training of three epochs."""
    return run_module("training", RUNNER)


def test_the_sentence_names_epoch_and_losses(answers):
    assert answers["sentences"][2] == (
        "After epoch 3 of 3: training loss 0.500, validation loss 0.400, "
        "validation mean IoU 0.600."
    )


def test_missing_masks_are_told_of(answers):
    assert "No masks were kept of this epoch." in answers["sentences"][0]
    assert "No masks" not in answers["sentences"][1]
    assert answers["missing"].startswith("Masks were kept of epochs 2 and 3 only")
    assert answers["complete"] == ""


def test_epochs_are_listed_in_words(answers):
    assert answers["ranges"] == [
        "epoch 3",
        "epochs 1 and 2",
        "epochs 5 to 7",
        "epochs 1, 3, 4 and 8 to 10",
    ]


def test_a_place_in_the_chart_leads_back_to_its_epoch(answers):
    assert answers["back"] == [1, 2, 3]
    assert answers["outside"] == [1, 3]
    assert answers["level"] == [164, True]


def test_axes_have_few_round_numbers(answers):
    expected = [
        [0, 0.5, 1],
        [0, 0.1, 0.2, 0.3],
        [0, 10, 20, 30, 40, 50, 60],
        [*range(10)],
    ]
    for steps, wanted in zip(answers["steps"], expected, strict=True):
        assert np.allclose(steps, wanted)
