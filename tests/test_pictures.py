"""Pictures of every kind become bytes of one kind, and what is none is named."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from tests.flags import flag
from unetbook.pictures import read_picture, shrink_picture


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


def test_a_large_transparent_picture_is_blended_without_an_array_of_floats():
    picture = np.zeros((2000, 1000, 4), "uint8")
    picture[:, :, 0], picture[1500:, :, 3] = 102, 255
    tracemalloc.start()
    pixels = read_picture(picture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (pixels[:1500] == 255).all()
    assert (pixels[1500:] == (102, 0, 0)).all()
    assert peak < 2000 * 1000 * 3 * 8, "bytes that its colours take as floats"


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


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_every_kind_of_picture_becomes_rgb(tmp_path, mode):
    Image.new("RGB", (6, 4), "white").convert(mode).save(tmp_path / "pet.png")
    image = read_picture(tmp_path / "pet.png")
    np.testing.assert_array_equal(image, np.full((4, 6, 3), 255))


def test_a_picture_is_turned_upright(tmp_path):
    picture = Image.new("RGB", (6, 4))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "pet.jpg", exif=exif)
    assert read_picture(tmp_path / "pet.jpg").shape == (6, 4, 3)


def test_a_mask_is_shrunk_to_the_pixels_in_the_middle():
    mask = np.arange(3 * 3072).reshape(3, 3072)
    # Of three by three pixels the middle one stays.
    np.testing.assert_array_equal(shrink_picture(mask, 1024), mask[1:2, 1::3])


def test_what_is_no_longer_than_asked_stays_as_it_is():
    mask = np.zeros((2, 1024), int)
    assert shrink_picture(mask, 1024) is mask
