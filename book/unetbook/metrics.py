"""Every score of the book, derived from one confusion matrix. NumPy only."""

import numpy as np

from unetbook.config import CLASS_NAMES

BORDER_POLICIES = ("class", "ignored", "merged")


def confusion_matrix(y_true, y_pred, num_classes=3):
    """Count how often each true class was predicted as each class.

    Built in chapter 8.

    Args:
        y_true: Integer masks of any shape, values in 0 to `num_classes - 1`.
        y_pred: Predicted masks of the same shape.
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
    for name, mask in (("y_true", y_true), ("y_pred", y_pred)):
        if mask.size and not (mask.min() >= 0 and mask.max() < num_classes):
            raise ValueError(
                f"{name} holds values from {mask.min()} to {mask.max()}, expected 0 to "
                f"{num_classes - 1}. For a raw trimap, subtract 1."
            )
    pairs = num_classes * y_true.astype("int64").ravel() + y_pred.ravel()
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

    Built in chapter 8.

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
