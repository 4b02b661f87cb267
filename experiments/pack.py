"""Pack runs for a machine with JAX alone: no TensorFlow, no data set, no network.

`python -m experiments pack RECIPE --seed N --folder F` writes what TensorFlow decides:
into `F/RECIPE-N.npz` the initial weights, and of every epoch the order and the draws
of the augmentation; into a folder beside it the pictures, compressed without loss, in
parts. There, `python -m experiments.packed` trains.
"""

import dataclasses
import io
import json

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from experiments.recipes import RECIPES, trial
from experiments.run import (
    arrange_pairs,
    load_pairs,
    start_network,
    training_epochs,
)
from unetbook.data import draw_augmentation
from unetbook.files import write_json, write_whole

PART_BYTES = 26 * 2**20  # where 64 MiB travel at a time, the repository among them
# Larger networks begin with weights that JAX draws: the article's are 138 MB a seed.
LARGEST_WEIGHTS = 16 * 2**20


def number_pairs(count):
    """Return pairs whose trimaps tell, after any shuffle and flip, which pair it was.

    Args:
        count: How many.

    Returns:
        A `tf.data.Dataset` of blank images and trimaps `(1, 2)`: the pair's number
        plus 1 on the left, 0 on the right.
    """

    def make_pair(number):
        trimap = tf.stack([tf.cast(number, tf.int32) + 1, 0])[None]
        return tf.zeros((1, 2, 3), tf.uint8), trimap

    return tf.data.Dataset.range(count).map(make_pair)


def record_epoch(train_ds, recipe, seed, epoch):
    """Record what one epoch shows.

    Args:
        train_ds: From an epoch to the batches of `number_pairs`, not augmented.
        recipe: The `Recipe`.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.

    Returns:
        A dictionary of arrays, one row a picture in the order of the epoch: `order`,
        its number; `flip`, whether it is mirrored in the end; and the other draws of
        `draw_augmentation`.
    """
    rows = []
    for index, (_, masks) in enumerate(train_ds(epoch).as_numpy_iterator()):
        draws = draw_augmentation(len(masks), recipe.augmentation, seed, epoch, index)
        row = {name: draw.numpy() for name, draw in draws.items()}
        frozen = masks[:, 0, 0] < 0  # mirrored before the cache
        row["flip"] = frozen ^ row.get("flip", False)
        rows.append(row | {"order": masks.max(axis=(1, 2)).astype("uint16")})
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def record_epochs(recipe, seed, count):
    """Stack what `record_epoch` returns, one row an epoch, of `count` pictures."""
    plain = dataclasses.replace(recipe, augmentation=())
    pairs = arrange_pairs(number_pairs(count), recipe, seed)
    train_ds = training_epochs(pairs, plain, seed)
    epochs = [
        record_epoch(train_ds, recipe, seed, epoch) for epoch in range(recipe.epochs)
    ]
    return {name: np.stack([epoch[name] for epoch in epochs]) for name in epochs[0]}


def initial_weights(recipe, seed, pairs):
    """Return the weights that chance decided, by their number; none if too large.

    The others (zeros, ones, a pretrained encoder) are the same with every seed.
    """
    other = start_network(recipe, seed + 1, pairs, "float32").get_weights()
    ours = start_network(recipe, seed, pairs, "float32").get_weights()
    drawn = {
        f"weight {number}": weight
        for number, (weight, same) in enumerate(zip(ours, other, strict=True))
        if not np.array_equal(weight, same)
    }
    size = sum(weight.nbytes for weight in drawn.values())
    return drawn if size <= LARGEST_WEIGHTS else {}


def write_pictures(pairs, folder):
    """Write all pictures with their trimaps, in parts.

    Args:
        pairs: `Pairs`.
        folder: Where they go, into a folder that is named by their hash.

    Returns:
        The name of that folder.
    """
    folder = folder / f"pictures-{pairs.description['sha256'][:12]}"
    if (folder / "description.json").exists():
        return folder.name
    folder.mkdir(parents=True, exist_ok=True)
    files, trimaps, number = [], [], 0
    for split in (pairs.train, pairs.validation, pairs.test):
        for image, trimap in split.as_numpy_iterator():
            files.append(compress(image))
            trimaps.append(trimap)
            if sum(map(len, files)) > PART_BYTES:
                write_part(folder, number, files, trimaps)
                files, trimaps, number = [], [], number + 1
    write_part(folder, number, files, trimaps)
    write_json(folder / "description.json", pairs.description)
    return folder.name


def compress(image):
    """Return uint8 `(height, width, 3)` as a WebP file that loses nothing."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "WEBP", lossless=True)
    return file.getvalue()


def write_part(folder, number, files, trimaps):
    """Write compressed pictures, one behind the other, their sizes and trimaps."""
    arrays = {
        "pictures": np.frombuffer(b"".join(files), "uint8"),
        "sizes": np.array([len(file) for file in files], "int64"),
        "trimaps": np.array(trimaps, "uint8"),
    }
    path = folder / f"part-{number:02}.npz"
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))


def pack_run(recipe, name, seed, folder):
    """Write the file of one run, and its pictures unless they are there.

    Returns:
        The path of the file.
    """
    if recipe.after:
        raise SystemExit(
            f"{name} goes on from {recipe.after}, which is not trained yet. Pack a "
            "recipe that begins anew."
        )
    pairs = load_pairs(recipe, seed)
    pictures = write_pictures(pairs, folder)
    weights = initial_weights(recipe, seed, pairs)
    keras.utils.set_random_seed(seed)  # TensorFlow mixes it into the orders
    epochs = record_epochs(recipe, seed, pairs.description["train"])
    facts = {"recipe": dataclasses.asdict(recipe), "name": name, "seed": seed}
    facts = json.dumps(facts | {"pictures": pictures})
    path = folder / f"{name}-{seed}.npz"
    arrays = {"facts": facts, **epochs, **weights}
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))
    return path


def main(options):
    """Pack every recipe asked for with every seed asked for."""
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        for seed in options.seed or [0]:
            recipe = trial(RECIPES[name]) if options.trial else RECIPES[name]
            path = pack_run(recipe, name, seed, options.folder)
            print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB", flush=True)
