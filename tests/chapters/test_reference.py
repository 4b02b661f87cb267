"""The glossary is in order, and the reference page leaves nothing out."""

import re

import nbformat

from tests.paths import BOOK


def test_the_glossary_is_in_alphabetical_order():
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    body = text.split("{glossary}")[1].rsplit("```", 1)[0]
    terms = [line for line in body.splitlines() if line and not line.startswith(" ")]
    assert len(terms) >= 25
    assert terms == sorted(terms, key=str.lower)


def documented():
    """Return `{module: names}` of reference.md; a module without a list has all."""
    page = (BOOK / "reference.md").read_text(encoding="utf-8")
    entries = re.findall(r"automodule:: unetbook\.(\S+)\n +:members:([^\n]*)", page)
    return {module: set(re.findall(r"\w+", names)) for module, names in entries}


def imported():
    """Return every `(module, function or class)` that a chapter imports."""
    found = set()
    for path in BOOK.glob("[0-9]*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            statements = re.findall(
                r"^from unetbook\.(\S+) import (\([^)]*\)|.*)", cell.source, re.M
            )
            for module, names in statements:
                found |= {(module, name) for name in re.findall(r"\w+", names)}
    return {(module, name) for module, name in found if not name.isupper()}


def test_the_reference_page_names_everything_that_a_chapter_imports():
    pages = documented()
    missing = [
        (module, name)
        for module, name in sorted(imported())
        if module not in pages or (pages[module] and name not in pages[module])
    ]
    assert len(imported()) > 40
    assert not missing


def test_the_reference_page_names_every_plot_and_every_explorer():
    pages = documented()
    for folder in ("figures", "explorers"):
        for file in (BOOK / "unetbook" / folder).glob("*.py"):
            source = file.read_text(encoding="utf-8")
            for function in re.findall(r"^def ((?:plot|explore)_\w+)", source, re.M):
                assert function in pages[f"{folder}.{file.stem}"]
