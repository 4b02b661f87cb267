"""The score explorer counts and scores as `unetbook.metrics` does."""

import numpy as np
import pytest

from tests.explorers.modules import read_settings, run_module, stored_output, unpack
from unetbook.explorers.cells import PAGE
from unetbook.explorers.scores import explore_scores
from unetbook.metrics import (
    BORDER_POLICIES,
    confusion_matrix,
    count_levels,
    dice_coefficient,
    pack_pixels,
    score_border,
    threshold_matrix,
)

MODULE = PAGE / "scores.mjs"
PERCENTS = (1, 20, 33, 50, 80, 99)
NUM_MATRICES = 200


def random_prediction(seed, shape=(12, 9)):
    """Draw a mask, and probabilities that lean towards it and add up to 1."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 3, shape)
    logits = rng.normal(size=(*shape, 3)) + np.eye(3)[y_true]
    exponents = np.exp(2 * logits)
    return y_true, exponents / exponents.sum(axis=-1, keepdims=True)


def threshold_mask(probabilities, threshold):
    """Call pet what reaches the threshold, in 255ths, else the likelier other class."""
    levels = np.rint(probabilities[..., 0] * 255)
    others = 1 + probabilities[..., 1:].argmax(axis=-1)
    return np.where(levels / 255 >= threshold, 0, others)


# ------------------------------------------------------------ counts, in Python


def test_three_pixels_by_hand():
    y_true = [0, 1, 2]
    probabilities = [[0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.2, 0.1, 0.7]]
    codes, levels = pack_pixels(y_true, probabilities)
    assert codes.tolist() == [0, 1, 2 + 3 * 2 + 9]
    assert levels.tolist() == [153, 102, 51]
    counts = count_levels(y_true, probabilities)
    assert counts.sum() == 3
    assert threshold_matrix(counts, 0.5).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert threshold_matrix(counts, 0.3).tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert threshold_matrix(counts, 0).tolist() == [[1, 0, 0]] * 3


@pytest.mark.parametrize("percent", PERCENTS)
def test_counts_give_the_matrix_of_the_mask(percent):
    y_true, probabilities = random_prediction(percent)
    expected = confusion_matrix(y_true, threshold_mask(probabilities, percent / 100))
    found = threshold_matrix(count_levels(y_true, probabilities), percent / 100)
    assert (found == expected).all()


def test_counts_of_pictures_can_be_added():
    y_true, probabilities = random_prediction(0, (4, 8, 8))
    singly = sum(map(count_levels, y_true, probabilities))
    assert (singly == count_levels(y_true, probabilities)).all()


@pytest.mark.parametrize(
    ("y_true", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5, 0]], r"probabilities has shape \(1, 3\)"),
        ([0], [[4.0, -1.0, 0]], "Logits need a softmax"),
        ([0], [[float("nan"), 0, 0]], "expected 0 to 1"),
        ([3], [[1, 0, 0]], "subtract 1"),
    ],
)
def test_what_cannot_be_counted_is_refused(y_true, probabilities, message):
    with pytest.raises(ValueError, match=message):
        count_levels(y_true, probabilities)


def test_a_threshold_is_a_probability_and_counts_are_counts():
    counts = count_levels(*random_prediction(0))
    with pytest.raises(ValueError, match="threshold=50"):
        threshold_matrix(counts, 50)
    with pytest.raises(ValueError, match=r"counts has shape \(3, 3\)"):
        threshold_matrix(np.eye(3), 0.5)


# ------------------------------------------------------------ the module, in Node


def random_matrices():
    """Draw matrices of counts; in some of them classes are missing."""
    rng = np.random.default_rng(1)
    matrices = rng.integers(0, 1000, (NUM_MATRICES, 3, 3))
    for number in range(0, NUM_MATRICES, 4):
        absent = rng.integers(0, 3)
        matrices[number, absent] = 0
        matrices[number, :, absent] = 0
    matrices[0] = 0
    matrices[1] = np.diag([0, 5, 0])
    return matrices


@pytest.fixture(scope="module")
def scored():
    """Every random matrix under every policy, with what the module makes of it."""
    matrices = random_matrices()
    code = """return given.matrices.map((matrix) =>
      given.policies.map((policy) => tools.score(matrix, policy)));"""
    given = {"matrices": matrices.tolist(), "policies": BORDER_POLICIES}
    answers = run_module(MODULE, code, given)
    return [
        (matrix, policy, answer)
        for matrix, of_matrix in zip(matrices, answers, strict=True)
        for policy, answer in zip(BORDER_POLICIES, of_matrix, strict=True)
    ]


def number(value):
    """Read a number as JSON writes it, where NaN is null."""
    return np.array(value, dtype="float64")


def same(found, expected):
    """Compare numbers, nan with nan, to 15 digits."""
    return np.allclose(number(found), expected, rtol=1e-15, atol=0, equal_nan=True)


def test_scores_agree_with_the_package(scored):
    assert len(scored) == 3 * NUM_MATRICES
    for matrix, policy, answer in scored:
        expected = score_border(matrix, policy)
        assert same(answer["iou"], expected["iou"])
        assert same(answer["meanIou"], expected["mean_iou"])
        assert same(answer["accuracy"], expected["pixel_accuracy"])


def test_dice_agrees_with_the_package(scored):
    for matrix, policy, answer in scored:
        if policy == "class":
            assert same(answer["dice"], dice_coefficient(matrix))
        iou = number(answer["iou"])
        assert same(answer["dice"], 2 * iou / (1 + iou))
        known = number(answer["dice"])[~np.isnan(iou)]
        assert same(answer["meanDice"], known.mean() if known.size else np.nan)


def test_thresholds_agree_with_the_package():
    given = {"percents": [None, *PERCENTS], "pictures": []}
    expected = []
    for seed in range(20):
        y_true, probabilities = random_prediction(seed)
        codes, levels = pack_pixels(y_true, probabilities)
        picture = {"codes": codes.ravel().tolist(), "levels": levels.ravel().tolist()}
        given["pictures"].append(picture)
        counts = count_levels(y_true, probabilities)
        matrices = [threshold_matrix(counts, percent / 100) for percent in PERCENTS]
        likeliest = confusion_matrix(y_true, probabilities.argmax(axis=-1))
        expected.append([likeliest, *matrices])
    code = """return given.pictures.map(({ codes, levels }) => {
      const counts = tools.countLevels(codes, levels);
      return given.percents.map((percent) => tools.matrixOf(counts, percent));
    });"""
    assert (np.array(run_module(MODULE, code, given)) == expected).all()


# ------------------------------------------------------------ what a cell holds


def explored(**changes):
    """Return the settings of an explorer of two pictures."""
    masks, probabilities = random_prediction(5, (2, 6, 8))
    images = np.full((2, 6, 8, 3), 0.5)
    counts = count_levels(masks, probabilities)
    given = {"images": images, "masks": masks, "probabilities": probabilities}
    given |= {"titles": ["best", "worst"], "counts": counts, **changes}
    return read_settings(explore_scores(**given).data)


def test_a_cell_holds_the_maps_of_every_picture_and_the_counts_of_all():
    masks, probabilities = random_prediction(5, (2, 6, 8))
    shown = explored()
    assert [one["title"] for one in shown["cases"]] == [
        "best",
        "worst",
        "all 2 pictures",
    ]
    codes, levels = pack_pixels(masks, probabilities)
    for number, one in enumerate(shown["cases"][:2]):
        assert (unpack(one["codes"]).reshape(6, 8) == codes[number]).all()
        assert (unpack(one["levels"]).reshape(6, 8) == levels[number]).all()
    assert np.sum(shown["cases"][2]["counts"]) == masks.size
    assert shown["size"] == [6, 8]


def test_node_reads_the_maps_back():
    shown = explored(counts=None)
    code = "return tools.inflate(given);"
    codes = run_module(MODULE, code, shown["cases"][0]["codes"])
    assert codes == unpack(shown["cases"][0]["codes"]).tolist()


def test_the_chapter_shows_four_pictures_and_the_whole_split():
    cases = read_settings(stored_output("scores"))["cases"]
    titles = [one["title"].split()[0] for one in cases]
    assert titles == ["best", "typical", "poor", "worst", "all"]
    assert np.shape(cases[-1]["counts"]) == (18, 256)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"titles": ["best"]}, "titles has 1 entries for 2"),
        ({"probabilities": np.zeros((2, 6, 8))}, "probabilities has shape"),
        ({"images": np.full((2, 6, 8, 3), 99.0)}, "Divide by 255"),
        ({"counts": np.zeros((3, 3))}, "counts has shape"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        explored(**change)
