"""What `experiments/` measured, as the chapters read it."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unetbook.metrics import score_border

MEASURED_DIR = Path(__file__).parent / "measured"
RINGS = (1, 2, 4, 8, 16)  # distances from the true border in pixels
# Until version 0.1.0 two networks had the name "course".
OLD_RECIPES = {"course-longer": "large"}
OLD_WEIGHTS = {"course": "large"}
TIER_RECIPES = {"standard": "course", "full": "course-long"}


def check_renamed(name, renamed):
    """Raise a `ValueError` that gives the new name of what was once called `name`.

    Args:
        name: What somebody asks for.
        renamed: A dictionary from old names to new ones.

    Returns:
        The name, if it is no old one.
    """
    if name in renamed:
        raise ValueError(
            f"name={name!r} is an old name. Since version 0.2.0 this network is called "
            f"{renamed[name]!r}."
        )
    return name


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
        recipe: Name of a recipe, such as `"large"`.
        folder: As in `read_measured`.

    Returns:
        A list of dictionaries, empty if nothing was measured.

    Raises:
        ValueError: If the recipe has another name now.
    """
    check_renamed(recipe, OLD_RECIPES)
    files = Path(folder or MEASURED_DIR).glob(f"{recipe}-*.json")
    names = [file.stem for file in files if file.stem[len(recipe) + 1 :].isdigit()]
    runs = [read_measured(name, folder) for name in names]
    return sorted(runs, key=lambda run: run["seed"])


def list_recipes(folder=None):
    """Return the names of the recipes that were measured at least once, sorted.

    Args:
        folder: As in `read_measured`.
    """
    files = Path(folder or MEASURED_DIR).glob("*-*.json")
    parts = [file.stem.rpartition("-") for file in files]
    return sorted({name for name, _, seed in parts if seed.isdigit()})


def read_expected(config, folder=None):
    """Read the validation mean IoUs that finished runs of a tier ended with.

    Args:
        config: A `Config`; its tier and its data are looked up.
        folder: As in `read_measured`.

    Returns:
        A list with one number a seed, empty if this tier was not measured on these
        pictures: quick was on the drawn pets, the others were on the photographs.

    Raises:
        ValueError: If a file of results is missing or damaged, as in `read_measured`.
    """
    if (config.tier, config.data) == ("quick", "drawn"):
        runs = read_measured("quick_drawn", folder)["runs"]
        return [run["val_mean_iou"] for run in runs]
    if config.tier in TIER_RECIPES and config.data == "oxford":
        runs = read_runs(TIER_RECIPES[config.tier], folder)
        return [run["history"]["val_mean_iou"][-1] for run in runs]
    return []


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


def seed_and_precision(run):
    """Return what two runs must share to be compared: the seed and the precision."""
    return run["seed"], run["where"]["precision"]


def compare_runs(runs, others, key="mean_iou", split="validation"):
    """Subtract from each run's score that of another recipe with the same seed.

    Runs of one seed met the same pictures in the same order, so that a part of what
    chance did is the same in both. They must share their precision, too.

    Args:
        runs: What `read_runs` returns.
        others: Runs of the recipe to compare with.
        key: `"mean_iou"`, `"pixel_accuracy"` or `"iou"`, as in `score_runs`.
        split: As in `score_runs`; test is no place to choose by.

    Returns:
        float64 `(seeds,)`, for `"iou"` `(seeds, classes)`: one row a seed of both.

    Raises:
        ValueError: If the two have no seed and precision in common.
    """
    by_pair = {seed_and_precision(run): run for run in others}
    runs = [run for run in runs if seed_and_precision(run) in by_pair]
    if not runs:
        raise ValueError(
            "runs and others have no seed and precision in common; others has "
            f"{sorted(by_pair)}. Measure both with one seed and one --precision."
        )
    others = [by_pair[seed_and_precision(run)] for run in runs]
    scores, others = (score_runs(r, split=split)[key] for r in (runs, others))
    return scores - others


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


def format_spread(values):
    """Write `0.712` for one run, `0.712 ± 0.003` for several."""
    mean, deviation = spread(values)
    return f"{mean:.3f}" if len(values) == 1 else f"{mean:.3f} ± {deviation:.3f}"


class PictureScores(NamedTuple):
    """What every test photograph is, and how a shipped network did on it.

    Attributes:
        file_names: Strings `(pictures,)`.
        species: uint8 `(pictures,)`, 0 cat, 1 dog.
        labels: uint8 `(pictures,)`, the breed's position in `breeds`.
        breeds: Strings `(37,)`.
        matrices: int64 `(pictures, 3, 3)`; rows are the truth.
        ring_pixels: int64 `(len(RINGS) + 1,)`, pixels of the whole split by their
            distance from the true border: in it, closer than each of `RINGS`, more.
        ring_errors: int64, those among them that are wrong.
        confidence: int64 `(CONFIDENCE_BINS, 2)`, the pixels of the whole split by their
            largest probability: wrong ones and right ones, as `count_confidence` does.
    """

    file_names: np.ndarray
    species: np.ndarray
    labels: np.ndarray
    breeds: np.ndarray
    matrices: np.ndarray
    ring_pixels: np.ndarray
    ring_errors: np.ndarray
    confidence: np.ndarray


def read_pictures(name, folder=None):
    """Read what a shipped network scored on every test photograph.

    Args:
        name: Name of the weights, such as `"large"`.
        folder: As in `read_measured`.

    Returns:
        `PictureScores`.

    Raises:
        ValueError: If there is no such file, or the weights have another name now.
    """
    check_renamed(name, OLD_WEIGHTS)
    command = f"python -m experiments pictures {name}"
    values = read_arrays(name, PictureScores._fields, command, folder)
    return PictureScores(**values)._replace(matrices=values["matrices"].astype("int64"))


def read_arrays(name, fields, command, folder):
    """Read arrays of `NAME_pictures.npz`, or tell the command that writes the file."""
    file = Path(folder or MEASURED_DIR) / f"{name}_pictures.npz"
    if not file.is_file():
        raise ValueError(
            f"name={name!r}: {file} is missing. `{command}` writes it, or take it from "
            "the repository."
        )
    with np.load(file, allow_pickle=False) as arrays:
        return {field: arrays[field] for field in fields}


def read_cuts(folder=None):
    """Read what `python -m experiments run skips` measured with skip connections cut.

    Args:
        folder: As in `read_measured`.

    Returns:
        `(measured, arrays)`: the scores, and `images` uint8 `(pictures, H, W, 3)`,
        `masks` `(pictures, H, W)` and `pred_masks` `(nets, pictures, H, W)`.

    Raises:
        ValueError: If there is no such file.
    """
    measured = read_measured("skips", folder)
    fields = ("images", "masks", "pred_masks")
    return measured, read_arrays("skips", fields, "make skips", folder)
