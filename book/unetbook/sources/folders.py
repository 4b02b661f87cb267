"""A reader's own folder of pictures and trimaps: paired, checked, read."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from unetbook.pictures import open_picture, read_picture
from unetbook.sources.splits import Split, choose_names, cut_validation, hash_name

TEST_SHARE = 0.2  # of a folder that has no test pictures of its own


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
        train = [pairs[place] for place in np.flatnonzero(~is_test)]
        test = [pairs[place] for place in np.flatnonzero(is_test)]
    check_pairs(folder, train, test)
    splits = (list_pairs(pairs) for pairs in (train, test))
    return cut_validation(*splits, ("unknown",), decode_pair, validation_share, seed)


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
        image_size = read_picture(image_path).shape[:2]
        size = read_trimap(mask_path).shape[:2]
    except ValueError as error:
        return f"{image_path.name} and its mask: {error}"
    if size != image_size:
        return (
            f"{mask_path} is {size[0]} x {size[1]} pixels (height x width), expected "
            f"{image_size[0]} x {image_size[1]} as {image_path.name}, turned upright. "
            "Draw the mask at the picture's size."
        )
    return None


def read_trimap(path):
    """Read a mask as uint8 `(height, width, 1)`, and check that it is a trimap."""
    trimap = np.asarray(open_picture(Path(path)))
    if trimap.ndim != 2:
        raise ValueError(
            f"{path} has {trimap.shape[2]} channels, expected one that holds 1 (pet), "
            "2 (background) or 3 (border). Save it as a grey or palette PNG."
        )
    wrong = np.setdiff1d(trimap, (1, 2, 3))
    if wrong.size:
        raise ValueError(
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
        return read_picture(image_path.decode()), read_trimap(mask_path.decode())

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
