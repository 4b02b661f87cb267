"""The training film of chapter 7, driven by keyboard and by touch, its numbers checked.

`make pages` runs this. Masks and losses are compared with what the cell has stored.
"""

import re

import pytest

from tests.explorer_modules import read_settings
from tests.explorer_pages import ExplorerPage
from tests.test_browser import (  # noqa: F401  (fixtures)
    SITE,
    address,
    browser,
    sideways,
    visit,
)
from tests.test_explorer_training import stored_film

pytestmark = pytest.mark.browser

CHAPTER = "book/07_training.html"


class Film(ExplorerPage):
    """Reads what the film shows."""

    name, ready = "training", ".pets img"

    def __init__(self, page):
        super().__init__(page)
        self.settings = read_settings(stored_film())
        self.last = len(self.settings["history"]["loss"])

    def masks(self):
        """Return the addresses of the predicted masks that are shown."""
        shown = self.root.get_by_alt_text("its mask after epoch")
        return shown.evaluate_all("all => all.map(one => one.src)")

    def marker(self):
        """Return where the marker stands, as the column of the chart's first curve."""
        centre = (
            "one => { const b = one.getBoundingClientRect(); return b.x + b.width / 2 }"
        )
        now = self.root.locator(".marker .dot.loss").evaluate(centre)
        dots = self.root.locator(".chart > .dot.loss").all()
        places = [dot.evaluate(centre) for dot in dots]
        return 1 + min(range(len(places)), key=lambda i: abs(places[i] - now))

    def check(self, epoch):
        """Compare slider, sentence, masks, scores, losses and marker with the cell."""
        history, pets = self.settings["history"], self.settings["pets"]
        slider = self.control("slider", "epoch")
        assert slider.get_attribute("aria-valuetext") == str(epoch)
        losses = [history[name][epoch - 1] for name in ("loss", "val_loss")]
        sentence = (
            f"After epoch {epoch} of {self.last}: training loss {losses[0]:.3f}, "
            f"validation loss {losses[1]:.3f}, validation mean IoU "
            f"{history['val_mean_iou'][epoch - 1]:.3f}."
        )
        assert self.status() == sentence
        assert self.masks() == [pet["masks"][str(epoch)] for pet in pets]
        scores = self.root.locator(".score").all_inner_texts()
        assert scores == [f"IoU {pet['scores'][str(epoch)]:.2f}" for pet in pets]
        values = self.root.locator(".losses .value").all_inner_texts()
        assert values == [f"{loss:.3f}" for loss in losses]
        assert self.marker() == epoch


@pytest.fixture
def film(visit):  # noqa: F811
    """The film on a desktop page."""
    return Film(visit(CHAPTER))


@pytest.fixture
def phone(visit):  # noqa: F811
    """The film on a phone."""
    return Film(visit(CHAPTER, 360, has_touch=True, is_mobile=True))


def test_it_opens_after_the_first_epoch_with_three_pets(film):
    film.check(1)
    assert len(film.masks()) == 3
    assert film.root.locator(".note").inner_text() == ""


def test_the_slider_reaches_every_epoch_by_keyboard(film):
    film.control("slider", "epoch").focus()
    for epoch in range(2, film.last + 1):
        film.press("ArrowRight")
        film.check(epoch)
    film.press("ArrowRight")
    film.check(film.last)
    film.press("Home")
    film.check(1)
    film.press("End")
    film.check(film.last)


def test_step_buttons_by_keyboard_stop_at_both_ends(film):
    film.control("button", "Back").focus()
    film.press("Enter")
    film.check(1)
    film.control("button", "Next").focus()
    for epoch in [*range(2, film.last + 1), film.last]:
        film.press("Space")
        film.check(epoch)


def test_every_control_is_a_tab_stop_and_shows_its_focus(film):
    film.control("button", "Back").focus()
    stops = film.count_tab_stops(7)
    assert stops == 4  # Back, Next, Play, slider


def test_playing_is_by_hand_only_and_not_announced_epoch_by_epoch(film):
    film.page.wait_for_timeout(1200)
    film.check(1)  # nothing moves before the reader asks for it
    film.control("button", "Play").focus()
    film.press("Enter")
    status = film.root.get_by_role("status")
    assert status.get_attribute("aria-live") == "off"
    film.root.get_by_text("After epoch 3 of").wait_for()
    film.press("Enter")  # the same button is now Pause
    assert status.get_attribute("aria-live") is None
    assert film.control("button", "Play").is_visible()


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


def test_buttons_are_large_enough_for_a_finger(phone):
    read = "all => all.map(one => one.getBoundingClientRect().height)"
    assert min(phone.root.locator("button").evaluate_all(read)) >= 39.9


def test_curve_and_masks_stand_on_a_phones_screen_together(phone):
    phone.root.locator(".chart").evaluate("one => one.scrollIntoView()")
    last = phone.root.get_by_alt_text("its mask after epoch").first
    top = phone.root.locator(".chart").bounding_box()["y"]
    assert last.bounding_box()["y"] + last.bounding_box()["height"] - top <= 560


def test_pictures_and_chart_are_described(film):
    names = film.root.locator("img").evaluate_all("all => all.map(one => one.alt)")
    assert len(names) == 9
    assert len(set(names)) == 9
    label = film.root.locator(".chart").get_attribute("aria-label")
    assert re.match(r"Loss over the epochs: training from [\d.]+ to [\d.]+", label)
    assert label.endswith("The marker is on epoch 1.")


def test_it_works_in_a_page_opened_from_the_disk(visit):  # noqa: F811
    page = visit(CHAPTER)
    page.unroute("**/*")
    page.goto((SITE / CHAPTER).as_uri())
    Film(page).check(1)
