"""A server for the rendered site, a browser, and the explorer that a test module reads.

Addresses outside the site are blocked, so what passes here works without the network.
"""

import pytest

from tests.browser.opening import Handler, watch_page
from tests.browser.tool import DESKTOP, PAGE, Tool
from tests.paths import SITE
from tools.browser import find_browser
from tools.pdf import open_browser, serve

ARGUMENTS = (
    *("--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
)


def pytest_itemcollected(item):
    """Mark every test of this folder, so that only `make pages` runs it."""
    item.add_marker(pytest.mark.browser)
    item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def address():
    """Where the rendered site is served."""
    if not SITE.exists():
        pytest.skip("the site is not rendered: python tools/build.py --stored")
    with serve(SITE, Handler) as started:
        yield started


@pytest.fixture(scope="session")
def browser(address):
    """A Chromium of this machine."""
    pytest.importorskip("playwright.sync_api", reason="run `make pages`")
    if find_browser() is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with open_browser(*ARGUMENTS) as opened:
        yield opened


@pytest.fixture
def visit(browser, address):
    """Open pages of the site; each is watched, and closed after the test."""
    pages = []

    def open_page(name, width=1280, **options):
        page = watch_page(browser, address, width, **options)
        pages.append(page)
        page.goto(f"{address}/{name}")
        page.evaluate("window.MathJax?.startup?.promise")
        return page

    yield open_page
    for page in pages:
        page.context.close()


@pytest.fixture
def reader(request):
    """The class that reads the explorer of a test module."""
    return request.module.READER


@pytest.fixture
def explorer(visit, reader):
    """The explorer on a desktop page."""
    return reader.open(visit)


@pytest.fixture
def phone(visit, reader):
    """The explorer on a phone."""
    return reader.open(visit, 360, has_touch=True, is_mobile=True)


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
