"""Layers worked out with NumPy alone: what hidden checks compare networks with.

Written out here rather than asked of Keras, so that a hand-in and its judge do not
share a mistake.
"""

import numpy as np


def convolve(x, kernel, bias):
    """Convolve as Keras does with `padding="same"` and strides 1.

    Args:
        x: `(height, width, channels)`.
        kernel: `(rows, columns, channels, filters)`.
        bias: `(filters,)`.

    Returns:
        `(height, width, filters)`.
    """
    rows, columns = kernel.shape[:2]
    before = (rows - 1) // 2, (columns - 1) // 2
    padding = [(b, n - 1 - b) for b, n in zip(before, (rows, columns), strict=True)]
    padded = np.pad(x, [*padding, (0, 0)])
    result = np.zeros((*x.shape[:2], kernel.shape[3])) + bias
    for i, j in np.ndindex(rows, columns):
        result += padded[i : i + x.shape[0], j : j + x.shape[1]] @ kernel[i, j]
    return result


def convolve_twice(x, weights):
    """Apply two convolutions, each with a ReLU.

    Args:
        x: `(height, width, channels)`.
        weights: Kernel, bias, kernel, bias.

    Returns:
        `(height, width, filters)`.
    """
    for kernel, bias in (weights[:2], weights[2:]):
        x = np.maximum(convolve(x, kernel, bias), 0)
    return x


def pool(x):
    """Keep the largest value of every 2 x 2 pixels of `(height, width, channels)`."""
    height, width, channels = x.shape
    return x.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))


def enlarge(x):
    """Repeat every pixel of `(height, width, channels)` twice in both directions."""
    return x.repeat(2, axis=0).repeat(2, axis=1)


def cut_middle(x, height, width):
    """Cut `(height, width)` pixels out of the middle of `x`."""
    top, left = (x.shape[0] - height) // 2, (x.shape[1] - width) // 2
    return x[top : top + height, left : left + width]


def probabilities(outputs):
    """Return what a softmax makes of the last axis, or what has been through one."""
    if np.all(outputs >= 0) and np.allclose(outputs.sum(axis=-1), 1, atol=1e-4):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def count_unet(filters, up_filters, kept_skips):
    """Count the parameters of a U-Net of the book's blocks that keeps some skips.

    Args:
        filters: Width of every level on the way down, the bottleneck last.
        up_filters: Width of every level on the way up, the lowest first.
        kept_skips: One bool for each level but the last, that of full resolution first.

    Returns:
        The number of parameters, moving averages included.
    """

    def block(channels, width):  # two 3 x 3 kernels, two normalisations of four numbers
        return 9 * channels * width + 9 * width**2 + 8 * width

    total, channels = 0, 3
    for width in filters:
        total += block(channels, width)
        channels = width
    levels = list(zip(filters[:-1], kept_skips, strict=True))
    for (skip, keep), width in zip(reversed(levels), up_filters, strict=True):
        total += (4 * channels + 1) * width + block(width + keep * skip, width)
        channels = width
    return total + (channels + 1) * 3
