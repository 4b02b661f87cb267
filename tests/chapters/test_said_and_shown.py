"""Sentences of chapters 7 and 8 say what their cells print and the cards hold."""

import base64
import html
import json
import re
import zlib

import numpy as np
import pytest

from tests.chapters.test_claims import missing
from tests.paths import BOOK
from unetbook.cards import read_card
from unetbook.config import TIERS
from unetbook.metrics import mean_iou, score_border, threshold_matrix
from unetbook.results import read_measured, read_runs

TRAINING, PREDICTION = "07_training", "08_prediction"
LEVELS = np.arange(0.02, 1, 0.02)


def shown(chapter, source):
    """Return all text that the one cell with this source has printed or returned."""
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text())["cells"]
    (cell,) = (c for c in cells if source in "".join(c["source"]) and "outputs" in c)
    texts = []
    for output in cell["outputs"]:
        data = output.get("data", {})
        texts += output.get("text", data.get("text/html", data.get("text/plain", [])))
    return "".join(texts)


@pytest.fixture(scope="module")
def val_scores():
    """The validation mean IoU after each epoch of chapter 7's training."""
    log = shown(TRAINING, "\nhistory = train(")
    return [float(score) for score in re.findall(r"val mean IoU (\S+)", log)]


def test_the_border_comes_between_two_epochs_and_the_last_is_the_best(val_scores):
    assert len(val_scores) == TIERS["quick"].epochs
    assert max(val_scores) == val_scores[-1]
    sentences = [
        "Between epochs 2 and 3 the mean IoU jumps from "
        f"{val_scores[1]:.2f} to {val_scores[2]:.2f}.",
        f"the last epoch is usually the best, as here ({val_scores[-1]:.3f})",
    ]
    assert missing(TRAINING, sentences) == []


def test_where_the_loss_of_few_pictures_turns():
    printed = shown(TRAINING, 'val_loss, val_score = fit.history["val_loss"]')
    epoch = re.search(r"loss lowest after epoch (\d+)", printed)[1]
    lowest, highest = map(float, re.findall(r"mean IoU (\S+)", printed))
    sentences = [
        f"The validation loss turns after epoch {epoch} and climbs.",
        f"Here the score gains {highest - lowest:.2f} and loses it again.",
    ]
    assert missing(TRAINING, sentences) == []


def test_what_seeds_and_forty_epochs_change():
    scores = [run["val_mean_iou"] for run in read_measured("quick_drawn")["runs"]]
    card, tier = read_card("drawn"), TIERS["quick"]
    assert card["recipe"]["epochs"] == 40
    assert tuple(card["filters"]) == tuple(tier.filters)
    sentences = [
        f"Seeds alone move the score from {min(scores):.2f} to {max(scores):.2f}, so "
        f"{max(scores) - min(scores):.2f} is no difference.",
        "`drawn` has the same layers and trained for forty epochs. It reaches "
        f"{card['scores']['class']['mean_iou']:.2f} on the test pictures",
    ]
    assert missing(TRAINING, sentences) == []


def test_the_minutes_of_the_larger_tiers():
    minutes = [round(run["seconds"]["training"] / 60) for run in read_runs("course")]
    (long,) = (run["seconds"]["training"] / 60 for run in read_runs("course-long"))
    sentence = (
        f"in 16 bits, they took us {min(minutes)} to {max(minutes)} minutes and "
        f"{long:.0f} minutes."
    )
    assert missing(TRAINING, [sentence]) == []


def test_which_pixels_are_wrong():
    matrix = np.array(read_card("drawn")["scores"]["matrix"])
    wrong = matrix.sum() - np.trace(matrix)
    exchanged = matrix[0, 1] + matrix[1, 0]
    assert 0.9 < 1 - exchanged / wrong < 0.95
    sentences = [
        f"Nine in ten wrong pixels ({wrong - exchanged:,} of {wrong:,}) are of this",
        f"exchanged in {exchanged:,} pixels, {exchanged / matrix.sum():.1%} of".replace(
            "%", " %"
        ),
    ]
    assert missing(PREDICTION, sentences) == []


@pytest.fixture(scope="module")
def cases():
    """Pictures of chapter 8's explorer as `(codes, levels)`, and all pictures' counts.

    The codes and levels are those of `pack_pixels`.
    """
    page = shown(PREDICTION, "explore_scores(")
    settings = html.unescape(re.search(r'data-settings="([^"]*)"', page)[1])
    cases = json.loads(settings)["cases"]
    unpack = {
        case["title"]: [
            np.frombuffer(zlib.decompress(base64.b64decode(case[key])), "uint8")
            for key in ("codes", "levels")
        ]
        for case in cases
        if "codes" in case
    }
    return unpack, np.array(cases[-1]["counts"])


def count(codes, levels):
    places = 256 * codes.astype("int64") + levels
    return np.bincount(places, minlength=18 * 256).reshape(18, 256)


def pet_scores(counts, border):
    scores = (score_border(threshold_matrix(counts, t), border) for t in LEVELS)
    return np.array([score["iou"][0] for score in scores])


def usual_matrix(counts):
    """Return the confusion matrix of the most probable class."""
    return counts.reshape(2, 3, 3, 256).sum(axis=(0, 3)).T  # code: truth, likeliest


def test_a_threshold_gains_only_where_paint_on_the_border_is_free(cases):
    counts = cases[1]
    usual = usual_matrix(counts)
    gains = {
        border: pet_scores(counts, border).max() - score_border(usual, border)["iou"][0]
        for border in ("class", "ignored", "merged")
    }
    assert round(gains.pop("ignored"), 2) == 0.03
    assert max(gains.values()) < 0.005
    free = LEVELS[pet_scores(counts, "ignored").argmax()]
    after = score_border(threshold_matrix(counts, free), "ignored")["iou"][1]
    assert after < score_border(usual, "ignored")["iou"][1], "background loses a little"


def test_pictures_disagree_about_the_best_threshold(cases):
    best = {}
    for title, picture in cases[0].items():
        assert mean_iou(usual_matrix(count(*picture))) > 0.5
        best[title] = LEVELS[pet_scores(count(*picture), "class").argmax()]
    assert best["worst"] < 0.1
    assert best["poor"] == pytest.approx(0.8)
    sentence = "the worst picture is best with *t* near 0, and the poor one with 0.8."
    assert missing(PREDICTION, [sentence]) == []
