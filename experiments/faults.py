"""Find the faulty annotations and the doubles of Oxford-IIIT Pet.

`python -m experiments faults` writes `measured/faults.json`: pictures whose trimap is
all background, photographs that stand twice in the set under two names, and how well
two annotations of one photograph agree, a yardstick for a network.
"""

import numpy as np

from unetbook.data import cache_pairs, load_pets
from unetbook.files import write_json
from unetbook.metrics import confusion_matrix
from unetbook.results import MEASURED_DIR

SIDE = 128
THUMB = 16  # blocks of pixels to a side
# Grey levels by which the blocks of two pictures differ on average. Up to 2.5 they were
# one photograph, saved or cut a little differently; the next pair stands at 6.
SAME = 4.0


def read_split(examples):
    """Return `(names, thumbs, masks)` of a split."""
    names = [example["file_name"].decode() for example in examples.as_numpy_iterator()]
    thumbs, masks = [], []
    for image, trimap in cache_pairs(examples, SIDE).as_numpy_iterator():
        step = SIDE // THUMB
        blocks = image.reshape(THUMB, step, THUMB, step, 3).mean(axis=(1, 3))
        thumbs.append(blocks.ravel())
        masks.append(trimap.astype("int32") - 1)
    return names, np.stack(thumbs), np.stack(masks)


def find_doubles(thumbs, others):
    """Return the index pairs of pictures that look the same in both lists."""
    doubles = []
    for index, thumb in enumerate(thumbs):
        distances = np.abs(others - thumb).mean(axis=1)
        doubles += [(index, int(other)) for other in np.flatnonzero(distances < SAME)]
    return doubles


def find_doubles_within(thumbs):
    """Return the index pairs of pictures of one list that look the same."""
    return [pair for pair in find_doubles(thumbs, thumbs) if pair[0] < pair[1]]


def find_faults(pets):
    """Return what `measured/faults.json` holds, for `Pets` of the photographs."""
    train = read_split(pets.train.concatenate(pets.validation))
    test = read_split(pets.test)
    empty = {
        split: sorted(
            name for name, mask in zip(names, masks, strict=True) if (mask == 1).all()
        )
        for split, (names, _, masks) in (("train", train), ("test", test))
    }
    doubles = find_doubles(train[1], test[1])
    matrix = np.zeros((3, 3), "int64")
    for one, other in doubles:
        matrix += confusion_matrix(train[2][one], test[2][other])
    return {
        "made_by": "python -m experiments faults",
        "empty_trimaps": empty,
        "doubles": [[train[0][one], test[0][other]] for one, other in doubles],
        "doubles_within": {
            split: [[names[one], names[other]] for one, other in find_doubles_within(t)]
            for split, (names, t, _) in (("train", train), ("test", test))
        },
        "between_annotations": {"matrix": matrix.tolist()},
    }


def main(options):
    """Find the faults, write them down and say how many there are."""
    faults = find_faults(load_pets("oxford"))
    write_json(MEASURED_DIR / "faults.json", faults, indent=1)
    for key in ("empty_trimaps", "doubles_within"):
        print(key, {split: len(names) for split, names in faults[key].items()})
    print("doubles in train and test", len(faults["doubles"]))
