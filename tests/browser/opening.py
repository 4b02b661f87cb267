"""What the browser tests share: a server, pages that are watched, and measures."""

import http.server

import pytest

from tests.paths import SITE
from tools.browser import AXE

# The dark theme changes colours only, so that only these rules can turn out otherwise.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
FINGER = 39.9  # a button of 40 pixels may be drawn a little smaller

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


def watch_page(browser, address, width=1280, **options):
    """Return a new page, which goes nowhere yet and reaches no other host.

    What it says in red goes to its list `faults`, what it asks of other hosts to
    `outside`, and the files of the site that it loads to the set `files`.
    """
    options |= {"viewport": {"width": width, "height": 800}, "color_scheme": "light"}
    options |= {"reduced_motion": "reduce"}  # no colours caught half-way
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(10_000)
    page.faults, page.outside, page.files = [], [], set()
    page.on("console", lambda said: collect_error(page, said))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.route("**/*", lambda route: keep_inside(route, page, address))
    return page


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


def open_from_disk(page, name):
    """Open a page of the site as a file, without a server."""
    page.unroute("**/*")
    page.goto((SITE / name).as_uri())


def find_faults(page, rules=None):
    """Return what axe-core finds on a page, all of it or by some rules alone."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: python tools/browser.py")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(AXE_RUN, rules)


def turn_dark(page):
    """Switch to the dark theme, as the reader's system would."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")


def sideways(page):
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def least_height(controls):
    """Return the height of the lowest of some elements, in pixels."""
    read = "all => all.map(one => one.getBoundingClientRect().height)"
    return min(controls.evaluate_all(read))
