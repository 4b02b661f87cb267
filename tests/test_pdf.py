"""The PDF is published whole, linked and small enough, or not at all.

`make pages` prints it: tests/browser/test_pdf.py.
"""

import re
import shutil
from contextlib import nullcontext

import pytest

from tests.paths import BOOK
from tools import pdf


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site of one page, and a printer that writes three bytes."""
    introduction = tmp_path / "book" / "intro.html"
    introduction.parent.mkdir()
    introduction.write_text((BOOK / "intro.md").read_text())

    def write(_, __, target):
        target.write_bytes(b"pdf")

    monkeypatch.setattr(pdf, "open_browser", nullcontext)
    monkeypatch.setattr(pdf, "print_pages", write)
    monkeypatch.setattr(pdf, "pack", shutil.copy)
    return tmp_path


def test_the_introduction_leads_to_the_pdf_once_it_is_there(site):
    assert pdf.write_pdf(site).read_bytes() == b"pdf"
    page = (site / "book" / "intro.html").read_text()
    (name,) = re.findall(r'<a data-whole-book href="\.\./(.*?)">', page)
    assert (site / name).exists()
    assert sorted(path.name for path in site.iterdir()) == ["book", name]


def test_a_pdf_that_is_too_large_is_not_published(site, monkeypatch):
    monkeypatch.setattr(pdf, "MOST_MEGABYTES", 0)
    with pytest.raises(SystemExit, match="0.0 MB, more than 0"):
        pdf.write_pdf(site)
    assert [path.name for path in site.iterdir()] == ["book"]


def test_without_qpdf_nothing_is_printed(monkeypatch):
    monkeypatch.setattr(pdf, "install_playwright", lambda: None)
    monkeypatch.setattr(pdf, "find_browser", lambda: "chromium")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="apt install qpdf"):
        pdf.check_printer()
