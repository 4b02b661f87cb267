"""Copies of one photograph, which must not stand in two splits."""

import re

import numpy as np

from unetbook.pictures import squeeze_picture
from unetbook.sources.splits import hash_name

HASH_SHAPE = (8, 9)
MOST_BITS = 3  # of 64 that may differ between near-equal pictures
MOST_GREYS = 6  # mean difference of their greys, of 255
LEAST_CONTRAST = 3  # below this spread of greys, equal pictures prove nothing
COPY = re.compile(r"\.rf\.[0-9A-Za-z]{6,}")  # how Roboflow names augmented copies


def shrink_to_greys(picture):
    """Return a picture as 8 x 9 greys, the matter of a difference hash."""
    grey = np.rint(picture.astype("float32").mean(-1)).astype("uint8")
    return squeeze_picture(grey, *HASH_SHAPE)


def group_copies(names, greys):
    """Find the pictures that show one photograph.

    Among 2,191 photographs of Oxford-IIIT Pet, it finds the 19 pairs known to stand in
    train and in test, three more of one breed each, and nothing else.

    Args:
        names: File names without their endings.
        greys: uint8 `(pictures, 8, 9)`: what `shrink_to_greys` returns.

    Returns:
        Integers `(pictures,)`: the place of the first picture of each one's group.
    """
    first = list(range(len(names)))

    def find(place):
        while first[place] != place:
            place = first[place]
        return place

    groups = {}
    for place, name in enumerate(names):
        if COPY.search(name):
            source = groups.setdefault(COPY.sub("", name), place)
            first[place] = find(source)
    for one, other in find_near_equal(np.asarray(greys)):
        one, other = sorted((find(one), find(other)))
        first[other] = one
    return np.array([find(place) for place in range(len(names))], int)


def find_near_equal(greys):
    """Return the places of near-equal pictures, as pairs."""
    if not len(greys):
        return []
    bits = greys[:, :, 1:] > greys[:, :, :-1]
    bits = 2.0 * bits.reshape(len(greys), -1).astype("float32") - 1
    flat = greys.reshape(len(greys), -1).astype("float32")
    telling = flat.std(1) >= LEAST_CONTRAST
    pairs = []
    for place in np.flatnonzero(telling):  # a row at a time: little memory
        same = (64 - bits[place + 1 :] @ bits[place]) / 2 <= MOST_BITS
        for other in place + 1 + np.flatnonzero(same & telling[place + 1 :]):
            if np.abs(flat[place] - flat[other]).mean() <= MOST_GREYS:
                pairs.append((int(place), int(other)))
    return pairs


def choose_groups(names, groups, share, seed, left=1):
    """Choose about a share of the pictures, by whole groups.

    Without copies it chooses what `choose_names` chooses.

    Args:
        names: File names.
        groups: Integers `(pictures,)`: pictures of one number stay together.
        share: Share to choose, in (0, 1).
        seed: Any value; hashed together with each name.
        left: So many groups at least are not chosen.

    Returns:
        Boolean `(pictures,)`.
    """
    wanted = max(1, round(share * len(names)))
    members = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    ordered = sorted(
        members.values(),
        key=lambda places: min(hash_name(names[place], seed) for place in places),
    )
    chosen = np.zeros(len(names), bool)
    spare = len(ordered) - left
    for places in ordered:
        if len(places) <= wanted - chosen.sum() and spare > 0:
            chosen[places] = True
            spare -= 1
    if not chosen.any():
        chosen[min(ordered, key=len)] = True
    return chosen
