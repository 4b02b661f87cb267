"""The one door to the data: pictures with trimaps in, batches for training out.

Whatever the source, every example of every split is a dictionary of the same shape:

- `image`: uint8 `(height, width, 3)`, and every picture may have its own size;
- `segmentation_mask`: uint8 `(height, width, 1)`, the raw trimap: 1 pet,
  2 background, 3 border;
- `label`: int64, the breed's position in `Pets.breeds`; `species`: int64, 0 cat, 1 dog;
- `file_name`: string; `head_bbox`: float32 `(4,)` as `(ymin, xmin, ymax, xmax)` in
  shares of the picture, zeros where nobody marked a head.
"""

import hashlib
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image, ImageOps
from tqdm import tqdm

from unetbook.augmentation import augment
from unetbook.config import cache_dir, photos_dir
from unetbook.drawn_pets import prepare_drawn_pets

PHOTOS = "oxford_iiit_pet"
PHOTOS_VERSIONS = ("4.0.0", "3.2.0")
PHOTOS_ADDRESS = "https://thor.robots.ox.ac.uk/~vgg/data/pets/"
ARCHIVES = ("images.tar.gz", "annotations.tar.gz")
TEST_SHARE = 0.2  # of a folder that has no test pictures of its own


class DataError(RuntimeError):
    """A data set could not be fetched or read; the message says what to do."""


class Pets(NamedTuple):
    """What `load_pets` returns: three splits and the names of the breeds."""

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset
    breeds: tuple[str, ...]


class Split(NamedTuple):
    """Examples whose pictures are not decoded yet, with their names in order."""

    examples: tf.data.Dataset
    file_names: list[str]


def load_pets(source="drawn", *, validation_share=0.1, seed=0):
    """Load cats and dogs with their trimaps, in three splits.

    The validation split is cut from the source's training pictures: which ones is a
    function of their file names and `seed` alone. The test split stays what it is.

    Args:
        source: `"drawn"`, the built-in drawn pets; `"oxford"`, the photographs of
            Oxford-IIIT Pet, found under `TFDS_DATA_DIR` or downloaded there (773 MB);
            or a folder that holds `images/NAME.*` and `masks/NAME.png`, either by
            itself (a fifth of the pairs, chosen by name, becomes the test split) or
            once in `train/` and once in `test/`.
        validation_share: Share of the training pictures to cut off, in (0, 1).
        seed: Another seed cuts off other pictures.

    Returns:
        `Pets(train, validation, test, breeds)`: three objects `tf.data.Dataset` of the
        dictionaries described at the top of this module, of known cardinality, in an
        order that never changes, and a tuple of breed names.

    Raises:
        ValueError: If `source` is no data source, `validation_share` is out of range,
            or a file in the folder is unpaired, unreadable or no trimap.
        DataError: If the photographs cannot be downloaded or their copy is broken.
    """
    if not 0 < validation_share < 1:
        raise ValueError(
            f"validation_share={validation_share}: give a share between 0 and 1, "
            "such as 0.1."
        )
    if source == "drawn":
        builder = prepare_drawn_pets(cache_dir())
    elif source == "oxford":
        builder = find_photos(photos_dir()) or download_photos(photos_dir())
    else:
        return load_folder(Path(source), validation_share, seed)
    train, test = (read_split(builder, name) for name in ("train", "test"))
    breeds = tuple(builder.info.features["label"].names)
    return cut_pets(train, test, breeds, decode_example, validation_share, seed)


def cut_pets(train, test, breeds, decode, validation_share, seed):
    """Cut the validation split from `train`, then decode the pictures of all three."""
    chosen = choose_names(train.file_names, validation_share, seed)
    splits = (
        select(train.examples, ~chosen),
        select(train.examples, chosen),
        test.examples,
    )
    decoded = (split.map(decode, tf.data.AUTOTUNE) for split in splits)
    return Pets(*(split.with_options(without_autotune()) for split in decoded), breeds)


def without_autotune():
    """Return options that every data set made from a split inherits.

    With TensorFlow's autotuner on, the end of every iteration waits for its thread, as
    long as that happens to sleep: measured, 10 seconds an epoch. Nothing here gains
    from it.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def choose_names(file_names, share, seed):
    """Choose a share of the names, at least one: those whose hash comes first.

    Args:
        file_names: List of strings.
        share: Share to choose, in (0, 1).
        seed: Any value; hashed together with each name.

    Returns:
        Boolean `(len(file_names),)`. A name's hash depends on nothing but the name and
        the seed, so the choice does not depend on the order of the names.
    """
    hashes = [hash_name(name, seed) for name in file_names]
    count = max(1, round(share * len(file_names)))
    chosen = set(sorted(hashes)[:count])
    return np.array([name_hash in chosen for name_hash in hashes])


def hash_name(name, seed):
    """Return the SHA-256 of a seed and a name, the same on every machine."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def select(examples, chosen):
    """Keep the examples whose position in the data set is True in `chosen`."""
    lookup = tf.constant(chosen)
    kept = examples.enumerate().filter(lambda index, example: lookup[index])
    kept = kept.map(lambda index, example: example)
    return kept.apply(tf.data.experimental.assert_cardinality(int(np.sum(chosen))))


# ------------------------------------------------------------- data sets of TFDS


def read_split(builder, name):
    """Read a split of a prepared TFDS data set, tfrecord or ArrayRecord.

    Args:
        builder: A prepared TFDS builder.
        name: `"train"` or `"test"`.

    Returns:
        A `Split` whose pictures are still bytes.

    Raises:
        DataError: If a file of the data set is damaged or missing.
    """
    skip = tfds.decode.SkipDecoding()
    decoders = {"image": skip, "segmentation_mask": skip}
    try:
        if builder.info.file_format.value == "array_record":
            examples = read_array_record(builder, name, decoders)
        else:
            config = tfds.ReadConfig(try_autocache=False)
            examples = builder.as_dataset(
                split=name, decoders=decoders, read_config=config
            )
        names = [text.decode() for text in list_names(examples)]
    except (tf.errors.OpError, OSError, ValueError, RuntimeError) as error:
        raise broken_copy(builder.data_dir, shorten(error)) from error
    expected = builder.info.splits[name].num_examples
    if len(names) != expected:
        problem = f"its split {name!r} holds {len(names)} of {expected} pictures"
        raise broken_copy(builder.data_dir, problem)
    return Split(examples, names)


def list_names(examples):
    """Return the file names in a data set, as bytes, in order."""
    names = examples.map(lambda example: example["file_name"])
    return list(names.as_numpy_iterator())


def read_array_record(builder, name, decoders):
    """Wrap an ArrayRecord split, which `as_dataset` cannot read, in a data set."""
    source = builder.as_data_source(
        split=name, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
    )
    records = tf.data.Dataset.from_generator(
        lambda: iter(source), output_signature=tf.TensorSpec((), tf.string)
    )
    parse = partial(builder.info.features.deserialize_example, decoders=decoders)
    cardinality = tf.data.experimental.assert_cardinality(len(source))
    return records.map(parse).apply(cardinality)


def decode_example(example):
    """Decode the JPEG and PNG bytes of a TFDS example into the common shape."""
    image = tf.io.decode_image(example["image"], 3, expand_animations=False)
    trimap = tf.io.decode_image(
        example["segmentation_mask"], 1, expand_animations=False
    )
    return {
        "image": image,
        "segmentation_mask": trimap,
        "label": example["label"],
        "species": example["species"],
        "file_name": example["file_name"],
        "head_bbox": example.get("head_bbox", tf.zeros(4)),  # 3.2.0 has no boxes
    }


# ---------------------------------------------------------------- the photographs


def find_photos(folder):
    """Find a prepared copy of the photographs.

    Args:
        folder: The folder in which TFDS keeps its data sets.

    Returns:
        A TFDS builder, or None where nothing was prepared.

    Raises:
        DataError: If there is a copy and it is not whole.
    """
    copies = [folder / PHOTOS / version for version in PHOTOS_VERSIONS]
    copies = [copy for copy in copies if copy.exists()]
    problems = {copy: find_gap(copy) for copy in copies}
    for copy, problem in problems.items():
        if problem is None:
            return tfds.builder_from_directory(copy)
    for copy, problem in problems.items():
        raise broken_copy(copy, problem)
    return None


def find_gap(copy):
    """Return what a prepared TFDS data set lacks, or None if it is whole."""
    for name in ("dataset_info.json", "features.json"):
        if not (copy / name).is_file():
            return f"{name} is missing"
    try:
        splits = tfds.builder_from_directory(copy).info.splits
    except (OSError, ValueError, RuntimeError) as error:
        return shorten(error)
    for name in ("train", "test"):
        if name not in splits:
            return f"it has no split {name!r}"
        for file in splits[name].filepaths:
            if not Path(file).is_file():
                return f"{Path(file).name} is missing"
    return None


def broken_copy(copy, problem):
    """Return the error for a data set on disk that is not whole."""
    return DataError(
        f"The data set in {copy} is damaged or half-finished: {problem}. Remove that "
        "folder and call load_pets again, set TFDS_DATA_DIR to a folder that holds a "
        f"whole {PHOTOS}/{PHOTOS_VERSIONS[0]}, or set UNETBOOK_DATA=drawn."
    )


def download_photos(folder):
    """Download and prepare the photographs with TFDS, which shows its progress bars.

    TFDS prepares them under another name and renames the folder at the end, so a
    download that failed is never taken for a finished one.

    Args:
        folder: The folder in which TFDS keeps its data sets.

    Returns:
        The prepared TFDS builder.

    Raises:
        DataError: If a download, a checksum or an archive is refused.
    """
    print(f"Downloading Oxford-IIIT Pet (773 MB) from {PHOTOS_ADDRESS} to {folder}")
    name = f"{PHOTOS}:{PHOTOS_VERSIONS[0]}"
    try:
        check_addresses(folder)
        builder = tfds.builder(name, data_dir=folder, file_format="tfrecord")
        config = tfds.download.DownloadConfig(try_download_gcs=False)
        builder.download_and_prepare(download_config=config)
    except Exception as error:  # TFDS lets through what requests, tarfile, ... raise
        raise DataError(
            f"Oxford-IIIT Pet could not be downloaded from {PHOTOS_ADDRESS}: "
            f"{shorten(error)}. Next step, one of three: put whole copies of "
            f"{' and '.join(ARCHIVES)}, fetched by other means, into "
            f"{manual_dir(folder)} (replace what lies there) and call load_pets again; "
            f"set TFDS_DATA_DIR to a folder that holds a prepared {PHOTOS}/"
            f"{PHOTOS_VERSIONS[0]}; or set UNETBOOK_DATA=drawn for the drawn pets."
        ) from error
    return builder


def manual_dir(folder):
    """Return where TFDS looks for archives that were fetched by hand."""
    return folder / "downloads" / "manual"


def check_addresses(folder):
    """Ask for each archive that is not on disk: TFDS alone tries for minutes."""
    for archive in ARCHIVES:
        # TFDS shortens the names of what it has fetched, and adds a checksum.
        fetched = (folder / "downloads" / PHOTOS).glob(f"*pets_{archive[:6]}*.tar.gz")
        if not (manual_dir(folder) / archive).exists() and not any(fetched):
            request = urllib.request.Request(PHOTOS_ADDRESS + archive, method="HEAD")
            urllib.request.urlopen(request, timeout=20).close()


def shorten(error, limit=300):
    """Return an exception's type and the start of its message, on one line."""
    text = re.sub(r"\{\{.*?\}\}", "", str(error))  # TensorFlow's names of nodes
    text = " ".join(text.split()).rstrip(".")
    text = text if len(text) <= limit else text[:limit] + " ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# ------------------------------------------------------------- the reader's folder


def load_folder(folder, validation_share, seed):
    """Load `images/NAME.*` and `masks/NAME.png`; `load_pets` says more."""
    if not folder.is_dir():
        raise ValueError(
            f"source={str(folder)!r} is neither 'drawn' nor 'oxford' nor a folder that "
            "exists. Give the path of a folder that holds images/NAME.jpg and "
            "masks/NAME.png."
        )
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        train, test = (pair_files(folder / name) for name in ("train", "test"))
    else:
        pairs = pair_files(folder)
        is_test = choose_names([image.name for image, _ in pairs], TEST_SHARE, "test")
        train, test = (
            [
                pair
                for pair, chosen in zip(pairs, is_test, strict=True)
                if chosen == flag
            ]
            for flag in (False, True)
        )
    check_pairs(folder, train, test)
    splits = (list_pairs(pairs) for pairs in (train, test))
    return cut_pets(*splits, ("unknown",), decode_pair, validation_share, seed)


def pair_files(folder):
    """Return the `(image, mask)` paths of a folder, in the order of hashed names.

    A mask without a picture is paired with `images/NAME`, a file that does not exist.
    """
    for name in ("images", "masks"):
        if not (folder / name).is_dir():
            raise ValueError(
                f"The folder {folder / name} is missing. Put the pictures into "
                f"{folder / 'images'} and a mask of the same name, ending in .png, "
                f"for each of them into {folder / 'masks'}."
            )
    images, masks = (
        [file for file in (folder / name).iterdir() if not file.name.startswith(".")]
        for name in ("images", "masks")
    )
    pairs = [(image, folder / "masks" / f"{image.stem}.png") for image in images]
    paired = {mask for _, mask in pairs}
    alone = [mask for mask in masks if mask not in paired]
    pairs += [(folder / "images" / mask.stem, mask) for mask in alone]
    return sorted(pairs, key=lambda pair: hash_name(pair[0].name, "order"))


def check_pairs(folder, train, test):
    """Open every file of a folder, and name the first that is no use.

    Args:
        folder: The folder, for the message.
        train: List of `(image, mask)` paths.
        test: Another one.

    Raises:
        ValueError: If a pair is incomplete, unreadable or no trimap, if a name occurs
            twice, or if there are too few pairs for three splits.
    """
    pairs = sorted(train + test)
    if len(train) < 2 or not test:
        raise ValueError(
            f"{folder} holds {len(pairs)} pairs of picture and mask: too few to cut "
            "train, validation and test from. Add some; three are the least."
        )
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda pair: find_problem(*pair), pairs)
        found = tqdm(found, f"Checking {folder.name}", len(pairs), leave=False)
        problems = [problem for problem in found if problem] + find_twins(pairs)
    if problems:
        others = len(problems) - 1
        more = f" ({others} more in {folder} need mending too.)" if others else ""
        raise ValueError(problems[0] + more)


def find_twins(pairs):
    """Return a sentence for every picture whose name another one has already."""
    seen, problems = {}, []
    for image, _ in pairs:
        twin = seen.setdefault(image.stem, image)
        if twin is not image:
            problems.append(
                f"{twin} and {image} have one name, so their masks or splits get mixed "
                "up: rename one of them and its mask."
            )
    return problems


def find_problem(image_path, mask_path):
    """Return what is wrong with a pair of files and what to do, or None."""
    if not mask_path.is_file():
        return (
            f"{image_path} has no mask: expected {mask_path}. Add it, or remove the "
            "picture."
        )
    if not image_path.is_file():
        return (
            f"{mask_path} has no picture: expected {image_path.with_suffix('.jpg')} or "
            "another ending. Add it, or remove the mask."
        )
    try:
        image_size = read_image(image_path).shape[:2]
        size = read_trimap(mask_path).shape[:2]
    except DataError as error:
        return str(error)
    if size != image_size:
        return (
            f"{mask_path} is {size[0]} x {size[1]} pixels (height x width), expected "
            f"{image_size[0]} x {image_size[1]} as {image_path.name}, turned upright. "
            "Draw the mask at the picture's size."
        )
    return None


def open_picture(path):
    """Read a file with Pillow to its end; a `DataError` says what is wrong with it."""
    try:
        with Image.open(path) as file:
            file.load()
            return file.copy()
    except Exception as error:  # Pillow raises nearly anything on broken files
        raise DataError(
            f"{path} cannot be read ({shorten(error)}). Expected a whole JPEG or PNG "
            "file: save it again, or remove picture and mask."
        ) from error


def read_image(path):
    """Read any picture as uint8 `(height, width, 3)`, turned upright, made RGB."""
    picture = open_picture(path)
    if picture.mode.startswith(("I", "F")):
        raise DataError(
            f"{path} holds more than 8 bits a channel (mode {picture.mode}). Save it "
            "as an 8-bit picture."
        )
    return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def read_trimap(path):
    """Read a mask as uint8 `(height, width, 1)`, and check that it is a trimap."""
    trimap = np.asarray(open_picture(path))
    if trimap.ndim != 2:
        raise DataError(
            f"{path} has {trimap.shape[2]} channels, expected one that holds 1 (pet), "
            "2 (background) or 3 (border). Save it as a grey or palette PNG."
        )
    wrong = np.setdiff1d(trimap, (1, 2, 3))
    if wrong.size:
        raise DataError(
            f"{path} holds the value {wrong[0]}, expected 1 (pet), 2 (background) and "
            "3 (border) only. Map its values to these three."
        )
    return trimap.astype("uint8")[..., None]


def list_pairs(pairs):
    """Return a `Split` of paths."""
    images, masks = (
        [str(path) for path in paths] for paths in zip(*pairs, strict=True)
    )
    names = [image.name for image, _ in pairs]
    paths = {"image": images, "segmentation_mask": masks, "file_name": names}
    return Split(tf.data.Dataset.from_tensor_slices(paths), names)


def decode_pair(example):
    """Read a pair of files into the common shape; breed and species are unknown."""

    def read(image_path, mask_path):
        return read_image(image_path.decode()), read_trimap(mask_path.decode())

    paths = (example["image"], example["segmentation_mask"])
    image, trimap = tf.numpy_function(read, paths, (tf.uint8, tf.uint8))
    return {
        "image": tf.ensure_shape(image, (None, None, 3)),
        "segmentation_mask": tf.ensure_shape(trimap, (None, None, 1)),
        "label": tf.constant(0, tf.int64),
        "species": tf.constant(0, tf.int64),
        "file_name": example["file_name"],
        "head_bbox": tf.zeros(4),
    }


# ------------------------------------------------------------------- the pipeline


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
        trimaps: uint8 `(..., height, width)`, 1 pet, 2 background, 3 border.

    Returns:
        `(images, masks)`: float32 in [0, 1], and int32, 0 pet, 1 background, 2 border.
    """
    return tf.cast(images, tf.float32) / 255, tf.cast(trimaps, tf.int32) - 1


def draw_augmentation(num_images, augmentation, seed, epoch, index):
    """Draw the random numbers for one batch, from (seed, epoch, index) alone.

    Built in chapter 1.

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

    Built in chapter 1. The same seed and epoch always give the same batches, however
    often the data set is iterated; the next epoch gives another order and other draws.
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
        in [0, 1], and int32 `(batch, height, width)` in {0, 1, 2}.
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
