"""What `experiments/` measured on the photographs, as the chapters read it."""

import json
from pathlib import Path

import numpy as np

from unetbook.metrics import score_border

MEASURED_DIR = Path(__file__).parent / "measured"


def read_measured(name, folder=None):
    """Read one file of results.

    Args:
        name: Name of the file without `.json`.
        folder: Where to look; None for the book's own `measured/`.

    Returns:
        A dictionary.

    Raises:
        ValueError: If there is no such file, or it is no JSON.
    """
    file = Path(folder or MEASURED_DIR) / f"{name}.json"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in file.parent.glob("*.json")))
        raise ValueError(f"name={name!r}: the results there are: {there or 'none'}.")
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(
            f"{file} cannot be read ({error}). Take it from the repository, or measure "
            "again with `python -m experiments run`."
        ) from error


def read_runs(recipe, folder=None):
    """Read every run of a recipe, in the order of the seeds.

    Args:
        recipe: Name of a recipe, such as `"course"`.
        folder: As in `read_measured`.

    Returns:
        A list of dictionaries, empty if nothing was measured.
    """
    files = Path(folder or MEASURED_DIR).glob(f"{recipe}-*.json")
    names = [file.stem for file in files if file.stem[len(recipe) + 1 :].isdigit()]
    runs = [read_measured(name, folder) for name in names]
    return sorted(runs, key=lambda run: run["seed"])


def score_runs(runs, border="class", split="test"):
    """Score the confusion matrices of several runs.

    Args:
        runs: What `read_runs` returns, at least one.
        border: As in `score_border`.
        split: `"test"`, `"validation"` or `"test_with_flips"`.

    Returns:
        A dictionary of float64 arrays, one row a run: `mean_iou` and `pixel_accuracy`
        `(runs,)`, `iou` `(runs, classes)`.

    Raises:
        ValueError: If there are no runs.
    """
    if not runs:
        raise ValueError("runs is empty: this recipe has not been measured.")
    scores = [score_border(run[split]["matrix"], border) for run in runs]
    keys = ("mean_iou", "pixel_accuracy", "iou")
    return {key: np.array([score[key] for score in scores]) for key in keys}


def spread(values):
    """Return the mean and the standard deviation over runs; nan for a single run.

    Args:
        values: float `(runs,)`.

    Returns:
        `(mean, deviation)`, the latter with `runs - 1` in the denominator.
    """
    values = np.asarray(values, dtype="float64")
    deviation = values.std(ddof=1) if len(values) > 1 else float("nan")
    return float(values.mean()), float(deviation)
