"""The U-Net, assembled from its blocks in two loops."""

import keras
from keras import layers

from unetbook.blocks import bottleneck, decoder_block, encoder_block


def check_image_size(image_size, filters):
    """Raise a `ValueError` unless every level of the network can halve the picture.

    Built in chapter 6.

    Args:
        image_size: Side of the square picture in pixels, or `(height, width)`.
        filters: Widths of the levels; the picture is halved `len(filters) - 1` times.

    Returns:
        `(height, width)`.
    """
    if isinstance(image_size, int):
        height, width = image_size, image_size
    else:
        height, width = image_size
    divisor = 2 ** (len(filters) - 1)
    if min(height, width) < divisor or height % divisor or width % divisor:
        raise ValueError(
            f"image_size={image_size!r} cannot be halved {len(filters) - 1} times. "
            f"Use multiples of {divisor}, or fewer entries in filters={filters!r}."
        )
    return height, width


def check_skips(use_skips, filters):
    """Raise a `ValueError` unless each level above the bottleneck has one bool.

    Args:
        use_skips: True or False for all levels, or one bool for each, topmost first.
        filters: Widths of the levels, the bottleneck last.

    Returns:
        One bool for each level, topmost first.
    """
    levels = len(filters) - 1
    if isinstance(use_skips, bool):
        return (use_skips,) * levels
    if len(use_skips) != levels:
        raise ValueError(
            f"use_skips={use_skips!r} has {len(use_skips)} entries, and filters="
            f"{filters!r} has {levels} levels above the bottleneck. Give one bool for "
            "each of them, or True or False for all."
        )
    return use_skips


def build_unet(
    image_size,
    num_classes=3,
    filters=(16, 32, 64, 128, 256),
    *,
    up_kernel_size=2,
    batch_normalization=True,
    dropout_rate=0.3,
    block_dropout_rate=0.0,
    use_skips=True,
):
    """Build an uncompiled U-Net with a softmax over the classes of every pixel.

    Built in chapter 6. The article's network is `build_unet(128, 3, (64, 128, 256,
    512, 1024), up_kernel_size=3, batch_normalization=False, dropout_rate=0,
    block_dropout_rate=0.3)`, 34,513,475 parameters.

    Args:
        image_size: Side of the square picture in pixels, or `(height, width)`; a
            multiple of `2 ** (len(filters) - 1)`.
        num_classes: Channels of the output.
        filters: Width of every level; the last one is the bottleneck's.
        up_kernel_size: Side of the transposed convolutions' kernels.
        batch_normalization: Normalise after every convolution of a block.
        dropout_rate: Dropout at the bottleneck, in [0, 1).
        block_dropout_rate: Dropout in every encoder and decoder block, in [0, 1).
        use_skips: False cuts the skip connections, for comparison; or one bool for
            each level, topmost first.

    Returns:
        A `keras.Model` from float32 images `(batch, height, width, 3)` in [0, 1] to
        float32 probabilities `(batch, height, width, num_classes)`.

    Raises:
        ValueError: If `image_size` is not a multiple of `2 ** (len(filters) - 1)`, or
            `use_skips` has another number of entries than there are skips.
    """
    height, width = check_image_size(image_size, filters)
    use_skips = check_skips(use_skips, filters)
    inputs = x = keras.Input((height, width, 3), name="image")
    skips = []
    options = (batch_normalization, block_dropout_rate)
    for level_filters, use_skip in zip(filters[:-1], use_skips, strict=True):
        skip, x = encoder_block(x, level_filters, *options)
        skips.append(skip if use_skip else None)
    x = bottleneck(x, filters[-1], batch_normalization, dropout_rate)
    for level_filters in reversed(filters[:-1]):
        x = decoder_block(x, skips.pop(), level_filters, up_kernel_size, *options)
    logits = layers.Conv2D(num_classes, 1, name="logits")(x)  # (B, H, W, num_classes)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(logits)
    return keras.Model(inputs, probabilities, name="unet")
