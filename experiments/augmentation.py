"""Stronger augmentation for long trainings; the chapters do without.

The numbers are drawn by NumPy and the steps are `keras.ops` alone, so that a training
without TensorFlow draws and augments alike.
"""

import numpy as np
from keras import ops

from unetbook.augmentation import warp_pairs

SIDES = (0.6, 1.4)  # of the window, as shares of the picture's sides
STRETCH = (0.8, 1.25)  # width against height
LARGEST_ANGLE = np.pi / 12  # 15 degrees
GAINS = (0.8, 1.25)
GAMMAS = (0.67, 1.5)
GREY_SHARE = 0.1
BLURRED_SHARE = 0.3


def draw_stronger(num_images, augmentation, seed, epoch, index):
    """Draw the random numbers for one batch, from (seed, epoch, index) alone.

    Args:
        num_images: Number of pictures in the batch.
        augmentation: Names of steps; of these, `"zoom"`, `"tint"` and `"blur"` are
            drawn here, the others by `unetbook.data.draw_augmentation`.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.
        index: Number of the batch in the epoch, from 0.

    Returns:
        A dictionary for `augment_stronger`, all float32: `zoom` `(num_images, 5)`,
        `tint` `(num_images, 5)` and `blur` `(num_images,)`.
    """
    draws = {}
    for number, (name, draw) in enumerate(DRAWN.items()):
        if name in augmentation:  # a stream of its own, whatever else is drawn
            rng = np.random.default_rng([seed, epoch, index, number])
            draws[name] = draw(rng, num_images).astype("float32")
    return draws


def draw_zoom(rng, num_images):
    """Draw windows: width, height, left, top, angle, as in `zoom_pairs`."""
    side = draw_factors(rng, SIDES, num_images)
    stretch = draw_factors(rng, STRETCH, num_images) ** 0.5
    left, top = rng.random((2, num_images))
    angle = rng.uniform(-LARGEST_ANGLE, LARGEST_ANGLE, num_images)
    return np.stack([side * stretch, side / stretch, left, top, angle], axis=1)


def draw_tint(rng, num_images):
    """Draw gamma, a factor for red, green and blue each, and colour kept: 0 or 1."""
    gamma = draw_factors(rng, GAMMAS, (num_images, 1))
    gains = draw_factors(rng, GAINS, (num_images, 3))
    colour = rng.random((num_images, 1)) >= GREY_SHARE
    return np.concatenate([gamma, gains, colour], axis=1)


def draw_blur(rng, num_images):
    """Draw the share of blur: 0 for most, for the others anything up to 1."""
    return rng.random(num_images) * (rng.random(num_images) < BLURRED_SHARE)


def draw_factors(rng, bounds, shape):
    """Draw factors of which halving is as likely as doubling."""
    return np.exp(rng.uniform(*np.log(bounds), shape))


DRAWN = {"zoom": draw_zoom, "tint": draw_tint, "blur": draw_blur}


def augment_stronger(images, masks, draws):
    """Zoom, turn, tint and blur; whatever moves an image moves its mask.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1].
        masks: int32 `(batch, height, width)`.
        draws: What `draw_stronger` returns; a missing key leaves its step out.

    Returns:
        `(images, masks)` of the same shapes, dtypes and ranges.
    """
    if "zoom" in draws:
        images, masks = zoom_pairs(images, masks, draws["zoom"])
    if "tint" in draws:
        images = tint(images, draws["tint"])
    if "blur" in draws:
        images = blur(images, draws["blur"])
    return images, masks


def zoom_pairs(images, masks, window):
    """Look at each pair through a window: smaller or larger than it, and turned.

    Where the window reaches over the picture, the pixels at its edge are repeated, in
    the mask too.

    Args:
        images: float32 `(batch, height, width, 3)`.
        masks: int32 `(batch, height, width)`.
        window: float32 `(batch, 5)`: width and height, 1 for the picture's; left and
            top, 0 where the left (upper) edges meet and 1 where the right (lower) ones
            do; angle in radians. `(1, 1, any, any, 0)` changes nothing.

    Returns:
        `(images, masks)` of the same shapes: images bilinear, masks nearest neighbour.
    """
    return warp_pairs(images, masks, window_transform(window, *images.shape[1:3]))


def window_transform(window, height, width):
    """Return `(batch, 8)` for `affine_transform`, of windows as in `zoom_pairs`."""
    across, down, left, top, angle = ops.unstack(window, 5, axis=1)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    # The middle of the window, before and after it is turned around it.
    x = middle_x * (2 * left + across * (1 - 2 * left))
    y = middle_y * (2 * top + down * (1 - 2 * top))
    cos, sin, zero = ops.cos(angle), ops.sin(angle), ops.zeros_like(angle)
    # Output pixel (i, j) is read at (a * i + b * j + x0, c * i + d * j + y0).
    a, b, c, d = across * cos, -down * sin, across * sin, down * cos
    x0 = x - a * middle_x - b * middle_y
    y0 = y - c * middle_x - d * middle_y
    return ops.stack([a, b, x0, c, d, y0, zero, zero], axis=1)


def tint(images, factors):
    """Bend the brightness, change the light's colour, and take the colour from some.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1].
        factors: float32 `(batch, 5)`: gamma, three gains, the share of colour kept; 1
            changes nothing.

    Returns:
        float32 images of the same shape, clipped to [0, 1].
    """
    factors = factors[:, None, None]
    images = factors[..., 1:4] * images ** factors[..., :1]
    grey = ops.mean(images, axis=3, keepdims=True)
    return ops.clip(grey + factors[..., 4:] * (images - grey), 0, 1)


def blur(images, shares):
    """Pull each image to its 5 x 5 average.

    Args:
        images: float32 `(batch, height, width, 3)`.
        shares: float32 `(batch,)`: 0 changes nothing, 1 gives the average.

    Returns:
        float32 images of the same shape.
    """
    soft = ops.average_pool(images, 5, strides=1, padding="same")
    return images + shares[:, None, None, None] * (soft - images)
