"""Each explorer's output alone in a closed frame, as Colab shows the output of a cell.

The frame may run scripts and nothing else: it sees no page around it, no other file
and no storage.
"""

import html
from pathlib import Path

import pytest

from tests import (
    test_browser_explorer,
    test_browser_film,
    test_browser_network,
    test_browser_scores,
)
from tests.explorer_modules import stored_output
from tests.test_browser import address, browser, visit  # noqa: F401  (fixtures)

pytestmark = pytest.mark.browser

BOOK = Path(__file__).parents[1] / "book"
FRAME = '<iframe sandbox="allow-scripts" width="{}" height="2000" srcdoc="{}"></iframe>'
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
# What reads the explorer, its cell, a button, and what is said once it is pressed.
CASES = {
    "02_transposed_convolution": (
        *(test_browser_explorer.Explorer, "explore_transposed_convolution("),
        *("Next", "Stamp 6 of 9"),
    ),
    "06_unet": (
        *(test_browser_network.Explorer, "explore_network("),
        *("Cut all skips", "Without any skip: mean IoU"),
    ),
    "07_training": (
        *(test_browser_film.Film, "explore_training("),
        *("Next", "After epoch 2 of"),
    ),
    "08_prediction": (
        *(test_browser_scores.Scores, "explore_scores("),
        *("merged", "mean IoU"),
    ),
}


@pytest.mark.parametrize("width", [360, 900])
@pytest.mark.parametrize("chapter", CASES)
def test_an_explorer_works_alone_in_a_closed_frame(visit, chapter, width):  # noqa: F811
    reader, start, name, sentence = CASES[chapter]
    output = stored_output(BOOK / f"{chapter}.ipynb", start)
    page = visit("book/glossary.html")
    page.faults.clear()
    page.set_content(FRAME.format(width, html.escape(output)))
    frame = page.locator("iframe").element_handle().content_frame()
    explorer = reader(frame)
    before = explorer.status()
    button = explorer.control("button", name)
    button.click()
    assert sentence in explorer.status()
    assert explorer.status() != before
    # JupyterLab takes keys away from a focused element without this.
    assert button.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert frame.evaluate("window.origin") == "null"
    assert frame.evaluate(SIDEWAYS) <= 0
    assert not page.faults
    assert not page.outside


def test_explorers_on_one_page_keep_their_columns(visit):  # noqa: F811
    outputs = [
        stored_output(BOOK / f"{chapter}.ipynb", start)
        for chapter, (_, start, *_) in CASES.items()
    ]
    page = visit("book/glossary.html")
    page.set_content("\n".join(outputs))
    for reader, *_ in CASES.values():
        stage = reader(page).root.locator(".stage")
        columns = stage.evaluate("one => getComputedStyle(one).gridTemplateColumns")
        assert len(columns.split()) >= 2
