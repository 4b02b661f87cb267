"""Train the quick tier on drawn pets with three seeds and write down its scores.

`python -m experiments.quick` writes `book/unetbook/measured/quick_drawn.json`;
`python -m experiments.quick --trial` trains one tiny net for one epoch and only prints.
"""

import argparse
import dataclasses
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import unetbook
from experiments.run import training_epochs
from unetbook.config import CLASS_NAMES, TIERS, describe
from unetbook.data import cache_pairs, load_pets, make_dataset
from unetbook.files import write_json
from unetbook.metrics import BORDER_POLICIES, score_border
from unetbook.model import build_unet
from unetbook.prediction import evaluate_masks
from unetbook.sources.drawn.dataset import hash_drawings
from unetbook.training import LOSSES, compile_unet, make_optimizer, set_precision, train

SEEDS = (0, 1, 2)
MEASURED = Path(unetbook.__file__).parent / "measured" / "quick_drawn.json"


def train_as_chapter_7(config, run_dir=None, build=build_unet):
    """Train a U-Net by the words of chapter 7.

    Args:
        config: A `Config`.
        run_dir: Where to keep the run, or None.
        build: What makes the network, called as `build_unet` is.

    Returns:
        `(model, history, pets)`.
    """
    keras.utils.set_random_seed(config.seed)
    set_precision(config)
    pets = load_pets(config.data, seed=config.seed)
    train_pairs = cache_pairs(pets.train, config.image_size)
    train_ds = training_epochs(train_pairs, config, config.seed)
    model = build(
        config.image_size, filters=config.filters, dropout_rate=config.dropout_rate
    )
    total_steps = config.epochs * len(train_ds(0))
    optimizer = make_optimizer(config.learning_rate, total_steps)
    compile_unet(model, optimizer, LOSSES[config.loss])
    val_pairs = cache_pairs(pets.validation, config.image_size)
    val_ds = make_dataset(val_pairs, config.batch_size)
    history = train(
        model, train_ds, val_ds, config.epochs, run_dir=run_dir, settings=config
    )
    return model, history, pets


def score_test(model, pets, config):
    """Score a model on the whole test split, the border counted in three ways.

    Returns:
        A dictionary that JSON can hold: `pictures`, `matrix` (rows are the truth), and
        for each way of counting `mean_iou`, `pixel_accuracy` and `iou` by class.
    """
    test_pairs = cache_pairs(pets.test, config.image_size)
    matrix = evaluate_masks(model, make_dataset(test_pairs, config.batch_size))
    scores = {"pictures": len(pets.test), "matrix": matrix.tolist()}
    for border in BORDER_POLICIES:
        score = score_border(matrix, border)
        names = score.pop("class_names")
        iou = dict(zip(names, score.pop("iou"), strict=True))
        scores[border] = {
            name: round(float(value), 4) for name, value in score.items()
        } | {"iou": {name: round(float(value), 4) for name, value in iou.items()}}
    return scores


def trial(config):
    """Return a `Config` that is over in seconds, to try the script."""
    return replace(config, epochs=1, filters=(4, 8), image_size=32)


def measure_seed(config):
    """Train with one seed and return its scores and times."""
    print(f"seed {config.seed}", flush=True)
    model, history, pets = train_as_chapter_7(config)
    scores = score_test(model, pets, config)
    print(f"test mean IoU {scores['class']['mean_iou']:.3f}", flush=True)
    return {
        "seed": config.seed,
        "seconds": round(sum(history["seconds"]), 1),
        "val_mean_iou": round(history["val_mean_iou"][-1], 4),
        **scores,
    }


def describe_drawn():
    """Return what identifies the drawn pets: their name and the hash of their code."""
    return {"name": "drawn", "hash": hash_drawings(), "classes": CLASS_NAMES}


def summarise(config, runs):
    """Return everything that the file holds."""
    means = [run["class"]["mean_iou"] for run in runs]
    return {
        "made_by": "python -m experiments.quick",
        "where": describe(config),
        "data": describe_drawn(),
        "config": dataclasses.asdict(config),
        "mean_iou": {
            "lowest": min(means),
            "mean": round(float(np.mean(means)), 4),
            "highest": max(means),
        },
        "seconds": {"longest": max(run["seconds"] for run in runs)},
        "runs": runs,
    }


def main(arguments):
    """Measure every seed and write the file, or try one and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trial", action="store_true", help="one tiny run, no file")
    options = parser.parse_args(arguments)
    config = replace(TIERS["quick"], data="drawn")
    seeds = SEEDS[:1] if options.trial else SEEDS
    config = trial(config) if options.trial else config
    runs = [measure_seed(replace(config, seed=seed)) for seed in seeds]
    measured = summarise(config, runs)
    if options.trial:
        print(json.dumps(measured, indent=2) + "\n")
        return
    MEASURED.parent.mkdir(exist_ok=True)
    write_json(MEASURED, measured)
    lowest = measured["mean_iou"]["lowest"]
    print(f"worst mean IoU {lowest:.3f}, written to {MEASURED.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
