"""Every slide shows a figure of its chapter."""

import re

import nbformat
import pytest

from teach.slides import SLIDES, find_figure, make_deck


def test_every_slide_has_its_figure():
    deck = make_deck()
    nbformat.validate(deck)
    assert len(deck.cells) == len(SLIDES) + 1
    for cell in deck.cells[1:]:
        alt = re.search(r"!\[(.+?)\]\(attachment:figure\)", cell.source)
        assert len(alt[1].split()) >= 6
        (picture,) = cell.attachments["figure"].values()
        assert len(picture) > 5000


def test_a_slide_without_a_figure_is_said_with_its_remedy():
    with pytest.raises(ValueError, match="'no such words'.*teach/slides.py"):
        find_figure("01", "no such words")
