"""Every pair of a folder looked at once: readable, of one size, the same way up.

What was found is remembered in the cache, by the path, size and time of both files.
"""

import contextlib
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from tqdm import tqdm

from unetbook.config import cache_dir
from unetbook.files import printable, write_json
from unetbook.pictures import read_picture, squeeze_picture
from unetbook.sources.copies import shrink_to_greys
from unetbook.sources.masks import (
    LOSSY,
    TURNS,
    count_codes,
    count_frame,
    open_mask,
    read_palette,
)

EDITION = 1  # of what is remembered; another one is checked again
SIDE = 256  # pixels of the longer side at which pictures are looked at
ORIENTATION = 0x0112  # EXIF tag
OUTLINES = (".json", ".txt", ".yaml", ".yml")  # what they and their names stand in
MOST_CODES = 512  # remembered of one mask: more are soft edges
CLEARER = 1.15  # so much stronger are the edges under an outline that fits


def check_pairs(folder, pairs):
    """Look at every pair, or remember what was found.

    Args:
        folder: The folder that holds them.
        pairs: List of `Pair`.

    Returns:
        List of dictionaries, one for each pair: `fault`, a sentence, alone; or
        `size` `[height, width]`, upright; `turn`, the EXIF orientation by which its
        mask is to be turned; `codes` and `frame`, lists of `[code, pixels]`
        of the whole mask and of its sides; `palette`, `[[value, colour], ...]`;
        `lossy`; `greys`, 72 numbers; `said` and `doubt`, sentences or None.
    """
    file = cache_dir() / "checks" / f"{shorten_hash(ascii(str(folder)))}.json"
    known = read_known(file)
    drawn = any(callable(pair.mask) for pair in pairs)
    places = folder.rglob("*") if drawn else ()
    files = sorted(file for file in places if file.suffix.lower() in OUTLINES)
    outlines = shorten_hash("\n".join(date_file(path) for path in files))
    keys = [describe_pair(pair, outlines) for pair in pairs]
    new = [place for place, key in enumerate(keys) if key not in known]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda place: check_pair(pairs[place]), new)
        bar = tqdm(
            found,
            f"Checking {printable(folder.name)}",
            len(new),
            leave=False,
            delay=2,  # seconds: a small folder needs no bar
        )
        known.update((keys[place], one) for place, one in zip(new, bar, strict=True))
    if new:
        kept = {key: known[key] for key in keys}
        with contextlib.suppress(OSError):  # then it is checked again
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, {"edition": EDITION, "pairs": kept}, indent=None)
    return [known[key] for key in keys]


def read_known(file):
    """Return what was found before, by the keys of pairs."""
    try:
        content = json.loads(file.read_text())
        return content["pairs"] if content["edition"] == EDITION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def describe_pair(pair, outlines):
    """Return a text that changes when a file of a pair, or any outline, does."""
    mask = outlines if callable(pair.mask) else date_file(pair.mask)
    return shorten_hash(f"{date_file(pair.image)}\n{mask}")


def shorten_hash(text):
    """Return 24 hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def date_file(path):
    """Return the path of a file, its size and its time, as a text."""
    try:
        state = path.stat()
    except OSError:
        return ascii(str(path))
    return ascii((str(path), state.st_size, state.st_mtime_ns))


def check_pair(pair):
    """Look at one pair; `check_pairs` says what is returned."""
    try:
        picture = read_picture(pair.image, SIDE)
        mask = open_mask(pair.mask)
        counts = sorted(count_codes(mask).items(), key=lambda item: -item[1])
    except ValueError as error:
        said = f"{pair.image.name} and its mask: {error}"
        return {"fault": printable(said)}
    except MemoryError:  # not remembered: there may be more of it another day
        raise ValueError(
            f"{printable(pair.image)} and its mask need more memory than there is. "
            "Shrink them to a side of some thousand pixels."
        ) from None
    with Image.open(pair.image) as file:
        raw, orientation = file.size, file.getexif().get(ORIENTATION, 1)
    upright = raw[::-1] if orientation in (5, 6, 7, 8) else raw
    if mask.size not in (upright, raw):
        return {"fault": printable(say_sizes(pair, mask.size, upright))}
    turn, sentences = find_turn(pair, picture, mask, orientation, upright)
    colours = dict(enumerate(read_palette(mask)))
    return {
        "size": upright[::-1],
        "turn": turn,
        "codes": counts[:MOST_CODES],
        "frame": list(count_frame(mask).items()),
        "palette": [[code, colours[code]] for code, _ in counts if code in colours],
        "lossy": not callable(pair.mask) and pair.mask.suffix.lower() in LOSSY,
        "greys": shrink_to_greys(picture).ravel().tolist(),
        **sentences,
    }


def say_sizes(pair, size, wanted):
    """Say that a mask has another size than its picture."""
    name = f"the mask of {pair.image}" if callable(pair.mask) else pair.mask
    return (
        f"{name} is {size[1]} x {size[0]} pixels (height x width), expected "
        f"{wanted[1]} x {wanted[0]} as {pair.image.name}, turned upright. Draw the "
        "mask at the picture's size."
    )


def find_turn(pair, picture, mask, orientation, upright):
    """Find out whether a mask was drawn on the turned picture or on its raw pixels.

    Args:
        pair: The `Pair`.
        picture: Its picture, upright and small.
        mask: Its mask, as it lies in the file.
        orientation: The picture's EXIF orientation.
        upright: `(width, height)` of the whole picture, upright.

    Returns:
        `(turn, sentences)`: the orientation by which the mask is to be turned, or 1;
        and a dictionary with `said` and `doubt`.
    """
    name, nothing = printable(pair.image.name), {"said": None, "doubt": None}
    if orientation not in TURNS:
        return 1, nothing
    turned = f"the mask of {name} was drawn on the picture before its EXIF turn"
    if mask.size != upright:
        return orientation, {"said": f"{turned}, and is turned with it", "doubt": None}
    if orientation in (5, 6, 7, 8) and upright[0] != upright[1]:
        return 1, nothing
    fits = measure_edges(picture, mask)
    fits_turned = measure_edges(picture, mask.transpose(TURNS[orientation]))
    if fits_turned > CLEARER * fits:
        said = f"{turned}, its edges say, and is turned with it"
        return orientation, {"said": said, "doubt": None}
    if fits > CLEARER * fits_turned:
        return 1, nothing
    doubt = (
        f"{name} has the EXIF turn {orientation}, and its edges don't say whether its "
        "mask was drawn before or after it: look at it"
    )
    return 1, {"said": None, "doubt": doubt}


def measure_edges(picture, mask):
    """Return the mean change of a picture's greys under the outline of its mask."""
    height, width = picture.shape[:2]
    codes = np.asarray(mask.resize((width, height), Image.Resampling.NEAREST))
    codes = codes.reshape(height, width, -1).astype("int32")
    grey = squeeze_picture(picture, height, width).astype("float32").mean(-1)
    change = np.hypot(*np.gradient(grey)) if min(height, width) > 1 else 0 * grey
    across = (codes[:, 1:] != codes[:, :-1]).any(-1)
    down = (codes[1:] != codes[:-1]).any(-1)
    under = np.concatenate([change[:, 1:][across], change[1:][down]])
    return float(under.mean()) if under.size else 0.0
