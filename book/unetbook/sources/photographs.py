"""Oxford-IIIT Pet by TFDS: find a prepared copy, or download it; read its splits.

The drawn pets are a data set of TFDS as well, and are read by the same functions.
"""

import urllib.request
from functools import partial
from pathlib import Path

import tensorflow as tf
import tensorflow_datasets as tfds

from unetbook.files import shorten
from unetbook.remedies import look_up
from unetbook.sources.splits import DataError, Split, list_names

PHOTOS = "oxford_iiit_pet"
PHOTOS_VERSIONS = ("4.0.0", "3.2.0")
PHOTOS_ADDRESS = "https://thor.robots.ox.ac.uk/~vgg/data/pets/"
ARCHIVES = ("images.tar.gz", "annotations.tar.gz")


def read_split(builder, name):
    """Read a split of a prepared TFDS data set, tfrecord or ArrayRecord.

    Args:
        builder: A prepared TFDS builder.
        name: `"train"` or `"test"`.

    Returns:
        A `Split` whose pictures are still bytes.

    Raises:
        DataError: If a file of the data set is damaged or missing, or nothing is
            installed that reads it.
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
    except ImportError as error:
        raise unreadable_copy(builder.data_dir) from error
    except (tf.errors.OpError, OSError, ValueError, RuntimeError) as error:
        raise broken_copy(builder.data_dir, shorten(error)) from error
    expected = builder.info.splits[name].num_examples
    if len(names) != expected:
        problem = f"its split {name!r} holds {len(names)} of {expected} pictures"
        raise broken_copy(builder.data_dir, problem)
    return Split(examples, names)


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
    problems = [find_gap(copy) for copy in copies]
    if None in problems:
        return tfds.builder_from_directory(copies[problems.index(None)])
    if problems:
        raise broken_copy(copies[0], problems[0])
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
        f"whole {PHOTOS}/{PHOTOS_VERSIONS[0]}, or set UNETBOOK_DATA=drawn. "
        + look_up("The download fails")
    )


def unreadable_copy(copy):
    """Return the error for ArrayRecord files where the package that reads them lacks.

    TensorFlow Datasets brings it on Linux alone; for Windows it is not published.
    """
    return DataError(
        f"The data set in {copy} is kept as ArrayRecord, and array_record, which reads "
        "it, is not installed. Run: pip install array_record (on Windows "
        "inside WSL2), then restart the kernel; set TFDS_DATA_DIR to another folder, "
        "into which load_pets downloads TFRecord files; or set UNETBOOK_DATA=drawn. "
        + look_up("The download fails")
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
            f"{PHOTOS_VERSIONS[0]}; or set UNETBOOK_DATA=drawn for the drawn pets. "
            + look_up("The download fails")
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
