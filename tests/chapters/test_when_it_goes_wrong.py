"""The page "When it goes wrong" quotes the package, which names its headings."""

import ast
import re

import pytest

from tests.paths import BOOK, ROOT
from unetbook.__main__ import make_parser
from unetbook.remedies import look_up

PAGE = (BOOK / "when_it_goes_wrong.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
TREES = [ast.parse(file.read_text()) for file in (BOOK / "unetbook").rglob("*.py")]
NODES = [node for tree in TREES for node in ast.walk(tree)]


def write_out(node):
    """Return a literal text, with `...` for each value that is put into it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = (part.value if isinstance(part, ast.Constant) else "..." for part in node)
    return "".join(parts)


def list_texts():
    """Return all literal texts of the package."""
    joined = [node.values for node in NODES if isinstance(node, ast.JoinedStr)]
    plain = [node for node in NODES if isinstance(node, ast.Constant)]
    return [write_out(node) for node in [*joined, *plain]]


def list_quotes():
    """Return what the page quotes: its blocks of text, and what has quotation marks."""
    blocks = "".join(re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL))
    prose = re.sub(r"```.*?```|`[^`]+`", "", PAGE, flags=re.DOTALL)
    inline = [" ".join(quote.split()) for quote in re.findall(r'"([^"]+)"', prose)]
    return [*blocks.splitlines(), *inline]


def find_slug(heading):
    """Return the anchor that MyST and GitHub give a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_message_that_the_page_quotes_is_the_packages():
    texts = "\n".join(list_texts())
    strange = [quote for quote in list_quotes() if quote.strip(". ") not in texts]
    assert len(list_quotes()) > 20
    assert not strange


def test_every_heading_that_an_error_names_is_on_the_page():
    calls = [
        node
        for node in NODES
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "look_up"
    ]
    named = {call.args[0].value for call in calls}
    assert len(named) > 7
    assert named <= set(HEADINGS)
    title = re.match(r"# (.+)\n", PAGE)[1]
    assert look_up("A heading") == f'See "{title}" in the book: "A heading".'


def test_the_list_leads_to_every_entry_once_and_in_order():
    listed = re.findall(r"\[([^]]+)\]\(#([^)]+)\)", PAGE.split("\n## ")[0])
    assert listed == [(heading, find_slug(heading)) for heading in HEADINGS]


@pytest.mark.parametrize("heading", HEADINGS)
def test_an_entry_says_what_one_sees_why_and_what_to_do(heading):
    entry = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\*\*(.+?)\*\*", entry, re.M) == ["You see", "Why.", "Do this."]


def test_every_function_that_the_page_names_is_in_the_package():
    functions = {node.name for node in NODES if isinstance(node, ast.FunctionDef)}
    named = set(re.findall(r"(?<!\.)\b(?!run_dir)[a-z]+_[a-z_]+(?=[`(])", PAGE))
    assert len(named) > 5
    assert named <= functions


def test_every_option_that_the_page_names_is_one_of_the_command_line():
    parser = make_parser()
    commands = next(a for a in parser._actions if a.choices).choices.values()
    known = {o for command in commands for o in command._option_string_actions}
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", PAGE))
    assert len(options) > 6
    assert options <= known


def test_chapters_introduction_and_readme_lead_to_the_page():
    chapters = ("01_*", "07_*", "08_*", "10_*")
    for page in (*(next(BOOK.glob(name)) for name in chapters), BOOK / "intro.md"):
        assert "](when_it_goes_wrong.md)" in page.read_text(encoding="utf-8"), page
    assert "](book/when_it_goes_wrong.md)" in (ROOT / "README.md").read_text()
