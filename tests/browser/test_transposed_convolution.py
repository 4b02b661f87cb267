"""The explorer of chapter 2, driven by keyboard and by touch, its numbers checked.

`make pages` runs this; tests/explorers compares the arithmetic with Keras.
"""

import re

from tests.browser.opening import sideways
from tests.browser.readers import Convolution

PRESETS = {
    "The article’s layer": (3, 3, 2, "same"),
    "Checkerboard": (4, 3, 2, "valid"),
    "No overlap": (3, 2, 2, "same"),
    "Repeat, then convolve": (4, 3, 2, "same"),
}
READER = Convolution


def test_it_opens_with_the_articles_layer_half_stamped(explorer):
    explorer.check_start()
    assert "m = n · s = 3 · 2 = 6" in explorer.root.inner_text()
    assert "36 × 9 = 324 entries: 64 connections" in explorer.root.inner_text()
    article = explorer.control("button", "The article’s layer")
    assert article.get_attribute("aria-pressed") == "true"


def test_presets_by_keyboard(explorer):
    for name, setting in PRESETS.items():
        explorer.control("button", name).focus()
        explorer.press("Enter")
        explorer.check(
            *setting, stamps=5 if setting[0] == 3 and "art" in name else None
        )
        assert f"{explorer.named('output').shape[0]} × " in explorer.status()


def test_settings_by_keyboard(explorer):
    explorer.control("slider", "kernel size k").focus()
    explorer.press("ArrowRight", "ArrowRight")
    explorer.control("slider", "stride s").focus()
    explorer.press("ArrowRight")
    explorer.control("combobox", "padding").focus()
    explorer.press("v")
    explorer.control("slider", "stamps laid").focus()
    explorer.press("End")
    explorer.check(3, 5, 3, "valid")
    formula = "m = (n − 1) · s + max(k, s) = (3 − 1) · 3 + max(5, 3) = 11"
    assert formula in explorer.root.inner_text()


def test_the_stamps_are_laid_one_by_one_by_keyboard(explorer):
    explorer.control("slider", "stamps laid").focus()
    explorer.press("Home")
    assert not explorer.named("output").any()
    explorer.control("button", "Next").focus()
    for stamps in range(1, 10):
        explorer.press("Space")
        explorer.check(3, 3, 2, "same", stamps=stamps)
        assert f"Stamp {stamps} of 9" in explorer.status()
    assert (explorer.shown("stamp") == 9 * explorer.named("kernel")).all()
    explorer.control("button", "Back").focus()
    explorer.press("Enter")
    explorer.check(3, 3, 2, "same", stamps=8)


def test_values_are_typed_into_the_grids(explorer):
    explorer.cells("input").nth(4).focus()
    explorer.press("ArrowUp", "8", "-", "ArrowLeft", "0", "-")
    assert explorer.named("input")[0].tolist() == [-1, 7, 3]
    explorer.cells("kernel").nth(0).focus()
    explorer.press("ArrowDown", "End", "9", "+")
    assert explorer.named("kernel")[1].tolist() == [4, 5, 9]
    explorer.control("slider", "stamps laid").focus()
    explorer.press("End")
    explorer.check(3, 3, 2, "same")


def test_an_output_pixel_names_what_meets_in_it(explorer):
    explorer.cells("output").nth(0).focus()
    explorer.press(*["ArrowRight", "ArrowDown"] * 2)
    assert explorer.status() == (
        "Output row 3, column 3: 1 · 9 + 2 · 7 + 4 · 3 + 5 · 1 = 40, from 4 stamps."
    )
    assert explorer.cells("counts").nth(14).get_attribute("class") == "picked"
    assert explorer.root.locator(".panel-input .meets").count() == 4
    assert explorer.root.locator(".panel-matrix .frame.picked").count() == 2
    explorer.press("End")
    assert "Cut off" in explorer.status()


def test_repeating_pixels_first_is_even_and_the_stamps_are_not(explorer):
    explorer.control("button", "Repeat, then convolve").focus()
    explorer.press("Enter")
    text = explorer.root.locator(".panel-beside").inner_text()
    assert "9 here, 1, 2 and 4 with the stamps" in text
    grids = explorer.root.locator(".panel-beside [role=table]")
    middle = explorer.square(grids.nth(1).locator("[data-cell]").all_inner_texts())
    assert (middle[1:-1, 1:-1] == 9).all()
    explorer.control("checkbox", "beside it").focus()
    explorer.press("Space")
    assert explorer.root.locator(".panel-beside").is_hidden()


def test_playing_is_not_announced_stamp_by_stamp(explorer):
    explorer.control("button", "Play").focus()
    explorer.press("Enter")
    status = explorer.root.get_by_role("status")
    assert status.get_attribute("aria-live") == "off"
    explorer.root.get_by_text("Stamp 6 of 9").wait_for()
    explorer.press("Enter")  # the same button is now Pause
    assert status.get_attribute("aria-live") is None
    assert explorer.control("button", "Play").is_visible()


def test_everything_by_touch(phone):
    phone.control("button", "No overlap").tap()
    phone.check(3, 2, 2, "same")
    phone.cells("input").nth(3).tap()
    phone.check(3, 2, 2, "same", stamps=4)
    phone.control("button", "pixel plus 1").tap()
    phone.cells("kernel").nth(3).tap()
    phone.control("button", "weight minus 1").tap()
    assert phone.named("input")[1, 0] == 5
    assert phone.named("kernel")[1, 1] == 3
    phone.check(3, 2, 2, "same", stamps=4)
    phone.cells("output").nth(13).tap()
    assert re.match(r"Output row 3, column 2: 5 · 2 = 10, from 1 ", phone.status())
    phone.control("button", "Next").tap()
    phone.check(3, 2, 2, "same", stamps=5)
    phone.control("checkbox", "beside it").tap()
    assert phone.root.locator(".panel-beside").is_visible()
    assert sideways(phone.page) <= 0


def test_the_largest_setting_fits_a_phone(phone):
    for name in ("input size n", "kernel size k", "stride s"):
        phone.control("slider", name).focus()
        phone.press("End")
    phone.control("combobox", "padding").select_option("valid")
    phone.control("slider", "stamps laid").focus()
    phone.press("End")
    phone.check(5, 5, 4, "valid")
    assert sideways(phone.page) <= 0


def test_motion_is_left_out_where_the_reader_asks_for_it(explorer):
    style = "cell => getComputedStyle(cell).transitionDuration"
    # The page was asked for with that wish.
    assert explorer.cells("output").first.evaluate(style) == "0s"
    explorer.page.emulate_media(reduced_motion="no-preference")
    assert explorer.cells("output").first.evaluate(style) != "0s"
