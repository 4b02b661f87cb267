"""The site, rendered from the stored outputs by `tools/build.py --stored`.

`make test` renders it first; under plain pytest these tests say so and skip.
"""

import functools
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import yaml

from tests.paths import ROOT, SITE

PAGES = sorted((SITE / "book").glob("*.html")) if SITE.exists() else []
# What makes a browser ask another host as soon as it opens a page.
ASKS = (
    r"<(?:script|img|iframe|source)\b[^>]*\ssrc=[\"']?(?:https?:)?//"
    r"|<link\b(?=[^>]*rel=[\"']?(?:stylesheet|preload|icon))[^>]*href=[\"']?https?:"
    r"|unpkg\.com|jsdelivr\.net|cdnjs\.|googleapis\.com"
)

pytestmark = pytest.mark.skipif(
    not PAGES, reason="the site is not rendered: python tools/build.py --stored"
)


class Page(HTMLParser):
    """Collects the links, ids, images and visible text of one page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.images, self.text = [], set(), [], []
        self.hidden = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs["id"]} if "id" in attrs else set()
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)


@functools.cache  # many links lead to one page
def read_page(path):
    """Return the `Page` of a file."""
    return Page(path)


def documents():
    """Return the pages that _toc.yml names, without their endings."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = toc.get("chapters", []) + [
        chapter for part in toc.get("parts", []) for chapter in part["chapters"]
    ]
    return [toc["root"], *(entry["file"] for entry in entries)]


def test_every_page_of_the_table_of_contents_is_there():
    missing = [name for name in documents() if not (SITE / f"{name}.html").exists()]
    assert not missing


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_inside_the_site_resolve(path):
    broken = []
    for link in read_page(path).links:
        address, anchor = urldefrag(link)
        if urlparse(link).scheme or link in ("#", ""):
            continue
        target = (path.parent / unquote(address)).resolve() if address else path
        found = target.exists()
        if found and anchor and target.suffix == ".html":
            found = anchor in read_page(target).ids
        if not found:
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_log_line_and_no_unexpected_traceback_is_on_the_page(path):
    text = "".join(read_page(path).text)
    assert not re.search(
        r"oneDNN custom operations|absl::Init|cuda_executor|cudart_stub", text
    )
    cells = path.read_text(encoding="utf-8").split('<div class="cell ')
    stopped = [cell for cell in cells if 'class="output traceback' in cell]
    assert all("tag_raises-exception" in cell.split(">")[0] for cell in stopped)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_image_has_alt_text(path):
    silent = [
        image["src"]
        for image in read_page(path).images
        if "logo" not in image.get("class", "") + image["src"]  # the theme's own
        and len(image.get("alt", "").split()) < 3
    ]
    assert not silent


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_directive_is_left_unrendered(path):
    assert not re.search(r":::\s*\{|\{glossary\}", "".join(read_page(path).text))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_names_no_file_of_another_host(path):
    assert not re.findall(ASKS, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://cdn.example.org/a.js"></script>',
        '<img alt="a" src="//example.org/a.png">',
        '<link href="https://example.org/a.css" rel="stylesheet">',
        '<script>const URL = "https://unpkg.com/a"</script>',
    ],
)
def test_a_tag_that_asks_another_host_is_found(tag):
    assert re.findall(ASKS, tag)


@pytest.mark.parametrize("host", ["colab.research.google", "kaggle", "studiolab"])
def test_chapters_and_assignments_have_a_button_for_each_host(host):
    notebooks = [name for name in documents() if (ROOT / f"{name}.ipynb").exists()]
    assert len(notebooks) == 16
    for name in notebooks:
        links = read_page(SITE / f"{name}.html").links
        ending = f"/blob/main/{name}.ipynb"
        assert any(host in link and link.endswith(ending) for link in links), name


def test_only_the_book_is_published():
    published = {path.name for path in SITE.iterdir()}
    assert not published & {"tests", "tools", "experiments", ".venv", "README.html"}
