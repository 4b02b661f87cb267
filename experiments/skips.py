"""Train the quick tier with skip connections cut, and keep what it predicts.

`python -m experiments.skips` writes `book/unetbook/measured/skips.json` (scores) and
`skips_pictures.npz` (three drawn pets with every net's masks) for the network explorer
of chapter 6. `--only CUT` trains one of the nets and writes nothing yet: its run is
kept, and the whole command goes on from there. `--trial` is over in seconds.
"""

import argparse
import dataclasses
import functools
import os
import sys
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

from experiments.quick import describe_drawn, score_test, train_as_chapter_7, trial
from unetbook.blocks import bottleneck, decoder_block, encoder_block
from unetbook.config import TIERS, describe, runs_dir
from unetbook.data import cache_pairs, load_pets, make_dataset
from unetbook.files import write_json, write_whole
from unetbook.prediction import predict_masks
from unetbook.results import MEASURED_DIR

# Which skips are cut, 0 for the topmost; all else is as the quick tier has it.
CUTS = {"none": (), "1": (0,), "2": (1,), "3": (2,), "4": (3,), "all": (0, 1, 2, 3)}
PICTURES = 3  # of the drawn test split, the first ones


def build_cut_unet(image_size, filters, dropout_rate, cut):
    """Build a U-Net as `build_unet` does, without some of its skip connections.

    Args:
        image_size: Side of the square picture in pixels.
        filters: Width of every level; the last one is the bottleneck's.
        dropout_rate: Dropout at the bottleneck, in [0, 1).
        cut: Levels whose skip is left out, 0 for the topmost.

    Returns:
        A `keras.Model`; for `cut=()` that of `build_unet`.
    """
    inputs = x = keras.Input((image_size, image_size, 3), name="image")
    skips = []
    for level, level_filters in enumerate(filters[:-1]):
        skip, x = encoder_block(x, level_filters)
        skips.append(None if level in cut else skip)
    x = bottleneck(x, filters[-1], dropout_rate=dropout_rate)
    for level_filters in reversed(filters[:-1]):
        x = decoder_block(x, skips.pop(), level_filters)
    logits = layers.Conv2D(3, 1, name="logits")(x)  # (B, H, W, 3)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(inputs, probabilities, name="unet")


def train_cut(name, config):
    """Train the net of one entry of `CUTS`, or go on with it.

    Returns:
        `(model, entry)`; the entry can be held by JSON.
    """
    run_dir = runs_dir() / f"skips-{name}-{describe_drawn()['hash']}"
    build = functools.partial(build_cut_unet, cut=CUTS[name])
    kept = None if config.epochs == 1 else run_dir
    model, history, pets = train_as_chapter_7(config, kept, build)
    scores = score_test(model, pets, config)
    scores = {key: scores[key] for key in ("pictures", "matrix", "class")}
    print(f"cut {name}: test mean IoU {scores['class']['mean_iou']:.3f}", flush=True)
    entry = {
        "name": name,
        "cut": CUTS[name],
        "parameters": model.count_params(),
        "seconds": round(sum(history["seconds"]), 1),
        "test": scores,
    }
    return model, entry


def load_pictures(image_size):
    """Return the first test pictures and their masks as uint8, with their names."""
    chosen = load_pets("drawn").test.take(PICTURES)
    names = [example["file_name"].decode() for example in chosen.as_numpy_iterator()]
    batch = next(iter(make_dataset(cache_pairs(chosen, image_size), PICTURES)))
    images, masks = map(keras.ops.convert_to_numpy, batch)
    return np.rint(images * 255).astype("uint8"), masks.astype("uint8"), names


def measure(config):
    """Train every net, and return all scores and the arrays to keep."""
    images, masks, file_names = load_pictures(config.image_size)
    entries, pred_masks = [], []
    for name in CUTS:
        model, entry = train_cut(name, config)
        entries.append(entry)
        predicted = predict_masks(model, images.astype("float32") / 255)
        pred_masks.append(predicted.astype("uint8"))
    measured = {
        "made_by": "python -m experiments.skips",
        "where": describe(config),
        "data": describe_drawn(),
        "config": dataclasses.asdict(config),
        "pictures": file_names,
        "nets": entries,
    }
    arrays = {"images": images, "masks": masks, "pred_masks": np.stack(pred_masks)}
    return measured, arrays


def main(arguments):
    """Train all nets and write both files, or train one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CUTS, metavar="CUT", help=", ".join(CUTS))
    parser.add_argument("--trial", action="store_true", help="tiny nets, no file")
    options = parser.parse_args(arguments)
    config = replace(TIERS["quick"], data="drawn")
    if options.trial:
        config = replace(trial(config), filters=(4, 4, 4, 4, 8))
    if options.only:
        train_cut(options.only, config)
        return
    measured, arrays = measure(config)
    if options.trial:
        return
    write_json(MEASURED_DIR / "skips.json", measured)
    file = MEASURED_DIR / "skips_pictures.npz"
    write_whole(file, lambda path: np.savez_compressed(path, **arrays))
    print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
