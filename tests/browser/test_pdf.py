"""The whole book as one PDF: pages, size, links, and what a reader hears of it."""

import re
import shutil

import pytest

from tools import pdf


@pytest.fixture(scope="session")
def packed(browser, address, tmp_path_factory):
    """The file of the printed book."""
    pytest.importorskip("pypdf", reason="run `make pages`")
    if shutil.which("qpdf") is None:
        pytest.skip("packing needs qpdf: apt install qpdf")
    folder = tmp_path_factory.mktemp("printed")
    pdf.print_pages(browser, address, folder / "printed.pdf")
    pdf.pack(folder / "printed.pdf", folder / pdf.NAME)
    return folder / pdf.NAME


@pytest.fixture(scope="session")
def book(packed):
    """The printed book."""
    from pypdf import PdfReader

    return PdfReader(packed)


def targets(book):
    """Return where links lead: addresses, and names inside the file."""
    annotations = [
        one.get_object() for page in book.pages for one in page.annotations or []
    ]
    outside = {str(one["/A"]["/URI"]) for one in annotations if "/A" in one}
    inside = {
        str(one["/Dest"]).removeprefix("/") for one in annotations if "/Dest" in one
    }
    return outside, inside


def tagged(node, kind):
    """Yield the nodes of one kind from the tree of tags."""
    pending = [node]
    while pending:
        node = pending.pop().get_object()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            if node.get("/S") == kind:
                yield node
            pending += [node["/K"]] if "/K" in node else []


def test_it_is_a_book_of_some_hundred_pages_and_at_most_twenty_megabytes(book, packed):
    assert 200 <= len(book.pages) <= 350
    assert packed.stat().st_size <= 1e6 * pdf.MOST_MEGABYTES


def test_the_contents_give_the_number_of_the_page_where_a_chapter_begins(book):
    contents = book.pages[0].extract_text().split("Contents\n")[1]
    chapters = re.findall(r"^(?:\d+\. )?(\D.*?)\s*(\d+)$", contents, re.MULTILINE)
    assert len(chapters) >= 20
    for title, number in chapters:
        first = book.pages[int(number) - 1].extract_text()
        assert title in " ".join(first.split()), title
        assert first.split()[0] == number  # at the foot, and first in the file


def test_links_lead_to_places_in_the_file_or_to_other_hosts(book):
    outside, inside = targets(book)
    assert not [one for one in outside if not one.startswith("https://")]
    assert not [one for one in outside if "127.0.0.1" in one or "localhost" in one]
    assert len(inside) >= 100
    assert inside <= {name.removeprefix("/") for name in book.named_destinations}


def test_it_is_tagged_and_every_picture_has_its_text(book):
    root = book.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    figures = list(tagged(root["/StructTreeRoot"], "/Figure"))
    assert len(figures) >= 60
    assert all(figure.get("/Alt") for figure in figures)


def test_the_outline_names_every_chapter(book):
    titles = [entry.title for entry in book.outline if not isinstance(entry, list)]
    assert len(titles) >= 20


def test_explorers_and_the_tool_are_sentences(book):
    text = " ".join(page.extract_text() for page in book.pages)
    text = " ".join(text.split())
    assert text.count("Here the page has an explorer") == 4
    assert text.count("Here the page has a tool") == 1
    assert "needs a browser with scripts" not in text
