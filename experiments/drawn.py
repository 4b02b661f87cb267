"""Write what was measured on the drawn pets, several runs to a file.

`quick_drawn.json` holds the seeds of the quick tier. `skips.json` holds the scores of
the nets with skips cut, and `skips_pictures.npz` three pets with every net's masks, for
the network explorer of chapter 6.
"""

import dataclasses

import keras
import numpy as np

from unetbook.config import CLASS_NAMES, TIERS, describe
from unetbook.data import cache_pairs, load_pets, make_dataset
from unetbook.files import write_json, write_whole
from unetbook.metrics import BORDER_POLICIES, score_border
from unetbook.prediction import predict_masks
from unetbook.sources.drawn.dataset import hash_drawings

PICTURES = 3  # of the drawn test split, the first ones


def describe_drawn():
    """Return what identifies the drawn pets: their name and a hash."""
    return {"name": "drawn", "hash": hash_drawings(), "classes": CLASS_NAMES}


def to_config(settings, seed):
    """Return the chapters' `Config` with a recipe's settings, given as a dictionary."""
    names = settings.keys() & vars(TIERS["quick"]).keys()
    shared = {name: settings[name] for name in names}
    return dataclasses.replace(TIERS["quick"], seed=seed, **shared)


def score_borders(matrix, pictures):
    """Score a test split's confusion matrix with the border counted in three ways.

    Returns:
        A dictionary that JSON can hold: `pictures`, `matrix` (rows are the truth), and
        for each way of counting `mean_iou`, `pixel_accuracy` and `iou` by class.
    """
    scores = {"pictures": pictures, "matrix": np.asarray(matrix).tolist()}
    for border in BORDER_POLICIES:
        score = score_border(matrix, border)
        iou = zip(score["class_names"], score["iou"], strict=True)
        scores[border] = {
            "mean_iou": round(score["mean_iou"], 4),
            "pixel_accuracy": round(score["pixel_accuracy"], 4),
            "iou": {name: round(float(value), 4) for name, value in iou},
        }
    return scores


def describe_group(name, measured):
    """Return what a file says of all its runs, from the first one of them."""
    config = to_config(measured["settings"], measured["seed"])
    return {
        "made_by": f"python -m experiments run {name}",
        "where": describe(config),
        "data": describe_drawn(),
        "config": dataclasses.asdict(config),
    }


def write_quick(runs, folder):
    """Write the quick tier's scores, seed by seed.

    Args:
        runs: What `experiments.run.measure` returns, for each run.
        folder: Where the file goes.
    """
    runs = [measured for measured, _ in runs]
    entries = [
        {
            "seed": run["seed"],
            "seconds": run["seconds"]["training"],
            "val_mean_iou": round(run["history"]["val_mean_iou"][-1], 4),
            **score_borders(run["test"]["matrix"], run["data"]["test"]),
        }
        for run in runs
    ]
    means = [entry["class"]["mean_iou"] for entry in entries]
    spread = {"lowest": min(means), "mean": round(float(np.mean(means)), 4)}
    measured = {
        **describe_group("quick", runs[0]),
        "mean_iou": spread | {"highest": max(means)},
        "seconds": {"longest": max(entry["seconds"] for entry in entries)},
        "runs": entries,
    }
    write_json(folder / "quick_drawn.json", measured)


def write_skips(runs, folder):
    """Write the scores of the nets with skips cut, and what they predict.

    Args:
        runs: What `experiments.run.measure` returns, for each run.
        folder: Where both files go.
    """
    runs = list(runs)
    first = runs[0][0]
    images, masks, file_names = load_pictures(first["settings"]["image_size"])
    pred_masks = [predict_masks(model, images / np.float32(255)) for _, model in runs]
    measured = {
        **describe_group("skips", first),
        "pictures": file_names,
        "nets": [describe_net(measured) for measured, _ in runs],
    }
    arrays = {"images": images, "masks": masks}
    arrays["pred_masks"] = np.stack(pred_masks).astype("uint8")
    write_json(folder / "skips.json", measured)
    file = folder / "skips_pictures.npz"
    write_whole(file, lambda path: np.savez_compressed(path, **arrays))


def describe_net(measured):
    """Return the entry of one net: its name, its cut skips and its scores."""
    scores = score_borders(measured["test"]["matrix"], measured["data"]["test"])
    kept = enumerate(measured["settings"]["use_skips"])
    return {
        "name": measured["recipe"].removeprefix("skips-"),
        "cut": [level for level, use_skip in kept if not use_skip],
        "parameters": measured["parameters"],
        "seconds": measured["seconds"]["training"],
        "test": {key: scores[key] for key in ("pictures", "matrix", "class")},
    }


def load_pictures(image_size):
    """Return the first test pictures and their masks as uint8, with their names."""
    chosen = load_pets("drawn").test.take(PICTURES)
    names = [example["file_name"].decode() for example in chosen.as_numpy_iterator()]
    batch = next(iter(make_dataset(cache_pairs(chosen, image_size), PICTURES)))
    images, masks = map(keras.ops.convert_to_numpy, batch)
    return np.rint(images * 255).astype("uint8"), masks.astype("uint8"), names
