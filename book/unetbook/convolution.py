"""Convolution and transposed convolution of one square channel. NumPy only.

Slow and readable: for looking at small numbers by hand, and for checking Keras.
"""

import numpy as np


def convolution_size(input_size, kernel_size, strides=1, padding="valid"):
    """Work out a convolution's output size and its zero padding.

    Args:
        input_size: Side of the input in pixels.
        kernel_size: Side of the kernel in pixels.
        strides: Steps of the kernel in pixels.
        padding: `"valid"` adds no zeros; `"same"` adds what it takes for an output of
            `input_size / strides` pixels, rounded up.

    Returns:
        `(output_size, before)`; `before` is the number of zeros at the top and at the
        left. An odd one out goes to the bottom and the right, as in Keras.

    Raises:
        ValueError: If `padding` is neither of the two, or the kernel does not fit.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f"padding={padding!r}: choose 'valid' or 'same'.")
    if padding == "same":
        output_size = -(-input_size // strides)  # rounded up
        zeros = (output_size - 1) * strides + kernel_size - input_size
        return output_size, max(zeros, 0) // 2
    if kernel_size > input_size:
        raise ValueError(
            f"kernel_size={kernel_size} is larger than input_size={input_size}. Take a "
            "smaller kernel, or padding='same'."
        )
    return (input_size - kernel_size) // strides + 1, 0


def convolution_matrix(kernel, input_size, strides=1, padding="valid"):
    """Write the convolution of a square picture as one matrix.

    Built in chapter 2.

    Args:
        kernel: `(kernel_size, kernel_size)`, any number type.
        input_size: Side of the input in pixels.
        strides: Steps of the kernel in pixels.
        padding: `"valid"` or `"same"`.

    Returns:
        `(output_size**2, input_size**2)`, of the kernel's type. Times the flattened
        input it is the flattened output; its transpose belongs to the transposed
        convolution.

    Raises:
        ValueError: As `convolution_size`.
    """
    kernel_size = kernel.shape[0]
    output_size, before = convolution_size(input_size, kernel_size, strides, padding)
    matrix = np.zeros((output_size**2, input_size**2), kernel.dtype)
    for row, column in np.ndindex(output_size, output_size):
        for i, j in np.ndindex(kernel.shape):
            y, x = row * strides + i - before, column * strides + j - before
            if 0 <= y < input_size and 0 <= x < input_size:
                matrix[row * output_size + column, y * input_size + x] = kernel[i, j]
    return matrix


def transposed_size(input_size, kernel_size, strides=1, padding="valid"):
    """Work out the output size of a transposed convolution.

    Built in chapter 2.

    Args:
        input_size: Side of the input in pixels.
        kernel_size: Side of the kernel in pixels.
        strides: Steps between the stamps in pixels.
        padding: `"valid"` keeps every stamp whole; `"same"` cuts the rim, so that the
            output has `input_size * strides` pixels.

    Returns:
        The side of the output in pixels, as `keras.layers.Conv2DTranspose` has it.

    Raises:
        ValueError: If `padding` is neither of the two.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f"padding={padding!r}: choose 'valid' or 'same'.")
    if padding == "same":
        return input_size * strides
    return (input_size - 1) * strides + max(kernel_size, strides)


def transposed_convolution(x, kernel, strides=1, padding="valid"):
    """Stamp the kernel once for every input pixel, scaled by the pixel, and add up.

    Built in chapter 2.

    Args:
        x: `(input_size, input_size)`.
        kernel: `(kernel_size, kernel_size)`.
        strides: Steps between the stamps in pixels.
        padding: `"valid"` or `"same"`.

    Returns:
        `(output_size, output_size)`, of the type that `x` times `kernel` has.

    Raises:
        ValueError: As `transposed_size`.
    """
    input_size, kernel_size = x.shape[0], kernel.shape[0]
    output_size = transposed_size(input_size, kernel_size, strides, padding)
    canvas_size = transposed_size(input_size, kernel_size, strides, "valid")
    canvas = np.zeros((canvas_size, canvas_size), np.result_type(x, kernel))
    for row, column in np.ndindex(x.shape):
        top, left = row * strides, column * strides
        stamp = x[row, column] * kernel
        canvas[top : top + kernel_size, left : left + kernel_size] += stamp
    before = (canvas_size - output_size) // 2
    return canvas[before : before + output_size, before : before + output_size]


def overlap_counts(input_size, kernel_size, strides=1, padding="valid"):
    """Count how many stamps cover each output pixel of a transposed convolution.

    Built in chapter 2. Uneven counts are the cause of checkerboards (Odena et al.,
    2016).

    Args:
        input_size: Side of the input in pixels.
        kernel_size: Side of the kernel in pixels.
        strides: Steps between the stamps in pixels.
        padding: `"valid"` or `"same"`.

    Returns:
        Integers `(output_size, output_size)`.

    Raises:
        ValueError: As `transposed_size`.
    """
    ones = np.ones((input_size, input_size), "int64")
    kernel = np.ones((kernel_size, kernel_size), "int64")
    return transposed_convolution(ones, kernel, strides, padding)
