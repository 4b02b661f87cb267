"""Score the networks for pets on other pictures of animals, and fine-tune them there.

`python -m experiments outside PICTURES --name NAME` writes `measured/outside.json`. The
folder is anything that `load_pictures` reads and that names a background; all else in
it counts as animal. A network's pet and border count as animal too. The book's numbers
come from 101 test photographs of free-roaming cats, a public data set:
universe.roboflow.com/paul-cashman-mxgwb/feral-cat-segmentation
"""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from unetbook.classes import PETS
from unetbook.commands import begin_model, fit_model
from unetbook.data import cache_pairs, load_pictures
from unetbook.files import write_json
from unetbook.metrics import confusion_matrix, iou_per_class, score_border
from unetbook.prediction import segment_picture
from unetbook.pretrained import load_pretrained
from unetbook.results import MEASURED_DIR, read_pictures

NETWORKS = ("tiny", "large", "pretrained")
FINE_TUNED = ("large", "pretrained")
LOOKS = {"plain": {}, "both": {"look_twice": True, "flip": True}}
SPLITS = ("train", "validation", "test")
BATCH, SEED = 16, 0


def score_animals(model, split, classes, background, options):
    """Score a network on pictures at their own size.

    Args:
        model: A network.
        split: Pictures with raw masks, as `load_pictures` returns them.
        classes: The `Classes` of the network.
        background: Position of the background in the masks' classes.
        options: Of `segment_picture`.

    Returns:
        The IoU of what is not background, all pixels of all pictures together.
    """
    counts = np.zeros((2, 2), "int64")
    for example in split.as_numpy_iterator():
        raw = example["segmentation_mask"][..., 0].astype("int32")
        truth = np.where(raw == 0, -1, raw != background + 1)  # -1: not annotated
        mask, _ = segment_picture(model, example["image"], classes=classes, **options)
        counts += confusion_matrix(truth, (mask != classes.background) * 1, 2)
    return round(float(iou_per_class(counts)[1]), 5)


def score_own(name):
    """Return the same score on the network's own test photographs."""
    matrix = read_pictures(name).matrices.sum(axis=0)
    return round(float(score_border(matrix, "merged")["iou"][0]), 5)


def fine_tune(start, pictures, epochs):
    """Return a network for pets after some epochs on other pictures."""
    model = begin_model(start, None, len(pictures.classes.names))
    size = model.input_shape[1]
    pairs = [cache_pairs(split, size) for split in pictures[:2]]
    options = SimpleNamespace(start=start, epochs=epochs, batch=BATCH, seed=SEED)
    with tempfile.TemporaryDirectory() as run:
        fit_model(model, pairs, Path(run), options, {})
    return model


def measure_outside(pictures, name, epochs, networks=NETWORKS, tuned=FINE_TUNED):
    """Return what `measured/outside.json` holds."""
    background = pictures.classes.background
    if background is None:
        raise SystemExit("These pictures name no background: nothing can be compared.")
    measured = {
        "made_by": "python -m experiments outside",
        "name": name,
        "pictures": {split: len(getattr(pictures, split)) for split in SPLITS},
        "epochs": epochs,
        "seed": SEED,
        "networks": {},
        "fine_tuned": {},
    }
    for network in networks:
        model = load_pretrained(network)
        scores = {
            look: score_animals(model, pictures.test, PETS, background, options)
            for look, options in LOOKS.items()
        }
        measured["networks"][network] = scores | {"own test split": score_own(network)}
        print(network, measured["networks"][network], flush=True)
    for network in tuned if epochs else ():
        model = fine_tune(network, pictures, epochs)
        measured["fine_tuned"][network] = {
            look: score_animals(
                model, pictures.test, pictures.classes, background, options
            )
            for look, options in LOOKS.items()
        }
        print(network, "fine-tuned", measured["fine_tuned"][network], flush=True)
    return measured


def main(options):
    """Score the shipped networks, fine-tune two, and write the file."""
    pictures = load_pictures(options.pictures)
    measured = measure_outside(pictures, options.name, options.epochs)
    write_json((options.folder or MEASURED_DIR) / "outside.json", measured, indent=1)
