"""The introduction's worked example and its tables say what the code says."""

import re

import keras
import numpy as np
import pytest

from tests.paths import BOOK
from unetbook.config import CLASS_NAMES, TIERS
from unetbook.metrics import confusion_matrix, iou_per_class, mean_iou, pixel_accuracy

TEXT = (BOOK / "intro.md").read_text(encoding="utf-8").replace("\u00a0", " ")
PIXELS = ("top left", "top right", "bottom left", "bottom right")


def rows(first_cells):
    """Return the cells of the table rows that start with one of `first_cells`."""
    lines = [line.strip("| ").split(" | ") for line in TEXT.splitlines()]
    return [cells for cells in lines if cells[0] in first_cells and len(cells) > 2]


def numbers(cell):
    """Return the numbers in one cell of a table."""
    return [float(number) for number in re.findall(r"[\d.]+", cell)]


def test_the_worked_example_is_what_keras_computes():
    table = rows(PIXELS)
    logits = np.array([numbers(cells[1]) for cells in table])
    truth = np.array([CLASS_NAMES.index(cells[4]) for cells in table])
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    loss = keras.ops.convert_to_numpy(
        keras.losses.sparse_categorical_crossentropy(truth, logits, from_logits=True)
    )
    argmax = [CLASS_NAMES[k] for k in probabilities.argmax(axis=1)]
    assert len(table) == 4
    for row, cells in enumerate(table):
        assert numbers(cells[2]) == pytest.approx(probabilities[row], abs=5e-4)
        assert cells[3] == argmax[row]
        assert numbers(cells[5]) == pytest.approx([loss[row]], abs=5e-4)
    assert f"**{loss.mean():.3f}**" in TEXT
    assert loss[3] > loss.sum() / 2


def test_the_scores_of_the_worked_example_are_the_packages():
    matrix = confusion_matrix(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1]))
    assert list(iou_per_class(matrix)) == [1, 0.5, 0.5]
    assert f"**{mean_iou(matrix):.3f}**" in TEXT
    assert f"accuracy of {pixel_accuracy(matrix)}" in TEXT


def test_the_class_table_is_the_packages():
    named = {int(code): name for code, name, _ in rows("012")}
    assert named == dict(enumerate(CLASS_NAMES))


def test_the_tier_table_is_the_packages():
    table = {cells[0].strip("`"): cells for cells in rows([f"`{n}`" for n in TIERS])}
    assert set(table) == set(TIERS)
    for name, config in TIERS.items():
        assert numbers(table[name][1]) == list(config.filters)
        assert table[name][2] == str(config.epochs)
