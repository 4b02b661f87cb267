"""Augment pictures and masks with numbers that were drawn before; on any backend.

`unetbook.data` draws them with TensorFlow, for its pipeline. Here is `keras.ops` alone,
so that a training without TensorFlow augments alike.
"""

from keras import ops

SMALLEST_CROP = 0.6  # side of the smallest window, as a share of the picture's


def augment(images, masks, draws):
    """Flip, crop and recolour pictures; whatever moves an image moves its mask.

    It draws nothing itself, so that the same draws always give the same result, and it
    uses `keras.ops` only, so that it runs on every backend.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1]; a flip alone takes uint8
            as well.
        masks: int32 `(batch, height, width)`, or trimaps for a flip alone.
        draws: What `draw_augmentation` returns; a missing key leaves its step out.

    Returns:
        `(images, masks)` of the same shapes, dtypes and ranges.
    """
    if "flip" in draws:
        images = flip_some(images, draws["flip"])
        masks = flip_some(masks, draws["flip"])
    if "crop" in draws:
        images, masks = crop_pairs(images, masks, draws["crop"])
    if "colour" in draws:
        images = change_colours(images, draws["colour"])
    if "sharpness" in draws:
        images = change_sharpness(images, draws["sharpness"])
    return images, masks


def flip_some(x, flip):
    """Mirror those pictures of a batch whose `flip` is true, left to right.

    Args:
        x: Images `(batch, height, width, channels)` or masks `(batch, height, width)`.
        flip: Boolean `(batch,)`.

    Returns:
        An array of the same shape and dtype.
    """
    num_images = ops.shape(x)[0]
    lines = ops.reshape(x, (-1, *x.shape[2:]))  # (B * H, W, ...)
    mirrored = ops.reshape(ops.flip(lines, axis=1), ops.shape(x))
    # Flipping all and copying whole pictures is faster than `where`, pixel by pixel.
    choices = ops.concatenate([x, mirrored], axis=0)  # (2B, H, W, ...)
    rows = ops.arange(num_images) + num_images * ops.cast(flip, "int32")
    return ops.take(choices, rows, axis=0)


def crop_pairs(images, masks, crop):
    """Cut a window out of each pair and enlarge it to the full size again.

    Args:
        images: float32 `(batch, height, width, 3)`.
        masks: int32 `(batch, height, width)`.
        crop: float32 `(batch, 3)` in [0, 1): zoom, top, left.

    Returns:
        `(images, masks)` of the same shapes: images bilinear, masks nearest neighbour.
    """
    height, width = images.shape[1:3]
    side = SMALLEST_CROP + (1 - SMALLEST_CROP) * crop[:, 0]
    top = (1 - side) * crop[:, 1] * (height - 1)
    left = (1 - side) * crop[:, 2] * (width - 1)
    zero = ops.zeros_like(side)
    # Output pixel (x, y) is read at (side * x + left, side * y + top).
    transform = ops.stack([side, zero, left, zero, side, top, zero, zero], axis=1)
    return warp_pairs(images, masks, transform)


def warp_pairs(images, masks, transform):
    """Read each output pixel of each pair elsewhere; edge pixels are repeated.

    Args:
        images: float32 `(batch, height, width, 3)`.
        masks: int32 `(batch, height, width)`.
        transform: float32 `(batch, 8)`, as `keras.ops.image.affine_transform` takes it.

    Returns:
        `(images, masks)` of the same shapes: images bilinear, masks nearest neighbour.
    """
    # A copy: on PyTorch, Keras 3.15 swaps entries of the transform that it is given.
    images = ops.image.affine_transform(
        images, ops.copy(transform), "bilinear", fill_mode="nearest"
    )
    masks = ops.cast(masks[..., None], "float32")
    masks = ops.image.affine_transform(masks, transform, "nearest", "nearest")
    return images, ops.cast(masks[..., 0], "int32")


def change_colours(images, factors):
    """Change saturation, contrast and brightness of each image.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1].
        factors: float32 `(batch, 3)`: brightness, contrast, saturation; 1 changes
            nothing.

    Returns:
        float32 images of the same shape, clipped to [0, 1].
    """
    brightness, contrast, saturation = ops.unstack(
        factors[:, None, None, :, None], 3, 3
    )
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + saturation * (images - grey)
    middle = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    images = middle + contrast * (images - middle)
    return ops.clip(brightness * images, 0, 1)


def change_sharpness(images, factors):
    """Blur or sharpen each image: pull it to, or push it from, its 3 x 3 average.

    Photographs shrunk with antialiasing are softer than those shrunk without; a net
    that has met both takes either.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1].
        factors: float32 `(batch,)`: 0 gives the average, 1 changes nothing, 2 doubles
            the distance from the average.

    Returns:
        float32 images of the same shape, clipped to [0, 1].
    """
    soft = ops.average_pool(images, 3, strides=1, padding="same")
    return ops.clip(soft + factors[:, None, None, None] * (images - soft), 0, 1)
