"""Plausible wrong answers to assignment 1, each with the checks that catch it."""

WRONG_ANSWERS = [
    {
        "task": "mask",
        "mistake": "leaves the numbers as they are",
        "caught": ["mask-classes"],
        "replace": ('.astype("int32") - 1', '.astype("int32")'),
    },
    {
        "task": "mask",
        "mistake": "stays with uint8",
        "caught": ["mask-form"],
        "replace": ('.astype("int32")', ""),
    },
    {
        "task": "mask",
        "mistake": "keeps the last axis",
        "caught": ["mask-form"],
        "replace": ("trimap[..., 0]", "trimap"),
    },
    {
        "task": "mask",
        "mistake": "refuses only what is too large",
        "caught": ["mask-refuses"],
        "replace": ("[1, 2, 3])", "[0, 1, 2, 3])"),
    },
    {
        "task": "shares",
        "mistake": "averages the shares of the pictures",
        "caught": ["shares-pixels"],
        "replace": (
            "np.bincount(mask.ravel(), minlength=3) for",
            "np.bincount(mask.ravel(), minlength=3) / mask.size for",
        ),
    },
    {
        "task": "shares",
        "mistake": "forgets the classes that do not occur",
        "caught": ["shares-absent"],
        "replace": (
            "sum(np.bincount(mask.ravel(), minlength=3) for mask in masks)",
            "np.bincount(np.concatenate([mask.ravel() for mask in masks]))",
        ),
    },
    {
        "task": "shares",
        "mistake": "divides by the ignored pixels, too",
        "caught": ["shares-ignored"],
        "replace": (
            "counts / counts.sum()",
            "counts / sum(mask.size for mask in masks)",
        ),
    },
    {
        "task": "flip",
        "mistake": "mirrors the image without its mask",
        "caught": ["flip-together"],
        "replace": ("masks[flip] = masks[flip, :, ::-1]", "pass"),
    },
    {
        "task": "flip",
        "mistake": "turns upside down instead",
        "caught": ["flip-together"],
        "replace": ("images[flip, :, ::-1]", "images[flip, ::-1]"),
        "also": ("masks[flip, :, ::-1]", "masks[flip, ::-1]"),
    },
    {
        "task": "flip",
        "mistake": "mirrors the whole batch if any is chosen",
        "caught": ["flip-chosen"],
        "replace": (
            "images[flip] = images[flip, :, ::-1]",
            "images = images[:, :, ::-1]",
        ),
    },
    {
        "task": "flip",
        "mistake": "writes into the arrays that came in",
        "caught": ["flip-intact"],
        "replace": ("images.copy(), masks.copy()", "images, masks"),
    },
    {
        "task": "pipeline",
        "mistake": "drops the last, smaller batch",
        "caught": ["pipeline-once"],
        "replace": ("batch(batch_size)", "batch(batch_size, drop_remainder=True)"),
    },
    {
        "task": "pipeline",
        "mistake": "shuffles images and masks each on their own",
        "caught": ["pipeline-pairs"],
        "replace": (
            "tf.data.Dataset.from_tensor_slices((images, trimaps))",
            "tf.data.Dataset.from_tensor_slices(images)",
        ),
        "also": (
            "mixed = pairs.cache().shuffle(len(images), seed=seed)",
            "size = len(images)\n"
            "    others = tf.data.Dataset.from_tensor_slices(trimaps).shuffle(size)\n"
            "    mixed = tf.data.Dataset.zip(pairs.shuffle(size, seed=seed), others)",
        ),
    },
    {
        "task": "pipeline",
        "mistake": "leaves the images in 0 to 255",
        "caught": ["pipeline-range"],
        "replace": ("tf.cast(image, tf.float32) / 255", "tf.cast(image, tf.float32)"),
    },
    {
        "task": "pipeline",
        "mistake": "caches after the shuffling, which freezes the order",
        "caught": ["pipeline-order"],
        "replace": (
            "pairs.cache().shuffle(len(images), seed=seed)",
            "pairs.shuffle(len(images), seed=seed).cache()",
        ),
    },
    {
        "task": "pipeline",
        "mistake": "shuffles batches instead of pictures",
        "caught": ["pipeline-order"],
        "replace": ("mixed.batch(batch_size).map(prepare)", "mixed.map(prepare)"),
        "also": (
            "pairs.cache().shuffle(len(images), seed=seed)",
            "pairs.cache().batch(batch_size).shuffle(len(images), seed=seed)",
        ),
    },
    {
        "task": "pipeline",
        "mistake": "shuffles through a buffer of ten pictures",
        "caught": ["pipeline-order"],
        "replace": ("shuffle(len(images), seed=seed)", "shuffle(10, seed=seed)"),
    },
    {
        "task": "pipeline",
        "mistake": "forgets the seed",
        "caught": ["pipeline-seed"],
        "replace": ("shuffle(len(images), seed=seed)", "shuffle(len(images))"),
    },
]
