"""The built-in data set: pets that are drawn, each with its trimap and its head box.

`DrawnPets` has the features of TFDS's `oxford_iiit_pet`, so the whole course runs on
it without a download. Every picture is drawn from (seed, split, index) alone.
"""

import contextlib
import hashlib
import io
import os
import shutil
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image
from tqdm import tqdm

from unetbook.sources.drawn.breeds import BREEDS
from unetbook.sources.drawn.canvas import ACCENTS, COATS, LEAVES
from unetbook.sources.drawn.composition import ASPECTS, BORDER, SIDES, draw_picture
from unetbook.sources.drawn.pets import SHARES
from unetbook.sources.drawn.poses import POSE_WEIGHTS, POSES, TAILS

NUM_PICTURES = {"train": 800, "test": 240}
SEED = 2026
HASHED = 20  # pictures; every breed and every pose is among them


def encode_picture(array, kind, **options):
    """Turns an array into the bytes of a JPEG or PNG file."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def start_picture(split, index, seed):
    """Returns the source of chance and the breed of a picture; breeds take turns."""
    rng = np.random.default_rng([seed, list(NUM_PICTURES).index(split), index])
    return rng, list(BREEDS.values())[index % len(BREEDS)]


def draw_example(split, index, seed=SEED):
    """Draws example number `index` of a split, ready for TFDS.

    Args:
        split: "train" or "test".
        index: number of the picture, from 0; breeds take turns.
        seed: another seed gives another data set.

    Returns:
        dict with the features of `oxford_iiit_pet`; the same arguments give the same
        bytes.
    """
    rng, breed = start_picture(split, index, seed)
    name = list(BREEDS)[index % len(BREEDS)]
    image, trimap, (ymin, xmin, ymax, xmax) = draw_picture(rng, breed)
    return {
        "image": encode_picture(image, "JPEG", quality=int(rng.integers(84, 95))),
        "segmentation_mask": encode_picture(trimap, "PNG", compress_level=1),
        "label": name,
        "species": breed.species,
        "file_name": f"{name}_{split}_{index:04d}.jpg",
        "head_bbox": tfds.features.BBox(ymin, xmin, ymax, xmax),
    }


class DrawnPets(tfds.core.GeneratorBasedBuilder):
    """Drawn cats and dogs with trimaps; the features are those of `oxford_iiit_pet`."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Cats and dogs drawn by the course itself, with trimaps.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(encoding_format="jpeg"),
                    "label": tfds.features.ClassLabel(names=list(BREEDS)),
                    "species": tfds.features.ClassLabel(names=["cat", "dog"]),
                    "file_name": tfds.features.Text(),
                    "segmentation_mask": tfds.features.Image(
                        shape=(None, None, 1), use_colormap=True
                    ),
                    "head_bbox": tfds.features.BBoxFeature(),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in NUM_PICTURES}

    def _generate_examples(self, split):
        indices = range(NUM_PICTURES[split])
        for index in tqdm(indices, f"Drawing pets ({split})", leave=False):
            yield index, draw_example(split, index)


@lru_cache
def hash_drawings():
    """Hash what is drawn: the constants, and coarse copies of some of the pictures.

    It names the folder of the data set. Comments, names and moves leave it as it is;
    so does another processor, which may round a colour differently in a few pixels.
    """
    constants = (NUM_PICTURES, SEED, BREEDS, POSES, TAILS, COATS, ACCENTS, LEAVES)
    constants += (POSE_WEIGHTS, BORDER, SIDES, ASPECTS, SHARES)
    digest = hashlib.sha256(repr(constants).encode())
    for index in range(HASHED):
        image, trimap, head = draw_picture(*start_picture("train", index, SEED))
        for pixels in (image, np.where(trimap == 1, np.uint8(255), np.uint8(0))):
            coarse = Image.fromarray(pixels).resize((8, 8), Image.Resampling.BOX)
            digest.update((np.asarray(coarse) // 8).tobytes())
        digest.update(np.round(head, 2).tobytes())
    return digest.hexdigest()[:12]


def prepare_drawn_pets(cache_dir):
    """Draws the data set into a cache folder, unless it is there already.

    The pictures are first written to a folder of another name, which is then renamed:
    a preparation that was stopped half-way is never mistaken for a finished one, and
    two processes at once do no harm.

    Args:
        cache_dir: folder for caches; made when it is missing.

    Returns:
        The prepared `DrawnPets` builder.
    """
    folder = Path(cache_dir) / f"drawn_pets-{hash_drawings()}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        unfinished = tempfile.mkdtemp(prefix=".drawing-pets-", dir=folder.parent)
        try:
            write_pictures(unfinished)
            publish(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return DrawnPets(data_dir=str(folder))


def write_pictures(folder):
    """Draws all pictures into a folder, with one progress bar and no other noise."""
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            DrawnPets(data_dir=str(folder)).download_and_prepare()
    finally:
        tfds.enable_progress_bar()


def publish(unfinished, folder):
    """Renames a finished folder, unless another process was faster."""
    try:
        os.rename(unfinished, folder)
    except OSError:
        if not folder.exists():
            raise


def remove_leftovers(cache_dir):
    """Removes what interrupted preparations left behind, once it is old."""
    for leftover in cache_dir.glob(".drawing-pets-*"):
        if time.time() - leftover.stat().st_mtime > 6 * 3600:
            shutil.rmtree(leftover, ignore_errors=True)
