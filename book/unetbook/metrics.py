"""Every score of the book, derived from one confusion matrix. NumPy only."""

import numpy as np

from unetbook.config import CLASS_NAMES

BORDER_POLICIES = ("class", "ignored", "merged")
CONFIDENCE_BINS = 20  # of the largest probability, from 0 to 1


def confusion_matrix(y_true, y_pred, num_classes=3):
    """Count how often each true class was predicted as each class.

    Args:
        y_true: Integer masks of any shape, values in 0 to `num_classes - 1`; pixels of
            the value -1, not annotated, are not counted.
        y_pred: Predicted masks of the same shape, without -1.
        num_classes: Number of classes.

    Returns:
        int64 `(num_classes, num_classes)`; rows are the truth, columns the prediction.

    Raises:
        ValueError: If the shapes differ or a value is no class.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true has shape {y_true.shape} and y_pred {y_pred.shape}. Give masks of "
            "one shape; take the argmax of probabilities first."
        )
    for name, mask, lowest in (("y_true", y_true, -1), ("y_pred", y_pred, 0)):
        if mask.size and not (mask.min() >= lowest and mask.max() < num_classes):
            raise ValueError(
                f"{name} holds values from {mask.min()} to {mask.max()}, expected "
                f"{lowest} to {num_classes - 1}. For a raw trimap, subtract 1."
            )
    annotated = y_true != -1
    pairs = num_classes * y_true[annotated].astype("int64") + y_pred[annotated]
    counts = np.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def iou_per_class(matrix):
    """Divide intersection by union, class by class.

    Built in chapter 8.

    Args:
        matrix: A confusion matrix `(num_classes, num_classes)`.

    Returns:
        float64 `(num_classes,)` in [0, 1]; nan where a class is neither in the truth
        nor in the prediction, since 0 / 0 is no score.
    """
    matrix = np.asarray(matrix, dtype="float64")
    intersection = np.diag(matrix)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - intersection
    return np.divide(
        intersection, union, out=np.full_like(union, np.nan), where=union > 0
    )


def mean_iou(matrix):
    """Average the IoU over the classes that occur.

    Built in chapter 8.

    Args:
        matrix: A confusion matrix `(num_classes, num_classes)`.

    Returns:
        A float in [0, 1]; nan if no class occurs.
    """
    iou = iou_per_class(matrix)
    occurs = ~np.isnan(iou)
    return float(iou[occurs].mean()) if occurs.any() else float("nan")


def dice_coefficient(matrix):
    """Divide twice the intersection by the sum of both areas, class by class.

    Built in chapter 8.

    Args:
        matrix: A confusion matrix `(num_classes, num_classes)`.

    Returns:
        float64 `(num_classes,)` in [0, 1]; nan where a class does not occur. Always
        `2 * iou / (1 + iou)`.
    """
    iou = iou_per_class(matrix)
    return 2 * iou / (1 + iou)


def pixel_accuracy(matrix):
    """Return the share of pixels whose class is right, in [0, 1]; nan for none.

    Built in chapter 8.
    """
    matrix = np.asarray(matrix, dtype="float64")
    total = matrix.sum()
    return float(np.trace(matrix) / total) if total else float("nan")


def score_border(matrix, border="class"):
    """Score one confusion matrix of pet, background and border in one of three ways.

    Args:
        matrix: A confusion matrix `(3, 3)` in the order of `CLASS_NAMES`.
        border: `"class"` counts the border as a third class; `"ignored"` leaves out
            the pixels whose truth is border (a border predicted elsewhere stays an
            error); `"merged"` counts it as pet, in the truth and in the prediction.

    Returns:
        A dictionary with `class_names`, `iou` (float64, one a class), `mean_iou` and
        `pixel_accuracy`.

    Raises:
        ValueError: If `border` is none of the three or `matrix` is not `(3, 3)`.
    """
    matrix = np.asarray(matrix)
    if border not in BORDER_POLICIES:
        raise ValueError(f"border={border!r}: choose one of {BORDER_POLICIES}.")
    if matrix.shape != (3, 3):
        raise ValueError(f"matrix has shape {matrix.shape}, expected (3, 3).")
    names = CLASS_NAMES
    if border == "ignored":
        matrix = matrix * np.array([[1], [1], [0]])
    if border == "merged":
        to_pet = np.array([[1, 0], [0, 1], [1, 0]])  # pet, background, border -> pet
        matrix = to_pet.T @ matrix @ to_pet
    iou = iou_per_class(matrix)
    if border != "class":
        names, iou = names[:2], iou[:2]
    return {
        "class_names": names,
        "iou": iou,
        "mean_iou": float(np.nanmean(iou)) if not np.isnan(iou).all() else float("nan"),
        "pixel_accuracy": pixel_accuracy(matrix),
    }


def count_confidence(y_true, probabilities):
    """Count pixels by their largest probability, and by whether it was right.

    Built in chapter 9.

    Args:
        y_true: Integer masks of any shape; pixels of the value -1 are not counted.
        probabilities: `(..., num_classes)` in [0, 1], one row for each pixel of them.

    Returns:
        int64 `(CONFIDENCE_BINS, 2)`: in each bin the pixels that are wrong and those
        that are right. Counts of several pictures may be added.

    Raises:
        ValueError: If the shapes do not fit.
    """
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
    if probabilities.shape[:-1] != y_true.shape:
        raise ValueError(
            f"probabilities has shape {probabilities.shape} and y_true {y_true.shape}. "
            "Give one row of probabilities for every pixel, before the argmax."
        )
    bins = (probabilities.max(axis=-1) * CONFIDENCE_BINS).astype("int64")
    bins = np.minimum(bins, CONFIDENCE_BINS - 1)  # a probability of 1 is in the last
    right = probabilities.argmax(axis=-1) == y_true
    places = (2 * bins + right)[y_true != -1]
    counts = np.bincount(places, minlength=2 * CONFIDENCE_BINS)
    return counts.reshape(CONFIDENCE_BINS, 2)


def pack_pixels(y_true, probabilities):
    """Pack what a threshold for the pet needs into two bytes a pixel.

    Args:
        y_true: Integer masks of any shape, values 0 pet, 1 background, 2 border.
        probabilities: `(..., 3)` in [0, 1], one row of the same shape a pixel.

    Returns:
        `(codes, levels)`, both uint8 and of the masks' shape: the true class + 3 * the
        most probable class + 9 if the border is likelier than the background; and the
        pet's probability times 255, rounded.

    Raises:
        ValueError: If the shapes do not fit or values are out of range.
    """
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
    if probabilities.shape != (*y_true.shape, 3):
        raise ValueError(
            f"probabilities has shape {probabilities.shape}, expected "
            f"{(*y_true.shape, 3)}: three for every pixel of y_true. Pass what the "
            "model predicts, before the argmax."
        )
    if not ((probabilities >= 0).all() and (probabilities <= 1).all()):
        raise ValueError(
            f"probabilities holds values from {probabilities.min()} to "
            f"{probabilities.max()}, expected 0 to 1. Logits need a softmax first."
        )
    if not np.isin(y_true, range(3)).all():
        raise ValueError(
            f"y_true holds the values {np.unique(y_true)[:6].tolist()}, expected 0, 1 "
            "and 2. For a raw trimap, subtract 1."
        )
    likeliest = probabilities.argmax(axis=-1)
    border = probabilities[..., 2] > probabilities[..., 1]
    levels = np.rint(probabilities[..., 0] * 255)
    return (y_true + 3 * likeliest + 9 * border).astype("uint8"), levels.astype("uint8")


def count_levels(y_true, probabilities):
    """Count pixels so that the matrix of any threshold follows; counts may be added.

    Args:
        y_true: Integer masks of any shape, values 0 pet, 1 background, 2 border.
        probabilities: `(..., 3)` in [0, 1], one row of the same shape a pixel.

    Returns:
        int64 `(18, 256)`: how many pixels have each code and level of `pack_pixels`.
    """
    codes, levels = pack_pixels(y_true, probabilities)
    places = 256 * codes.astype("int64").ravel() + levels.ravel()
    return np.bincount(places, minlength=18 * 256).reshape(18, 256)


def check_counts(counts):
    """Return what `count_levels` counted as an array, or raise a `ValueError`."""
    counts = np.asarray(counts)
    if counts.shape != (18, 256):
        raise ValueError(
            f"counts has shape {counts.shape}, expected (18, 256). Use count_levels, "
            "and add what it returns."
        )
    return counts


def threshold_matrix(counts, threshold):
    """Return the confusion matrix if pet is whatever has at least this probability.

    Other pixels take the more probable of background and border.

    Args:
        counts: From `count_levels`; of several pictures, added.
        threshold: In [0, 1]; the probabilities were rounded to 255ths.

    Returns:
        int64 `(3, 3)`; rows are the truth, columns the prediction.

    Raises:
        ValueError: If `counts` has another shape or `threshold` is outside [0, 1].
    """
    counts = check_counts(counts)
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold={threshold!r}: give a probability in [0, 1].")
    counts = counts.reshape(2, 9, 256)  # other class; likeliest and truth; level
    counts = counts.reshape(2, 3, 3, 256).sum(axis=1)  # other class, truth, level
    is_pet = np.arange(256) / 255 >= threshold
    pet = counts[..., is_pet].sum(axis=(0, 2))  # (truth,)
    others = counts[..., ~is_pet].sum(axis=2)  # (other class, truth)
    return np.stack([pet, *others], axis=1)
