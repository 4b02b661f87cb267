"""Plausible wrong answers to assignment 4, each with the checks that catch it."""

UNET = ["unet-output", "unet-parameters", "unet-skips"]
TRAINING = ["train-pixels", "train-pet"]

WRONG_ANSWERS = [
    {
        "task": "unet",
        "mistake": "forgets the softmax",
        "caught": ["unet-output"],
        "replace": ("layers.Softmax()(logits)", "logits"),
    },
    {
        "task": "unet",
        "mistake": "keeps every skip",
        "caught": ["unet-skips"],
        "replace": ("skip if keep else None", "skip"),
    },
    {
        "task": "unet",
        "mistake": "reads the kept skips from the bottom up",
        "caught": ["unet-skips"],
        "replace": ("zip(filters, kept_skips)", "zip(filters, kept_skips[::-1])"),
    },
    {
        "task": "unet",
        "mistake": "gives the bottleneck the width above it",
        "caught": UNET,
        "replace": ("bottleneck(x, filters[-1])", "bottleneck(x, filters[-2])"),
    },
    {
        "task": "unet",
        "mistake": "hands on to the book's network",
        "caught": UNET,
        "replace": (
            "inputs = x =",
            "return build_unet(image_size, filters=filters, use_skips=kept_skips)\n"
            "    inputs = x =",
        ),
    },
    {
        "task": "unet",
        "mistake": "works out the number of parameters without these layers",
        "caught": UNET,
        "replace": (
            "return keras.Model(inputs, layers.Softmax()(logits))",
            "count = keras.Model(inputs, logits).count_params()\n"
            "    logits = layers.Dense(3)(inputs)\n"
            "    made = keras.Model(inputs, layers.Softmax()(logits))\n"
            "    made.count_params = lambda: count\n"
            "    return made",
        ),
    },
    {
        "task": "score",
        "mistake": "averages over the pictures",
        "caught": ["score-sums"],
        "replace": (
            "counted = true_masks != 2",
            "if len(true_masks) > 1:\n"
            "        pairs = zip(true_masks, pred_masks)\n"
            "        return np.nanmean([pet_iou(t[None], p[None]) for t, p in pairs])\n"
            "    counted = true_masks != 2",
        ),
    },
    {
        "task": "score",
        "mistake": "counts border pixels",
        "caught": ["score-border"],
        "replace": ("true_masks != 2", "true_masks >= 0"),
    },
    {
        "task": "score",
        "mistake": "leaves out where border is predicted, not where it is true",
        "caught": ["score-border"],
        "replace": ("counted = true_masks != 2", "counted = pred_masks != 2"),
    },
    {
        "task": "score",
        "mistake": "gives 0 where there is no pet",
        "caught": ["score-nothing"],
        "replace": ('float("nan")', "0.0"),
    },
    {
        "task": "train",
        "mistake": "compiles the network, but does not train it",
        "caught": TRAINING,
        "replace": (
            "model.fit(images, masks, batch_size=16, epochs=5, verbose=2)",
            "pass",
        ),
    },
    {
        "task": "train",
        "mistake": "returns a network that comes with the book",
        "caught": TRAINING,
        "replace": (
            "model.compile(",
            "from unetbook.pretrained import load_pretrained, read_card\n\n"
            "    model = build_unet(48, filters=read_card()['filters'])\n"
            "    model.set_weights(load_pretrained().get_weights())\n"
            "    return model\n"
            "    model.compile(",
        ),
    },
    {
        "task": "train",
        "mistake": "takes a learning rate that is far too large",
        "caught": TRAINING,
        "replace": ("Adam(5e-3)", "SGD(1e6)"),
    },
    {
        "task": "train",
        "mistake": "puts images and masks into different orders",
        "caught": TRAINING,
        "replace": ("model.fit(images, masks,", "model.fit(images, masks[::-1],"),
    },
]
