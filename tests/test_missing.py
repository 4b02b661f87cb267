"""A book built without npm says on its pages what they lack."""

import re

from tests.paths import BOOK, ROOT
from tools.missing import say_missing
from tools.npm import PLAYER, RUNTIME

TRY = (BOOK / "try.md").read_text(encoding="utf-8")
SLIDER = (
    '<script src="../npm/html-manager@1.0.15/embed.js?v=1"></script>'
    '<script type="application/vnd.jupyter.widget-view+json">{"model_id": 1}</script>'
)
BOTH = [RUNTIME.name, PLAYER.name]


def test_a_page_with_all_its_files_stays_as_it_is():
    assert say_missing(TRY + SLIDER, BOTH) == TRY + SLIDER


def test_try_it_says_that_it_needs_npm_and_starts_no_script():
    page = say_missing(TRY, [PLAYER.name])
    assert "Here the tool is missing." in page
    assert "apt install npm" in page
    assert "try.mjs" not in page
    assert "scripts are" not in page
    assert say_missing(page, [PLAYER.name]) == page


def test_a_slider_says_that_it_needs_npm():
    page = say_missing(SLIDER, [RUNTIME.name])
    assert page.startswith("<p>Here a slider is missing.")
    assert "<script" not in page


def test_the_book_loads_the_player_that_is_fetched():
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert re.findall(r"(\.\./npm/[^:]+):", config) == [
        f"../npm/{PLAYER.folder_name}/embed.js"
    ]


def test_the_scripts_of_the_page_load_the_runtime_that_is_fetched():
    script = (ROOT / "site" / "try" / "network.mjs").read_text(encoding="utf-8")
    assert f'"../npm/{RUNTIME.folder_name}/"' in script
    assert f'"../npm/{RUNTIME.folder_name}/' in TRY
