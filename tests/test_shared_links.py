"""A link to a page shows its title, what it begins with, and a picture."""

from types import SimpleNamespace

import pytest
from PIL import Image
from sphinx.application import Sphinx

from tests.paths import ROOT
from tools.shared_links import LONGEST, PICTURE, PICTURE_SIZE, find_site, shorten

PAGE = """
Cats & dogs
===========

*About 40 minutes. You need no GPU.*

In this chapter you turn <pictures>
into *batches*.

Later.
"""


def build(folder, url, page=PAGE):
    """Return the head of a page that Sphinx renders for a repository."""
    (folder / "index.rst").write_text(page)
    settings = {
        "extensions": "tools.shared_links",
        "html_theme": "basic",
        "html_title": "The book",
        "html_theme_options": {},
    }
    paths = [folder, None, folder / "html", folder / "trees", "html"]
    app = Sphinx(*paths, settings, status=None, warning=None)
    app.config.html_theme_options = {"repository_url": url}
    app.build()
    return (folder / "html" / "index.html").read_text().partition("</head>")[0]


def test_a_page_has_its_title_its_first_sentences_and_a_picture(tmp_path):
    head = build(tmp_path, "https://github.com/Ann/pets")
    text = "In this chapter you turn &lt;pictures&gt; into batches."
    for tag in (
        '<meta property="og:title" content="Cats &amp; dogs">',
        '<meta property="og:site_name" content="The book">',
        f'<meta property="og:description" content="{text}">',
        f'<meta name="description" content="{text}">',
        '<meta property="og:url" content="https://ann.github.io/pets/index.html">',
        f'<meta property="og:image" content="https://ann.github.io/pets/{PICTURE}">',
        '<meta name="twitter:card" content="summary_large_image">',
    ):
        assert tag in head


def test_a_site_whose_address_nobody_knows_names_no_picture(tmp_path):
    head = build(tmp_path, "https://github.com/OWNER/unetbook", "Cats\n====\n")
    assert '<meta property="og:title" content="Cats">' in head
    assert "og:image" not in head
    assert "og:description" not in head


@pytest.mark.parametrize(
    ("url", "baseurl", "expected"),
    [
        ("https://github.com/Ann/pets", "", "https://ann.github.io/pets/"),
        ("https://github.com/Ann/ann.github.io", "", "https://ann.github.io/"),
        ("https://gitlab.com/Ann/pets", "", "https://ann.gitlab.io/pets/"),
        ("https://git.example.org/Ann/pets", "", None),
        ("https://github.com/Ann/pets", "https://pets.org", "https://pets.org/"),
    ],
)
def test_the_site_of_a_repository(url, baseurl, expected):
    options = {"repository_url": url}
    config = SimpleNamespace(html_baseurl=baseurl, html_theme_options=options)
    assert find_site(config) == expected


def test_long_texts_end_in_a_whole_sentence_or_a_whole_word():
    assert shorten("Short.") == "Short."
    assert shorten("One sentence. " + "word " * LONGEST) == "One sentence."
    cut = shorten("word " * LONGEST)
    assert cut.endswith("word …")
    assert len(cut) <= LONGEST


def test_the_picture_is_there_and_has_the_size_that_is_told():
    with Image.open(ROOT / PICTURE) as picture:
        assert picture.size == PICTURE_SIZE
    assert (ROOT / PICTURE).stat().st_size < 300_000  # more is shown by few programs
