"""Pictures and bytes as text inside the page, for the explorers."""

import base64
import io
import zlib

import numpy as np
from PIL import Image

from unetbook.classes import PETS
from unetbook.figures.style import VOID, class_colours
from unetbook.pictures import check_mask


def png_uri(pixels, colours=None):
    """Return a picture as the address of a PNG, which changes no pixel.

    Args:
        pixels: uint8 `(H, W)` grey or `(H, W, 3)` RGB; with `colours` codes `(H, W)`.
        colours: The codes' colours as `"#rrggbb"`, or None.

    Returns:
        Text that starts with `data:image/png;base64,`.
    """
    image = Image.fromarray(np.asarray(pixels, "uint8"))
    if colours is not None:
        image.putpalette(bytes.fromhex("".join(c.lstrip("#") for c in colours)))
    return encode(image, "png", optimize=True)


def mask_uri(mask, classes=PETS):
    """Return a mask `(H, W)` in the colours of the classes, as `png_uri` does.

    What is not annotated, -1, gets the code after the last class, and its own colour.
    """
    mask, colours = check_mask(mask, classes=classes), class_colours(classes)
    if (mask == -1).any():
        mask = np.where(mask == -1, len(colours), mask)
        colours = (*colours, VOID.colour)
    return png_uri(mask, colours)


def photo_uri(image):
    """Return an image `(H, W, 3)` in [0, 1] as the address of a small JPEG."""
    pixels = np.rint(np.asarray(image) * 255).astype("uint8")
    return encode(Image.fromarray(pixels), "jpeg", quality=88)


def encode(image, kind, **options):
    """Return the address of a PIL image in a format of `Image.save`."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    content = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/{kind};base64,{content}"


def pack_bytes(values):
    """Return bytes as text: packed by zlib, written in base64."""
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()
