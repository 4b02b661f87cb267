"""What a training of the command line leaves behind: a network that is used again.

A run's folder holds `model.keras` and `classes.csv`, which is all that prediction
needs; `history.csv`, `curves.png`, `scores.json` and `sheet.png`, to look at; and what
`unetbook.training.train` keeps there to go on after a stop.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np

from unetbook.cards import MODEL, find_network
from unetbook.classes import PETS
from unetbook.data import make_dataset
from unetbook.figures.charts import plot_history
from unetbook.figures.pictures import plot_examples
from unetbook.files import shorten, write_json, write_whole
from unetbook.metrics import confusion_matrix, iou_per_class, mean_iou, pixel_accuracy
from unetbook.prediction import evaluate_masks, evaluate_pictures, predict_masks
from unetbook.pretrained import load_pretrained
from unetbook.sources.class_lists import ClassList, read_class_list, write_class_list

NOWHERE = "-  (neither in the masks nor predicted)"
SHOWN = 4  # best ones in the sheet, and as many worst ones


def write_run(folder, model, classes, history):
    """Write the network, its classes and its curves into the folder of a run.

    Args:
        folder: A `Path` that is there.
        model: The network.
        classes: Its `Classes`.
        history: What `train` returned.
    """
    write_whole(folder / MODEL, model.save)
    numbers = range(1, len(classes.names) + 1)
    write_class_list(folder, ClassList(classes, {number: number for number in numbers}))
    save_figure(plot_history(history).flat[0].figure, folder / "curves.png")


def save_figure(figure, path):
    """Write the whole figure of a part as PNG, or no file at all, and close it."""
    figure = figure.figure
    write_whole(path, lambda file: figure.savefig(file, format="png"))
    plt.close(figure)


def read_network(place):
    """Return a network and its classes.

    Args:
        place: The folder of a run, or the name of a network that comes with the book.

    Returns:
        `(model, classes)`.

    Raises:
        ValueError: If there is neither, or a file of the run is missing or damaged.
    """
    folder = find_network(place)
    if isinstance(folder, str):
        return load_pretrained(folder), PETS
    listed = read_class_list(folder)
    if listed is None:
        raise ValueError(f"{folder / 'classes.csv'} is missing. Train again.")
    try:
        return keras.saving.load_model(folder / MODEL, compile=False), listed.classes
    except Exception as error:  # Keras raises nearly anything on broken files
        raise ValueError(
            f"{folder / MODEL} cannot be read ({shorten(error)}). Train again."
        ) from error


def score_split(model, batches, classes):
    """Score a network on a split.

    Args:
        model: The network.
        batches: What `make_dataset` returns.
        classes: Its `Classes`.

    Returns:
        A dictionary that JSON can hold: `mean_iou`, `pixel_accuracy`, and `iou`, from
        the name of each class to its IoU; None for a class that never occurs.
    """
    return summarize(evaluate_masks(model, batches), classes.names)


def score_objects(model, classes, batches, background):
    """Score a network where the masks hold other classes: background, and all else.

    Args:
        model: The network.
        classes: Its `Classes`, with a background.
        batches: What `make_dataset` returns.
        background: The number of the masks' own background.

    Returns:
        As `score_split`, for the classes `background` and `object`.
    """
    matrix = 0
    for images, masks in batches:
        masks = np.asarray(masks)
        truth = np.where(masks < 0, masks, masks != background)
        found = predict_masks(model, images) != classes.background
        matrix += confusion_matrix(truth, found.astype("int32"), 2)
    return summarize(matrix, ("background", "object"))


def summarize(matrix, names):
    """Return the scores of a confusion matrix as a dictionary that JSON can hold."""
    each = [None if np.isnan(iou) else float(iou) for iou in iou_per_class(matrix)]
    return {
        "mean_iou": float(mean_iou(matrix)),
        "pixel_accuracy": float(pixel_accuracy(matrix)),
        "iou": dict(zip(names, each, strict=True)),
    }


def write_scores(folder, scores):
    """Write the scores of each split as `scores.json`."""
    write_json(folder / "scores.json", scores)


def list_scores(scores):
    """Return the lines that show the scores of one split."""
    lines = [
        f"mean IoU {scores['mean_iou']:.3f}, accuracy {scores['pixel_accuracy']:.3f}"
    ]
    width = max(map(len, scores["iou"]))
    for name, iou in scores["iou"].items():
        lines.append(f"  {name:{width}} {NOWHERE if iou is None else f'{iou:.3f}'}")
    return lines


def draw_best_and_worst(model, pairs, classes, batch_size):
    """Draw the pictures on which a network does best, then those where it does worst.

    Args:
        model: The network.
        pairs: What `cache_pairs` returns.
        classes: Its `Classes`.
        batch_size: Pictures predicted at a time.

    Returns:
        A Matplotlib figure: pictures, masks, predicted masks.
    """
    batches = make_dataset(pairs, batch_size)
    scores = [mean_iou(matrix) for matrix in evaluate_pictures(model, batches)]
    order = np.argsort(-np.nan_to_num(scores))
    if len(order) > 2 * SHOWN:
        order = [*order[:SHOWN], *order[-SHOWN:]]
    examples = enumerate(batches.unbatch().as_numpy_iterator())
    kept = {place: pair for place, pair in examples if place in order}
    images, masks = (np.stack([kept[place][k] for place in order]) for k in (0, 1))
    titles = [f"IoU {scores[i]:.2f}" for i in order]
    axes = plot_examples(images, masks, predict_masks(model, images), titles, classes)
    return axes.flat[0].figure
