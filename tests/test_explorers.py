"""The explorers compute what Keras computes, and every host gets the same file.

Node runs the module itself; the browser tests drive what is around it.
"""

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from unetbook.explorers.addresses import mask_uri, png_uri
from unetbook.explorers.cells import PAGE, explorer, read_script, read_style
from unetbook.explorers.transposed_convolution import explore_transposed_convolution
from unetbook.figures.style import CLASS_COLOURS

ROOT = Path(__file__).parents[1]
CHAPTER = ROOT / "book" / "02_transposed_convolution.ipynb"
MODULE = PAGE / "transposed_convolution.mjs"
NUM_SETTINGS = 400

# Reads settings from standard input, writes what the module makes of each.
RUNNER = """
import { readFileSync } from "node:fs";
const tools = await import(process.argv[1]);
const answer = ({ x, kernel, strides, padding, inputSize, kernelSize }) => ({
  size: tools.outputSize(inputSize, kernelSize, strides, padding).output,
  stamps: tools.transposedConvolution(x, kernel, strides, padding),
  matrix: tools.transposedMatrix(kernel, inputSize, strides, padding)
    .map((row) => row.reduce((sum, weight, i) => sum + weight * x[i], 0)),
  counts: tools.overlapCounts(inputSize, kernelSize, strides, padding),
  inner: tools.innerCounts(kernelSize, strides),
  repeated: tools.convolveSame(tools.repeatPixels(x, strides), kernel),
});
const settings = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(settings.map(answer)));
"""


def random_settings():
    """Draw settings with every padding, and strides below, at and above the kernel."""
    rng = np.random.default_rng(0)
    settings = []
    for number in range(NUM_SETTINGS):
        size, kernel_size = int(rng.integers(1, 8)), int(rng.integers(1, 8))
        settings.append(
            {
                "inputSize": size,
                "kernelSize": kernel_size,
                "strides": int(rng.integers(1, 8)),
                "padding": ("valid", "same")[number % 2],
                "x": rng.integers(-9, 10, size**2).tolist(),
                "kernel": rng.integers(-9, 10, kernel_size**2).tolist(),
            }
        )
    return settings


@pytest.fixture(scope="module")
def answers():
    """Every setting with what the module makes of it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the explorer's arithmetic")
    settings = random_settings()
    command = [node, "--input-type=module", "-e", RUNNER, MODULE.as_uri()]
    run = subprocess.run(
        command, input=json.dumps(settings), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return list(zip(settings, json.loads(run.stdout), strict=True))


def square(values):
    """Turn a list into a square picture."""
    side = round(len(values) ** 0.5)
    return np.array(values).reshape(side, side)


def keras_transposed(setting):
    """What `keras.layers.Conv2DTranspose` makes of a setting; integers, exactly."""
    from keras import layers

    x, kernel = square(setting["x"]), square(setting["kernel"])
    layer = layers.Conv2DTranspose(
        1,
        setting["kernelSize"],
        strides=setting["strides"],
        padding=setting["padding"],
        use_bias=False,
    )
    layer.build((None, *x.shape, 1))
    layer.set_weights([kernel[:, :, None, None]])
    return np.asarray(layer(x[None, :, :, None].astype("float32")))[0, :, :, 0]


def test_the_settings_cover_every_case():
    settings = random_settings()
    signs = {np.sign(s["strides"] - s["kernelSize"]) for s in settings}
    assert len(settings) >= 300
    assert signs == {-1, 0, 1}
    for padding in ("valid", "same"):
        assert sum(s["padding"] == padding for s in settings) >= 150


@pytest.mark.slow
def test_stamps_and_matrix_agree_with_keras_cell_by_cell(answers):
    differences = []
    for setting, answer in answers:
        theirs = keras_transposed(setting)
        assert answer["size"] == theirs.shape[0], setting
        for ours in (answer["stamps"], answer["matrix"]):
            differences.append(np.abs(square(ours) - theirs).max())
    assert len(differences) == 2 * NUM_SETTINGS
    assert max(differences) == 0


@pytest.mark.slow
def test_repeat_then_convolve_agrees_with_keras(answers):
    from keras import layers

    for setting, answer in answers[::5]:
        x, kernel = square(setting["x"]), square(setting["kernel"])
        repeat = layers.UpSampling2D(setting["strides"])
        convolve = layers.Conv2D(1, kernel.shape, padding="same", use_bias=False)
        convolve.build((None, None, None, 1))
        convolve.set_weights([kernel[:, :, None, None]])
        theirs = convolve(repeat(x[None, :, :, None].astype("float32")))
        assert (square(answer["repeated"]) == np.asarray(theirs)[0, :, :, 0]).all()


def test_overlap_counts_agree_with_the_package(answers):
    from unetbook.convolution import overlap_counts

    for setting, answer in answers:
        names = ("inputSize", "kernelSize", "strides", "padding")
        expected = overlap_counts(*[setting[name] for name in names])
        assert (square(answer["counts"]) == expected).all(), setting


def test_counts_away_from_the_rim_are_those_of_a_large_input(answers):
    from unetbook.convolution import overlap_counts

    for setting, answer in answers:
        kernel_size, strides = setting["kernelSize"], setting["strides"]
        rim = 2 * kernel_size
        counts = overlap_counts(5 * kernel_size, kernel_size, strides)
        inner = np.unique(counts[rim:-rim, rim:-rim])
        assert answer["inner"] == inner.tolist(), setting


def test_the_output_of_a_cell_holds_settings_style_and_script():
    text = explore_transposed_convolution(kernel_size=4, padding="valid").data
    found = re.search(r'data-settings="([^"]*)"', text)[1].replace("&quot;", '"')
    assert json.loads(found) == {
        "inputSize": 3,
        "kernelSize": 4,
        "strides": 2,
        "padding": "valid",
    }
    assert read_style("transposed_convolution") in text
    assert read_script("transposed_convolution") in text


def test_a_script_in_a_cell_imports_nothing_and_holds_every_line():
    script = read_script("transposed_convolution")
    shared = (PAGE / "shared.mjs").read_text(encoding="utf-8")
    own = MODULE.read_text(encoding="utf-8")
    assert not re.search(r"^\s*import\b|import\(", script, re.MULTILINE)
    assert shared in script
    assert script.replace(shared, "") == re.sub(r"import [^;]*;\n", "", own)


@pytest.mark.parametrize("path", sorted(PAGE.glob("*.*")), ids=lambda p: p.name)
def test_explorers_fetch_nothing_and_can_stand_inside_a_page(path):
    text = path.read_text(encoding="utf-8")
    assert "</" not in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)
    assert not re.search(r"\bfetch\(|import\(", text)
    imports = re.findall(r"^\s*import\b[^;]*;", text, re.MULTILINE)
    assert all(line.endswith('} from "./shared.mjs";') for line in imports)


def open_uri(uri):
    """Return the picture of an address that holds it."""
    header, content = uri.split(",")
    assert header == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_pictures_travel_inside_the_page():
    pixels = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    assert (np.asarray(open_uri(png_uri(pixels))) == pixels).all()


def test_a_mask_keeps_its_codes_and_gets_the_colours_of_the_classes():
    image = open_uri(mask_uri([[0, 1, 2]]))
    assert np.asarray(image).tolist() == [[0, 1, 2]]
    shown = np.asarray(image.convert("RGB"))[0]
    assert [f"#{bytes(colour).hex()}" for colour in shown] == list(CLASS_COLOURS)


def test_the_chapter_stores_the_explorer_as_it_is_now():
    cells = [
        cell
        for cell in nbformat.read(CHAPTER, as_version=4).cells
        if cell.source.startswith("explore_transposed_convolution(")
    ]
    assert len(cells) == 1
    shown = explore_transposed_convolution(kernel_size=3, strides=2, padding="same")
    stored = cells[0].outputs[0]["data"]["text/html"]
    assert stored == shown.data, "python tools/outputs.py book/02_*.ipynb"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("input_size", 6),
        ("kernel_size", 0),
        ("strides", 5),
        ("strides", 1.5),
        ("padding", "full"),
    ],
)
def test_settings_outside_the_explorer_are_refused(argument, value):
    with pytest.raises(ValueError, match=f"{argument}={value!r}"):
        explore_transposed_convolution(**{argument: value})


def test_an_unknown_explorer_is_refused():
    with pytest.raises(FileNotFoundError, match="unknown"):
        explorer("unknown", {})
