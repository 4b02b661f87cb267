"""The page "Try it" sees a picture as `segment_picture` does, and cuts it out alike.

Node runs its modules; the browser tests drive the page itself.
"""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.explorers.modules import run_module
from tests.paths import BOOK, ROOT
from unetbook.figures.style import CLASS_COLOURS

FOLDER = ROOT / "site" / "try"
SIZES = ((451, 300), (97, 640), (1999, 77), (128, 128), (33, 32), (40, 33), (1, 5))
SIZE, BACKGROUND = 32, 1
LOOKS = [
    pytest.param({"flip": flip, "lookTwice": twice}, id=f"flip {flip}, twice {twice}")
    for flip in (False, True)
    for twice in (False, True)
]

# Pictures go through files, as bytes. The network of this test multiplies each column
# of the squeezed picture by another number: a mirrored one gives something else.
RUNNER = """
const resize = await import(given.resize);
const { cutPixels, findOpacity } = await import(given.cutout);
const { encodeRgba, encodeTrimap } = await import(given.png);
const { folder, width, height, options } = given;
const { size, classes, background } = options;
const read = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
const save = (name, bytes) => writeFileSync(`${folder}/${name}`, bytes);
const picture = read("picture");
const source = { width, height, read: (left, top, wide, high) => {
  const rows = Array.from({ length: high }, (_, row) =>
    [...picture.subarray(((top + row) * width + left) * 4).subarray(0, wide * 4)]);
  return Uint8Array.from(rows.flat());
} };
const whole = { left: 0, top: 0, width, height };
save("small", resize.squeezePicture(source, whole, size));
const predict = async (image) => image.map((value, i) =>
  value * ((Math.floor(i / 3) % size + 1) / size));
const field = await tools.look(source, predict, options);
const mask = tools.classify(field);
save("mask", mask);
const opacity = findOpacity(field, mask, width, height, background);
save("opacity", opacity);
const colours = [[47, 127, 193], [52, 58, 74], [255, 203, 46]];
const file = await encodeTrimap(mask, width, height, colours);
save("mask.png", new Uint8Array(await file.arrayBuffer()));
const half = Math.ceil(height / 2);
const bands = [[0, half], [half, height]].map(([from, to]) =>
  cutPixels(source.read(0, from, width, to - from),
    opacity.subarray(from * width, to * width)));
const cut = await encodeRgba(bands, width, height);
save("cut.png", new Uint8Array(await cut.arrayBuffer()));
const box = field.second && [field.second.left, field.second.top,
  field.second.width, field.second.height];
return { shares: tools.classShares(mask, classes), box };
"""


class Columns:
    """The same network for Python."""

    input_shape = output_shape = (None, SIZE, SIZE, 3)

    @staticmethod
    def predict_on_batch(images):
        """Multiply each column by another number."""
        return images * (np.arange(1, SIZE + 1, dtype="float32") / SIZE)[:, None]


def resize_as_pillow(pixels, width, height):
    """Resize as `segment_picture` does."""
    picture = Image.fromarray(pixels)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def draw_picture(width, height):
    """Return a mostly green picture, green being the background, with a red part."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 100, (height, width, 4), "uint8")
    picture[..., 1] += 90
    picture[..., 3] = 255
    part = np.s_[height // 3 : height // 2 + 1, width // 5 : width // 2 + 1]
    picture[part] = rng.integers(0, 256, picture[part].shape, "uint8")
    picture[part][..., 0] |= 128
    return picture


def run_page(folder, picture, **options):
    """Return what the page's modules make of a picture; the rest lies in the folder."""
    height, width = picture.shape[:2]
    (folder / "picture").write_bytes(picture.tobytes())
    options |= {"size": SIZE, "classes": 3, "background": BACKGROUND}
    given = {"folder": str(folder), "width": width, "height": height}
    given |= {
        name: (FOLDER / f"{name}.mjs").as_uri() for name in ("resize", "cutout", "png")
    }
    return run_module(FOLDER / "look.mjs", RUNNER, given | {"options": options})


def read_bytes(folder, name, *shape):
    """Return what a run wrote, in a shape."""
    return np.frombuffer((folder / name).read_bytes(), "uint8").reshape(shape)


def look_in_python(picture, flip=False, lookTwice=False):  # noqa: N803: the page's word
    """Return the mask and the probabilities that `segment_picture` returns."""
    from unetbook.prediction import segment_picture

    pixels = np.ascontiguousarray(picture[..., :3])
    return segment_picture(Columns(), pixels, look_twice=lookTwice, flip=flip)


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]} x {size[1]}")
def example(request, tmp_path_factory):
    """A picture, the folder with what the page made of it, and what it returned."""
    picture, folder = draw_picture(*request.param), tmp_path_factory.mktemp("try")
    return picture, folder, run_page(folder, picture, flip=False, lookTwice=False)


def test_a_picture_is_squeezed_to_the_same_bytes_as_by_pillow(example):
    picture, folder, _ = example
    found = read_bytes(folder, "small", SIZE, SIZE, 3)
    pixels = np.ascontiguousarray(picture[..., :3])
    narrow = resize_as_pillow(pixels, SIZE, len(pixels))
    assert (found == resize_as_pillow(narrow, SIZE, SIZE)).all()
    at_once = resize_as_pillow(pixels, SIZE, SIZE).astype(int)
    assert np.abs(found - at_once).max() <= 1  # Pillow 13 turns the order in tall ones


def test_the_mask_is_that_of_python_in_one_piece_or_in_squares(example):
    picture, folder, told = example
    expected, _ = look_in_python(picture)
    assert (read_bytes(folder, "mask", *expected.shape) == expected).all()
    counted = np.bincount(expected.ravel(), minlength=3) / expected.size
    np.testing.assert_allclose(told["shares"], counted)


@pytest.mark.parametrize("size", [(300, 200), (97, 640), (900, 60)])
@pytest.mark.parametrize("options", LOOKS)
def test_the_second_look_and_the_mirrored_picture_are_those_of_python(
    tmp_path, size, options
):
    from unetbook.cutouts import cut_out

    picture = draw_picture(*size)
    told = run_page(tmp_path, picture, **options)
    assert (told["box"] is not None) == options["lookTwice"]
    mask, probabilities = look_in_python(picture, **options)
    assert (read_bytes(tmp_path, "mask", *mask.shape) == mask).all()
    cut = cut_out(picture[..., :3], probabilities)
    assert (read_bytes(tmp_path, "opacity", *mask.shape) == cut[..., 3]).all()
    with Image.open(tmp_path / "cut.png") as file:
        assert (np.asarray(file) == cut).all()


def test_the_options_change_the_mask_so_that_comparing_them_says_something():
    picture = draw_picture(300, 200)
    masks = [look_in_python(picture, **options.values[0])[0] for options in LOOKS]
    for i, mask in enumerate(masks):
        assert all((mask != other).any() for other in masks[:i])


def test_boxes_are_rounded_as_python_rounds():
    from unetbook.tiles import find_box

    lengths = [10, 20, 30, 50, 70]  # 15 % of them end in a half or are whole
    code = """return given.map((length) => {
      const mask = new Uint8Array(10000).fill(1);
      mask.fill(0, 4000, 4000 + length);
      return tools.findBox(mask, 10000, 1, 1);
    });"""
    for length, box in zip(
        lengths, run_module(FOLDER / "look.mjs", code, lengths), strict=True
    ):
        found = np.zeros((1, 10000), bool)
        found[:, 4000 : 4000 + length] = True
        rows, columns = find_box(found)
        assert (box["left"], box["width"]) == (
            columns.start,
            columns.stop - columns.start,
        )
        assert (box["top"], box["height"]) == (rows.start, rows.stop - rows.start)


def test_the_downloaded_mask_is_a_trimap_that_the_package_reads(example):
    from unetbook.sources.masks import number_mask, open_mask

    picture, folder, _ = example
    trimap = number_mask(open_mask(folder / "mask.png"), {1: 1, 2: 2, 3: 3})
    mask = read_bytes(folder, "mask", *picture.shape[:2])
    assert (trimap == mask + 1).all()
    with Image.open(folder / "mask.png") as shown:
        colours = np.asarray(shown.convert("RGB")).reshape(-1, 3)
    assert (colours == np.array(rgb_colours())[mask.ravel()]).all()


def rgb_colours():
    """The class colours of the package as red, green and blue."""
    return [list(bytes.fromhex(colour[1:])) for colour in CLASS_COLOURS]


def test_the_page_has_the_colours_of_the_package():
    script = (FOLDER / "stage.mjs").read_text(encoding="utf-8")
    found = re.search(r"const COLOURS = (\[\[.*?\]\]);", script)[1]
    assert json.loads(found) == rgb_colours()
    style = (FOLDER / "try.css").read_text(encoding="utf-8")
    assert all(f"background: {colour};" in style for colour in CLASS_COLOURS)


def test_the_number_of_training_photographs_is_the_one_of_the_cards():
    from unetbook.cards import read_card

    page = (BOOK / "try.md").read_text(encoding="utf-8")
    for model in json.loads((FOLDER / "models.json").read_text(encoding="utf-8")):
        trained_on = read_card(model["name"])["data"]["train"]
        assert f"{trained_on:,} photographs" in page
