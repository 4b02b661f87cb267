"""A link to a page shows its title, its first sentences and a picture."""

import pytest
import yaml
from docutils.core import publish_doctree

from tests.paths import ROOT
from tools.link_cards import PICTURE, describe, find_site, make_tags


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("https://github.com/class/pets", "https://class.github.io/pets/"),
        ("https://github.com/class/class.github.io", "https://class.github.io/"),
        ("https://gitlab.com/class/pets", None),
    ],
)
def test_the_site_of_a_repository(repository, site):
    assert find_site(repository) == site


def test_the_description_begins_after_pictures_and_the_line_about_the_length():
    picture = "|cat|\n\n.. |cat| image:: cat.png\n   :alt: A cat that sleeps.\n\n"
    page = publish_doctree(f"{picture}*45 minutes.*\n\nWhat is a *pet*?\nA cat.\n\nB")
    assert describe(page) == "What is a pet? A cat."


def test_a_long_description_ends_at_a_word():
    assert describe(publish_doctree("word " * 99)).endswith("word ...")
    assert len(describe(publish_doctree("word " * 99))) <= 200


def test_the_picture_has_a_whole_address_and_quotes_are_escaped():
    tags = make_tags('The "U"', "", "Pets", "https://class.github.io/pets/", "book/a")
    assert 'property="og:title" content="The &quot;U&quot;"' in tags
    assert (
        f'property="og:image" content="https://class.github.io/pets/{PICTURE}"' in tags
    )
    assert (
        'property="og:url" content="https://class.github.io/pets/book/a.html"' in tags
    )
    assert "description" not in tags


def test_the_picture_is_published():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    published = [path for path in config["html_extra_path"] if path.endswith(PICTURE)]
    assert len(published) == 1
    assert (ROOT / published[0]).exists()
