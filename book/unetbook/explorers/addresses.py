"""Pictures and bytes as text inside the page, for the explorers."""

import base64
import io
import zlib

import numpy as np
from PIL import Image

from unetbook.figures.style import CLASS_COLOURS
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


def mask_uri(mask):
    """Return a mask `(H, W)` in the colours of the classes, as `png_uri` does."""
    return png_uri(check_mask(mask), CLASS_COLOURS)


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
