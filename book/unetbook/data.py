"""The two doors to the data: pictures with masks in, batches for training out.

Whatever the source, every example of every split is a dictionary of the same shape:

- `image`: uint8 `(height, width, 3)`, and every picture may have its own size;
- `segmentation_mask`: uint8 `(height, width, 1)`, the raw mask: 1 for the first
  class and so on, 0 where nobody annotated; of pets the trimap: 1 pet, 2 background,
  3 border;
- `label`: int64, the breed's position in `Pets.breeds`; `species`: int64, 0 cat, 1 dog;
  both are 0 in a folder of one's own;
- `file_name`: string; `head_bbox`: float32 `(4,)` as `(ymin, xmin, ymax, xmax)` in
  shares of the picture, zeros where nobody marked a head.

The sources themselves are in `unetbook.sources`.
"""

import warnings
from functools import partial

import tensorflow as tf

from unetbook.augmentation import augment
from unetbook.config import cache_dir, find_folder, photos_dir
from unetbook.files import printable
from unetbook.remedies import look_up
from unetbook.sources.drawn.dataset import prepare_drawn_pets
from unetbook.sources.folders import load_folder, report_folder
from unetbook.sources.photographs import (
    decode_example,
    download_photos,
    find_photos,
    read_split,
)
from unetbook.sources.splits import cut_validation


def load_pets(source="drawn", *, validation_share=0.1, seed=0):
    """Load cats and dogs with their trimaps, in three splits.

    The validation split is cut from the source's training pictures: which ones is a
    function of their file names and `seed` alone. The test split stays what it is.

    Args:
        source: `"drawn"`, the built-in drawn pets; `"oxford"`, the photographs of
            Oxford-IIIT Pet, found under `TFDS_DATA_DIR` or downloaded there (773 MB).
        validation_share: Share of the training pictures to cut off, in (0, 1).
        seed: Another seed cuts off other pictures.

    Returns:
        `Pets(train, validation, test, breeds)`: three objects `tf.data.Dataset` of the
        dictionaries described at the top of this module, of known cardinality, in an
        order that never changes, and a tuple of breed names.

    Raises:
        ValueError: If `source` is no data source, or `validation_share` is out of
            range.
        DataError: If the photographs cannot be downloaded or their copy is broken.
    """
    check_share(validation_share)
    if source == "drawn":
        builder = prepare_drawn_pets(cache_dir())
    elif source == "oxford":
        builder = find_photos(photos_dir()) or download_photos(photos_dir())
    else:
        raise ValueError(
            f"source={str(source)!r} is neither 'drawn' nor 'oxford'. Chapters 1 to 11 "
            "are about these pets; pictures of your own are loaded by "
            "load_pictures(folder), in chapter 12."
        )
    train, test = (read_split(builder, name) for name in ("train", "test"))
    breeds = tuple(builder.info.features["label"].names)
    return cut_validation(train, test, breeds, decode_example, validation_share, seed)


def check_share(validation_share):
    """Raise a `ValueError` unless this is a share between 0 and 1."""
    if not 0 < validation_share < 1:
        raise ValueError(
            f"validation_share={validation_share}: give a share between 0 and 1, "
            "such as 0.1."
        )


def load_pictures(folder, classes=None, *, validation_share=0.1, seed=0):
    """Load pictures and masks of one's own, of any classes, in three splits.

    Folders are read as annotation tools write them: `images/` and `masks/`; pictures
    with `NAME_mask.png` beside them; Pascal VOC; outlines as COCO's or LabelMe's JSON,
    or as the text files of YOLO's segmentation; each by itself or in `train/`, `valid/`
    and `test/`. Several folders of masks that lie beside each other are taken together.
    A split that is missing is cut from the training pictures, and copies of one
    photograph stay together. Pictures with more than 1,024 pixels on a side are shrunk
    to that.

    Args:
        folder: A path; `~` is the reader's home.
        classes: What the masks hold: names in the order of their values, a dictionary
            from names to values or colours, or `Classes`. None reads a class list in
            the folder (`classes.csv`, or what annotation tools write), or else infers
            the classes where masks leave no doubt: black and white, 0 and 1, Pascal
            VOC's palette, trimaps.
        validation_share: Share of the training pictures to cut off, in (0, 1).
        seed: Another seed cuts off other pictures.

    Returns:
        `Pictures(train, validation, test, classes)`: three objects `tf.data.Dataset` of
        the dictionaries described at the top of this module, of known cardinality, in
        an order that never changes, and the `Classes`.

    Raises:
        ValueError: If there is no such folder, a file in it is unpaired or unreadable,
            or the masks hold what stands for no class for sure.
    """
    check_share(validation_share)
    path = find_folder(folder)
    pictures, said, doubts = load_folder(path, classes, validation_share, seed)
    print(said)
    if doubts:
        more = look_up("The folder loads with a warning")
        text = printable(f"Look at these, in {path}: {'; '.join(doubts)}. {more}")
        warnings.warn(text, stacklevel=2)
    return pictures


def check_pictures(folder, classes=None):
    """Check a folder as `load_pictures` does, and return all that was found.

    Args:
        folder: A path, as in `load_pictures`.
        classes: As in `load_pictures`.

    Returns:
        A `Report(pairs, classes, shares, sizes, faults, doubtful, read)`.

    Raises:
        ValueError: If there is no such folder, no mask in it, or the masks hold what
            stands for no class for sure.
    """
    return report_folder(find_folder(folder), classes)


def resize_pair(example, image_size):
    """Resize a picture and its trimap to a square.

    Built in chapter 1.

    Args:
        example: A dictionary with `image` uint8 `(height, width, 3)` and
            `segmentation_mask` uint8 `(height, width, 1)`.
        image_size: Side of the square in pixels.

    Returns:
        `(image, trimap)`: uint8 `(image_size, image_size, 3)`, bilinear with
        antialiasing, and uint8 `(image_size, image_size)`, nearest neighbour, since no
        class lies between two others.
    """
    size = (image_size, image_size)
    image = tf.image.resize(example["image"], size, antialias=True)
    trimap = tf.image.resize(example["segmentation_mask"], size, method="nearest")
    return tf.cast(tf.round(image), tf.uint8), trimap[..., 0]


def cache_pairs(examples, image_size):
    """Resize every example once and keep the result in memory, as bytes.

    Built in chapter 1.

    Args:
        examples: A split of `load_pets`.
        image_size: Side of the square in pixels.

    Returns:
        A `tf.data.Dataset` of `(image, trimap)` as in `resize_pair`. Every data set
        made from this one shares its memory.
    """
    resize = partial(resize_pair, image_size=image_size)
    return examples.map(resize, tf.data.AUTOTUNE).cache()


def preprocess(images, trimaps):
    """Scale images to [0, 1] and turn trimaps into masks that count from 0.

    Built in chapter 1.

    Args:
        images: uint8 `(..., height, width, 3)`.
        trimaps: uint8 `(..., height, width)`, 1 pet, 2 background, 3 border; or raw
            masks of other classes, which count from 1, and 0 for not annotated.

    Returns:
        `(images, masks)`: float32 in [0, 1], and int32, 0 pet, 1 background, 2 border;
        -1: not annotated.
    """
    return tf.cast(images, tf.float32) / 255, tf.cast(trimaps, tf.int32) - 1


def draw_augmentation(num_images, augmentation, seed, epoch, index):
    """Draw the random numbers for one batch, from (seed, epoch, index) alone.

    Args:
        num_images: Number of pictures in the batch.
        augmentation: Any of `"flip"`, `"crop"`, `"colour"`, `"sharpness"`.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.
        index: Number of the batch in the epoch, from 0.

    Returns:
        A dictionary for `augment`: `flip` bool `(num_images,)`, true for half of them;
        `crop` float32 `(num_images, 3)` in [0, 1): zoom, top, left; `colour` float32
        `(num_images, 3)`, factors in [0.75, 1.25) for brightness, contrast, saturation;
        `sharpness` float32 `(num_images,)` in [0, 2): 0 blurs, 1 changes nothing.
    """
    key = tf.random.fold_in((seed, epoch), tf.cast(index, tf.int64))
    draws = {}
    if "flip" in augmentation:
        key_flip = tf.random.fold_in(key, 0)
        draws["flip"] = tf.random.stateless_uniform([num_images], key_flip) < 0.5
    if "crop" in augmentation:
        key_crop = tf.random.fold_in(key, 1)
        draws["crop"] = tf.random.stateless_uniform([num_images, 3], key_crop)
    if "colour" in augmentation:
        key_colour = tf.random.fold_in(key, 2)
        draws["colour"] = tf.random.stateless_uniform(
            [num_images, 3], key_colour, 0.75, 1.25
        )
    if "sharpness" in augmentation:
        key_sharpness = tf.random.fold_in(key, 3)
        draws["sharpness"] = tf.random.stateless_uniform(
            [num_images], key_sharpness, 0, 2
        )
    return draws


def make_dataset(
    pairs, batch_size, *, training=False, augmentation=("flip",), seed=0, epoch=0
):
    """Turn cached pairs into the batches of one epoch.

    Chapter 1 builds it for flips alone. The same seed and epoch always give the same
    batches, however often the data set is iterated; the next epoch gives another order
    and other draws.
    TensorFlow mixes its global seed, where one was set, into the order (not the draws).

    Args:
        pairs: What `cache_pairs` returns.
        batch_size: Pictures in one batch; the last batch may be smaller.
        training: Shuffle and augment. Validation and test pictures stay as they are.
        augmentation: Any of `"flip"`, `"crop"`, `"colour"`, `"sharpness"`; used when
            training.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.

    Returns:
        A `tf.data.Dataset` of `(images, masks)`: float32 `(batch, height, width, 3)`
        in [0, 1], and int32 `(batch, height, width)` that count from 0; -1: not
        annotated.
    """
    if not training:
        batches = pairs.batch(batch_size).map(preprocess, tf.data.AUTOTUNE)
        return batches.prefetch(tf.data.AUTOTUNE)

    def prepare(index, batch):
        num_images = tf.shape(batch[0])[0]
        draws = draw_augmentation(num_images, augmentation, seed, epoch, index)
        flips = {"flip": draws.pop("flip")} if "flip" in draws else {}
        batch = augment(*batch, flips)  # bytes, a quarter of the floats to move
        return augment(*preprocess(*batch), draws)

    order = 1_000_003 * seed + epoch
    shuffled = pairs.shuffle(1000, seed=order, reshuffle_each_iteration=False)
    batches = shuffled.batch(batch_size).enumerate()
    return batches.map(prepare, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
