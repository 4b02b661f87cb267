"""Splits of a data set: what they are, how validation is cut off, and errors."""

import hashlib
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from unetbook.classes import Classes


class DataError(RuntimeError):
    """A data set could not be fetched or read; the message says what to do."""


class Pets(NamedTuple):
    """What `load_pets` returns: three splits and the names of the breeds."""

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    breeds: tuple[str, ...]


class Pictures(NamedTuple):
    """What `load_pictures` returns: three splits and the classes of the masks."""

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    classes: Classes


class Split(NamedTuple):
    """Examples whose pictures are not decoded yet, with their names in order."""

    examples: tf.data.Dataset
    file_names: list[str]


def cut_validation(train, test, breeds, decode, validation_share, seed):
    """Cut the validation split from `train`, then decode the pictures of all three."""
    chosen = choose_names(train.file_names, validation_share, seed)
    splits = (
        select(train.examples, ~chosen),
        select(train.examples, chosen),
        test.examples,
    )
    decoded = (split.map(decode, tf.data.AUTOTUNE) for split in splits)
    return Pets(*(split.with_options(without_autotune()) for split in decoded), breeds)


def without_autotune():
    """Return options that every data set made from a split inherits.

    With TensorFlow's autotuner on, the end of every iteration waits for its thread, as
    long as that happens to sleep: measured, 10 seconds an epoch. Nothing here gains
    from it.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def choose_names(file_names, share, seed):
    """Choose a share of the names, at least one: those whose hash comes first.

    Args:
        file_names: List of strings.
        share: Share to choose, in (0, 1).
        seed: Any value; hashed together with each name.

    Returns:
        Boolean `(len(file_names),)`. A name's hash depends on nothing but the name and
        the seed, so the choice does not depend on the order of the names.
    """
    hashes = [hash_name(name, seed) for name in file_names]
    count = max(1, round(share * len(file_names)))
    chosen = set(sorted(hashes)[:count])
    return np.array([name_hash in chosen for name_hash in hashes])


def hash_name(name, seed):
    """Return the SHA-256 of a seed and a name, the same on every machine."""
    text = f"{seed}:{name}".encode(errors="surrogateescape")  # a name may be no text
    return hashlib.sha256(text).hexdigest()


def select(examples, chosen):
    """Keep the examples whose position in the data set is True in `chosen`."""
    lookup = tf.constant(chosen)
    kept = examples.enumerate().filter(lambda index, example: lookup[index])
    kept = kept.map(lambda index, example: example)
    return kept.apply(tf.data.experimental.assert_cardinality(int(np.sum(chosen))))


def list_names(examples):
    """Return the file names in a data set, as bytes, in order."""
    names = examples.map(lambda example: example["file_name"])
    return list(names.as_numpy_iterator())
