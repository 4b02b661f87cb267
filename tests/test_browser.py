"""Every page in a browser: `make pages` fetches what this needs and runs it.

Addresses outside the site are blocked, so what passes here works without the network.
"""

import functools
import gzip
import http.server
import threading

import pytest

from tests.test_pages import SITE
from tools.browser import AXE, find_browser

pytestmark = pytest.mark.browser

PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in [*SITE.glob("*.html"), *SITE.glob("book/**/*.html")]
    if path.name != "index.html"  # leads to the introduction
)
WIDTHS = (360, 1280)
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
)
# The dark theme changes colours only, so that only these rules can turn out otherwise.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
MOST_KILOBYTES = 1500
COMPRESSED = {".html", ".css", ".js", ".mjs", ".svg"}  # by any web server

AXE_RUN = """async (rules) => {
  const options = { resultTypes: ["violations"], elementRef: false };
  if (rules) options.runOnly = { type: "rule", values: rules };
  const { violations } = await axe.run(document, options);
  return violations.map((fault) => `${fault.id}: ${fault.nodes.length} times, first `
    + fault.nodes[0].html.slice(0, 200));
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site quietly, with the type that browsers want of a module."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    """Where the rendered site is served."""
    if not PAGES:
        pytest.skip("the site is not rendered: python tools/build.py --stored")
    handler = functools.partial(Handler, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser(address):
    """A Chromium of this machine."""
    api = pytest.importorskip("playwright.sync_api", reason="run `make pages`")
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)


@pytest.fixture
def visit(browser, address):
    """Open pages; what they say in the console and ask of others is collected."""
    contexts = []

    def open_page(name, width=1280, **options):
        size = {"width": width, "height": 800}
        options |= {"viewport": size, "color_scheme": "light"}
        options |= {"reduced_motion": "reduce"}  # no colours caught half-way
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.faults, page.outside, page.files = [], [], set()
        page.on("console", lambda said: collect_error(page, said))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.route("**/*", lambda route: keep_inside(route, page, address))
        page.goto(f"{address}/{name}")
        page.evaluate("window.MathJax?.startup?.promise")
        return page

    yield open_page
    for context in contexts:
        context.close()


def collect_error(page, said):
    """Keep what the console shows in red."""
    if said.type == "error":
        page.faults.append(said.text)


def keep_inside(route, page, address):
    """Let requests to the site pass and stop all others."""
    if route.request.url.startswith(address):
        name = route.request.url.removeprefix(address).split("?")[0]
        page.files.add(SITE / name.lstrip("/"))
        route.continue_()
    else:
        page.outside.append(route.request.url)
        route.abort()


def sideways(page):
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def kilobytes(page):
    """Return what a page and everything it loaded weigh, compressed."""
    total = 0
    for path in page.files:
        data = path.read_bytes()
        total += len(gzip.compress(data) if path.suffix in COMPRESSED else data)
    return total / 1000


# -------------------------------------------------------------------- every page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_accessible_and_narrow_enough(visit, name, width):
    if not AXE.exists():
        pytest.skip("axe-core is missing: python tools/browser.py")
    page = visit(name, width)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    faults = page.evaluate(AXE_RUN, None)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    light = sideways(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    faults += [f"dark: {x}" for x in page.evaluate(AXE_RUN, COLOUR_RULES)]
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
