"""A reader's own folder: surveyed, cut into splits, read."""

import os
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from unetbook.files import printable
from unetbook.pictures import read_picture
from unetbook.remedies import look_up
from unetbook.sources.checks import check_pairs
from unetbook.sources.class_lists import read_class_list
from unetbook.sources.codes import Found, Reading, decide_codes
from unetbook.sources.copies import choose_groups, group_copies
from unetbook.sources.doubts import find_doubts, find_leaks, find_unused
from unetbook.sources.layouts import enter_only_folder, find_layout
from unetbook.sources.masks import (
    TURNS,
    list_aliases,
    number_mask,
    open_mask,
    take_nearest,
)
from unetbook.sources.splits import Pictures, hash_name, without_autotune

TEST_SHARE = 0.2  # of a folder that has no test pictures of its own
LONGEST = 1024  # pixels of the longer side: larger pictures are shrunk when read


class Survey(NamedTuple):
    """What a folder holds, before anything of it is trained on.

    Attributes:
        folder: The folder.
        pairs: The pairs in order, those without a fault.
        records: What `check_pairs` found, one for each of them.
        splits: Maps the names of the splits that the folder brings to places in
            `pairs`; all of them are in `train` if it brings none.
        faults: Sentences.
        reading: How the masks are read; None without a single whole pair.
        colours_only: The palettes of the masks differ.
        notes: Sentences about what is passed over or turned.
        named: The reader named the classes; no file and no guess did.
    """

    folder: object
    pairs: list
    records: list
    splits: dict
    faults: list
    reading: Reading | None
    colours_only: bool
    notes: list
    named: bool


class Report(NamedTuple):
    """What `check_pictures` returns.

    Attributes:
        pairs: `(picture, mask)` for each pair without a fault: paths, or in place of a
            mask the function that draws it.
        classes: The `Classes`, or None without a single whole pair.
        shares: Maps the name of each class to its share of all pixels; `""` is what
            nobody annotated.
        sizes: Integers `(pairs, 2)`: height and width of each picture, upright.
        faults: Sentences, with paths from the folder on; `load_pictures` refuses a
            folder with any.
        doubtful: Sentences about what loads and should be looked at.
        read: A function that returns picture and raw mask of the pair at a place.
    """

    pairs: list
    classes: object
    shares: dict
    sizes: np.ndarray
    faults: list
    doubtful: list
    read: object


def survey_folder(folder, classes):
    """Find and check all pairs of a folder, and decide how its masks are read."""
    folder = enter_only_folder(folder)
    layout = find_layout(folder)
    placed = [(split, pair) for split, pairs in layout.splits.items() for pair in pairs]
    placed = sorted(placed, key=lambda one: hash_name(one[1].image.name, "order"))
    found = check_pairs(folder, [pair for _, pair in placed])
    faults = [printable(fault) for fault in layout.faults]
    faults += [record["fault"] for record in found if "fault" in record]
    kept = [place for place, record in enumerate(found) if "fault" not in record]
    records = [found[place] for place in kept]
    splits = {
        split: [n for n, place in enumerate(kept) if placed[place][0] == split]
        for split in layout.splits
    }
    colours_only, reading = have_own_palettes(records), None
    if records:
        listed = read_class_list(folder) if layout.listing is None else layout.listing
        collected = collect_codes(records, colours_only)
        reading = decide_codes(folder, collected, classes, listed)
    pairs = [placed[place][1] for place in kept]
    notes = [*layout.notes, *(one["said"] for one in records if one["said"])]
    return Survey(
        folder,
        pairs,
        records,
        splits,
        faults,
        reading,
        colours_only,
        notes,
        named=classes is not None,
    )


def as_code(code):
    """Return a code as it was before it was remembered as JSON."""
    return tuple(code) if isinstance(code, list) else code


def have_own_palettes(records):
    """Tell whether one value has another colour in another mask's palette."""
    seen = {}
    return any(
        seen.setdefault(value, as_code(colour)) != as_code(colour)
        for record in records
        for value, colour in record["palette"]
    )


def collect_codes(records, colours_only):
    """Return the `Found` of all masks of a folder."""
    counts, palette = {}, {}
    for record in records:
        colours = {value: as_code(colour) for value, colour in record["palette"]}
        for code, n in record["codes"]:
            code = as_code(code)
            code = colours.get(code, code) if colours_only else code
            counts[code] = counts.get(code, 0) + n
        palette.update({} if colours_only else colours)
    tuples = [code for code in counts if isinstance(code, tuple)]
    if all(len(set(colour)) == 1 for colour in tuples):  # grey, saved as colours
        for colour in tuples:
            counts[colour[0]] = counts.get(colour[0], 0) + counts.pop(colour)
    return Found(counts, palette, any(record["lossy"] for record in records))


def count_classes(record, survey, field="codes"):
    """Return the pixels of each class in a mask; at 0 what nobody annotated."""
    codes = {code: number or 0 for code, number in survey.reading.codes.items()}
    colours = {value: as_code(colour) for value, colour in record["palette"]}
    counts = np.zeros(len(survey.reading.classes.names) + 1, "int64")
    for code, n in record[field]:
        code = as_code(code)
        names = list_aliases(code, colours.get(code), survey.colours_only)
        number = next((codes[name] for name in names if name in codes), None)
        if number is None:
            number = take_nearest(np.array([code]), codes)[0]
        counts[number] += n
    return counts


def read_pair(survey, place):
    """Read a picture and its mask, both of at most `LONGEST` pixels.

    Returns:
        uint8 `(height, width, 3)`, and uint8 `(height, width, 1)` that counts from 1.
    """
    pair, turn = survey.pairs[place], survey.records[place]["turn"]
    image, mask = read_picture(pair.image, LONGEST), open_mask(pair.mask)
    if turn != 1:
        mask = mask.transpose(TURNS[turn])
    if mask.size != image.shape[1::-1]:
        mask = mask.resize(image.shape[1::-1], Image.Resampling.NEAREST)
    reading = survey.reading
    numbers = number_mask(mask, reading.codes, reading.nearest, survey.colours_only)
    return image, numbers[..., None]


def read_again(survey, place):
    """Read a pair as `read_pair` does, long after it was checked."""
    try:
        return read_pair(survey, int(place))
    except ValueError as error:
        raise ValueError(
            f"{survey.pairs[int(place)].image} was whole when its folder was loaded, "
            f"and is no longer. Load it again. {error}"
        ) from None


def name_files(survey):
    """Return the file name of each picture; with its folder if there are two of it."""
    names = [pair.image.name for pair in survey.pairs]
    if len(set(names)) == len(names):
        return names
    return [pair.image.relative_to(survey.folder).as_posix() for pair in survey.pairs]


def group_pictures(survey):
    """Return the number of the group of copies to which each picture belongs."""
    stems = [pair.image.stem for pair in survey.pairs]
    greys = [record["greys"] for record in survey.records]
    greys = np.array(greys, "uint8").reshape(-1, 8, 9)
    return group_copies(stems, greys)


def cut_splits(survey, groups, validation_share, seed):
    """Return the places of the pictures of train, validation and test.

    A split that the folder brings stays what it is; the others are cut from train.
    """
    names, splits = name_files(survey), dict(survey.splits)
    for name, share, key in (
        ("test", TEST_SHARE, "test"),
        ("validation", validation_share, seed),
    ):
        if splits.get(name):
            continue
        left = 1 if name == "validation" or splits.get("validation") else 2
        train = splits.get("train", [])
        some = [names[place] for place in train], groups[train]
        chosen = choose_groups(*some, share, key, left)
        splits[name] = [train[n] for n in np.flatnonzero(chosen)]
        splits["train"] = [train[n] for n in np.flatnonzero(~chosen)]
    return splits


def count_least(survey):
    """Return how many training pictures it takes to cut the splits that are missing."""
    return 3 - sum(bool(survey.splits.get(name)) for name in ("validation", "test"))


def check_count(survey):
    """Raise a `ValueError` if there are too few pairs for three splits."""
    train, least = len(survey.splits.get("train", ())), count_least(survey)
    if train < least:
        raise ValueError(
            f"{survey.folder} holds {len(survey.pairs)} pairs of picture and mask, "
            f"{train} of them to train on: too few to cut train, validation and test "
            f"from. Add some; {least} to train on are the least."
        )


def look_twice(survey):
    """Return the groups of copies, and sentences about what should be looked at."""
    groups = group_pictures(survey)
    names = [printable(name) for name in name_files(survey)]
    counts, frames = (
        [count_classes(record, survey, field) for record in survey.records]
        for field in ("codes", "frame")
    )
    background = survey.reading.classes.background
    doubts = find_doubts(survey.records, names, counts, frames, background)
    doubts += find_leaks(survey.splits, groups)
    if not survey.named:
        doubts += find_unused(survey.reading.classes.names, counts)
    if survey.reading.nearest and not any(r["lossy"] for r in survey.records):
        doubts.append(
            "the masks have soft edges, whose pixels count as the nearest class"
        )
    train = survey.splits.get("train", [])
    if len(set(groups[train])) < count_least(survey) <= len(train):
        groups = np.arange(len(groups))
        doubts.append(
            "nearly all pictures look alike, so that copies may stand in two splits"
        )
    return groups, doubts


def report_folder(folder, classes):
    """Return the `Report` of a folder; `check_pictures` says more."""
    survey = survey_folder(folder, classes)
    sizes = np.reshape([record["size"] for record in survey.records], (-1, 2))
    shares, doubts, names = {}, [], None
    if survey.reading is not None:
        names = survey.reading.classes
        counts = sum(count_classes(record, survey) for record in survey.records)
        shares = (counts / counts.sum()).tolist()
        shares = dict(zip(("", *names.names), shares, strict=True))
        doubts = look_twice(survey)[1]
        doubts += survey.notes

    inside = printable(f"{survey.folder}{os.sep}")
    faults = [fault.replace(inside, "") for fault in survey.faults]

    def read(place):
        return read_pair(survey, place)

    return Report(survey.pairs, names, shares, sizes, faults, doubts, read)


def load_folder(folder, classes, validation_share, seed):
    """Return the `Pictures` of a folder, and what to tell the reader.

    Returns:
        `(pictures, said, doubts)`: a sentence, and a list of them.
    """
    survey = survey_folder(folder, classes)
    if survey.faults:
        others = len(survey.faults) - 1
        more = f" ({others} more in {folder} need mending too.)" if others else ""
        raise ValueError(f"{survey.faults[0]}{more} {look_up('The folder is refused')}")
    check_count(survey)
    groups, doubts = look_twice(survey)
    splits = cut_splits(survey, groups, validation_share, seed)
    sizes = [f"{len(splits[name])} {name}" for name in Pictures._fields[:3]]
    said = (
        f"{printable(folder.name)}: {', '.join(sizes)} pictures. {survey.reading.said}"
    )
    more = f" (and {len(survey.notes) - 1} more)" if len(survey.notes) > 1 else ""
    said += f" Note: {survey.notes[0]}{more}." if survey.notes else ""
    examples = (list_examples(survey, splits[name]) for name in Pictures._fields[:3])
    return Pictures(*examples, survey.reading.classes), said, doubts


def list_examples(survey, places):
    """Return the pictures at some places as a data set of the common shape."""
    read = partial(read_again, survey)
    names = name_files(survey)
    names = [names[place].encode(errors="surrogateescape") for place in places]
    examples = {"place": np.array(places, "int64"), "file_name": names}

    def decode(example):
        image, mask = tf.numpy_function(read, [example["place"]], (tf.uint8,) * 2)
        return {
            "image": tf.ensure_shape(image, (None, None, 3)),
            "segmentation_mask": tf.ensure_shape(mask, (None, None, 1)),
            "label": tf.constant(0, tf.int64),
            "species": tf.constant(0, tf.int64),
            "file_name": example["file_name"],
            "head_bbox": tf.zeros(4),
        }

    examples = tf.data.Dataset.from_tensor_slices(examples)
    return examples.map(decode, tf.data.AUTOTUNE).with_options(without_autotune())
