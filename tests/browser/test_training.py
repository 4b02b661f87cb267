"""The training film of chapter 7, driven by keyboard and by touch, its numbers checked.

`make pages` runs this. Masks and losses are compared with what the cell has stored.
"""

import re

from tests.browser.opening import sideways
from tests.browser.readers import Film

READER = Film


def test_it_opens_after_the_first_epoch_with_three_pets(explorer):
    explorer.check_start()
    assert len(explorer.masks()) == 3
    assert explorer.root.locator(".note").inner_text() == ""


def test_the_slider_reaches_every_epoch_by_keyboard(explorer):
    explorer.control("slider", "epoch").focus()
    for epoch in range(2, explorer.last + 1):
        explorer.press("ArrowRight")
        explorer.check(epoch)
    explorer.press("ArrowRight")
    explorer.check(explorer.last)
    explorer.press("Home")
    explorer.check(1)
    explorer.press("End")
    explorer.check(explorer.last)


def test_step_buttons_by_keyboard_stop_at_both_ends(explorer):
    explorer.control("button", "Back").focus()
    explorer.press("Enter")
    explorer.check(1)
    explorer.control("button", "Next").focus()
    for epoch in [*range(2, explorer.last + 1), explorer.last]:
        explorer.press("Space")
        explorer.check(epoch)


def test_playing_is_by_hand_only_and_not_announced_epoch_by_epoch(explorer):
    explorer.page.wait_for_timeout(1200)
    explorer.check(1)  # nothing moves before the reader asks for it
    explorer.control("button", "Play").focus()
    explorer.press("Enter")
    status = explorer.root.get_by_role("status")
    assert status.get_attribute("aria-live") == "off"
    explorer.root.get_by_text("After epoch 3 of").wait_for()
    explorer.press("Enter")  # the same button is now Pause
    assert status.get_attribute("aria-live") is None
    assert explorer.control("button", "Play").is_visible()


def test_everything_by_touch(phone):
    phone.control("button", "Next").tap()
    phone.check(2)
    phone.control("button", "Back").tap()
    phone.check(1)
    dots = phone.root.locator(".chart > .dot.val_loss")
    dots.nth(phone.last - 1).scroll_into_view_if_needed()
    box = dots.nth(phone.last - 1).bounding_box()
    phone.page.touchscreen.tap(box["x"] + 1, box["y"] + 12)
    phone.check(phone.last)
    assert sideways(phone.page) <= 0


def test_curve_and_masks_stand_on_a_phones_screen_together(phone):
    phone.root.locator(".chart").evaluate("one => one.scrollIntoView()")
    last = phone.root.get_by_alt_text("its mask after epoch").first
    top = phone.root.locator(".chart").bounding_box()["y"]
    assert last.bounding_box()["y"] + last.bounding_box()["height"] - top <= 560


def test_pictures_and_chart_are_described(explorer):
    names = explorer.root.locator("img").evaluate_all("all => all.map(one => one.alt)")
    assert len(names) == 9
    assert len(set(names)) == 9
    label = explorer.root.locator(".chart").get_attribute("aria-label")
    assert re.match(r"Loss over the epochs: training from [\d.]+ to [\d.]+", label)
    assert label.endswith("The marker is on epoch 1.")
