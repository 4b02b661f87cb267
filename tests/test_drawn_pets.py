"""Tests of the built-in data set: drawings, trimaps and their preparation."""

import io
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from unetbook.config import cache_dir
from unetbook.sources.drawn import dataset, heads
from unetbook.sources.drawn.breeds import BREEDS
from unetbook.sources.drawn.composition import draw_size, find_head, make_trimap
from unetbook.sources.drawn.dataset import (
    DrawnPets,
    draw_example,
    hash_drawings,
    prepare_drawn_pets,
)
from unetbook.sources.drawn.pets import draw_pet
from unetbook.sources.drawn.poses import POSES


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No setting of the machine changes a result."""
    for name in ("UNETBOOK_TIER", "UNETBOOK_DATA", "UNETBOOK_CACHE", "TFDS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def few_pictures(monkeypatch):
    """Makes the data set small: three pictures to train on, two to test on."""
    monkeypatch.setattr(dataset, "NUM_PICTURES", {"train": 3, "test": 2})


def decode(example):
    """Returns image and trimap of an example as arrays."""
    image = np.asarray(Image.open(io.BytesIO(example["image"])))
    return image, np.asarray(Image.open(io.BytesIO(example["segmentation_mask"])))


@pytest.fixture(scope="module")
def sample():
    """Twenty pictures, two of each breed."""
    return [draw_example("train", index) for index in range(20)]


def test_the_same_seed_split_and_index_give_the_same_bytes():
    assert draw_example("train", 4) == draw_example("train", 4)


@pytest.mark.parametrize(
    "other", [("train", 14, 0), ("test", 4, 0), ("train", 4, 1)], ids=str
)
def test_another_index_split_or_seed_gives_another_picture(other):
    assert draw_example(*other)["image"] != draw_example("train", 4, 0)["image"]


@pytest.mark.slow  # starts TensorFlow
def test_the_features_are_those_of_oxford_iiit_pet(tmp_path):
    features = DrawnPets(data_dir=str(tmp_path)).info.features
    assert set(features) == {
        "image", "label", "species", "file_name", "segmentation_mask", "head_bbox",
    }  # fmt: skip
    assert features["image"].shape == (None, None, 3)
    assert features["segmentation_mask"].shape == (None, None, 1)
    assert features["image"].dtype == features["segmentation_mask"].dtype == np.uint8
    assert features["species"].names == ["cat", "dog"]
    assert isinstance(features["head_bbox"], tfds.features.BBoxFeature)


def test_cats_and_dogs_have_at_least_two_breeds_each():
    species = [breed.species for breed in BREEDS.values()]
    assert set(species) == {"cat", "dog"}
    assert min(species.count("cat"), species.count("dog")) >= 2


def test_a_trimap_holds_pet_background_and_border_and_nothing_else(sample):
    for example in sample:
        image, trimap = decode(example)
        assert image.shape == (*trimap.shape, 3)
        assert set(np.unique(trimap)) == {1, 2, 3}


def test_the_border_lies_on_both_sides_of_the_outline():
    pet = np.zeros((100, 100), np.float32)
    pet[:, 50:] = 1
    row = make_trimap(pet)[50]
    border = np.flatnonzero(row == 3)
    assert row[0] == 2
    assert row[99] == 1
    assert border.min() + border.max() == 99  # as far left as right of column 49.5
    assert 3 <= len(border) <= 6


def test_sizes_and_aspects_vary(sample):
    shapes = [decode(example)[1].shape for example in sample]
    assert len(set(shapes)) > 15
    assert any(h > w for h, w in shapes)
    assert any(h < w for h, w in shapes)
    assert 120 <= min(map(min, shapes)) <= max(map(max, shapes)) <= 240


def test_a_head_box_is_valid_and_its_middle_shows_the_pet(sample):
    on_pet = 0
    for example in sample:
        box = example["head_bbox"]
        assert 0 <= box.ymin < box.ymax <= 1
        assert 0 <= box.xmin < box.xmax <= 1
        trimap = decode(example)[1]
        height, width = trimap.shape
        y, x = (box.ymin + box.ymax) / 2 * height, (box.xmin + box.xmax) / 2 * width
        on_pet += trimap[int(y), int(x)] == 1
    assert on_pet >= 18


def test_the_eyes_lie_inside_the_head_box():
    rng = np.random.default_rng(0)
    pet = draw_pet(rng, BREEDS["golden_flopear"], (160, 180))
    ymin, xmin, ymax, xmax = find_head(pet, (160, 180))
    for side in (-1, 1):
        x, y = pet.head.to_picture(side * 0.36, -0.13)
        if 0 <= x < 180 and 0 <= y < 160:
            assert xmin < x / 180 < xmax
            assert ymin < y / 160 < ymax


def test_file_names_differ_between_pictures_and_splits():
    names = {
        draw_example(s, i)["file_name"] for s in ("train", "test") for i in (0, 10)
    }
    assert len(names) == 4


def test_no_name_of_a_breed_changes_the_species():
    for index in range(len(BREEDS)):
        example = draw_example("test", index)
        assert example["species"] == BREEDS[example["label"]].species


def test_the_hash_is_that_of_pictures_and_constants(monkeypatch):
    before = hash_drawings.__wrapped__()
    assert hash_drawings() == before
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "SEED", dataset.SEED + 1)
        assert hash_drawings.__wrapped__() != before
    with monkeypatch.context() as patch:
        patch.setattr(heads, "paint_nose", lambda canvas, pet: None)
        assert hash_drawings.__wrapped__() != before
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "NUM_PICTURES", {"train": 801, "test": 240})
        assert hash_drawings.__wrapped__() != before


def test_every_breed_and_every_pose_is_among_the_hashed_pictures():
    drawn = []
    for index in range(dataset.HASHED):
        rng, breed = dataset.start_picture("train", index, dataset.SEED)
        pet = draw_pet(rng, breed, draw_size(rng))
        drawn.append(pet)
    assert {id(pet.breed) for pet in drawn} == set(map(id, BREEDS.values()))
    assert {id(pet.pose) for pet in drawn} == set(map(id, POSES.values()))


@pytest.mark.slow  # starts TensorFlow, since TFDS writes
def test_a_prepared_set_has_both_splits_and_is_not_drawn_twice(
    few_pictures, monkeypatch, tmp_path
):
    builder = prepare_drawn_pets(tmp_path)
    assert builder.info.splits["train"].num_examples == 3
    assert len(list(builder.as_dataset(split="test"))) == 2
    (folder,) = tmp_path.iterdir()
    assert folder.name == f"drawn_pets-{hash_drawings()}"
    monkeypatch.setattr(dataset, "write_pictures", None)  # calling it would fail
    assert prepare_drawn_pets(tmp_path).info.splits["train"].num_examples == 3


@pytest.mark.slow
def test_preparing_prints_nothing_and_ignores_tfds_data_dir(
    few_pictures, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "photographs"))
    prepare_drawn_pets(tmp_path / "cache")
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "photographs").exists()


@pytest.mark.slow
def test_a_half_finished_preparation_is_not_mistaken_for_a_finished_one(
    few_pictures, monkeypatch, tmp_path
):
    def stop(split, index):
        if split == "test":
            raise KeyboardInterrupt
        return draw_example(split, index)

    with monkeypatch.context() as patch:
        patch.setattr(dataset, "draw_example", stop)
        with pytest.raises(KeyboardInterrupt):
            prepare_drawn_pets(tmp_path)
    assert not list(tmp_path.glob("drawn_pets-*"))
    assert prepare_drawn_pets(tmp_path).info.splits["test"].num_examples == 2


def test_what_a_killed_process_left_is_never_read(few_pictures, monkeypatch, tmp_path):
    (tmp_path / ".drawing-pets-killed").mkdir()
    drawn = []
    monkeypatch.setattr(dataset, "write_pictures", drawn.append)
    prepare_drawn_pets(tmp_path)
    assert len(drawn) == 1


def test_of_two_preparations_at_once_one_wins_and_both_succeed(
    few_pictures, monkeypatch, tmp_path
):
    both = threading.Barrier(2, timeout=10)

    def write(folder):
        (Path(folder) / "pictures").write_text("pets")
        both.wait()

    monkeypatch.setattr(dataset, "write_pictures", write)
    folders = []

    def prepare():
        folders.append(Path(prepare_drawn_pets(tmp_path).data_dir))

    threads = [threading.Thread(target=prepare) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folders) == 2
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture(scope="module")
def small_pictures():
    """Images (N, 128, 128, 3) and trimaps (N, 128, 128) of 240 + 120 pictures."""
    builder = prepare_drawn_pets(cache_dir())  # the same bytes, drawn already
    as_bytes = dict.fromkeys(("image", "segmentation_mask"), tfds.decode.SkipDecoding())

    def shrink(split, number):
        examples = builder.as_dataset(split=split, decoders=as_bytes)
        ending = slice(-len("0000.jpg"), None)  # a file's name ends in its index
        first = sorted(
            examples.as_numpy_iterator(), key=lambda x: x["file_name"][ending]
        )
        pairs = [decode(example) for example in first[:number]]
        images = [
            Image.fromarray(i).resize((128, 128), 2, reducing_gap=None)
            for i, _ in pairs
        ]
        trimaps = [Image.fromarray(t).resize((128, 128), 0) for _, t in pairs]
        return np.stack([*map(np.asarray, images)]), np.stack(
            [*map(np.asarray, trimaps)]
        )

    return {"train": shrink("train", 240), "test": shrink("test", 120)}


@pytest.mark.slow
def test_pixel_shares_are_near_those_of_the_photographs(small_pictures):
    trimaps = np.concatenate([trimaps for _, trimaps in small_pictures.values()])
    pet, background, border = [np.mean(trimaps == code) for code in (1, 2, 3)]
    assert 0.25 <= pet <= 0.35
    assert 0.52 <= background <= 0.64
    assert 0.09 <= border <= 0.15


@pytest.mark.slow
def test_pets_fill_from_a_tenth_to_two_thirds_of_the_picture(small_pictures):
    covered = np.mean(small_pictures["train"][1] != 2, axis=(1, 2))
    assert np.quantile(covered, 0.05) < 0.25
    assert np.quantile(covered, 0.95) > 0.6


@pytest.mark.slow
def test_colour_and_position_of_a_pixel_do_not_tell_its_class(small_pictures):
    ensemble = pytest.importorskip("sklearn.ensemble")
    rng = np.random.default_rng(0)

    def pixels(images, trimaps, number):
        i = rng.integers(len(images), size=number)
        y, x = rng.integers(128, size=(2, number))
        return np.column_stack([images[i, y, x], y, x]), trimaps[i, y, x]

    features, y_true = pixels(*small_pictures["test"], 50_000)
    model = ensemble.HistGradientBoostingClassifier(max_iter=100, random_state=0)
    y_pred = model.fit(*pixels(*small_pictures["train"], 100_000)).predict(features)
    hits = [np.sum((y_true == code) & (y_pred == code)) for code in (1, 2, 3)]
    unions = [np.sum((y_true == code) | (y_pred == code)) for code in (1, 2, 3)]
    iou = np.array(hits) / unions
    assert iou.mean() <= 0.45
    assert iou[0] <= 0.50
