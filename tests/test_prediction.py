"""Pictures of every kind in, masks of their size out; weights checked by hash."""

import functools
import hashlib
import json

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from unetbook import pretrained
from unetbook.data import cache_pairs, make_dataset
from unetbook.metrics import mean_iou
from unetbook.model import build_unet
from unetbook.pictures import read_picture, squeeze_picture
from unetbook.prediction import (
    evaluate_masks,
    evaluate_pictures,
    predict_masks,
    segment_picture,
)
from unetbook.pretrained import (
    CARD_KEYS,
    list_pretrained,
    load_pretrained,
    read_card,
    save_pretrained,
)
from unetbook.results import read_pictures

CARD = {
    "filters": [2, 3],
    "image_size": 8,
    "data": "none",
    "licence": "MIT",
    "recipe": "untrained",
    "scores": {},
    "limits": "knows nothing",
}


@functools.cache
def colour_model(height=8, width=8):
    """Build a model whose classes are red, green and blue: nothing to train."""
    inputs = keras.Input((height, width, 3))
    return keras.Model(inputs, layers.Softmax()(layers.Rescaling(20.0)(inputs)))


def flag(height, width):
    """Return a picture of three upright stripes: red, green, blue."""
    pixels = np.zeros((height, width, 3), dtype="uint8")
    for channel, columns in enumerate(np.array_split(np.arange(width), 3)):
        pixels[:, columns, channel] = 255
    return pixels


# masks of batches


def test_most_probable_class_wins_in_every_pixel():
    images = np.array([[[[1, 0, 0], [0, 1, 0.5]], [[0, 0, 1], [0.2, 0.3, 0.1]]]])
    model = colour_model(2, 2)
    masks = predict_masks(model, images.astype("float32"))
    assert masks.tolist() == [[[0, 1], [2, 1]]]
    assert masks.dtype == np.int32


def test_more_pictures_than_one_batch_keep_their_order():
    classes = np.arange(37) % 3
    images = np.eye(3, dtype="float32")[classes][:, None, None] * np.ones((1, 8, 8, 1))
    masks = predict_masks(colour_model(), images.astype("float32"))
    assert masks.shape == (37, 8, 8)
    assert (masks == classes[:, None, None]).all()


def test_single_picture_is_refused():
    with pytest.raises(ValueError, match=r"use image\[None\]"):
        predict_masks(colour_model(), np.zeros((8, 8, 3), "float32"))


def test_bytes_are_refused():
    with pytest.raises(ValueError, match="from 0 to 255, expected 0 to 1"):
        predict_masks(colour_model(), flag(8, 8)[None])


def batches():
    """Three pictures in two batches, of one class each, and wrong masks for one."""
    images = np.eye(3, dtype="float32")[:, None, None] * np.ones((1, 8, 8, 1))
    images = images.astype("float32")
    masks = np.stack([np.full((8, 8), c, dtype="int32") for c in (0, 1, 1)])
    return [(images[:2], masks[:2]), (images[2:], masks[2:])]


def test_confusion_matrix_of_a_data_set_by_hand():
    matrix = evaluate_masks(colour_model(), batches())
    assert matrix.tolist() == [[64, 0, 0], [0, 64, 64], [0, 0, 0]]


def test_each_picture_has_its_own_matrix_in_order():
    matrices = evaluate_pictures(colour_model(), batches())
    assert matrices.shape == (3, 3, 3)
    assert matrices[2].tolist() == [[0, 0, 0], [0, 0, 64], [0, 0, 0]]


def test_data_set_without_batches_is_refused():
    with pytest.raises(ValueError, match="dataset is empty"):
        evaluate_pictures(colour_model(), [])


# reading pictures


def test_grey_becomes_three_equal_channels():
    grey = np.array([[0, 100], [200, 255]], dtype="uint8")
    for picture in (grey, grey[..., None], Image.fromarray(grey)):
        pixels = read_picture(picture)
        assert pixels.shape == (2, 2, 3)
        assert pixels.dtype == np.uint8
        assert (pixels == grey[..., None]).all()


def test_transparent_becomes_white_and_half_transparent_half_white():
    picture = np.array([[[0, 0, 0, 0], [0, 0, 0, 51], [9, 8, 7, 255]]], dtype="uint8")
    expected = [[[255, 255, 255], [204, 204, 204], [9, 8, 7]]]
    assert read_picture(picture).tolist() == expected
    assert read_picture(Image.fromarray(picture)).tolist() == expected


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "LAB"])
def test_every_mode_of_pil_is_read_as_white(mode):
    white = Image.new("RGB", (5, 4), "white")
    if mode == "LAB":
        white = Image.new("LAB", (5, 4), (255, 128, 128))
    pixels = read_picture(white if mode == "LAB" else white.convert(mode))
    assert pixels.shape == (4, 5, 3)
    assert (pixels >= 254).all()


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "RGBa"])
def test_every_transparent_mode_of_pil_is_read_as_white(mode):
    assert (read_picture(Image.new(mode, (5, 4))) == 255).all()


def test_transparent_colour_of_a_palette_becomes_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=1)
    pixels = read_picture(tmp_path / "a.png")
    assert pixels.tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (np.array([[0, 65535, 32896]], dtype="uint16"), [0, 255, 128]),
        (np.array([[0.0, 1.0, 0.5]]), [0, 255, 128]),
        (np.array([[0.0, 1.0, 0.2]], dtype="float16"), [0, 255, 51]),
        (np.array([[False, True, True]]), [0, 255, 255]),
        (np.array([[0, 255, 7]], dtype="int64"), [0, 255, 7]),
    ],
)
def test_other_kinds_of_numbers_are_brought_to_bytes(picture, expected):
    assert read_picture(picture)[0, :, 0].tolist() == expected


def test_sixteen_bit_file_is_scaled_and_not_cut(tmp_path):
    grey = np.array([[0, 257 * 100], [257 * 200, 65535]], dtype="uint16")
    Image.fromarray(grey).save(tmp_path / "deep.png")
    pixels = read_picture(tmp_path / "deep.png")
    assert pixels[..., 0].tolist() == [[0, 100], [200, 255]]


def test_photograph_that_the_camera_turned_is_turned_back(tmp_path):
    image = Image.fromarray(flag(6, 9))
    exif = image.getexif()
    exif[0x0112] = 6  # turn a quarter to the right for showing
    image.save(tmp_path / "turned.png", exif=exif)
    expected = np.rot90(flag(6, 9), -1)
    np.testing.assert_array_equal(read_picture(tmp_path / "turned.png"), expected)


def test_path_text_and_pil_give_the_same_pixels(tmp_path):
    Image.fromarray(flag(5, 7)).save(tmp_path / "flag.png")
    for picture in (tmp_path / "flag.png", str(tmp_path / "flag.png")):
        np.testing.assert_array_equal(read_picture(picture), flag(5, 7))


def test_pixels_of_an_array_are_not_shared():
    picture = flag(4, 4)
    before = picture.copy()
    read_picture(picture)[:] = 7
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 4, 4, 3), "uint8"), r"shape \(2, 4, 4, 3\).*out of a batch"),
        (np.zeros((3, 4, 5), "uint8"), r"shape \(3, 4, 5\).*channels last"),
        (np.zeros((4, 4, 2), "uint8"), r"shape \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), "uint8"), "at least one pixel"),
        (np.zeros(5, "uint8"), r"shape \(5,\)"),
        (np.full((4, 4, 3), 255.0), "from 255.0 to 255.0, expected 0 to 1"),
        (np.full((4, 4, 3), np.nan), "from nan to nan, expected 0 to 1"),
        (np.full((4, 4), -1), "from -1 to -1, expected 0 to 255"),
        ({"a": 1}, "picture is a dict"),
        (None, "picture is a NoneType"),
        (b"bytes", "picture is a bytes"),
    ],
)
def test_what_is_no_picture_is_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        read_picture(picture)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"cat\.jpg'.*no such file"):
        read_picture(tmp_path / "cat.jpg")
    with pytest.raises(ValueError, match="no such file"):
        read_picture(tmp_path)


def test_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "cat.jpg").write_text("meow")
    with pytest.raises(ValueError, match=r"cat\.jpg.*Save it as JPEG or PNG"):
        read_picture(tmp_path / "cat.jpg")
    (tmp_path / "cat.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"cat\.jpg.*Save it as JPEG or PNG"):
        read_picture(tmp_path / "cat.jpg")


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_file_cut_short_is_named(tmp_path, kind):
    file = tmp_path / f"cat.{kind}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8")
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"cat\.{kind}.*cut\s+short"):
        read_picture(file)


def test_picture_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    Image.fromarray(flag(30, 30)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(ValueError, match=r"huge\.png.*too large"):
        read_picture(tmp_path / "huge.png")


# one picture of any size


@pytest.mark.parametrize("size", [(8, 8), (30, 45), (60, 24), (1, 3), (3, 100)])
def test_mask_has_the_picture_s_size_and_finds_the_stripes(size):
    mask, probabilities = segment_picture(colour_model(), flag(*size))
    assert mask.shape == size
    assert probabilities.shape == (*size, 3)
    assert (mask.dtype, probabilities.dtype) == (np.int32, np.float32)
    share = (mask == flag(*size).argmax(-1)).mean()
    assert share >= 0.9


def test_probabilities_still_add_up_to_one():
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype="uint8")
    mask, probabilities = segment_picture(colour_model(), noise)
    assert probabilities.sum(-1) == pytest.approx(np.ones((37, 53)), abs=1e-5)
    assert (mask == probabilities.argmax(-1)).all()


def test_picture_of_the_model_s_size_is_predicted_as_it_is():
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype="uint8")
    mask, _ = segment_picture(colour_model(), noise)
    images = noise[None].astype("float32") / 255
    np.testing.assert_array_equal(mask, predict_masks(colour_model(), images)[0])


def test_shrinking_is_the_one_that_training_used():
    from unetbook.data import resize_pair

    noise = np.random.default_rng(0).integers(0, 256, (61, 47, 3), dtype="uint8")
    example = {
        "image": noise,
        "segmentation_mask": np.ones((61, 47, 1), "uint8"),
    }
    ours = np.asarray(squeeze_picture(noise, 16, 16), dtype="int32")
    theirs = np.asarray(resize_pair(example, 16)[0], dtype="int32")
    assert np.abs(ours - theirs).max() <= 1


def test_model_for_wide_pictures_gets_wide_ones():
    mask, _ = segment_picture(colour_model(4, 12), flag(40, 40))
    assert mask.shape == (40, 40)


# weights that come with the book


@pytest.fixture
def weights_dir(tmp_path, monkeypatch):
    """Let the weights lie in an empty folder."""
    folder = tmp_path / "weights"
    monkeypatch.setattr(pretrained, "WEIGHTS_DIR", folder)
    return folder


@pytest.fixture
def saved(weights_dir):
    """Save an untrained net under the name `net` and return it."""
    keras.utils.set_random_seed(0)
    model = build_unet(8, filters=(2, 3))
    save_pretrained(model, "net", CARD)
    return model


def test_loaded_net_has_the_weights_of_the_saved_one_to_half_precision(saved):
    loaded = load_pretrained("net")
    for one, other in zip(saved.weights, loaded.weights, strict=True):
        one = keras.ops.convert_to_numpy(one)
        other = keras.ops.convert_to_numpy(other)
        np.testing.assert_array_equal(one.astype("float16"), other.astype("float16"))
        assert other.dtype == np.float32


def test_card_says_what_the_file_is(saved, weights_dir):
    card = read_card("net")
    content = (weights_dir / "net.npz").read_bytes()
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["bytes"] == len(content)
    assert card["parameters"] == saved.count_params()
    assert list_pretrained() == ["net"]
    assert {path.name for path in weights_dir.iterdir()} == {"net.npz", "net.json"}


def test_same_weights_make_the_same_file(saved, weights_dir):
    first = (weights_dir / "net.npz").read_bytes()
    save_pretrained(saved, "net", CARD)
    assert (weights_dir / "net.npz").read_bytes() == first


def test_unknown_name_lists_what_there_is(saved):
    with pytest.raises(ValueError, match="'cat'.*there are: net.*make weights"):
        load_pretrained("cat")


def test_no_weights_at_all_is_said(weights_dir):
    with pytest.raises(ValueError, match="there are: none.*make weights"):
        load_pretrained()


def test_path_in_place_of_a_name_is_refused(saved):
    with pytest.raises(ValueError, match="there are: net"):
        load_pretrained("../weights/net")


def test_missing_file_of_weights_is_named(saved, weights_dir):
    (weights_dir / "net.npz").unlink()
    with pytest.raises(ValueError, match=r"net\.npz is missing.*make weights"):
        load_pretrained("net")


def test_changed_file_of_weights_is_refused(saved, weights_dir):
    content = bytearray((weights_dir / "net.npz").read_bytes())
    content[500] ^= 1
    (weights_dir / "net.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"net\.npz has the SHA-256.*make weights"):
        load_pretrained("net")


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"filters": [2, 3]})])
def test_damaged_card_is_refused(saved, weights_dir, text):
    (weights_dir / "net.json").write_text(text)
    with pytest.raises(ValueError, match=r"net\.json.*make weights"):
        load_pretrained("net")


def test_card_without_limits_is_refused(weights_dir):
    card = {key: value for key, value in CARD.items() if key != "limits"}
    with pytest.raises(ValueError, match="card lacks limits"):
        save_pretrained(build_unet(8, filters=(2, 3)), "net", card)
    assert not weights_dir.exists()


def test_card_of_another_net_is_refused(weights_dir):
    with pytest.raises(ValueError, match="the model is another"):
        save_pretrained(build_unet(8, filters=(2, 4)), "net", CARD)


def test_weight_beyond_half_precision_is_refused(weights_dir):
    model = build_unet(8, filters=(2, 3))
    model.weights[0].assign(model.weights[0] * 0 + 70_000)
    with pytest.raises(ValueError, match="float16"):
        save_pretrained(model, "net", CARD)


@pytest.mark.skipif(not list_pretrained(), reason="no weights are there yet")
def test_weights_of_the_book_are_those_of_their_cards():
    most = {"drawn": 500_000, "course": 2_500_000, "tiny": 130_000}
    for name in list_pretrained():
        model, card = load_pretrained(name), read_card(name)
        assert model.count_params() == card["parameters"] <= most[name]
        assert card.keys() >= set(CARD_KEYS)


@pytest.mark.parametrize("name", sorted({"course", "tiny"} & {*list_pretrained()}))
def test_shipped_networks_score_what_their_cards_say_on_drawn_pets(name, drawn_pets):
    card = read_card(name)
    examples = drawn_pets.test.take(card["scores"]["drawn"]["pictures"])
    pairs = cache_pairs(examples, card["image_size"])
    matrix = evaluate_masks(load_pretrained(name), make_dataset(pairs, 16))
    expected = card["scores"]["drawn"]["mean_iou"]
    assert mean_iou(matrix) == pytest.approx(expected, abs=0.001)


@pytest.mark.slow
@pytest.mark.photos
@pytest.mark.parametrize("name", sorted({"course", "tiny"} & {*list_pretrained()}))
def test_shipped_networks_score_what_their_cards_say_on_photographs(name, photos):
    card = read_card(name)
    pairs = cache_pairs(photos.test, card["image_size"])
    matrices = evaluate_pictures(load_pretrained(name), make_dataset(pairs, 32))
    expected = np.array(card["scores"]["test"]["matrix"])
    assert mean_iou(matrices.sum(axis=0)) == pytest.approx(
        mean_iou(expected), abs=0.0005
    )
    stored = read_pictures(name)
    np.testing.assert_array_equal(stored.matrices.sum(axis=0), expected)
    changed = np.abs(matrices - stored.matrices).sum(axis=(1, 2)) / 128**2
    assert changed.mean() < 0.001, "pixels that another machine decides otherwise"


def test_the_weights_of_all_shipped_networks_fit_into_8_megabytes():
    assert {"course", "drawn"} <= set(list_pretrained())
    assert sum(read_card(name)["bytes"] for name in list_pretrained()) < 8e6
