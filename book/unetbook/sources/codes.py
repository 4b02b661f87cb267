"""Which class each value or colour of raw masks stands for: given, listed, inferred.

Nothing is guessed: where the masks leave a doubt, one error shows what they hold, and
the lines of the `classes.csv` that settles it.
"""

from typing import NamedTuple

from unetbook.classes import (
    MOST_CLASSES,
    PETS,
    VOID_COLOUR,
    Classes,
    choose_colours,
    colour_by_bits,
)
from unetbook.remedies import look_up
from unetbook.sources.class_lists import (
    BACKGROUND_NAMES,
    VOID_NAMES,
    ClassList,
    describe_classes_csv,
    is_named,
)
from unetbook.sources.masks import list_aliases

LISTED = 24  # codes that an error lists
SOFT_SHARE = 0.1  # of the pixels may lie between two classes
MANY = 12  # codes between the classes speak of soft edges


class Found(NamedTuple):
    """What all masks of a folder hold.

    Attributes:
        counts: Maps codes to their numbers of pixels.
        palette: Maps values to their colours, where masks have a palette.
        lossy: Some masks are JPEG files.
    """

    counts: dict
    palette: dict
    lossy: bool


class Reading(NamedTuple):
    """How the raw masks of a folder are read.

    Attributes:
        classes: The classes, in the order of their numbers.
        codes: Maps codes to class numbers from 1, or to None.
        nearest: Codes that stand for nothing are taken for the nearest that do.
        said: What the reader is told, in one line.
    """

    classes: Classes
    codes: dict
    nearest: bool
    said: str


def name_classes(names, colours=None):
    """Return the `Classes` of these names; the background is known by its name."""
    places = [i for i, name in enumerate(names) if is_named(name, BACKGROUND_NAMES)]
    background = places[0] if places else None
    colours = colours or choose_colours(len(names), background)
    return Classes(tuple(names), tuple(colours), background)


def decide_codes(folder, found, given=None, listed=None):
    """Decide how the masks of a folder are read.

    Args:
        folder: The folder, for the message.
        found: A `Found`.
        given: The argument `classes`: `Classes`, names, a dictionary, or None.
        listed: The `ClassList` of a file in the folder, or None.

    Returns:
        A `Reading`.

    Raises:
        ValueError: If a code stands for no class, or it is not sure for which.
    """
    given = check_classes(given)
    if isinstance(given, dict):
        listed, given = list_dictionary(given), None
    if given is None:
        decided = listed or infer_list(found)
    elif listed is not None:
        decided = choose_listed(given, listed, folder, found)
    else:
        decided = pair_names(given, found)
    if decided is None:
        raise ValueError(doubt(folder, found))
    return match(folder, found, decided)


def check_classes(given):
    """Return the argument `classes` as `Classes`, a dictionary or None."""
    if given is None:
        return None
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise ValueError(
            f"classes={given!r}: give names, such as ('background', 'cat'), a "
            "dictionary from names to values or colours, or None."
        )
    names = given.names if isinstance(given, Classes) else tuple(given)
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"classes={given!r}: every class needs a name, as text.")
    if len(set(names)) < len(names) or not 2 <= len(names) <= MOST_CLASSES:
        raise ValueError(
            f"classes={given!r}: give 2 to {MOST_CLASSES} names, each of them once. "
            "What is no object is a class too: name it background."
        )
    return given if isinstance(given, Classes | dict) else name_classes(names)


def list_dictionary(given):
    """Return the `ClassList` of a dictionary from names to values or colours."""
    codes, names = {}, []
    for name, code in given.items():
        code = check_code(name, code)
        if code in codes:
            raise ValueError(f"classes={given!r}: two names have the value {code}.")
        if is_named(name, VOID_NAMES):
            codes[code] = None
        else:
            names.append(name)
            codes[code] = len(names)
    colours = [code for code, number in codes.items() if number]
    painted = all(isinstance(code, tuple) for code in colours)
    return ClassList(name_classes(names, colours if painted else None), codes)


def check_code(name, code):
    """Return a value as an int or a colour as a tuple, or raise a `ValueError`."""
    values = tuple(code) if isinstance(code, list | tuple) else (code,)
    highest = 65535 if len(values) == 1 else 255
    if len(values) not in (1, 3) or not all(
        isinstance(value, int) and 0 <= value <= highest for value in values
    ):
        raise ValueError(
            f"classes has {code!r} for {name!r}. Give the value of its pixels in the "
            "masks, such as 1, or their colour, such as (255, 0, 0)."
        )
    return int(values[0]) if len(values) == 1 else values


def infer_list(found):
    """Return the `ClassList` of masks that leave no doubt, or None."""
    void = find_void(found)
    values = found.counts.keys() - void.keys()
    if not all(isinstance(value, int) for value in values):
        return None
    if values in ({0, 1}, {0, 255}) or is_soft_black_and_white(found):
        high = 1 if values == {0, 1} else 255
        classes = name_classes(("background", "foreground"))
        return ClassList(classes, {0: 1, high: 2, **void})
    if values == {1, 2, 3}:
        return ClassList(PETS, {1: 1, 2: 2, 3: 3, **void})
    objects = sorted(values - {0, 255})
    voc = [found.palette.get(value) == colour_by_bits(value) for value in objects]
    if 0 in values and voc and all(voc):
        names = ("background", *(f"class {value}" for value in objects))
        codes = {value: number for number, value in enumerate((0, *objects), 1)}
        colours = [colour_by_bits(value) for value in (0, *objects)]
        return ClassList(name_classes(names, colours), {**codes, 255: None, **void})
    return None


def find_void(found):
    """Return `{code: None}` for what has the colour that palettes give to void."""
    aliases = {
        code: list_aliases(code, found.palette.get(code)) for code in found.counts
    }
    return {code: None for code, names in aliases.items() if VOID_COLOUR in names}


def is_soft_black_and_white(found):
    """Tell whether masks hold black and white with soft edges, as JPEG files do."""
    counts = found.counts
    if found.palette or not all(isinstance(v, int) and v < 256 for v in counts):
        return False
    dark = sum(n for value, n in counts.items() if value <= 16)
    light = sum(n for value, n in counts.items() if value >= 239)
    soft = found.lossy or sum(64 <= value <= 192 for value in counts) >= MANY
    share = (dark + light) / sum(counts.values())
    return bool(soft and dark and light and share >= 1 - SOFT_SHARE)


def choose_listed(given, listed, folder, found):
    """Return the codes of a class list for some of its classes, in a given order."""
    names = listed.classes.names
    unknown = [name for name in given.names if name not in names]
    if unknown:
        raise ValueError(
            f"classes names {', '.join(unknown)}, and the class list in {folder} has "
            f"{', '.join(names)}. Leave classes out, or give some or all of its names."
        )
    places = {
        number: given.names.index(n) + 1
        for number, n in enumerate(names, 1)
        if n in given.names
    }
    codes = {
        code: number and places[number]
        for code, number in listed.codes.items()
        if number is None or number in places
    }
    check_left_out(listed, codes, found)
    return ClassList(given, codes)


def check_left_out(listed, kept, found):
    """Raise a `ValueError` if masks hold a class of a list that was left out."""
    total = sum(found.counts.values())
    for code, n in found.counts.items():
        names = list_aliases(code, found.palette.get(code))
        gone = [listed.codes[name] for name in names if name in listed.codes]
        if gone and not kept.keys() & names:
            raise ValueError(
                f"classes leaves out {listed.classes.names[gone[0] - 1]!r}, which has "
                f"{n / total:.2%} of the pixels of the masks. Name it too."
            )


def pair_names(given, found):
    """Return the `ClassList` of names without codes, or None if that leaves a doubt."""
    void = {} if VOID_COLOUR in given.colours else find_void(found)
    counts, count = found.counts.keys() - void.keys(), len(given.names)
    by_colour = {colour: number for number, colour in enumerate(given.colours, 1)}
    if len(by_colour) == count and all(
        by_colour.keys() & list_aliases(code, found.palette.get(code))
        for code in counts
    ):
        return ClassList(given, by_colour | void)
    if not all(isinstance(code, int) for code in counts):
        return None
    if count == 2 and is_soft_black_and_white(found):
        return ClassList(given, {0: 1, 255: 2})
    from_one = set(range(1, count + 1))
    if (count in counts or given == PETS or 0 in void) and counts <= from_one:
        return ClassList(given, {value: value for value in from_one} | void)
    if 0 in counts and len(counts) > 1 and counts <= set(range(count)):
        return ClassList(given, {value: value + 1 for value in range(count)} | void)
    if counts == {*range(count), 255}:
        codes = {value: value + 1 for value in range(count)}
        return ClassList(given, {**codes, 255: None})
    if len(counts) == count:
        return ClassList(given, {v: n for n, v in enumerate(sorted(counts), 1)} | void)
    return None


def match(folder, found, listed):
    """Return the `Reading` of a class list, if it covers what the masks hold."""
    codes = dict(listed.codes)
    unlisted = {
        code: n
        for code, n in found.counts.items()
        if not codes.keys() & list_aliases(code, found.palette.get(code))
    }
    several = len(found.counts) - len(unlisted) > 1
    nearest = bool(unlisted) and are_between(unlisted, found, codes)
    void = find_void(found).keys() | ({255} if several else set())
    if unlisted and unlisted.keys() <= void:
        codes.update(dict.fromkeys(unlisted))
    elif unlisted and not nearest:
        raise ValueError(doubt(folder, found, listed))
    return Reading(
        listed.classes, codes, nearest, describe_codes(listed.classes, codes)
    )


def are_between(unlisted, found, codes):
    """Tell whether unlisted codes are soft edges between those of a class list."""
    if not found.lossy and len(unlisted) < MANY:
        return False
    points = [c if isinstance(c, tuple) else (c,) * 3 for c in codes]
    gap = min(distance(a, b) for a in points for b in points if a != b)
    near = sum(
        n
        for code, n in found.counts.items()
        if min(distance(as_colour(code, found), point) for point in points) <= 24
    )
    return gap >= 48 and near >= (1 - SOFT_SHARE) * sum(found.counts.values())


def distance(one, other):
    """Return the largest difference of two colours in a channel."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def as_colour(code, found):
    """Return the colour that a code of the masks shows."""
    if isinstance(code, tuple):
        return code
    return found.palette.get(code, (code,) * 3)


def describe_codes(classes, codes):
    """Say in a line which code is which class."""
    names = dict(enumerate(classes.names, 1))
    parts = [f"{code} {names.get(n, 'not annotated')}" for code, n in codes.items()]
    more = f" and {len(parts) - 12} more" if len(parts) > 12 else ""
    return f"Masks: {', '.join(parts[:12])}{more}."


def say_empty(folder, found):
    """Return the error for masks that all hold one code, which tells nothing apart."""
    (code,) = found.counts
    return (
        f"The masks in {folder} hold {code} in every pixel, so that there is nothing "
        "to learn from them. Were they saved empty? Outline objects in some of them. "
        f"{look_up('Which class is which?')}"
    )


def doubt(folder, found, listed=None):
    """Return the error for codes that stand for no class for sure."""
    if listed is None and len(found.counts) == 1:
        return say_empty(folder, found)
    total = sum(found.counts.values())
    shares = {code: n / total for code, n in found.counts.items()}
    if any(isinstance(code, tuple) for code in shares):
        shares = {as_colour(code, found): share for code, share in shares.items()}
    ordered = sorted(shares, key=lambda code: -shares[code])
    shown = {code: shares[code] for code in ordered[:LISTED]}
    more = len(shares) - len(shown)
    table = describe_classes_csv(shown)
    known = [] if listed is None else listed.codes
    gone = [str(c) for c in ordered if not set(known) & set(list_aliases(c))]
    reason = (
        "hold values of which it is not sure what they stand for"
        if listed is None
        else f"hold {', '.join(gone[:6])}, for which the class list has no line"
    )
    return (
        f"The masks in {folder} {reason}. Save the lines below as "
        f"{folder / 'classes.csv'}, with a name for each ?; write yes in the column "
        "background for the class that is no object, and the name void for what is "
        f"not annotated.{' They are JPEG files, which change values.' * found.lossy}"
        f"{f' These are the most frequent; {more} more are rare.' * (more > 0)} "
        f"{look_up('Which class is which?')}\n\n"
        f"{table}"
    )
