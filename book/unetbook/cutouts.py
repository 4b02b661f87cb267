"""What to do with a mask: cut the object out, count objects, write the mask down."""

import numpy as np
from PIL import Image
from skimage.measure import label
from skimage.morphology import isotropic_dilation

from unetbook.classes import MOST_CLASSES, PETS, VOID_COLOUR
from unetbook.files import check_png_path, write_whole
from unetbook.pictures import check_mask, read_picture

EDGE = (0.25, 0.75)  # certainties between which a cut-out's edge is soft
REACH = 3  # pixels that a soft edge goes beyond the object; what is farther is haze


def cut_out(picture, mask, classes=PETS, path=None):
    """Cut what is not background out of a picture, on a transparent ground.

    Args:
        picture: What `read_picture` takes; a photograph is turned upright.
        mask: Integers `(height, width)`, -1 for what nobody annotated; or float
            probabilities `(height, width, num_classes)`, which give a soft edge. Both
            come from `segment_picture`.
        classes: The `Classes` of the mask; all but the background are kept.
        path: Where to write a PNG, or None.

    Returns:
        uint8 `(height, width, 4)`: red, green, blue, and how opaque a pixel is. Nothing
        of the picture stays under transparent pixels.

    Raises:
        ValueError: If the mask does not fit the picture or the classes, the classes
            have no background, or nothing can be written there.
    """
    if path is not None:
        path = check_png_path(path)
    if classes.background is None:
        raise ValueError(
            "classes has no background, so that everything would be kept. Give classes "
            "that name one."
        )
    pixels, mask = read_picture(picture), np.asarray(mask)
    if mask.shape[:2] != pixels.shape[:2]:
        raise ValueError(
            f"mask has shape {mask.shape}, and the picture {pixels.shape[:2]}. Give "
            "what segment_picture returns for this picture."
        )
    opaque = find_opacity(mask, classes)[..., None]  # (H, W, 1)
    cut = np.concatenate([np.where(opaque > 0, pixels, 255), opaque], axis=-1)
    if path is not None:
        save_png(Image.fromarray(cut), path)
    return cut


def find_opacity(mask, classes):
    """Return how opaque each pixel of a cut-out is, uint8 `(height, width)`."""
    if mask.ndim == 2:
        mask = check_mask(mask, classes=classes)
        return 255 * ((mask >= 0) & (mask != classes.background)).astype("uint8")
    if mask.ndim != 3 or mask.shape[-1] != len(classes.names):
        raise ValueError(
            f"mask has shape {mask.shape}, expected (height, width), or probabilities "
            f"(height, width, {len(classes.names)}) of {', '.join(classes.names)}."
        )
    low, high = EDGE
    certainty = 1 - mask[..., classes.background].astype("float32")
    opaque = np.clip((certainty - low) / (high - low), 0, 1)
    near = isotropic_dilation(mask.argmax(axis=-1) != classes.background, REACH)
    return np.rint(255 * opaque * near).astype("uint8")


def count_objects(mask, class_name, classes=PETS, min_pixels=1):
    """Count the connected regions of a class.

    Pixels that touch at a side or a corner are connected. Two objects that touch count
    as one: a mask of classes does not tell them apart.

    Args:
        mask: Integers `(height, width)`.
        class_name: One of `classes.names`.
        classes: The `Classes` of the mask.
        min_pixels: Regions of fewer pixels are not counted. Speckles are regions too.

    Returns:
        An int.

    Raises:
        ValueError: If there is no such class, or the mask does not fit the classes.
    """
    if class_name not in classes.names:
        raise ValueError(
            f"class_name={class_name!r}: the classes are {', '.join(classes.names)}."
        )
    mask = check_mask(mask, classes=classes)
    regions = label(mask == classes.names.index(class_name), connectivity=2)
    sizes = np.bincount(regions.ravel())[1:]  # 0 is all the rest
    return int((sizes >= min_pixels).sum())


def write_mask(mask, path, classes=PETS):
    """Write a mask as a PNG with a palette, as raw masks of a data set are.

    Its pixels count from 1, in the order of the classes; 0 is what nobody annotated.

    Args:
        mask: Integers `(height, width)` from 0, or -1 for what nobody annotated.
        path: A file that ends in `.png`.
        classes: The `Classes` of the mask, whose colours the palette takes.

    Raises:
        ValueError: If the mask does not fit the classes, there are too many of them,
            or nothing can be written there.
    """
    path, mask = check_png_path(path), check_mask(mask, classes=classes)
    if len(classes.names) > MOST_CLASSES:
        raise ValueError(
            f"classes has {len(classes.names)} names, and a PNG with a palette holds "
            f"{MOST_CLASSES} at most. Join the rarest ones."
        )
    image = Image.fromarray((mask + 1).astype("uint8"))
    colours = np.array([VOID_COLOUR, *classes.colours], "uint8")
    image.putpalette(colours.tobytes())
    save_png(image, path)


def save_png(image, path):
    """Write a PIL image as PNG, the whole file or none of it."""
    write_whole(path, lambda temporary: image.save(temporary, "PNG"))
