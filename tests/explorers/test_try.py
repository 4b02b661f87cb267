"""The page "Try it" resizes as Pillow does and has the package's colours.

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

# Pictures go through files, as bytes.
RUNNER = """
const { encodeTrimap } = await import(given.png);
const { folder, width, height, size } = given;
const read = (name) => readFileSync(`${folder}/${name}`);
const save = (name, bytes) => writeFileSync(`${folder}/${name}`, bytes);
save("small", tools.squeezePicture(read("picture"), width, height, size));
const numbers = new Float32Array(new Uint8Array(read("probabilities")).buffer);
const mask = tools.classify(numbers, size, 3, width, height);
save("mask", mask);
const colours = [[47, 127, 193], [52, 58, 74], [255, 203, 46]];
const file = await encodeTrimap(mask, width, height, colours);
save("mask.png", new Uint8Array(await file.arrayBuffer()));
return tools.classShares(mask, 3);
"""


def resize_as_pillow(pixels, width, height):
    """Resize as `segment_picture` does."""
    picture = Image.fromarray(pixels)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]} x {size[1]}")
def example(request, tmp_path_factory):
    """A random picture and probabilities, and what the page's modules make of them."""
    (width, height), size = request.param, 32
    folder = tmp_path_factory.mktemp("try")
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (height, width, 4), "uint8")
    probabilities = rng.random((size, size, 3), "float32")
    (folder / "picture").write_bytes(picture.tobytes())
    (folder / "probabilities").write_bytes(probabilities.tobytes())
    given = {"folder": str(folder), "png": (FOLDER / "png.mjs").as_uri()}
    given |= {"width": width, "height": height, "size": size}
    shares = run_module(FOLDER / "resize.mjs", RUNNER, given)
    return picture, probabilities, folder, shares


def expected_mask(probabilities, width, height):
    """Stretch probabilities with Pillow and take the largest."""
    channels = np.ascontiguousarray(np.moveaxis(probabilities, -1, 0))
    stretched = [resize_as_pillow(channel, width, height) for channel in channels]
    return np.stack(stretched, axis=-1).argmax(axis=-1)


def test_a_picture_is_squeezed_to_the_same_bytes_as_by_pillow(example):
    picture, _, folder, _ = example
    found = np.frombuffer((folder / "small").read_bytes(), "uint8").reshape(32, 32, 3)
    pixels = np.ascontiguousarray(picture[..., :3])
    narrow = resize_as_pillow(pixels, 32, len(pixels))
    assert (found == resize_as_pillow(narrow, 32, 32)).all()
    at_once = resize_as_pillow(pixels, 32, 32).astype(int)
    assert np.abs(found - at_once).max() <= 1  # Pillow 13 turns the order in tall ones


def test_probabilities_are_stretched_and_compared_as_in_python(example):
    picture, probabilities, folder, shares = example
    height, width = picture.shape[:2]
    found = np.frombuffer((folder / "mask").read_bytes(), "uint8")
    expected = expected_mask(probabilities, width, height)
    assert (found.reshape(height, width) == expected).all()
    counted = np.bincount(expected.ravel(), minlength=3) / expected.size
    np.testing.assert_allclose(shares, counted)


def test_the_downloaded_mask_is_a_trimap_that_the_package_reads(example):
    from unetbook.sources.masks import number_mask, open_mask

    picture, probabilities, folder, _ = example
    height, width = picture.shape[:2]
    trimap = number_mask(open_mask(folder / "mask.png"), {1: 1, 2: 2, 3: 3})
    assert (trimap == expected_mask(probabilities, width, height) + 1).all()
    with Image.open(folder / "mask.png") as shown:
        colours = np.asarray(shown.convert("RGB")).reshape(-1, 3)
    codes = trimap.ravel() - 1
    assert (colours == np.array(rgb_colours())[codes]).all()


def rgb_colours():
    """The class colours of the package as red, green and blue."""
    return [list(bytes.fromhex(colour[1:])) for colour in CLASS_COLOURS]


def test_the_page_has_the_colours_of_the_package():
    script = (FOLDER / "try.mjs").read_text(encoding="utf-8")
    found = re.search(r"const COLOURS = (\[\[.*?\]\]);", script)[1]
    assert json.loads(found) == rgb_colours()
    style = (FOLDER / "try.css").read_text(encoding="utf-8")
    assert all(f"background: {colour};" in style for colour in CLASS_COLOURS)


def test_the_number_of_training_photographs_is_the_one_of_the_cards():
    from unetbook.pretrained import read_card

    page = (BOOK / "try.md").read_text(encoding="utf-8")
    for name in ("tiny", "large"):
        assert f"{read_card(name)['data']['train']:,} photographs" in page
