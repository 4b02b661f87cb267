"""The score explorer of chapter 8, driven by keyboard and by touch, numbers checked.

`make pages` runs this. Every score on the page is compared with `unetbook.metrics`.
"""

import numpy as np

from tests.browser.opening import sideways
from tests.browser.readers import Scores
from tests.explorers.modules import unpack
from unetbook.figures.style import CLASS_COLOURS
from unetbook.metrics import BORDER_POLICIES, confusion_matrix, dice_coefficient

BUTTONS = {"class": "a class", "ignored": "ignored", "merged": "merged"}
READER = Scores


def test_it_opens_with_the_best_picture_and_the_most_probable_class(explorer):
    explorer.check_start()
    assert explorer.control("button", "the most probable").get_attribute(
        "aria-pressed"
    ) == ("true")
    assert explorer.status().startswith("Best")


def test_every_picture_under_every_policy_by_keyboard(explorer):
    for chosen, case in enumerate(explorer.cases):
        explorer.control("button", case["title"], exact=True).focus()
        explorer.press("Enter")
        for border in BORDER_POLICIES:
            explorer.control("button", BUTTONS[border], exact=True).focus()
            explorer.press("Space")
            explorer.check(chosen, border)


def test_the_threshold_moves_by_keyboard_and_can_be_taken_back(explorer):
    worst = len(explorer.cases) - 2
    explorer.control("button", explorer.cases[worst]["title"], exact=True).focus()
    explorer.press("Enter")
    slider = explorer.control("slider", "threshold")
    assert slider.get_attribute("aria-valuetext") == "off"
    slider.focus()
    explorer.press("Home")
    explorer.check(worst, "class", 1)
    explorer.press(*["ArrowRight"] * 9)
    explorer.check(worst, "class", 10)
    assert slider.get_attribute("aria-valuetext") == "10 %"
    assert "pet from 10 % on" in explorer.status()
    explorer.press("End")
    explorer.check(worst, "class", 99)
    explorer.control("button", "the most probable").focus()
    explorer.press("Enter")
    explorer.check(worst, "class")


def test_the_whole_split_follows_the_threshold(explorer):
    last = len(explorer.cases) - 1
    explorer.control("button", explorer.cases[last]["title"], exact=True).focus()
    explorer.press("Enter")
    explorer.control("slider", "threshold").focus()
    explorer.press("Home", "ArrowRight")
    explorer.check(last, "class", 2)
    assert explorer.root.locator(".pictures").is_hidden()
    assert "there is no mask to show" in explorer.root.inner_text()


def test_the_maps_show_truth_prediction_and_probability(explorer):
    case = explorer.cases[0]
    codes, levels = (
        unpack(case[name]).reshape(explorer.settings["size"])
        for name in ("codes", "levels")
    )
    colours = np.array([list(bytes.fromhex(c[1:])) for c in CLASS_COLOURS])
    assert (explorer.pixels(0) == levels[..., None]).all()
    assert (explorer.pixels(1) == colours[codes % 3]).all()
    assert (explorer.pixels(2) == colours[codes // 3 % 3]).all()
    explorer.control("button", "merged", exact=True).click()
    assert (explorer.pixels(1) == colours[codes % 3 % 2]).all()
    explorer.control("button", "ignored", exact=True).click()
    grey = (explorer.pixels(2) == 200).all(axis=-1)
    assert (grey == (codes % 3 == 2)).all()


def test_the_matrix_on_the_page_is_that_of_the_masks(explorer):
    case = explorer.cases[0]
    codes = unpack(case["codes"])
    expected = confusion_matrix(codes % 3, codes // 3 % 3)
    explorer.check_matrix(expected, "class")
    shown = [float(row[2]) for row in explorer.table(0)[1:4]]
    assert np.allclose(shown, dice_coefficient(expected), atol=5e-4)


def test_a_drag_is_announced_once_at_its_end(explorer):
    status = explorer.root.get_by_role("status")
    slider = explorer.control("slider", "threshold")
    slider.evaluate("one => { one.value = 30; one.dispatchEvent(new Event('input')) }")
    assert status.get_attribute("aria-live") == "off"
    explorer.check(0, "class", 30)
    slider.evaluate("one => one.dispatchEvent(new Event('change'))")
    assert status.get_attribute("aria-live") is None


def test_everything_by_touch(phone):
    phone.control("button", phone.cases[3]["title"], exact=True).tap()
    phone.control("button", "merged", exact=True).tap()
    phone.check(3, "merged")
    slider = phone.control("slider", "threshold")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    phone.page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + 10)
    percent = int(slider.input_value())
    assert 15 <= percent <= 35
    phone.check(3, "merged", percent)
    phone.control("button", "the most probable").tap()
    phone.check(3, "merged")
    assert sideways(phone.page) <= 0


def test_tables_stay_within_a_phone(phone):
    read = "all => all.map(one => one.scrollWidth - one.clientWidth)"
    cells = phone.root.locator("th, td")
    assert max(cells.evaluate_all(read)) <= 0
