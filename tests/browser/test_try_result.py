"""What readers do with a result on the page "Try it", and that Python does the same."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.tool import (
    BEST,
    PAGE,
    READ_CANVAS,
    TELEPHONE,
    Tool,
    agreement,
    cat,
    encode,
    expected_mask,
    look_in_python,
)
from tests.paths import ROOT

PHOTOGRAPHS = ROOT / "book" / "unetbook" / "photographs"
BOTH = {"look_twice": True, "flip": True}

WATCH_STAGE = """() => {
  window.views = [];
  const stage = document.querySelector('[data-part=stage]');
  new MutationObserver(() => window.views.push(stage.dataset.view))
    .observe(stage, { attributeFilter: ['data-view'] });
}"""
SHARE = """
  navigator.canShare = ({ files }) => files[0].type === 'image/png';
  navigator.share = async ({ files }) => { window.shared = files[0].name; };
"""


# ------------------------------------------------------- second look, flip, cut-out


def far_away():
    """A cat that fills a ninth of a picture, as the bytes of a PNG file."""
    with Image.open(PHOTOGRAPHS / "tabby.jpg") as picture:
        width, height = picture.size
        far = Image.new("RGB", (3 * width, 3 * height), (205, 180, 140))  # its blanket
        far.paste(picture, (width // 2, height))
    return encode(np.asarray(far), "PNG")


@pytest.mark.parametrize("options", [{"look_twice": True}, {"flip": True}, BOTH])
def test_second_look_flip_and_cut_out_are_those_of_python(tool, options):
    from unetbook.cutouts import cut_out

    content = far_away()
    tool.choose("tabby.png", content)
    tool.said("tabby.png")
    tool.switch(**options)
    call = tool.part("call").inner_text()
    boxed = tool.part("again").first.is_visible()
    name, mask = tool.download(lambda button: button.click())
    cut_name, cut = tool.fetch(lambda button: button.click(), "Download the cut-out")
    tool.switch(look_twice=False, flip=False)
    settings = ", ".join(f"{name}=True" for name in options)
    assert call == (
        f'segment_picture(load_pretrained("tiny"), "tabby.png", {settings})'
    )
    assert boxed == ("look_twice" in options)
    assert (name, cut_name) == ("tabby-mask.png", "tabby-cut-out.png")
    expected, probabilities = look_in_python(content, **options)
    assert agreement(mask, expected) > 0.999  # without loss, so nothing is rounded
    with Image.open(io.BytesIO(content)) as picture:
        expected_cut = cut_out(picture, probabilities)
    assert (cut != expected_cut).any(axis=-1).mean() < 0.001


def test_a_long_picture_is_seen_in_squares_as_in_python(tool):
    with Image.open(io.BytesIO(cat())) as picture:
        content = encode(np.hstack([np.asarray(picture)] * 3))
    tool.choose("three.jpg", content)
    tool.said("three.jpg, 1353 × 300 pixels")
    assert (
        agreement(
            tool.download(lambda button: button.click())[1], expected_mask(content)
        )
        > 0.99
    )


# ------------------------------------------------------------------ views and sharing


def test_the_tint_by_keyboard(tool):
    tool.page.get_by_role("slider", name="Tint").focus()
    tool.page.keyboard.press("Home")
    opacity = "one => getComputedStyle(one).opacity"
    assert tool.part("tint").evaluate(opacity) == "0"
    for _ in range(3):
        tool.page.keyboard.press("ArrowRight")
    assert tool.part("tint").evaluate(opacity) == "0.15"
    assert tool.part("opacity").get_attribute("aria-valuetext") == "15 %"


def test_views_before_and_after_and_zoom_by_keyboard(tool):
    tool.page.get_by_role("radio", name="Tint").focus()
    tool.page.keyboard.press("ArrowRight")
    assert tool.part("mask").is_visible()
    tool.page.keyboard.press("ArrowRight")
    assert tool.part("cut-out").is_visible()
    assert tool.part("mask").is_hidden()
    tool.page.get_by_role("slider", name="Before and after").focus()
    tool.page.keyboard.press("End")
    clip = "one => getComputedStyle(one).clipPath"
    assert tool.part("cut-out").evaluate(clip) == "inset(0px 0px 0px 100%)"
    assert tool.part("picture").evaluate(clip) == "inset(0px 0% 0px 0px)"
    tool.page.keyboard.press("Home")
    width = tool.part("picture").bounding_box()["width"]
    tool.button("Zoom in").press("Enter")
    assert tool.part("picture").bounding_box()["width"] == pytest.approx(2 * width)
    window = tool.part("window")
    assert window.evaluate("one => one.scrollLeft") == pytest.approx(width / 2, abs=1)
    window.focus()
    tool.page.keyboard.press("ArrowRight")
    tool.page.wait_for_function(
        f"document.querySelector('[data-part=window]').scrollLeft > {width / 2 + 1}"
    )
    tool.button("Zoom out").press("Enter")
    assert window.get_attribute("tabindex") is None
    assert tool.part("zoom-in").evaluate("one => one === document.activeElement")
    tool.page.get_by_role("radio", name="Tint").check()


def test_the_better_network_is_offered_with_its_bytes(tool):
    offer = f"Use the better network ({BEST['bytes'] / 1e6:.1f} MB)"
    assert tool.part("better").inner_text() == offer


def test_feature_maps_of_ones_own_picture(tool):
    details = tool.part("features")
    details.locator("summary").click()
    levels = details.locator("figure")
    levels.last.wait_for()
    captions = levels.locator("figcaption").all_inner_texts()
    sides = [f"{128 >> depth} × {128 >> depth}" for depth in range(6)]
    assert [text.rpartition(", ")[2] for text in captions] == sides
    assert details.locator("canvas").count() == 8 * len(sides)
    *size, reds = details.locator("canvas").last.evaluate(READ_CANVAS)
    assert (size, min(reds), max(reds)) == ([4, 4], 0, 255)
    details.locator("summary").click()


def test_a_telephone_shows_the_picture_at_once_and_the_result_in_view(tool):
    tool.page.set_viewport_size(TELEPHONE)
    tool.page.evaluate("scrollTo(0, 0)")
    tool.page.evaluate(WATCH_STAGE)
    tool.button("Use the cat").tap()
    tool.said("chelsea.jpg")
    assert tool.page.evaluate("window.views") == ["picture", "tint"]
    for part in ("stage", "status", "look-twice", "download-cut-out"):
        box = tool.part(part).bounding_box()
        assert 0 <= box["y"] <= box["y"] + box["height"] <= TELEPHONE["height"], part


def test_the_cut_out_is_shared_where_the_browser_can(visit, tool):
    page = visit(PAGE)
    Tool(page)
    assert page.locator('[data-part="share"]').get_attribute("hidden") is not None
    page.add_init_script(SHARE)
    page.reload()
    Tool(page)
    assert page.locator('[data-part="share"]').get_attribute("hidden") is None
    tool.page.evaluate(f"() => {{ {SHARE} }}")
    tool.part("share").evaluate("one => { one.hidden = false; }")
    tool.button("Share the cut-out").click()
    tool.page.wait_for_function("window.shared?.endsWith('-cut-out.png')")
    tool.part("share").evaluate("one => { one.hidden = true; }")
