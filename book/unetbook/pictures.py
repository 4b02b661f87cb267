"""Any picture as an array: read, checked, resized.

The one reader of training, prediction and widgets.
"""

from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from unetbook.classes import PETS
from unetbook.files import shorten

STRIP = 256  # rows that are blended at once


def read_picture(picture, longest=None):
    """Read a picture from an array, a file or PIL, whatever its mode.

    Transparent parts become white; a photograph that the camera marked as turned is
    turned back; 16-bit pictures are brought to 8 bits.

    Args:
        picture: A path, a PIL image, or an array `(height, width)`, `(height, width,
            1)`, `(height, width, 3)` or `(height, width, 4)` of bytes, of uint16, of
            booleans, of integers in 0 to 255, or of floats in [0, 1].
        longest: Shrink larger pictures until their longer side has so many pixels;
            None keeps every size.

    Returns:
        uint8 `(height, width, 3)`.

    Raises:
        ValueError: If the file cannot be read or the array is no picture.
    """
    if isinstance(picture, str | Path):
        picture = open_picture(Path(picture), longest)
    if isinstance(picture, Image.Image):
        picture = unpack_picture(picture)
    pixels = to_bytes(to_array(picture))
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4) or not pixels.size:
        raise ValueError(
            f"picture has shape {pixels.shape}, expected (height, width), or (height, "
            "width, channels) with 1, 3 or 4 channels, and at least one pixel. Take "
            "one picture out of a batch; put channels last."
        )
    if pixels.shape[-1] == 4:
        pixels = blend_with_white(pixels)
    pixels = np.array(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    return pixels if longest is None else shrink_picture(pixels, longest)


def blend_with_white(pixels):
    """Return the RGB of RGBA pixels on white, a strip at a time: little memory."""
    blended = np.empty((*pixels.shape[:2], 3), "uint8")
    for top in range(0, len(pixels), STRIP):
        strip = pixels[top : top + STRIP]
        alpha = strip[..., 3:] / 255
        strip = strip[..., :3] * alpha + 255 * (1 - alpha)
        blended[top : top + STRIP] = np.rint(strip)
    return blended


def shrink_picture(pixels, longest):
    """Shrink a picture, antialiased, or a mask, nearest.

    Args:
        pixels: uint8 or float32 `(height, width, 3)`, or integers `(height, width)`.
        longest: So many pixels the longer side gets; what is smaller stays as it is.

    Returns:
        Pixels of the same type.
    """
    sides = pixels.shape[:2]
    if max(sides) <= longest:
        return pixels
    height, width = (max(1, round(longest * side / max(sides))) for side in sides)
    if pixels.ndim == 2:
        rows = (2 * np.arange(height) + 1) * sides[0] // (2 * height)  # the middles
        columns = (2 * np.arange(width) + 1) * sides[1] // (2 * width)
        return pixels[np.ix_(rows, columns)]
    if pixels.dtype == np.uint8:
        return squeeze_picture(pixels, height, width)
    channels = [squeeze_picture(pixels[..., i], height, width) for i in range(3)]
    return np.stack(channels, axis=-1)


def to_array(picture):
    """Return the numbers of an array or a tensor, or raise a `ValueError`."""
    if not hasattr(picture, "shape") and not isinstance(picture, list | tuple):
        raise ValueError(
            f"picture is a {type(picture).__name__}. Give an array, the path of a "
            "file, or a PIL image."
        )
    array = keras.ops.convert_to_numpy(picture)
    if array.dtype.kind not in "buif":
        raise ValueError(f"picture is an array of {array.dtype}, expected numbers.")
    return array


def open_picture(path, longest=None):
    """Decode a picture file with Pillow; a `ValueError` names a broken one.

    A JPEG file need not be decoded at its full size if its longer side is to have no
    more than `longest` pixels.
    """
    if not path.is_file():
        raise ValueError(f"picture={str(path)!r}: there is no such file.")
    try:
        with Image.open(path) as file:
            if longest is not None:
                scale = longest / max(file.size)
                file.draft(None, [max(1, int(scale * side)) for side in file.size])
            file.load()
            return file.copy()
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{path} cannot be read: Pillow knows no such kind of picture. Save it as "
            "JPEG or PNG (photographs from a telephone may be HEIC)."
        ) from error
    except Exception as error:  # Pillow raises nearly anything on broken files
        raise ValueError(
            f"{path} cannot be read ({shorten(error)}). The file may be cut short or "
            "too large; save it again as JPEG or PNG."
        ) from error


def unpack_picture(image):
    """Turn a PIL image upright and return its pixels, RGB, RGBA or grey."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit grey, which PIL may hold in 32 bits
        return np.asarray(image).astype("uint16")
    if image.mode == "F":
        return np.asarray(image)
    has_alpha = image.mode in ("LA", "PA", "RGBa", "RGBA")
    has_alpha = has_alpha or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if has_alpha else "RGB"))


def to_bytes(pixels):
    """Bring pixel values of any kind to uint8, or raise a `ValueError`."""
    kind = pixels.dtype.kind
    if pixels.dtype == np.uint8 or not pixels.size:
        return pixels
    highest = {"b": 1, "f": 1}.get(kind, 65535 if pixels.dtype == np.uint16 else 255)
    if not (pixels.min() >= 0 and pixels.max() <= highest):
        raise ValueError(
            f"picture holds {pixels.dtype} values from {pixels.min()} to "
            f"{pixels.max()}, expected 0 to {highest}. Scale them, or give uint8."
        )
    return np.rint(pixels.astype("float64") * (255 / highest)).astype("uint8")


def squeeze_picture(pixels, height, width):
    """Resize a uint8 picture or a float32 channel, bilinear and antialiased."""
    # Pillow's bilinear filter grows with the pictures it shrinks: it is antialiased.
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def check_images(images):
    """Raise a `ValueError` unless these are images `(B, H, W, 3)` in [0, 1]."""
    images = keras.ops.convert_to_numpy(images)
    if images.ndim != 4:
        raise ValueError(
            f"images has shape {images.shape}, expected (batch, height, width, 3). "
            "For one picture use image[None]; for one of any size, segment_picture."
        )
    if images.size and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            f"images holds values from {images.min()} to {images.max()}, expected 0 to "
            "1. Divide bytes by 255, or use unetbook.data.preprocess."
        )


def check_image(image, name="image"):
    """Return one picture as float32 `(H, W, 3)` in [0, 1].

    Args:
        image: `(H, W, 3)`, floats in [0, 1] or uint8 in 0 to 255.
        name: What the error message calls it.

    Raises:
        ValueError: If the shape or the range is another.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(
            f"{name} has shape {image.shape}, expected (height, width, 3). Pass one "
            "RGB picture, without a batch axis."
        )
    if image.dtype == np.uint8:
        return image.astype("float32") / 255
    low, high = np.min(image), np.max(image)
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"{name} holds values from {low:g} to {high:g}, expected [0, 1]. Divide "
            "by 255, or pass uint8."
        )
    return np.clip(image, 0, 1).astype("float32")


def check_mask(mask, name="mask", shape=None, classes=PETS):
    """Return one mask as an integer array `(H, W)` of class codes.

    Args:
        mask: Integers `(H, W)`, positions in the classes' names; -1: not annotated.
        name: What the error message calls it.
        shape: The `(H, W)` of its picture, or None for any.
        classes: A `Classes`.

    Raises:
        ValueError: If the shape, the type or a value is another.
    """
    mask = np.asarray(mask)
    expected = mask.shape if shape is None else tuple(shape)
    if mask.ndim != 2 or not mask.size or mask.shape != expected:
        raise ValueError(
            f"{name} has shape {mask.shape}, expected {shape or '(height, width)'}. "
            "Take the argmax of probabilities over the last axis, and pass one mask at "
            "a time."
        )
    low, high, highest = mask.min(), mask.max(), len(classes.names) - 1
    if mask.dtype.kind not in "biu" or low < -1 or high > highest:
        raise ValueError(
            f"{name} is {mask.dtype} from {low} to {high}, expected 0 to {highest}, or "
            "-1 for not annotated, as integers. The classes are "
            f"{', '.join(classes.names)}. Raw masks count from 1: subtract 1."
        )
    return mask.astype("int32")
