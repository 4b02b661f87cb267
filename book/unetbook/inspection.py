"""What a network is made of and what it looks at: counts and receptive fields."""

import math

import numpy as np
from keras import layers


def receptive_field(steps):
    """Compute how many pixels, in a row, one value after these layers can see.

    Built in chapter 3.

    Args:
        steps: `(kernel_size, strides)` of every layer, in order.

    Returns:
        The side of the receptive field in pixels.
    """
    size, spacing = 1, 1
    for kernel_size, strides in steps:
        size += (kernel_size - 1) * spacing
        spacing *= strides
    return size


def conv_block_parameters(channels, filters, batch_normalization=True):
    """Count the parameters of a `conv_block` without building it.

    Built in chapter 3.

    Args:
        channels: Channels that the block is given.
        filters: Channels that it returns.
        batch_normalization: As in `conv_block`.

    Returns:
        The number of parameters, the moving averages of batch normalisation included.
    """
    kernels = 3 * 3 * channels * filters + 3 * 3 * filters * filters
    per_filter = 4 if batch_normalization else 1  # 4 of the normalisation, or a bias
    return kernels + 2 * per_filter * filters


def coarsen_masks(masks, grid_size):
    """Give every cell of a coarse grid the class that most of its pixels have.

    Built in chapter 4. Of all masks with one class per cell, this one gets the most
    pixels right; another may have a higher mean IoU.

    Args:
        masks: Class numbers `(batch, side, side)`, from 0.
        grid_size: Cells along a side; it divides the side.

    Returns:
        int64 `(batch, side, side)`: the cells, enlarged to the masks' own size.

    Raises:
        ValueError: If `grid_size` does not divide the masks' side.
    """
    masks = np.asarray(masks)
    batch, side = masks.shape[:2]
    if grid_size < 1 or side % grid_size:
        raise ValueError(f"grid_size={grid_size!r}: choose a divisor of {side}.")
    cell = side // grid_size
    cells = masks.reshape(batch, grid_size, cell, grid_size, cell)
    class_ids = range(int(masks.max()) + 1)
    counts = [(cells == class_id).sum(axis=(2, 4)) for class_id in class_ids]
    winners = np.argmax(counts, axis=0)  # (B, grid_size, grid_size)
    return winners.repeat(cell, axis=1).repeat(cell, axis=2)


def unet_parameters(filters, num_classes=3, up_kernel_size=2, batch_normalization=True):
    """Count the parameters of a U-Net with skips without building it.

    Built in chapter 6.

    Args:
        filters: Width of every level, the bottleneck last.
        num_classes: Channels of the output.
        up_kernel_size: Side of the transposed convolutions' kernels.
        batch_normalization: As in `build_unet`.

    Returns:
        The number of parameters, the moving averages of batch normalisation included.
    """
    total, channels = 0, 3
    for width in filters:  # down, the bottleneck included
        total += conv_block_parameters(channels, width, batch_normalization)
        channels = width
    for width in reversed(filters[:-1]):  # up
        total += (up_kernel_size**2 * channels + 1) * width
        total += conv_block_parameters(2 * width, width, batch_normalization)
        channels = width
    return total + (channels + 1) * num_classes


def multiply_adds(layer):
    """Count the multiplications of a layer, each with its addition, for one picture.

    Built in chapter 6. Only convolutions count; everything else is small beside them.
    A transposed convolution uses its kernel once for every input position, a
    convolution once for every output position.

    Args:
        layer: A layer of a functional model of fixed size.

    Returns:
        The number of multiply-adds; 0 for a layer that is no convolution.
    """
    if isinstance(layer, layers.Conv2DTranspose):
        positions = layer.input.shape[1:3]
    elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        positions = layer.output.shape[1:3]
    else:
        return 0
    return math.prod(positions) * math.prod(layer.kernel.shape)
