"""Scores checked by hand on 3 x 3 masks, and against Keras and scikit-learn."""

import keras
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from unetbook.metrics import (
    CONFIDENCE_BINS,
    confusion_matrix,
    count_confidence,
    dice_coefficient,
    iou_per_class,
    mean_iou,
    pixel_accuracy,
    score_border,
)

approx = pytest.approx

# pet: truth 3 pixels, predicted 4, both 3; background: 4, 4, 3; border: 2, 1, 1
TRUTH = np.array([[1, 1, 1], [2, 0, 0], [1, 2, 0]])
PREDICTION = np.array([[1, 1, 1], [2, 0, 0], [0, 1, 0]])
MATRIX = np.array([[3, 0, 0], [1, 3, 0], [0, 1, 1]])


@pytest.fixture
def random_masks():
    draws = np.random.default_rng(0)
    return draws.integers(0, 3, (4, 16, 16)), draws.integers(0, 3, (4, 16, 16))


def test_rows_of_the_confusion_matrix_are_the_truth():
    np.testing.assert_array_equal(confusion_matrix(TRUTH, PREDICTION), MATRIX)
    assert confusion_matrix(TRUTH, PREDICTION).dtype == np.int64


def test_swapping_truth_and_prediction_transposes_the_matrix(random_masks):
    truth, prediction = random_masks
    np.testing.assert_array_equal(
        confusion_matrix(truth, prediction), confusion_matrix(prediction, truth).T
    )


def test_pixels_that_nobody_annotated_are_not_counted():
    truth = np.where([[0, 0, 1], [0, 0, 0], [0, 1, 0]], -1, TRUTH)
    # Without the right pixel of background and the wrong one of border.
    expected = [[3, 0, 0], [1, 2, 0], [0, 0, 1]]
    np.testing.assert_array_equal(confusion_matrix(truth, PREDICTION), expected)
    assert confusion_matrix(np.full((3, 3), -1), PREDICTION).sum() == 0


def test_matrices_of_two_batches_add_up_to_the_matrix_of_both(random_masks):
    truth, prediction = random_masks
    first = confusion_matrix(truth[:1], prediction[:1])
    rest = confusion_matrix(truth[1:], prediction[1:])
    np.testing.assert_array_equal(first + rest, confusion_matrix(truth, prediction))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_small_integer_types_do_not_overflow(dtype):
    truth = np.full((20, 20), 29, dtype)
    assert confusion_matrix(truth, truth, num_classes=30)[29, 29] == 400


def test_empty_masks_count_nothing():
    empty = np.zeros((0, 3), "int32")
    assert confusion_matrix(empty, empty).sum() == 0
    assert np.isnan(mean_iou(confusion_matrix(empty, empty)))
    assert np.isnan(pixel_accuracy(confusion_matrix(empty, empty)))


def test_iou_of_the_hand_masks():
    # pet 3 / (3 + 4 - 3), background 3 / (4 + 4 - 3), border 1 / (2 + 1 - 1)
    assert iou_per_class(MATRIX) == approx([3 / 4, 3 / 5, 1 / 2])
    assert mean_iou(MATRIX) == approx((3 / 4 + 3 / 5 + 1 / 2) / 3)


def test_dice_of_the_hand_masks():
    # 2 * intersection / (truth + prediction)
    assert dice_coefficient(MATRIX) == approx([6 / 7, 6 / 8, 2 / 3])


def test_accuracy_of_the_hand_masks_is_seven_pixels_of_nine():
    assert pixel_accuracy(MATRIX) == approx(7 / 9)


def test_dice_of_one_hit_in_two_is_two_thirds():
    matrix = confusion_matrix([1, 1, 0], [1, 0, 0], num_classes=2)
    assert dice_coefficient(matrix)[1] == approx(2 / 3)
    assert iou_per_class(matrix)[1] == approx(1 / 2)


def test_a_perfect_prediction_scores_one_everywhere():
    matrix = confusion_matrix(TRUTH, TRUTH)
    assert iou_per_class(matrix) == approx([1, 1, 1])
    assert dice_coefficient(matrix) == approx([1, 1, 1])
    assert mean_iou(matrix) == pixel_accuracy(matrix) == 1


def test_all_background_flatters_accuracy_and_not_mean_iou():
    matrix = np.array([[0, 30, 0], [0, 58, 0], [0, 12, 0]])
    assert pixel_accuracy(matrix) == approx(0.58)
    assert mean_iou(matrix) == approx(0.58 / 3)


def test_a_class_absent_from_truth_and_prediction_is_nan_and_left_out_of_the_mean():
    matrix = confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1])
    iou = iou_per_class(matrix)
    assert iou[:2] == approx([1 / 2, 2 / 3])
    assert np.isnan(iou[2])
    assert np.isnan(dice_coefficient(matrix)[2])
    assert mean_iou(matrix) == approx((1 / 2 + 2 / 3) / 2)


def test_a_class_absent_from_the_truth_but_predicted_scores_zero():
    matrix = confusion_matrix([1, 1, 1, 1], [1, 1, 1, 0])
    assert iou_per_class(matrix)[:2] == approx([0, 3 / 4])


def test_scores_agree_with_scikit_learn(random_masks):
    truth, prediction = (mask.ravel() for mask in random_masks)
    matrix = confusion_matrix(truth, prediction)
    np.testing.assert_array_equal(
        matrix, sklearn_metrics.confusion_matrix(truth, prediction)
    )
    assert iou_per_class(matrix) == approx(
        sklearn_metrics.jaccard_score(truth, prediction, average=None)
    )
    assert dice_coefficient(matrix) == approx(
        sklearn_metrics.f1_score(truth, prediction, average=None)
    )
    assert pixel_accuracy(matrix) == approx(
        sklearn_metrics.accuracy_score(truth, prediction)
    )


def test_mean_iou_agrees_with_keras_on_masks_and_on_probabilities(random_masks):
    truth, prediction = random_masks
    expected = mean_iou(confusion_matrix(truth, prediction))
    on_masks = keras.metrics.MeanIoU(num_classes=3)
    assert float(on_masks(truth, prediction)) == approx(expected, abs=1e-6)
    on_probabilities = keras.metrics.MeanIoU(num_classes=3, sparse_y_pred=False)
    one_hot = np.eye(3, dtype="float32")[prediction]
    assert float(on_probabilities(truth, one_hot)) == approx(expected, abs=1e-6)


def test_border_as_a_class_is_the_plain_score():
    scores = score_border(MATRIX, "class")
    assert scores["class_names"] == ("pet", "background", "border")
    assert scores["iou"] == approx([3 / 4, 3 / 5, 1 / 2])
    assert scores["mean_iou"] == approx(mean_iou(MATRIX))
    assert scores["pixel_accuracy"] == approx(7 / 9)


def test_border_ignored_drops_the_pixels_whose_truth_is_border():
    # left: pet row [3, 0, 0], background row [1, 3, 0]
    scores = score_border(MATRIX, "ignored")
    assert scores["class_names"] == ("pet", "background")
    assert scores["iou"] == approx([3 / 4, 3 / 4])
    assert scores["mean_iou"] == approx(3 / 4)
    assert scores["pixel_accuracy"] == approx(6 / 7)


def test_border_ignored_still_counts_a_border_predicted_on_the_pet():
    matrix = np.array([[2, 0, 1], [0, 4, 0], [0, 0, 9]])
    scores = score_border(matrix, "ignored")
    assert scores["iou"] == approx([2 / 3, 1])
    assert scores["pixel_accuracy"] == approx(6 / 7)


def test_border_merged_counts_it_as_pet_in_truth_and_prediction():
    # pet or border: truth 5, predicted 5, both 4; background: 4, 4, 3
    scores = score_border(MATRIX, "merged")
    assert scores["class_names"] == ("pet", "background")
    assert scores["iou"] == approx([4 / 6, 3 / 5])
    assert scores["mean_iou"] == approx((4 / 6 + 3 / 5) / 2)
    assert scores["pixel_accuracy"] == approx(7 / 9)


def test_merging_the_matrix_is_merging_the_masks(random_masks):
    truth, prediction = (np.where(mask == 2, 0, mask) for mask in random_masks)
    merged = confusion_matrix(truth, prediction, num_classes=2)
    scores = score_border(confusion_matrix(*random_masks), "merged")
    assert scores["iou"] == approx(iou_per_class(merged))
    assert scores["pixel_accuracy"] == approx(pixel_accuracy(merged))


def test_ignoring_in_the_matrix_is_dropping_the_pixels(random_masks):
    truth, prediction = random_masks
    kept = truth != 2
    scores = score_border(confusion_matrix(truth, prediction), "ignored")
    assert scores["pixel_accuracy"] == approx(
        sklearn_metrics.accuracy_score(truth[kept], prediction[kept])
    )
    assert scores["iou"] == approx(
        sklearn_metrics.jaccard_score(
            truth[kept], prediction[kept], labels=[0, 1], average=None
        )
    )


def test_a_picture_that_is_all_border_has_no_score_when_the_border_is_ignored():
    scores = score_border(np.diag([0, 0, 9]), "ignored")
    assert np.isnan(scores["mean_iou"])
    assert np.isnan(scores["pixel_accuracy"])


def test_scoring_does_not_change_the_matrix():
    matrix = MATRIX.copy()
    for border in ("class", "ignored", "merged"):
        score_border(matrix, border)
    np.testing.assert_array_equal(matrix, MATRIX)


def test_masks_of_two_shapes_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 2, 3\).*argmax"):
        confusion_matrix(np.zeros((2, 2), int), np.zeros((2, 2, 3)))


def test_a_raw_trimap_is_refused_with_its_range():
    with pytest.raises(ValueError, match="y_true holds values from 1 to 3.*subtract 1"):
        confusion_matrix([1, 2, 3], [0, 1, 2])
    with pytest.raises(ValueError, match="y_pred holds values from -1 to 2"):
        confusion_matrix([0, 1, 2], [-1, 1, 2])


def test_an_unknown_border_policy_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="border='none'.*class.*ignored.*merged"):
        score_border(MATRIX, "none")


def test_score_border_refuses_a_matrix_of_two_classes():
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(3, 3\)"):
        score_border(np.eye(2), "class")


def naive_confidence(y_true, probabilities):
    counts = np.zeros((20, 2), int)
    for truth, row in zip(y_true.ravel(), probabilities.reshape(-1, 3), strict=True):
        sure = max(row)
        place = next(i for i in range(20) if sure <= (i + 1) / 20)
        counts[place, int(list(row).index(sure) == truth)] += 1
    return counts


def test_confidence_is_counted_as_a_loop_over_the_pixels_counts_it():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 3, (2, 8, 8))
    probabilities = rng.dirichlet([0.4] * 3, (2, 8, 8))
    counts = count_confidence(y_true, probabilities)
    np.testing.assert_array_equal(counts, naive_confidence(y_true, probabilities))
    halves = [count_confidence(y_true[i], probabilities[i]) for i in range(2)]
    np.testing.assert_array_equal(sum(halves), counts)


def test_certainty_itself_is_counted_in_the_last_bin():
    counts = count_confidence([0, 2], [[1, 0, 0], [1, 0, 0]])
    assert CONFIDENCE_BINS == len(counts) == 20
    assert counts[-1].tolist() == [1, 1]
    assert counts.sum() == 2


def test_pixels_that_nobody_annotated_have_no_confidence():
    counts = count_confidence([0, -1, 2], [[1, 0, 0], [1, 0, 0], [1, 0, 0]])
    assert counts[-1].tolist() == [1, 1]
    assert counts.sum() == 2


def test_a_mask_in_place_of_probabilities_has_no_confidence():
    with pytest.raises(ValueError, match="before the argmax"):
        count_confidence(np.zeros((1, 4, 4), int), np.zeros((1, 4, 4), int))
