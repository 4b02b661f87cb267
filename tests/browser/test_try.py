"""The page "Try it" in a browser: pictures in, masks out, and everything that may fail.

`make pages` runs this; tests/explorers/test_try.py compares the arithmetic with Pillow.
"""

import io
import json
import re
from functools import cache

import numpy as np
import pytest
from PIL import Image

from tests.browser.opening import (
    COLOUR_RULES,
    FINGER,
    find_faults,
    least_height,
    sideways,
    turn_dark,
    watch_page,
)
from tests.browser.tool import READ_CANVAS, RUNTIME_FOLDER, Tool
from tests.paths import ROOT, SITE

PAGE = "book/try.html"
MODELS = json.loads((ROOT / "site" / "try" / "models.json").read_text())
PHONE, DESKTOP = {"width": 360, "height": 800}, {"width": 1280, "height": 800}

SEND_FILE = """([kind, bytes, name, type]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(bytes)], name, { type }));
  const options = { bubbles: true, cancelable: true };
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { ...options, clipboardData: transfer })
    : new DragEvent('drop', { ...options, dataTransfer: transfer });
  document.querySelector('h1').dispatchEvent(event);
}"""
PREDICT = """async ([model, values, size]) => {
  const { loadNetwork, predict } = await import('../try/network.mjs');
  const image = Float32Array.from(values, (value) => value / 255);
  const { probabilities } = await predict(await loadNetwork(model), image, size);
  return [...probabilities];
}"""


@pytest.fixture(scope="module")
def opened(browser, address):
    """One page for all tests that need the network, which takes long to load."""
    page = watch_page(browser, address, has_touch=True)
    page.set_default_timeout(30_000)
    page.goto(f"{address}/{PAGE}")
    yield Tool(page)
    page.context.close()


@pytest.fixture
def tool(opened):
    """The tool with its small network loaded, on a desktop page."""
    opened.page.set_viewport_size(DESKTOP)
    if not opened.part("result").is_visible():
        opened.button("Use the cat").click()
        opened.said("chelsea.jpg, 451 × 300 pixels")
    return opened


@cache
def network(name):
    """The same network in Keras."""
    from unetbook.pretrained import load_pretrained

    return load_pretrained(name)


def expected_mask(content, name="tiny"):
    """What Python makes of a file's bytes."""
    from unetbook.prediction import segment_picture

    with Image.open(io.BytesIO(content)) as picture:
        return segment_picture(network(name), picture)[0]


def encode(pixels, kind="JPEG", **options):
    """Return pixels as the bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def cat():
    """The page's cat, as bytes."""
    return (SITE / "try" / "chelsea.jpg").read_bytes()


def agreement(ours, theirs):
    """Return the share of pixels on which two masks agree."""
    assert ours.shape == theirs.shape
    return (ours == theirs).mean()


# ------------------------------------------------------------------ before any picture


def test_sizes_are_told_and_nothing_is_fetched_before_the_first_picture(visit):
    page = visit(PAGE)
    tool = Tool(page)
    text = tool.part("costs").inner_text()
    assert "onnxruntime-web, 14.3 MB (about 3.7 MB on the way" in text
    assert "the network tiny, 0.25 MB, from this site" in text
    assert not page.outside
    assert not [file for file in page.files if file.suffix in (".onnx", ".wasm")]
    assert not page.faults
    assert tool.part("result").is_hidden()


def test_the_small_network_comes_first(visit):
    page = visit(PAGE)
    Tool(page)
    radios = page.get_by_role("radio")
    assert [radio.is_checked() for radio in radios.all()] == [True, False]
    labels = page.locator("fieldset label").all_inner_texts()
    for model, label in zip(MODELS, labels, strict=True):
        assert f"{model['name']}: {model['bytes'] / 1e6:.1f}"[:-2] in label
        assert f"{model['parameters']:,} parameters" in label


# ----------------------------------------------------------------------- what it finds


def test_the_cat_by_keyboard(opened):
    opened.button("Use the cat").focus()
    opened.page.keyboard.press("Enter")
    text = opened.said("chelsea.jpg, 451 × 300 pixels")
    assert re.search(r"\d+\s% pet, \d+\s% background, \d+\s% border", text)
    assert re.search(r"network tiny took \d+ ms, everything together [\d.]+ s", text)
    assert set(RUNTIME_FOLDER.iterdir()) <= opened.page.files
    assert opened.part("progress").is_hidden()
    assert "the next picture fetches nothing" in opened.part("costs").inner_text()
    expected = expected_mask(cat())
    assert agreement(opened.mask(), expected) > 0.99
    shares = np.bincount(expected.ravel(), minlength=3) / expected.size
    for name, share in zip(("pet", "background", "border"), shares, strict=True):
        shown = int(opened.part(f"share-{name}").inner_text().split()[0])
        assert shown == pytest.approx(100 * share, abs=1.5)
    assert not opened.page.faults


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_probabilities_are_those_of_keras(tool, model):
    size = model["imageSize"]
    values = np.random.default_rng(0).integers(0, 256, (size, size, 3))
    found = tool.page.evaluate(PREDICT, [model, values.ravel().tolist(), size])
    images = (values / 255).astype("float32")[None]
    expected = network(model["name"]).predict_on_batch(images)
    assert np.abs(np.array(found) - expected.ravel()).max() <= 1e-5


def test_a_drawn_pet(tool):
    from unetbook.sources.drawn.dataset import draw_example

    content = draw_example("test", 0)["image"]
    tool.choose("drawn.jpg", content)
    tool.said("drawn.jpg")
    assert agreement(tool.mask(), expected_mask(content)) > 0.99


def test_twelve_megapixels_that_the_camera_stored_sideways(tool):
    with Image.open(io.BytesIO(cat())) as picture:
        upright = picture.resize((3024, 4032))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    sideways_pixels = np.asarray(upright.transpose(Image.Transpose.ROTATE_90))
    content = encode(sideways_pixels, exif=exif)
    tool.choose("IMG_0001.JPG", content)
    text = tool.said("IMG_0001.JPG")
    assert "3024 × 4032 pixels: " in text
    name, mask = tool.download(lambda button: button.click())
    assert name == "IMG_0001-mask.png"
    assert mask.shape == (4032, 3024)
    assert agreement(mask, expected_mask(content)) > 0.99
    assert tool.mask().shape == (1024, 768)


def test_transparent_parts_are_white_and_one_pixel_is_a_picture(tool):
    pixels = np.dstack([np.zeros((60, 90, 3), "uint8"), np.zeros((60, 90), "uint8")])
    content = encode(pixels, "PNG")
    tool.choose("nothing.png", content)
    tool.said("nothing.png, 90 × 60 pixels")
    assert agreement(tool.mask(), expected_mask(content)) > 0.99
    *size, reds = tool.part("picture").evaluate(READ_CANVAS)
    assert (size, set(reds)) == ([90, 60], {255})
    tool.choose("dot.png", encode(pixels[:1, :1], "PNG"))
    tool.said("dot.png, 1 × 1 pixels")


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pictures_can_be_pasted_and_dropped(tool, kind):
    tool.page.evaluate(SEND_FILE, [kind, list(cat()), f"{kind}.jpg", "image/jpeg"])
    assert "451 × 300 pixels" in tool.said(f"{kind}.jpg")


def test_a_text_file_with_the_name_of_a_picture_is_refused(tool):
    tool.choose("notes.jpg", b"not a picture")
    assert "is no picture that this browser reads. Save it" in tool.alert("notes.jpg")
    tool.button("Use the cat").click()
    tool.said("chelsea.jpg")
    assert tool.page.get_by_role("alert").inner_text() == ""


# ----------------------------------------------------------------------- for everyone


def test_the_tint_by_keyboard(tool):
    tool.page.get_by_role("slider", name="Tint").focus()
    tool.page.keyboard.press("Home")
    opacity = "one => getComputedStyle(one).opacity"
    assert tool.part("tint").evaluate(opacity) == "0"
    for _ in range(3):
        tool.page.keyboard.press("ArrowRight")
    assert tool.part("tint").evaluate(opacity) == "0.15"
    assert tool.part("opacity").get_attribute("aria-valuetext") == "15 %"


def test_the_mask_is_downloaded_by_keyboard(tool):
    tool.button("Use the cat").click()
    tool.said("chelsea.jpg")

    def press(button):
        button.focus()
        tool.page.keyboard.press("Space")

    name, mask = tool.download(press)
    assert name == "chelsea-mask.png"
    assert (mask == tool.mask()).all()


def test_every_control_is_a_tab_stop_and_shows_its_focus(tool):
    report = """() => {
      const at = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      return [at.dataset.part ?? at.value, at.closest('[data-try]') !== null,
        outlineStyle, parseFloat(outlineWidth)];
    }"""
    tool.page.get_by_role("radio").first.focus()
    tool.page.keyboard.press("Shift+Tab")
    stops = []
    for _ in range(20):
        tool.page.keyboard.press("Tab")
        name, inside, style, width = tool.page.evaluate(report)
        if stops and not inside:
            break
        stops.append(name)
        assert (style, width >= 2) == ("solid", True), name
    assert stops == ["tiny", "choose", "camera", "cat", "opacity", "download"]


def test_a_run_is_announced_in_two_sentences(tool):
    watch = """() => {
      window.heard = [];
      new MutationObserver(() => window.heard.push(
        document.querySelector('[role=status]').textContent))
        .observe(document.querySelector('[role=status]'), { childList: true });
    }"""
    tool.page.evaluate(watch)
    tool.button("Use the cat").click()
    tool.page.wait_for_function("window.heard.at(-1)?.startsWith('chelsea')")
    heard = tool.page.evaluate("window.heard")
    assert len(heard) <= 2
    assert heard[0] == "Reading the picture …"


def test_everything_by_touch(tool):
    tool.page.set_viewport_size(PHONE)
    tool.page.get_by_role("radio", name="large").tap()
    tool.said("The network large took")
    with tool.page.expect_file_chooser() as chooser:
        tool.button("Take a picture").tap()
    chooser.value.set_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": cat()}
    )
    tool.said("photo.jpg, 451 × 300")
    assert agreement(tool.mask(), expected_mask(cat(), "large")) > 0.99
    name, mask = tool.download(lambda button: button.tap())
    assert (name, mask.shape) == ("photo-mask.png", (300, 451))
    assert sideways(tool.page) <= 0
    tool.page.get_by_role("radio", name="tiny").tap()
    tool.said("The network tiny took")


def test_controls_are_large_enough_for_a_finger(tool):
    tool.page.set_viewport_size(PHONE)
    controls = tool.page.locator("[data-try] :is(button, label)")
    assert least_height(controls) >= FINGER


def test_the_result_is_accessible_in_light_and_dark(tool):
    for size in (PHONE, DESKTOP):
        tool.page.set_viewport_size(size)
        assert not find_faults(tool.page)
        turn_dark(tool.page)
        assert not find_faults(tool.page, COLOUR_RULES)
        tool.page.emulate_media(color_scheme="light")
        assert sideways(tool.page) <= 0


def test_all_of_this_asked_no_other_host_and_said_no_error(tool):
    assert not tool.page.outside
    assert not tool.page.faults
