"""Plausible wrong answers to assignment 3, each with the checks that catch it."""

BOTH = ["decoder-values", "decoder-crop"]

WRONG_ANSWERS = [
    {
        "task": "count",
        "mistake": "forgets the biases",
        "caught": ["count-channels", "count-kernel"],
        "replace": (" + 2 * filters", ""),
    },
    {
        "task": "count",
        "mistake": "gives the second convolution the channels of the first",
        "caught": ["count-channels"],
        "replace": ("filters * filters", "channels * filters"),
    },
    {
        "task": "count",
        "mistake": "always counts 3 x 3 kernels",
        "caught": ["count-kernel"],
        "replace": ("kernel_size**2", "9"),
    },
    {
        "task": "encoder",
        "mistake": "pools by averaging",
        "caught": ["encoder-pooled"],
        "replace": ("MaxPooling2D", "AveragePooling2D"),
    },
    {
        "task": "encoder",
        "mistake": "convolves only once",
        "caught": ["encoder-skip"],
        "replace": ("range(2)", "range(1)"),
    },
    {
        "task": "encoder",
        "mistake": "leaves the ReLU out",
        "caught": ["encoder-skip"],
        "replace": (', activation="relu"', ""),
    },
    {
        "task": "encoder",
        "mistake": "returns the pooled maps first",
        "caught": ["encoder-shapes", "encoder-skip"],
        "replace": (
            "return x, layers.MaxPooling2D(2)(x)",
            "return layers.MaxPooling2D(2)(x), x",
        ),
    },
    {
        "task": "bottleneck",
        "mistake": "takes the rate for the share that is kept",
        "caught": ["bottleneck-dropout"],
        "replace": ("Dropout(dropout_rate)", "Dropout(1 - dropout_rate)"),
    },
    {
        "task": "bottleneck",
        "mistake": "drops values between the convolutions",
        "caught": ["bottleneck-dropout"],
        "replace": (
            "    return layers.Dropout(dropout_rate)(x)",
            "        x = layers.Dropout(dropout_rate / 2)(x)\n    return x",
        ),
    },
    {
        "task": "bottleneck",
        "mistake": "convolves only once",
        "caught": ["bottleneck-values"],
        "replace": ("range(2)", "range(1)"),
    },
    {
        "task": "decoder",
        "mistake": "cuts the skip's upper left corner out",
        "caught": ["decoder-crop"],
        "replace": (
            "layers.Cropping2D(rim)(skip)",
            "skip[:, : x.shape[1], : x.shape[2]]",
        ),
    },
    {
        "task": "decoder",
        "mistake": "puts the skip first",
        "caught": BOTH,
        "replace": ("[x, skip]", "[skip, x]"),
    },
    {
        "task": "decoder",
        "mistake": "adds the skip",
        "caught": BOTH,
        "replace": ("layers.Concatenate()", "layers.Add()"),
    },
    {
        "task": "decoder",
        "mistake": "puts a ReLU behind the 2 x 2 convolution",
        "caught": BOTH,
        "replace": (
            'filters, 2, padding="same"',
            'filters, 2, padding="same", activation="relu"',
        ),
    },
    {
        "task": "decoder",
        "mistake": "shrinks the skip instead of cutting it",
        "caught": ["decoder-crop"],
        "replace": (
            "layers.Cropping2D(rim)(skip)",
            "layers.Resizing(*x.shape[1:3])(skip)",
        ),
    },
]
