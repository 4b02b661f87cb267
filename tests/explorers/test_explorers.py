"""Every explorer stands whole in the output of a cell, and fetches nothing."""

import re

import pytest

from tests.explorers.modules import CHAPTERS, read_settings, stored_output
from unetbook.explorers.cells import PAGE, explorer, read_script


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_chapter_stores_the_explorer_as_it_is_now(name):
    stored = stored_output(name)
    shown = explorer(name, read_settings(stored)).data
    assert stored == shown, f"python tools/outputs.py book/{CHAPTERS[name]}.ipynb"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_script_in_a_cell_imports_nothing_and_holds_every_line(name):
    script = read_script(name)
    shared = (PAGE / "shared.mjs").read_text(encoding="utf-8")
    own = (PAGE / f"{name}.mjs").read_text(encoding="utf-8")
    assert not re.search(r"^\s*import\b|import\(", script, re.MULTILINE)
    assert shared in script
    assert script.replace(shared, "") == re.sub(r"import [^;]*;\n", "", own)


@pytest.mark.parametrize("path", sorted(PAGE.glob("*.*")), ids=lambda p: p.name)
def test_explorers_fetch_nothing_and_can_stand_inside_a_page(path):
    text = path.read_text(encoding="utf-8")
    assert "</" not in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)
    assert not re.search(r"\bfetch\(|import\(", text)
    imports = re.findall(r"^\s*import\b[^;]*;", text, re.MULTILINE)
    assert all(line.endswith('} from "./shared.mjs";') for line in imports)


def test_an_unknown_explorer_is_refused():
    with pytest.raises(FileNotFoundError, match="unknown"):
        explorer("unknown", {})
