"""What is trained: one small definition for each recipe."""

from dataclasses import dataclass, fields, replace

from unetbook.config import TIERS

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class Recipe:
    """Everything that sets one training apart from another, but for the seed.

    Attributes:
        about: One line for people.
        data: What `load_pets` takes.
        pictures: Training pictures to use, or None for all.
        pictures_per_epoch: Training pictures shown in one epoch, each as often as it
            takes; None shows each once.
        image_size: Side of the square pictures in pixels.
        pretrained: Build `build_pretrained_unet`; the next seven entries do not count.
        filters: Widths of the U-Net's levels, the bottleneck last.
        up_kernel_size: Side of the transposed convolutions' kernels.
        up_sampling: Repeat pixels and convolve in place of a transposed convolution.
        batch_normalization: Normalise after every convolution of a block.
        dropout_rate: Dropout at the bottleneck.
        block_dropout_rate: Dropout in every encoder and decoder block.
        use_skips: What `build_unet` takes: which skip connections are kept.
        augmentation: What `make_dataset` draws for the training pictures, and what
            `experiments.augmentation` adds: "zoom", "tint", "blur".
        frozen_flip: Draw the flips once, before the cache, as the article does.
        loss: A name in `experiments.losses.LOSSES`.
        constant_rate: Adam with one learning rate, in place of AdamW with a warm-up
            and a cosine.
        learning_rate: The highest rate.
        batch_size: Pictures in one training step.
        epochs: Passes over the training pictures.
        averaged_epochs: In the end, take the mean of the weights at the ends of so many
            of the last epochs (Izmailov et al., 2018); 0 takes the last weights.
        after: Name of the recipe whose trained network, of the same seed, this one
            goes on from with a schedule of its own (Loshchilov & Hutter, 2017). In the
            end its weights are averaged with those that it went on from (Wortsman et
            al., 2022). None begins with random weights.
    """

    about: str
    data: str = "oxford"
    pictures: int | None = None
    pictures_per_epoch: int | None = None
    image_size: int = 128
    pretrained: bool = False
    filters: tuple[int, ...] = (16, 32, 64, 128, 256)
    up_kernel_size: int = 2
    up_sampling: bool = False
    batch_normalization: bool = True
    dropout_rate: float = 0.3
    block_dropout_rate: float = 0.0
    use_skips: bool | tuple[bool, ...] = True
    augmentation: tuple[str, ...] = ("flip", "crop", "colour")
    frozen_flip: bool = False
    loss: str = "cross-entropy"
    constant_rate: bool = False
    learning_rate: float = 3e-3
    batch_size: int = 16
    epochs: int = 10
    averaged_epochs: int = 0
    after: str | None = None


ARTICLE = Recipe(
    "the article's recipe, as it stands there",
    filters=(64, 128, 256, 512, 1024),
    up_kernel_size=3,
    batch_normalization=False,
    dropout_rate=0.0,
    block_dropout_rate=0.3,
    augmentation=(),
    frozen_flip=True,
    constant_rate=True,
    learning_rate=1e-3,
    batch_size=64,
)


def from_tier(tier, about):
    """Return the recipe that a tier of the chapters is, on the photographs."""
    config = vars(TIERS[tier])
    names = {field.name for field in fields(Recipe)} - {"data"}
    return Recipe(about, **{name: config[name] for name in names & config.keys()})


COURSE = from_tier(
    "standard", "ours: a quarter of the article's widths, a sixteenth of its work"
)
LONG = from_tier("full", "ours, six levels, four times as long")
LARGE = replace(
    LONG,
    about="course-long and 16 epochs more, uncropped, averaged with it; shipped",
    after="course-long",
    augmentation=("flip", "colour", "sharpness"),
    epochs=16,
)
LONGEST = replace(
    LONG,
    about="the large network for 300 epochs, which takes a GPU",
    augmentation=("flip", "zoom", "colour", "sharpness", "tint", "blur"),
    batch_size=32,
    epochs=300,
)
TINY = replace(
    LONG,
    about="six narrow levels, for a reader's browser",
    filters=(8, 16, 24, 24, 24, 32),
    dropout_rate=0.0,
    epochs=24,
)
PRETRAINED = replace(
    COURSE,
    about="our decoder on an encoder that has seen ImageNet; shipped",
    pretrained=True,
    augmentation=("flip", "zoom", "colour", "sharpness"),
    learning_rate=1e-3,
    epochs=16,
    averaged_epochs=3,
)
# The ablations change one thing each. On two CPU cores they are small: narrower, on
# 600 photographs, for 15 epochs; after 5 it is chance who has found the border.
SMALL = replace(
    COURSE,
    about="course, small: widths 8 to 128, 600 photographs, 15 epochs",
    filters=(8, 16, 32, 64, 128),
    pictures=600,
    epochs=15,
)
ABLATIONS = {
    "small": SMALL,
    # What was trained in 32 bits is compared with this one: `run` says which.
    "small-32-bits": replace(SMALL, about="in 32 bits, not 16"),
    "small-no-skips": replace(SMALL, about="skips cut", use_skips=False),
    "small-frozen-flip": replace(
        SMALL, about="the flip frozen, nothing else", augmentation=(), frozen_flip=True
    ),
    "small-fresh-flip": replace(
        SMALL, about="a fresh flip, nothing else", augmentation=("flip",)
    ),
    "small-no-augmentation": replace(SMALL, about="no augmentation", augmentation=()),
    "small-crop": replace(
        SMALL, about="crops added", augmentation=("flip", "crop", "colour")
    ),
    "small-no-batch-normalization": replace(
        SMALL, about="no batch normalisation", batch_normalization=False
    ),
    "small-up-sampling": replace(
        SMALL, about="up-sampling, not transposed convolution", up_sampling=True
    ),
    # Equal parameters, to 1 %: what costs fewer gets wider.
    "small-no-skips-wide": replace(
        SMALL,
        about="skips cut, as many parameters",
        use_skips=False,
        filters=(8, 16, 34, 68, 134),
    ),
    "small-deep": replace(
        SMALL,
        about="one level more, as many parameters",
        filters=(8, 16, 32, 48, 64, 84),
    ),
    "small-shallow": replace(
        SMALL, about="one level less, as many parameters", filters=(16, 32, 64, 128)
    ),
    "small-kernel-3": replace(
        SMALL, about="kernels of 3, not 2, in the decoder", up_kernel_size=3
    ),
    "small-no-dropout": replace(SMALL, about="no dropout", dropout_rate=0.0),
    "small-narrow": replace(
        SMALL, about="half the widths: 4 to 64", filters=(4, 8, 16, 32, 64)
    ),
    "small-wide": replace(
        SMALL, about="twice the widths: 16 to 256", filters=(16, 32, 64, 128, 256)
    ),
    "small-weighted": replace(
        SMALL, about="classes weighted by rarity", loss="weighted cross-entropy"
    ),
    "small-no-dice": replace(SMALL, about="cross-entropy alone", loss="cross-entropy"),
}
# How much a photograph's mask is worth, with a pretrained encoder and without. All see
# as many pictures, at half the side, so that only their variety differs.
SCRATCH = replace(
    COURSE,
    about="course",
    pictures_per_epoch=3312,
    image_size=64,
    augmentation=("flip", "crop", "colour"),
    epochs=8,
)
ENCODED = replace(SCRATCH, about="pretrained", pretrained=True, learning_rate=1e-3)
NUMBERS_OF_LABELS = (50, 100, 200, 400, 800, 3312)
LABELS = {
    f"{kind.about}-{pictures}": replace(
        kind,
        about=f"{kind.about}, 64 px, {pictures:,} labelled photographs",
        pictures=pictures,
    )
    for pictures in NUMBERS_OF_LABELS
    for kind in (SCRATCH, ENCODED)
}
PHOTOGRAPHS = {
    "pretrained": PRETRAINED,
    "course-long": LONG,
    "large": LARGE,
    "tiny": TINY,
    "large-300": LONGEST,
    "course": COURSE,
    "article": ARTICLE,
    "article-16": replace(
        ARTICLE, about="the article's at widths 16 to 256", filters=COURSE.filters
    ),
    **ABLATIONS,
    **LABELS,
}
QUICK = replace(from_tier("quick", "the quick tier, on drawn pets"), data="drawn")
DRAWN = replace(
    QUICK,
    about="for `ship drawn`: quick, 40 epochs, with crops and colours",
    augmentation=("flip", "crop", "colour"),
    epochs=40,
)
# Which skips are cut, 0 for the topmost; all else is as the quick tier has it.
CUTS = {"none": (), "1": (0,), "2": (1,), "3": (2,), "4": (3,), "all": (0, 1, 2, 3)}
SKIPS = {
    f"skips-{name}": replace(
        QUICK,
        about=f"for `run skips`: quick, skips cut: {name}",
        use_skips=tuple(level not in cut for level in range(4)),
    )
    for name, cut in CUTS.items()
}
RECIPES = {**PHOTOGRAPHS, "quick": QUICK, "drawn": DRAWN, **SKIPS}
SHIPPED = ("pretrained", "large", "tiny", "drawn")
SEEDS = {
    "course": 5,
    "pretrained": 2,
    "large-300": 1,
    "article": 5,
    "article-16": 5,
    "drawn": 1,
}
SEEDS |= dict.fromkeys(SKIPS, 1)
SEEDS |= {name: 2 if recipe.pictures <= 400 else 1 for name, recipe in LABELS.items()}
OTHER_SEEDS = 3


def planned_seeds(name):
    """Return how many seeds of a recipe make it complete."""
    return SEEDS.get(name, OTHER_SEEDS)


# Runs that stand together in one file, each a recipe and a seed.
GROUPS = {
    "quick": [("quick", seed) for seed in range(planned_seeds("quick"))],
    "skips": [(name, 0) for name in SKIPS],
}


def trial(recipe):
    """Return a recipe that is over in seconds, on drawn pets, to try the runner."""
    filters = (4, 8, 8) if isinstance(recipe.use_skips, bool) else (4, 4, 4, 4, 4)
    return replace(
        recipe,
        data="drawn",
        pictures=32,
        pictures_per_epoch=recipe.pictures_per_epoch and 64,
        image_size=32,
        filters=filters,
        batch_size=8,
        epochs=2,
        after=None,
    )
