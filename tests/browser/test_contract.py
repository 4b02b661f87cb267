"""What every explorer promises: in its chapter, from the disk, and alone in a frame."""

import html

import pytest

from tests.browser.opening import FINGER, least_height, open_from_disk, sideways
from tests.browser.readers import Convolution, Film, Network, Scores
from tests.explorers.modules import stored_output
from unetbook.explorers.cells import PAGE

READERS = (Convolution, Network, Film, Scores)
# A button, and what is said once it is pressed.
ANSWERS = {
    Convolution: ("Next", "Stamp 6 of 9"),
    Network: ("Cut all skips", "Without any skip: mean IoU"),
    Film: ("Next", "After epoch 2 of"),
    Scores: ("merged", "mean IoU"),
}
FRAME = '<iframe sandbox="allow-scripts" width="{}" height="2000" srcdoc="{}"></iframe>'


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def reader(request):
    """Every explorer, one after another."""
    return request.param


def test_every_control_is_a_tab_stop_and_shows_its_focus(explorer):
    assert explorer.count_tab_stops() == explorer.controls


def test_buttons_are_large_enough_for_a_finger(phone):
    assert least_height(phone.root.locator("button, select")) >= FINGER


def test_the_page_serves_the_files_of_the_package(visit, address, reader):
    page = visit(reader.address())
    stems = ("shared", reader.name)
    for name in [f"{stem}.{ending}" for stem in stems for ending in ("mjs", "css")]:
        served = page.request.get(f"{address}/_static/{name}").text()
        assert served == (PAGE / name).read_text(encoding="utf-8")


def test_it_works_in_a_page_opened_from_the_disk(visit, reader):
    page = visit(reader.address())
    open_from_disk(page, reader.address())
    reader(page).check_start()


# As Colab shows the output of a cell: the frame may run scripts and nothing else, and
# sees no page around it, no other file and no storage.


@pytest.mark.parametrize("width", [360, 900])
def test_an_explorer_works_alone_in_a_closed_frame(visit, reader, width):
    page = visit("book/glossary.html")
    page.faults.clear()
    page.set_content(FRAME.format(width, html.escape(stored_output(reader.name))))
    frame = page.locator("iframe").element_handle().content_frame()
    explorer = reader(frame)
    before = explorer.status()
    name, sentence = ANSWERS[reader]
    button = explorer.control("button", name)
    button.click()
    assert sentence in explorer.status()
    assert explorer.status() != before
    # JupyterLab takes keys away from a focused element without this.
    assert button.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert frame.evaluate("window.origin") == "null"
    assert sideways(frame) <= 0
    assert not page.faults
    assert not page.outside


def test_explorers_on_one_page_keep_their_columns(visit):
    page = visit("book/glossary.html")
    page.set_content("\n".join(stored_output(reader.name) for reader in READERS))
    for reader in READERS:
        stage = reader(page).root.locator(".stage")
        columns = stage.evaluate("one => getComputedStyle(one).gridTemplateColumns")
        assert len(columns.split()) >= 2
