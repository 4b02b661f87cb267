"""Train the net that the book ships, and write its weights and their card.

`python -m experiments.weights` (`make weights`) goes on where it was stopped and
writes `book/unetbook/weights/drawn.npz` and `drawn.json`; `--trial` trains one tiny net
for one epoch and writes nothing.
"""

import argparse
import os
import sys
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from experiments.quick import describe_drawn, score_test, train_as_chapter_7, trial
from unetbook.config import TIERS, describe, runs_dir
from unetbook.pretrained import save_pretrained

EPOCHS = 40  # the quick tier takes 9
AUGMENTATION = ("flip", "crop", "colour")


def round_weights(model):
    """Round a model's weights to float16, so that its scores are those of the file."""
    for weight in model.weights:
        half = keras.ops.convert_to_numpy(weight).astype("float16")
        weight.assign(half.astype("float32"))


def make_card(config, scores):
    """Return what a reader should know about the weights before using them."""
    return {
        "filters": config.filters,
        "image_size": config.image_size,
        "data": describe_drawn(),
        "licence": "MIT, like the code: the pictures it learnt from are drawn by it.",
        "recipe": {
            "made_by": "python -m experiments.weights",
            "where": describe(config),
            "epochs": config.epochs,
            "batch_size": config.batch_size,
            "learning_rate": config.learning_rate,
            "augmentation": config.augmentation,
            "dropout_rate": config.dropout_rate,
            "seed": config.seed,
        },
        "scores": scores,
        "limits": "Trained on drawn cats and dogs alone. It has never seen a "
        "photograph, another animal or two pets in one picture; on those its masks "
        "mean little.",
    }


def main(arguments):
    """Train, score the rounded weights on the test split, and save them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trial", action="store_true", help="one tiny run, no file")
    options = parser.parse_args(arguments)
    config = replace(TIERS["quick"], data="drawn", epochs=EPOCHS)
    config = replace(config, augmentation=AUGMENTATION)
    if options.trial:
        config = trial(config)
    run_dir = runs_dir() / f"weights-drawn-{describe_drawn()['hash']}"
    model, _, pets = train_as_chapter_7(config, None if options.trial else run_dir)
    round_weights(model)
    scores = score_test(model, pets, config)
    print(f"test mean IoU {scores['class']['mean_iou']:.3f}")
    if not options.trial:
        card = save_pretrained(model, "drawn", make_card(config, scores))
        print(f"weights/drawn.npz: {card['bytes']:,} bytes, sha256 {card['sha256']}")


if __name__ == "__main__":
    main(sys.argv[1:])
