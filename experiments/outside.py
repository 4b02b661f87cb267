"""Score the shipped networks on pets outside their data set, and fine-tune on those.

`python -m experiments outside FOLDER --name NAME` writes `measured/outside.json`. The
folder is one that `load_pictures` reads; all its classes but the background are one,
the animal, and so are the networks' pet and border. All scores are of the test split:
"plain" sees copies of the network's size, as those of the book's own test split are;
"whole" and "both" see the pictures themselves, "both" with flip and second look.
"""

import tempfile
from argparse import Namespace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from experiments.looks import LOOKS
from unetbook.classes import PETS, Classes, choose_colours
from unetbook.commands import begin_model, train_network
from unetbook.data import cache_pairs, load_pictures
from unetbook.files import write_json
from unetbook.metrics import confusion_matrix, iou_per_class
from unetbook.prediction import segment_picture
from unetbook.pretrained import load_pretrained
from unetbook.results import MEASURED_DIR, read_runs, score_runs

NETWORKS = ("tiny", "large", "pretrained")
FINE_TUNED = ("large", "pretrained")
ANIMAL = Classes(("background", "animal"), tuple(choose_colours(2, 0)), 0)
BATCH_SIZE = 8
SPLITS = ("train", "validation", "test")


def merge_animals(pairs, background):
    """Number raw masks anew: 0 void, 1 background, 2 for every other class."""

    def merge(image, raw):
        merged = tf.where(raw == background + 1, 1, 2)
        return image, tf.cast(tf.where(raw == 0, 0, merged), tf.uint8)

    return pairs.map(merge)


def take_whole(examples):
    """Return pictures and raw masks as they are, not resized."""
    return examples.map(lambda one: (one["image"], one["segmentation_mask"][..., 0]))


def score_animals(model, classes, pairs, options):
    """Score what a network finds that is not background.

    Args:
        model: The network.
        classes: Its `Classes`.
        pairs: What `merge_animals` returns.
        options: Those of `segment_picture`.

    Returns:
        A dictionary: `matrix`, of background and animal; `iou` of the animal over all
        pixels; `picture_iou`, its mean over the pictures that hold or get one.
    """
    matrices = []
    for image, raw in pairs.as_numpy_iterator():
        found, _ = segment_picture(model, image, classes=classes, **options)
        found = (found != classes.background).astype("int32")
        matrices.append(confusion_matrix(raw.astype("int32") - 1, found, 2))
    each = np.array([iou_per_class(matrix)[1] for matrix in matrices])
    matrix = np.sum(matrices, axis=0)
    return {
        "matrix": matrix.tolist(),
        "iou": round(float(iou_per_class(matrix)[1]), 5),
        "picture_iou": round(float(np.nanmean(each)), 5),
    }


def score_ways(model, classes, examples, background):
    """Score a network on a split, seen in three ways."""
    size = model.input_shape[1]
    copies = merge_animals(cache_pairs(examples, size), background)
    whole = merge_animals(take_whole(examples), background)
    ways = {"plain": (copies, {}), "whole": (whole, {}), "both": (whole, LOOKS["both"])}
    return {
        way: score_animals(model, classes, pairs, options)
        for way, (pairs, options) in ways.items()
    }


def score_at_home(name):
    """Return the pet's IoU, border merged, on the book's own test split; or None."""
    runs = read_runs(name)
    return round(float(score_runs(runs, "merged")["iou"][0, 0]), 5) if runs else None


def fine_tune(name, pictures, epochs, seed):
    """Train a shipped network on, and score its best epoch on the test split."""
    keras.utils.set_random_seed(seed)
    model, background = begin_model(name, None, 2), pictures.classes.background
    size = model.input_shape[1]
    pairs = [merge_animals(cache_pairs(s, size), background) for s in pictures[:2]]
    options = Namespace(start=name, epochs=epochs, batch=BATCH_SIZE, seed=seed)
    with tempfile.TemporaryDirectory() as run:
        history = train_network(model, pairs, options, Path(run))
    scores = score_ways(model, ANIMAL, pictures.test, background)
    return {"history": history, **scores}


def measure_outside(pictures, name, epochs, seed):
    """Return what `measured/outside.json` holds.

    Args:
        pictures: What `load_pictures` returns.
        name: What the set of pictures is called.
        epochs: Passes over the training pictures; 0 trains nothing.
        seed: Of the training.
    """
    background = pictures.classes.background
    if background is None:
        raise SystemExit(f"{name} has no class called background: name one.")
    networks = {}
    for network in NETWORKS:
        model = load_pretrained(network)
        networks[network] = {"home": score_at_home(network)}
        networks[network] |= score_ways(model, PETS, pictures.test, background)
    tuned = FINE_TUNED if epochs else ()
    return {
        "made_by": "python -m experiments outside",
        "name": name,
        "classes": pictures.classes.names,
        "pictures": {split: len(getattr(pictures, split)) for split in SPLITS},
        "networks": networks,
        "fine_tuned": {one: fine_tune(one, pictures, epochs, seed) for one in tuned},
        "epochs": epochs,
        "seed": seed,
    }


def print_scores(measured):
    """Print the IoU of the animal, pixels first, then the mean over pictures."""
    for group in ("networks", "fine_tuned"):
        for name, scores in measured[group].items():
            for way in ("plain", "whole", "both"):
                iou, each = scores[way]["iou"], scores[way]["picture_iou"]
                print(f"{group:10} {name:10} {way:6} {iou:.4f}  pictures {each:.4f}")


def main(options):
    """Load the folder, score and fine-tune, write the file and say what came out."""
    pictures = load_pictures(options.pictures)
    measured = measure_outside(pictures, options.name, options.epochs, options.seed)
    write_json((options.folder or MEASURED_DIR) / "outside.json", measured, indent=1)
    print_scores(measured)
