"""Every page in a browser: `make pages` fetches what this needs and runs it."""

import gzip

import pytest

from tests.browser.opening import COLOUR_RULES, find_faults, sideways, turn_dark
from tests.paths import SITE

PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in [*SITE.glob("*.html"), *SITE.glob("book/**/*.html")]
    if path.name != "index.html"  # leads to the introduction
)
WIDTHS = (360, 1280)
MOST_KILOBYTES = 1500
COMPRESSED = {".html", ".css", ".js", ".mjs", ".svg"}  # by any web server


def kilobytes(page):
    """Return what a page and everything it loaded weigh, compressed."""
    total = 0
    for path in page.files:
        data = path.read_bytes()
        total += len(gzip.compress(data) if path.suffix in COMPRESSED else data)
    return total / 1000


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_accessible_and_narrow_enough(visit, name, width):
    page = visit(name, width)
    faults = find_faults(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    light = sideways(page)
    turn_dark(page)
    faults += [f"dark: {x}" for x in find_faults(page, COLOUR_RULES)]
    assert not faults
    assert max(light, sideways(page)) <= 0
    assert not page.faults
    assert not page.outside
    assert kilobytes(page) <= MOST_KILOBYTES


def test_formulas_are_typeset_without_the_network(visit):
    page = visit("book/02_transposed_convolution.html")
    page.wait_for_selector("mjx-container")
    formulas = page.locator(".math").count()
    assert formulas >= 30
    assert page.locator(".math mjx-container").count() == formulas
    fonts = (
        "[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)"
    )
    assert any("MJX" in family for family in page.evaluate(fonts))
    assert not page.outside
