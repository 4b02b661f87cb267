"""The score explorer of chapter 8, driven by keyboard and by touch, numbers checked.

`make pages` runs this. Every score on the page is compared with `unetbook.metrics`.
"""

import base64
import zlib

import numpy as np
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
from tests.test_explorer_scores import stored_explorer
from unetbook.figures.style import CLASS_COLOURS
from unetbook.metrics import (
    BORDER_POLICIES,
    confusion_matrix,
    dice_coefficient,
    score_border,
    threshold_matrix,
)

pytestmark = pytest.mark.browser

CHAPTER = "book/08_prediction.html"
BUTTONS = {"class": "a class", "ignored": "ignored", "merged": "merged"}


def unpack(text):
    """Read packed bytes back."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "uint8")


def counts_of(case):
    """Return the counts of a case, those of a picture from its maps."""
    if "counts" in case:
        return np.array(case["counts"])
    places = 256 * unpack(case["codes"]).astype(int) + unpack(case["levels"])
    return np.bincount(places, minlength=18 * 256).reshape(18, 256)


def likeliest_matrix(counts):
    """Count true classes against most probable ones."""
    matrix = np.zeros((3, 3), int)
    for code, by_level in enumerate(counts):
        matrix[code % 3, code // 3 % 3] += by_level.sum()
    return matrix


class Scores(ExplorerPage):
    """Reads what the explorer shows."""

    name, ready = "scores", "caption"

    def __init__(self, page):
        super().__init__(page)
        self.settings = read_settings(stored_explorer())
        self.cases = self.settings["cases"]

    def table(self, number):
        """Return a table's texts, a list a row."""
        read = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
        rows = self.root.locator("table").nth(number).locator("tr")
        return rows.evaluate_all(read)

    def pixels(self, number):
        """Return the colours of a map, `(H, W, 3)`."""
        read = """one => [...one.getContext("2d")
          .getImageData(0, 0, one.width, one.height).data]"""
        values = self.root.locator("canvas").nth(number).evaluate(read)
        return np.array(values).reshape(*self.settings["size"], 4)[..., :3]

    def check(self, chosen, border, percent=None):
        """Compare both tables and the sentence with the package's scores."""
        counts = counts_of(self.cases[chosen])
        matrix = likeliest_matrix(counts)
        if percent is not None:
            matrix = threshold_matrix(counts, percent / 100)
        scores = score_border(matrix, border)
        iou = scores["iou"]
        dice = 2 * iou / (1 + iou)
        rows = self.table(0)[1:]
        for row, name, *pair in zip(
            rows, scores["class_names"], iou, dice, strict=False
        ):
            assert row == [name, *(f"{value:.3f}" for value in pair)]
        mean = [f"{scores['mean_iou']:.3f}", f"{np.nanmean(dice):.3f}"]
        assert rows[-2] == ["mean", *mean]
        assert rows[-1] == ["accuracy", f"{scores['pixel_accuracy']:.3f}"]
        assert f"mean IoU {scores['mean_iou']:.3f}" in self.status()
        self.check_matrix(matrix, border)

    def check_matrix(self, matrix, border):
        """Compare the table of counts with a matrix under a policy."""
        if border == "merged":
            to_pet = np.array([[1, 0], [0, 1], [1, 0]])
            matrix = to_pet.T @ matrix @ to_pet
        if border == "ignored":
            matrix = matrix * np.array([[1], [1], [0]])
        cells = [row[1:] for row in self.table(1)[1:]]
        shown = [[int(c.split()[-1].replace(",", "")) for c in row] for row in cells]
        assert shown == matrix.tolist()


@pytest.fixture
def scores(visit):  # noqa: F811
    """The explorer on a desktop page."""
    return Scores(visit(CHAPTER))


@pytest.fixture
def phone(visit):  # noqa: F811
    """The explorer on a phone."""
    return Scores(visit(CHAPTER, 360, has_touch=True, is_mobile=True))


def test_it_opens_with_the_best_picture_and_the_most_probable_class(scores):
    scores.check(0, "class")
    assert scores.control("button", "the most probable").get_attribute(
        "aria-pressed"
    ) == ("true")
    assert scores.status().startswith("Best")


def test_every_picture_under_every_policy_by_keyboard(scores):
    for chosen, case in enumerate(scores.cases):
        scores.control("button", case["title"], exact=True).focus()
        scores.press("Enter")
        for border in BORDER_POLICIES:
            scores.control("button", BUTTONS[border], exact=True).focus()
            scores.press("Space")
            scores.check(chosen, border)


def test_the_threshold_moves_by_keyboard_and_can_be_taken_back(scores):
    worst = len(scores.cases) - 2
    scores.control("button", scores.cases[worst]["title"], exact=True).focus()
    scores.press("Enter")
    slider = scores.control("slider", "threshold")
    assert slider.get_attribute("aria-valuetext") == "off"
    slider.focus()
    scores.press("Home")
    scores.check(worst, "class", 1)
    scores.press(*["ArrowRight"] * 9)
    scores.check(worst, "class", 10)
    assert slider.get_attribute("aria-valuetext") == "10 %"
    assert "pet from 10 % on" in scores.status()
    scores.press("End")
    scores.check(worst, "class", 99)
    scores.control("button", "the most probable").focus()
    scores.press("Enter")
    scores.check(worst, "class")


def test_the_whole_split_follows_the_threshold(scores):
    last = len(scores.cases) - 1
    scores.control("button", scores.cases[last]["title"], exact=True).focus()
    scores.press("Enter")
    scores.control("slider", "threshold").focus()
    scores.press("Home", "ArrowRight")
    scores.check(last, "class", 2)
    assert scores.root.locator(".pictures").is_hidden()
    assert "there is no mask to show" in scores.root.inner_text()


def test_the_maps_show_truth_prediction_and_probability(scores):
    case = scores.cases[0]
    codes, levels = (
        unpack(case[name]).reshape(scores.settings["size"])
        for name in ("codes", "levels")
    )
    colours = np.array([list(bytes.fromhex(c[1:])) for c in CLASS_COLOURS])
    assert (scores.pixels(0) == levels[..., None]).all()
    assert (scores.pixels(1) == colours[codes % 3]).all()
    assert (scores.pixels(2) == colours[codes // 3 % 3]).all()
    scores.control("button", "merged", exact=True).click()
    assert (scores.pixels(1) == colours[codes % 3 % 2]).all()
    scores.control("button", "ignored", exact=True).click()
    grey = (scores.pixels(2) == 200).all(axis=-1)
    assert (grey == (codes % 3 == 2)).all()


def test_the_matrix_on_the_page_is_that_of_the_masks(scores):
    case = scores.cases[0]
    codes = unpack(case["codes"])
    expected = confusion_matrix(codes % 3, codes // 3 % 3)
    scores.check_matrix(expected, "class")
    shown = [float(row[2]) for row in scores.table(0)[1:4]]
    assert np.allclose(shown, dice_coefficient(expected), atol=5e-4)


def test_every_control_is_a_tab_stop_and_shows_its_focus(scores):
    scores.control("button", scores.cases[0]["title"], exact=True).focus()
    stops = scores.count_tab_stops(21)
    assert stops == len(scores.cases) + 3 + 1 + 1  # border, most probable, slider


def test_a_drag_is_announced_once_at_its_end(scores):
    status = scores.root.get_by_role("status")
    slider = scores.control("slider", "threshold")
    slider.evaluate("one => { one.value = 30; one.dispatchEvent(new Event('input')) }")
    assert status.get_attribute("aria-live") == "off"
    scores.check(0, "class", 30)
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


def test_buttons_are_large_enough_for_a_finger(phone):
    read = "all => all.map(one => one.getBoundingClientRect().height)"
    assert min(phone.root.locator("button").evaluate_all(read)) >= 39.9


def test_tables_stay_within_a_phone(phone):
    read = "all => all.map(one => one.scrollWidth - one.clientWidth)"
    cells = phone.root.locator("th, td")
    assert max(cells.evaluate_all(read)) <= 0


def test_it_works_in_a_page_opened_from_the_disk(visit):  # noqa: F811
    page = visit(CHAPTER)
    page.unroute("**/*")
    page.goto((SITE / CHAPTER).as_uri())
    Scores(page).check(0, "class")
