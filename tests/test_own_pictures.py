"""From a folder of one's own to masks that are such a folder again."""

import warnings

import numpy as np
import pytest
from PIL import Image

from unetbook.classes import PETS, Classes
from unetbook.cutouts import cut_out, write_mask
from unetbook.data import cache_pairs, load_pictures, make_dataset
from unetbook.metrics import iou_per_class
from unetbook.model import build_unet
from unetbook.prediction import evaluate_masks, segment_picture
from unetbook.sources.class_lists import ClassList, write_class_list
from unetbook.training import compile_unet, make_optimizer, train

LEAVES = Classes(("soil", "leaf", "stem"), ((90, 60, 30), (0, 160, 0), (9, 9, 9)), 0)
SIZE = (16, 24)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache that remembers no other test."""
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path_factory.mktemp("cache")))


def draw_mask(number, values=(-1, 0, 1, 2)):
    """A mask that holds all these values."""
    return np.random.default_rng(number).choice(values, SIZE)


def write_pairs(folder, masks, classes):
    """Write noise as pictures, and masks by `write_mask`."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number, mask in enumerate(masks):
        pixels = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), "uint8")
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        write_mask(mask, folder / "masks" / f"{number}.png", classes)


def expect_masks(pictures, masks):
    """Check that all splits together hold exactly these masks, counted from 1."""
    read = {
        int(example["file_name"].decode().split(".")[0]): example["segmentation_mask"]
        for split in pictures[:3]
        for example in split.as_numpy_iterator()
    }
    assert sorted(read) == list(range(len(masks)))
    for number, mask in enumerate(masks):
        np.testing.assert_array_equal(read[number][..., 0], mask + 1)


@pytest.mark.parametrize(
    "values",
    [(-1, 0, 1, 2), (0, 1, 2), (-1, 0, 1), (-1, 0), (-1, 1, 2), (-1, 2), (0, 2), (1,)],
)
@pytest.mark.parametrize("colours", [LEAVES.colours, PETS.colours])
def test_written_masks_are_read_back_equal(tmp_path, values, colours):
    classes = LEAVES._replace(colours=colours)
    masks = [draw_mask(number, values) for number in range(4)]
    write_pairs(tmp_path, masks, classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # masks of a single class are said to be
        pictures = load_pictures(tmp_path, classes)
    assert pictures.classes == classes
    expect_masks(pictures, masks)


@pytest.mark.parametrize("values", [(-1, 0, 1, 2), (-1, 0, 1), (-1, 2)])
@pytest.mark.parametrize("by_colour", [True, False])
def test_a_class_list_beside_written_masks_names_them(tmp_path, values, by_colour):
    masks = [draw_mask(number, values) for number in range(4)]
    write_pairs(tmp_path, masks, LEAVES)
    codes = {colour: n for n, colour in enumerate(LEAVES.colours, 1)}
    codes = codes if by_colour else {n: n for n in codes.values()}
    write_class_list(tmp_path, ClassList(LEAVES, codes))
    pictures = load_pictures(tmp_path)
    assert pictures.classes == LEAVES
    expect_masks(pictures, masks)


def test_names_alone_count_written_masks_from_1_if_0_is_painted_as_void(tmp_path):
    masks = [draw_mask(number, (-1, 0, 1)) for number in range(4)]
    write_pairs(tmp_path, masks, LEAVES)
    pictures = load_pictures(tmp_path, ("background", "a", "b"))
    expect_masks(pictures, masks)


def test_written_masks_without_a_class_list_are_not_taken_for_black_and_white(tmp_path):
    write_pairs(tmp_path, [draw_mask(number, (-1, 0)) for number in range(4)], LEAVES)
    with pytest.raises(ValueError, match=r"classes\.csv"):
        load_pictures(tmp_path)


@pytest.mark.slow
def test_a_folder_becomes_a_network_that_cuts_out_and_writes_masks(tmp_path):
    write_pairs(tmp_path / "own", [draw_mask(number) for number in range(6)], LEAVES)
    pictures = load_pictures(tmp_path / "own", LEAVES)
    train_pairs, val_pairs, test_pairs = (cache_pairs(x, 16) for x in pictures[:3])

    model = build_unet(16, len(LEAVES.names), (2, 4))
    compile_unet(model, make_optimizer(1e-3, total_steps=2))
    history = train(
        model,
        lambda epoch: make_dataset(train_pairs, 2, training=True, epoch=epoch),
        make_dataset(val_pairs, 2),
        epochs=1,
    )
    assert np.isfinite(history["loss"]).all()
    matrix = evaluate_masks(model, make_dataset(test_pairs, 2))
    annotated = sum((mask > 0).sum() for _, mask in test_pairs.as_numpy_iterator())
    assert matrix.sum() == annotated  # void is not counted
    assert iou_per_class(matrix).shape == (3,)

    photo = tmp_path / "own" / "images" / "0.png"
    mask, probabilities = segment_picture(
        model, photo, tile=12, flip=True, look_twice=True, classes=LEAVES
    )
    assert probabilities.shape == (*SIZE, 3)
    cut = cut_out(photo, mask, LEAVES)
    np.testing.assert_array_equal(cut[..., 3], 255 * (mask != 0))
    masks = [np.where(draw_mask(0) == -1, -1, mask)] * 6
    write_pairs(tmp_path / "made", masks, LEAVES)
    expect_masks(load_pictures(tmp_path / "made", LEAVES), masks)
