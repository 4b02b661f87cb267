"""The explorer of chapter 2: stamps, matrix and overlaps."""

from unetbook.explorers.cells import explorer


def explore_transposed_convolution(
    input_size=3, kernel_size=3, strides=2, padding="same"
):
    """Move the stamps of a transposed convolution, and see its matrix and overlaps.

    Args:
        input_size: Side of the input in pixels, 2 to 5.
        kernel_size: Side of the kernel in pixels, 1 to 5.
        strides: Steps between the stamps in pixels, 1 to 4.
        padding: `"valid"` or `"same"`.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If a setting is outside its range.
    """
    sizes = {"input_size": (input_size, 2, 5), "kernel_size": (kernel_size, 1, 5)}
    sizes["strides"] = (strides, 1, 4)
    for argument, (value, lowest, highest) in sizes.items():
        if value not in range(lowest, highest + 1):
            raise ValueError(
                f"{argument}={value!r}: the explorer shows {lowest} to {highest}."
            )
    if padding not in ("valid", "same"):
        raise ValueError(f"padding={padding!r}: choose 'valid' or 'same'.")
    settings = {"inputSize": input_size, "kernelSize": kernel_size}
    settings |= {"strides": strides, "padding": padding}
    return explorer("transposed_convolution", settings)
