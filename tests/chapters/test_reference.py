"""The glossary is in order, and the reference page leaves nothing out."""

import re

from tests.paths import BOOK


def test_the_glossary_is_in_alphabetical_order():
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    body = text.split("{glossary}")[1].rsplit("```", 1)[0]
    terms = [line for line in body.splitlines() if line and not line.startswith(" ")]
    assert len(terms) >= 25
    assert terms == sorted(terms, key=str.lower)


def test_the_reference_page_names_every_plot_and_every_explorer():
    page = (BOOK / "reference.md").read_text(encoding="utf-8")
    for module in ("plotting", "widgets"):
        source = (BOOK / "unetbook" / f"{module}.py").read_text(encoding="utf-8")
        for function in re.findall(r"^def ((?:plot|explore)_\w+)", source, re.M):
            assert re.search(rf"\b{function}\b", page), f"{function} is missing"
