"""Raw masks as they lie in files: read, counted, and turned into class numbers.

A code is what stands for a class in a raw mask: a value, or a colour `(red, green,
blue)`. Class numbers count from 1; 0 is what nobody annotated.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from unetbook.pictures import open_picture

LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif")
MOST_COLOURS = 65536
UNKNOWN = 65535  # in tables of class numbers
# What Pillow does to turn a picture upright, by the EXIF tag of its orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_mask(mask):
    """Read a raw mask, turned by its own tag.

    Args:
        mask: A path, or a function that returns uint8 `(height, width)`.

    Returns:
        A PIL image of mode `L`, `P` (values that stand for colours), `I;16` or `RGB`.

    Raises:
        ValueError: If the file is broken, or its values are no whole numbers.
    """
    if callable(mask):
        return Image.fromarray(mask())
    image = ImageOps.exif_transpose(open_picture(Path(mask)))
    if image.mode in ("L", "P"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode[0] in "IF":
        return as_whole_numbers(image, mask)
    if image.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return drop_alpha(image.convert("RGBA"))
    return image.convert("RGB")


def as_whole_numbers(image, path):
    """Bring a mask of 16 or 32 bits, or of floats, to `L` or `I;16`."""
    values = np.asarray(image)
    with np.errstate(invalid="ignore"):
        whole = (values >= 0) & (values <= 65535) & (values == np.floor(values))
    if not whole.all():
        raise ValueError(
            f"{path} holds the value {values[~whole][0]}, expected whole numbers from "
            "0 to 65535. Save it as a PNG of 8 bits, one value for each class."
        )
    return Image.fromarray(values.astype("uint8" if values.max() < 256 else "uint16"))


def drop_alpha(image):
    """Return an RGBA mask as RGB; if only its transparency tells, as `L` of that."""
    pixels = np.asarray(image)
    clear = pixels[..., 3] < 128
    opaque = pixels[~clear][:, :3]
    if clear.any() and (not len(opaque) or (opaque == opaque[0]).all()):
        return Image.fromarray(np.where(clear, 0, 255).astype("uint8"))
    return Image.fromarray(np.where(clear[..., None], 0, pixels[..., :3]))


def count_codes(image):
    """Return `{code: pixels}` of what `open_mask` returns.

    Raises:
        ValueError: If there are more colours than any mask has.
    """
    if image.mode in ("L", "P"):
        return {code: n for code, n in enumerate(image.histogram()) if n}
    if image.mode == "RGB":
        found = image.getcolors(MOST_COLOURS)
        if found is None:
            raise ValueError(
                f"the mask holds more than {MOST_COLOURS} colours, as a photograph "
                "does. Is it the picture itself?"
            )
        return {colour: n for n, colour in sorted(found, reverse=True)}
    counts = np.bincount(np.asarray(image).ravel())
    return {int(code): int(counts[code]) for code in np.flatnonzero(counts)}


def count_frame(image):
    """Return `{code: pixels}` along the four sides of a mask."""
    width, height = image.size
    sides = (
        (0, 0, width, 1),
        (0, height - 1, width, height),
        (0, 0, 1, height),
        (width - 1, 0, width, height),
    )
    counts = {}
    for side in sides:
        for code, n in count_codes(image.crop(side)).items():
            counts[code] = counts.get(code, 0) + n
    return counts


def read_palette(image):
    """Return the 256 colours of a mask's palette, as a list; empty without one."""
    if image.mode != "P":
        return []
    colours = np.zeros((256, 3), int)
    given = np.reshape(image.getpalette("RGB"), (-1, 3))
    colours[: len(given)] = given
    return [tuple(colour) for colour in colours.tolist()]


def list_aliases(code, colour=None, colours_only=False):
    """Return what a class list may call a code, the likeliest first.

    Args:
        code: A value or a colour.
        colour: What the mask's palette shows for the value, or None without one.
        colours_only: Values mean nothing here: every file has a palette of its own.
    """
    if isinstance(code, tuple):
        return [code, code[0]] if len(set(code)) == 1 else [code]
    if colour is None:
        return [code, (code,) * 3]
    return list_aliases(colour) if colours_only else [code, colour]


def number_mask(image, codes, nearest=False, colours_only=False):
    """Turn a raw mask into class numbers.

    Args:
        image: What `open_mask` returns.
        codes: Maps codes to class numbers from 1, and to None where nobody annotated.
        nearest: Other codes stand for the nearest of these, as in a JPEG.
        colours_only: As in `list_aliases`.

    Returns:
        uint8 `(height, width)`.

    Raises:
        ValueError: If the mask holds another code.
    """
    numbers = {code: number or 0 for code, number in codes.items()}
    if image.mode == "RGB":
        table = number_colours(tuple(numbers.items()))
        places = np.asarray(image).astype("int32") @ (65536, 256, 1)
    else:
        colours = dict(enumerate(read_palette(image)))
        table = np.full(65536 if image.mode == "I;16" else 256, UNKNOWN, "uint16")
        for code in range(len(table)):
            for alias in list_aliases(code, colours.get(code), colours_only)[::-1]:
                table[code] = numbers.get(alias, table[code])
        places = np.asarray(image)
    mask = table[places]
    unknown = mask == UNKNOWN
    if unknown.any():
        if not nearest:
            code = np.asarray(image)[unknown][0].tolist()
            raise ValueError(f"the mask holds {code}, which stands for no class.")
        mask[unknown] = take_nearest(np.asarray(image)[unknown], numbers)
    return mask.astype("uint8")


@lru_cache(maxsize=1)
def number_colours(numbers):
    """Return a table of the class numbers of all 16,777,216 colours."""
    table = np.full(1 << 24, UNKNOWN, "uint16")
    for code, number in numbers:
        red, green, blue = code if isinstance(code, tuple) else (code,) * 3
        if red < 256:
            table[65536 * red + 256 * green + blue] = number
    return table


def take_nearest(pixels, numbers):
    """Return the number of the code nearest to each value or colour."""
    pixels = pixels.reshape(len(pixels), -1).astype("int32")
    codes = [code if isinstance(code, tuple) else (code,) * 3 for code in numbers]
    codes = np.array(codes)[:, : pixels.shape[1]]
    best, chosen = np.full(len(pixels), 1 << 30), np.zeros(len(pixels), "uint8")
    for code, number in zip(codes, numbers.values(), strict=True):
        distance = ((pixels - code) ** 2).sum(1)
        chosen[distance < best] = number
        best = np.minimum(best, distance)
    return chosen
