"""Plausible wrong answers to assignment 2, each with the checks that catch it."""

WRONG_ANSWERS = [
    {
        "task": "size",
        "mistake": "rounds the number of places up",
        "caught": ["size-convolution"],
        "replace": (
            "(size - kernel_size) // strides",
            "-(-(size - kernel_size) // strides)",
        ),
    },
    {
        "task": "size",
        "mistake": "takes the output for strides times the input",
        "caught": ["size-transposed"],
        "replace": (
            "(size - 1) * strides + max(kernel_size, strides)",
            "size * strides",
        ),
    },
    {
        "task": "size",
        "mistake": "forgets the gap after the last stamp",
        "caught": ["size-gap"],
        "replace": ("max(kernel_size, strides)", "kernel_size"),
    },
    {
        "task": "size",
        "mistake": "counts steps of the kernel instead of places",
        "caught": ["size-convolution"],
        "replace": ("// strides + 1", "// strides"),
    },
    {
        "task": "stamp",
        "mistake": "overwrites where stamps meet instead of adding",
        "caught": ["stamp-overlap"],
        "replace": ("left + wide] +=", "left + wide] ="),
    },
    {
        "task": "stamp",
        "mistake": "cuts the output after the last stamp",
        "caught": ["stamp-gap"],
        "replace": ("max(wide, strides)", "wide"),
    },
    {
        "task": "stamp",
        "mistake": "takes the height for the width",
        "caught": ["stamp-rectangle"],
        "replace": ("height, width = x.shape", "height = width = x.shape[0]"),
    },
    {
        "task": "stamp",
        "mistake": "collects the sums in an array of integers",
        "caught": ["stamp-fractions"],
        "replace": ("np.result_type(x, kernel)", "int"),
        "also": ("x[row, column] * kernel", "(x[row, column] * kernel).astype(int)"),
    },
    {
        "task": "matrix",
        "mistake": "returns the matrix of the convolution, not its transpose",
        "caught": ["matrix-side-by-side", "matrix-overlap", "matrix-rectangle"],
        "replace": ("return matrix", "return matrix.T"),
    },
    {
        "task": "matrix",
        "mistake": "counts input pixels with the height instead of the width",
        "caught": ["matrix-rectangle"],
        "replace": ("row * width + column", "row * height + column"),
    },
    {
        "task": "matrix",
        "mistake": "takes strides times the input for the output's width",
        "caught": ["matrix-overlap"],
        "replace": ("(width - 1) * strides + wide", "width * strides"),
    },
    {
        "task": "matrix",
        "mistake": "turns the kernel by 180 degrees",
        "caught": ["matrix-side-by-side", "matrix-overlap", "matrix-rectangle"],
        "replace": ("= kernel[i, j]", "= kernel[-1 - i, -1 - j]"),
    },
    {
        "task": "coverage",
        "mistake": "always expects one stamp more somewhere",
        "caught": ["coverage-even"],
        "replace": ("-(-kernel_size // strides)", "kernel_size // strides + 1"),
    },
    {
        "task": "coverage",
        "mistake": "rounds both counts down",
        "caught": ["coverage-uneven", "coverage-gap"],
        "replace": ("-(-kernel_size // strides)", "kernel_size // strides"),
    },
    {
        "task": "coverage",
        "mistake": "expects at least one stamp everywhere",
        "caught": ["coverage-gap"],
        "replace": (
            "return kernel_size // strides",
            "return max(1, kernel_size // strides)",
        ),
    },
]
