"""Count what a shipped network makes of every test photograph, picture by picture.

`python -m experiments pictures NAME` writes `measured/NAME_pictures.npz` from the
weights that ship, without a training, and puts their score on the card. `ship` writes
the file too.
"""

import numpy as np
from keras import ops
from scipy import ndimage

from experiments.measuring import SCORE_BATCH, describe_score, mean_cross_entropy
from unetbook.cards import WEIGHTS_DIR, read_card
from unetbook.data import cache_pairs, load_pets, make_dataset
from unetbook.files import write_json, write_whole
from unetbook.metrics import confusion_matrix, count_confidence, mean_iou
from unetbook.pretrained import load_pretrained
from unetbook.results import MEASURED_DIR, RINGS


def describe_pictures(pets):
    """Return what each test picture is: arrays of names, species and breeds."""
    examples = [
        (example["file_name"].decode(), example["species"], example["label"])
        for example in pets.test.as_numpy_iterator()
    ]
    file_names, species, labels = zip(*examples, strict=True)
    return {
        "file_names": np.array(file_names),
        "species": np.array(species, "uint8"),
        "labels": np.array(labels, "uint8"),
        "breeds": np.array(pets.breeds),
    }


def count_pictures(model, batches):
    """Count a network's right and wrong pixels in several ways.

    Args:
        model: A model from images to probabilities.
        batches: Batches of `(images, masks)`, in the order of the pictures.

    Returns:
        A dictionary of `matrices`, `ring_pixels`, `ring_errors` and `confidence`, as in
        `unetbook.results.PictureScores`.
    """
    matrices, rings, confidence = [], [], []
    for images, masks in batches:
        masks = ops.convert_to_numpy(masks)
        probabilities = model.predict(images, batch_size=16, verbose=0)
        confidence.append(count_confidence(masks, probabilities))
        for mask, pred_mask in zip(masks, probabilities.argmax(axis=-1), strict=True):
            matrices.append(confusion_matrix(mask, pred_mask))
            rings.append(count_rings(mask, pred_mask))
    ring_pixels, ring_errors = np.sum(rings, axis=0)
    return {
        "matrices": np.array(matrices, "uint16"),
        "ring_pixels": ring_pixels,
        "ring_errors": ring_errors,
        "confidence": np.sum(confidence, axis=0),
    }


def count_rings(mask, pred_mask):
    """Count a picture's pixels and errors by their distance from the true border.

    Returns:
        int64 `(2, len(RINGS) + 1)`, pixels and errors: in the border, then up to each
        of the distances in `RINGS`, then farther. Zeros for a picture without a border.
    """
    if not (mask == 2).any():
        return np.zeros((2, len(RINGS) + 1), "int64")
    distance = ndimage.distance_transform_edt(mask != 2)
    ring = np.digitize(distance, RINGS)
    chosen = (ring.ravel(), ring[mask != pred_mask])
    return np.stack([np.bincount(c, minlength=len(RINGS) + 1) for c in chosen])


def score_photographs(name, model, image_size):
    """Write what each test picture is and what it scored to `measured/`.

    Returns:
        The score of the whole test split, as a card holds it.
    """
    pets = load_pets("oxford")
    batches = make_dataset(cache_pairs(pets.test, image_size), SCORE_BATCH)
    arrays = {
        "made_by": f"python -m experiments pictures {name}",
        **describe_pictures(pets),
        **count_pictures(model, batches),
    }
    file = MEASURED_DIR / f"{name}_pictures.npz"
    write_whole(file, lambda path: np.savez_compressed(path, **arrays))
    return describe_score(arrays["matrices"], mean_cross_entropy(model, batches))


def score_again(name):
    """Count what a shipped network makes of the photographs, and score its card anew.

    Of 60 million pixels another processor decides a few otherwise; file and card are
    of one machine.
    """
    model, card = load_pretrained(name), read_card(name)
    card["scores"]["test"] = score_photographs(name, model, card["image_size"])
    write_json(WEIGHTS_DIR / f"{name}.json", card)
    return card


def main(options):
    """Count and score the shipped networks asked for once more."""
    for name in options.names:
        matrix = score_again(name)["scores"]["test"]["matrix"]
        print(f"measured/{name}_pictures.npz: mean IoU {mean_iou(matrix):.4f}")
