"""The data door: sources, splits, errors, and the pipeline's classic faults."""

import http.server
import threading
import urllib.error

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.datasets.oxford_iiit_pet import (
    oxford_iiit_pet_dataset_builder as tfds_pets,
)

from unetbook.augmentation import augment
from unetbook.data import (
    cache_pairs,
    draw_augmentation,
    load_pets,
    make_dataset,
    preprocess,
    resize_pair,
)
from unetbook.sources import photographs
from unetbook.sources.photographs import find_photos
from unetbook.sources.splits import DataError, choose_names, list_names

ALL = ("flip", "crop", "colour", "sharpness")


# ------------------------------------------------------------------- helpers


def make_pairs(count=6, size=8, calls=None):
    """Pairs whose masks can be read off their pictures: value = 80 * class."""
    rng = np.random.default_rng(0)
    trimaps = rng.integers(1, 4, (count, size, size, 1), dtype="uint8")
    images = np.repeat(80 * (trimaps - 1), 3, axis=3)
    examples = {"image": images, "segmentation_mask": trimaps}
    examples = tf.data.Dataset.from_tensor_slices(examples)
    if calls is not None:
        examples = examples.map(lambda example: count_call(example, calls))
    return cache_pairs(examples, size)


def count_call(example, calls):
    def count(image):
        calls.append(1)
        return image

    image = tf.numpy_function(count, [example["image"]], tf.uint8)
    return {**example, "image": tf.ensure_shape(image, example["image"].shape)}


def collect(dataset):
    """All images and masks of a data set, as two arrays."""
    batches = list(dataset.as_numpy_iterator())
    return [np.concatenate(arrays) for arrays in zip(*batches, strict=True)]


def make_photo(split, index):
    """One grey picture of a cat, as TFDS describes a photograph."""
    image = np.full((9, 7 + index, 3), 200, "uint8")
    return {
        "image": image,
        "segmentation_mask": image[..., :1] // 100,
        "label": "Persian",
        "species": "Cat",
        "file_name": f"Persian_{split}_{index}.jpg",
        "head_bbox": tfds.features.BBox(0.0, 0.0, 0.5, 1.0),
    }


def write_photos(folder, file_format, count=5):
    """A tiny data set that TFDS takes for the photographs; returns its folder."""
    with tfds.core.registered.skip_registration():

        class OxfordIiitPet(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("4.0.0")

            def _info(self):
                features = tfds_pets.Builder(data_dir=str(folder)).info.features
                return tfds.core.DatasetInfo(builder=self, features=features)

            def _split_generators(self, dl_manager):
                return {
                    name: self._generate_examples(name) for name in ("train", "test")
                }

            def _generate_examples(self, split):
                for index in range(count):
                    photo = make_photo(split, index)
                    yield photo["file_name"], photo

    builder = OxfordIiitPet(data_dir=str(folder), file_format=file_format)
    builder.download_and_prepare()
    return folder / "oxford_iiit_pet" / "4.0.0"


def names_of(examples):
    return [name.decode() for name in list_names(examples)]


# ------------------------------------------------------------------- sources


def test_every_source_gives_one_shape_of_example(drawn_pets, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    write_photos(tmp_path / "tfds", "tfrecord")
    for split, drawn in zip(load_pets("oxford")[:3], drawn_pets[:3], strict=True):
        assert split.element_spec == drawn.element_spec


def test_no_file_name_stands_in_two_splits(drawn_pets):
    train, validation, test = (names_of(split) for split in drawn_pets[:3])
    names = train + validation + test
    assert len(set(names)) == len(names)
    assert [len(train), len(validation), len(test)] == [
        split.cardinality() for split in drawn_pets[:3]
    ]
    assert len(validation) == round(0.1 * (len(train) + len(validation)))


def test_the_validation_cut_depends_on_names_and_seed_alone():
    names = [f"pet_{index}.jpg" for index in range(50)]
    chosen = choose_names(names, 0.2, seed=0)
    backwards = choose_names(names[::-1], 0.2, seed=0)
    assert chosen.sum() == 10
    np.testing.assert_array_equal(chosen, backwards[::-1])
    assert (chosen != choose_names(names, 0.2, seed=1)).any()


def test_a_drawn_picture_proves_the_label_map(drawn_pets):
    # The frame around a picture is background (2) more often than anything else, the
    # marked head is pet (1), and border (3) lies between the two.
    frame, head = np.zeros(4), np.zeros(4)
    for example in drawn_pets.validation.take(20).as_numpy_iterator():
        trimap = example["segmentation_mask"][..., 0]
        frame += np.bincount(trimap[0], minlength=4)
        ymin, xmin, ymax, xmax = example["head_bbox"] * np.tile(trimap.shape, 2)
        box = trimap[int(ymin) : int(ymax) + 1, int(xmin) : int(xmax) + 1]
        head += np.bincount(box.ravel(), minlength=4)
        pet = np.pad(trimap == 1, 1)
        touches = pet[:-2, 1:-1] | pet[2:, 1:-1] | pet[1:-1, :-2] | pet[1:-1, 2:]
        assert not (touches & (trimap == 2)).any()
    assert frame.argmax() == 2
    assert head.argmax() == 1


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_a_prepared_copy_is_read_in_both_formats(tmp_path, monkeypatch, file_format):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    write_photos(tmp_path, file_format)
    pets = load_pets("oxford", validation_share=0.2)
    assert [len(split) for split in pets[:3]] == [4, 1, 5]
    assert len(pets.breeds) == 37
    example = next(pets.test.as_numpy_iterator())
    assert pets.breeds[example["label"]] == "Persian"
    assert example["species"] == 0
    np.testing.assert_array_equal(example["segmentation_mask"], 2)
    np.testing.assert_array_equal(example["head_bbox"], [0, 0, 0.5, 1])


def test_a_copy_that_nothing_installed_reads_names_the_package(tmp_path, monkeypatch):
    class Missing:
        def __getattr__(self, name):
            raise ModuleNotFoundError("No module named 'array_record'")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    write_photos(tmp_path, "array_record")
    lazy = "tensorflow_datasets.core.data_sources.array_record.array_record_data_source"
    monkeypatch.setattr(lazy, Missing())
    with pytest.raises(
        DataError, match="kept as ArrayRecord.*pip install array_record"
    ):
        load_pets("oxford")


@pytest.mark.photos
def test_the_photographs_are_the_official_ones(photos):
    assert len(photos.train) + len(photos.validation) == 3680
    assert len(photos.test) == 3669
    counts, species = np.zeros(4, "int64"), np.zeros(2, "int64")
    for split in photos[:2]:
        for example in split.as_numpy_iterator():
            counts += np.bincount(example["segmentation_mask"].ravel(), minlength=4)
            species[example["species"]] += 1
    shares = 100 * counts[1:] / counts.sum()
    np.testing.assert_allclose(shares, [29.96, 58.66, 11.38], atol=0.3)
    assert species.tolist() == [1188, 2492]


# -------------------------------------------------------------------- errors


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match="source='Oxford' is neither"):
        load_pets("Oxford")


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match=f"validation_share={share}"):
        load_pets("drawn", validation_share=share)


def expect_download_error(message):
    with pytest.raises(DataError, match=message) as caught:
        load_pets("oxford")
    text = str(caught.value)
    for word in ("images.tar.gz", "manual", "TFDS_DATA_DIR", "UNETBOOK_DATA=drawn"):
        assert word in text


def test_no_network_gives_the_next_step(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(photographs.urllib.request, "urlopen", refuse)
    expect_download_error("from https://thor.*no route to host")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_checksum_names_the_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    (tmp_path / "downloads" / "manual").mkdir(parents=True)
    for archive in photographs.ARCHIVES:
        (tmp_path / "downloads" / "manual" / archive).write_bytes(b"no archive")
    for _ in range(2):  # the second call must not find a finished copy
        expect_download_error("manual/(annotations|images).tar.gz, has wrong checksum")


class HangUp(http.server.BaseHTTPRequestHandler):
    """Promises a thousand bytes, sends ten and closes the connection."""

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(b"ten bytes.")

    def log_message(self, *args):
        pass


def test_a_broken_off_download_is_not_taken_for_a_finished_one(tmp_path, monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), HangUp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(photographs, "PHOTOS_ADDRESS", f"{address}/")
    monkeypatch.setattr(tfds_pets, "_BASE_URL", address)
    try:
        for _ in range(2):
            expect_download_error("could not be downloaded from http://127.0.0.1")
    finally:
        server.shutdown()
        server.server_close()
    assert find_photos(tmp_path) is None


@pytest.mark.parametrize(
    "file", ["dataset_info.json", "features.json", "*test*record*"]
)
def test_a_copy_that_lacks_a_file_is_named(tmp_path, monkeypatch, file):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    path = next(write_photos(tmp_path, "tfrecord").glob(file))
    path.unlink()
    with pytest.raises(DataError, match=f"4.0.0 is damaged.*{path.name} is missing"):
        load_pets("oxford")


def test_a_copy_with_a_cut_off_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    path = next(write_photos(tmp_path, "tfrecord").glob("*test*record*"))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="4.0.0 is damaged.*truncated record"):
        load_pets("oxford")


# ------------------------------------------------------------------ pipeline


@pytest.mark.parametrize("kind", ALL)
def test_every_epoch_and_every_batch_is_drawn_anew(kind):
    first, again, epoch, batch = (
        draw_augmentation(64, ALL, 0, *place)[kind].numpy()
        for place in ((0, 0), (0, 0), (1, 0), (0, 1))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != epoch).any()
    assert (first != batch).any()


def test_resize_shrinks_images_smoothly_and_keeps_trimaps_whole():
    image = np.zeros((4, 4, 3), "uint8")
    image[:, 2:] = 200
    trimap = np.array([[1, 1, 3, 2]] * 4, "uint8")[..., None]
    example = {"image": image, "segmentation_mask": trimap}
    image, trimap = resize_pair(example, 2)
    assert image.dtype == trimap.dtype == tf.uint8
    # Antialiased: the triangle of radius 2 weighs the four columns 3, 3, 1, 0 / 7.
    np.testing.assert_array_equal(image[0, :, 0], [round(200 / 7), round(1200 / 7)])
    np.testing.assert_array_equal(trimap, [[1, 2], [1, 2]])


def test_preprocess_scales_images_and_counts_classes_from_0():
    images, masks = preprocess(
        np.array([[[0, 51, 255]]], "uint8"), np.array([[1, 2, 3]], "uint8")
    )
    assert (images.dtype, masks.dtype) == (tf.float32, tf.int32)
    np.testing.assert_allclose(images, [[[0, 0.2, 1]]])
    np.testing.assert_array_equal(masks, [[0, 1, 2]])


def test_what_is_not_annotated_leaves_the_pipeline_as_minus_1():
    trimap = np.array([[0, 1], [2, 0]], "uint8")[..., None]
    example = {"image": np.zeros((2, 2, 3), "uint8"), "segmentation_mask": trimap}
    pairs = cache_pairs(tf.data.Dataset.from_tensors(example), 4)
    _, masks = next(iter(make_dataset(pairs, 1)))
    np.testing.assert_array_equal(masks[0, ::2, ::2], [[-1, 0], [1, -1]])
    options = {"training": True, "augmentation": ALL}
    _, masks = next(iter(make_dataset(pairs, 1, **options)))
    assert set(np.unique(masks)) <= {-1, 0, 1}


@pytest.mark.parametrize("augmentation", [(), *((name,) for name in ALL), ALL])
def test_values_stay_in_range_after_every_step(drawn_pets, augmentation):
    pairs = cache_pairs(drawn_pets.validation.take(8), 32)
    trimaps = np.stack([trimap for _, trimap in pairs.as_numpy_iterator()])
    assert set(np.unique(trimaps)) == {1, 2, 3}
    options = {"training": True, "augmentation": augmentation}
    images, masks = collect(make_dataset(pairs, 4, **options))
    assert (images.dtype, masks.dtype) == ("float32", "int32")
    assert set(np.unique(masks)) == {0, 1, 2}
    assert images.min() >= 0
    assert images.max() <= 1


def test_a_flip_moves_image_and_mask_together():
    images, masks = collect(make_dataset(make_pairs(), 3, training=True))
    np.testing.assert_allclose(images[..., 0], masks * 80 / 255, rtol=1e-6)
    plain = collect(make_dataset(make_pairs(), 6))[1]
    flipped = {mask.tobytes() for mask in plain[:, :, ::-1]}
    assert 0 < sum(mask.tobytes() in flipped for mask in masks) < 6


def test_the_pipeline_augments_as_a_plain_call_does_on_the_same_draws():
    pairs = make_pairs(count=4)
    inside = collect(make_dataset(pairs, 4, training=True, augmentation=ALL, seed=3))
    order = collect(make_dataset(pairs, 4, training=True, augmentation=(), seed=3))
    draws = draw_augmentation(4, ALL, seed=3, epoch=0, index=0)
    draws = {name: array.numpy() for name, array in draws.items()}
    outside = augment(*order, draws)
    np.testing.assert_allclose(inside[0], outside[0], atol=1e-5)
    np.testing.assert_array_equal(inside[1], outside[1])


def test_epoch_two_differs_from_epoch_one_and_epoch_one_equals_itself():
    pairs = make_pairs(count=12)

    def run(seed, epoch):
        options = {"training": True, "augmentation": ALL}
        return collect(make_dataset(pairs, 5, seed=seed, epoch=epoch, **options))

    first, again = run(0, 0), run(0, 0)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[1] != run(0, 1)[1]).any()
    assert (first[1] != run(1, 0)[1]).any()


def test_iterating_twice_gives_the_same_epoch():
    epoch = make_dataset(make_pairs(), 2, training=True)
    np.testing.assert_array_equal(collect(epoch)[0], collect(epoch)[0])


def test_draws_do_not_depend_on_what_was_drawn_before():
    first = draw_augmentation(5, ALL, seed=0, epoch=2, index=7)
    keras.utils.set_random_seed(1)
    tf.random.uniform(())
    again = draw_augmentation(5, ALL, seed=0, epoch=2, index=tf.constant(7))
    for name in ALL:
        np.testing.assert_array_equal(first[name], again[name])


def test_every_epoch_sees_every_picture_once():
    pairs = make_pairs(count=7)
    options = {"training": True, "augmentation": ()}
    masks = collect(make_dataset(pairs, 3, **options))[1]
    plain = collect(make_dataset(pairs, 3))[1]
    assert sorted(map(bytes, masks)) == sorted(map(bytes, plain))


def test_data_sets_of_all_epochs_share_one_cache():
    calls = []
    pairs = make_pairs(count=6, calls=calls)
    for epoch in range(3):
        collect(make_dataset(pairs, 4, training=True, epoch=epoch))
    collect(make_dataset(pairs, 4))
    assert len(calls) == 6


def test_pairs_are_cached_as_bytes():
    specs = make_pairs(size=8).element_spec
    assert [spec.dtype for spec in specs] == [tf.uint8, tf.uint8]
    assert [spec.shape.as_list() for spec in specs] == [[8, 8, 3], [8, 8]]


def test_no_data_set_waits_for_the_autotuner(drawn_pets):
    batches = make_dataset(cache_pairs(drawn_pets.train, 32), 16, training=True)
    assert not batches.options().autotune.enabled
