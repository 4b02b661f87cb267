"""Address, make targets and what fetches packages do what the README says."""

import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

import unetbook
from tools import address, browser
from tools.outputs import clean, keep_svg

ROOT = Path(__file__).parents[1]


@pytest.fixture
def book_copy(tmp_path, monkeypatch):
    shutil.copy(ROOT / "_config.yml", tmp_path)
    monkeypatch.setattr(address, "CONFIG", tmp_path / "_config.yml")
    return tmp_path


def test_a_new_address_reaches_the_set_up_cell(book_copy):
    address.write_address("https://example.org/class/pets")
    assert address.read_address() == "https://example.org/class/pets"
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(address.setup_cell("old"))]
    path = book_copy / "chapter.ipynb"
    nbformat.write(notebook, path)
    address.stamp(path, address.read_address())
    source = nbformat.read(path, as_version=4).cells[0].source
    assert 'REPOSITORY = "https://example.org/class/pets"' in source


@pytest.mark.parametrize("end", ["/", ".git", ".git/"])
def test_an_address_is_taken_as_hosts_show_it(book_copy, end):
    address.write_address(f"https://example.org/class/pets{end}")
    assert address.read_address() == "https://example.org/class/pets"


def test_what_is_no_address_is_refused(book_copy):
    with pytest.raises(SystemExit, match="no repository address"):
        address.write_address("pets")


def test_cleaning_drops_colab_ids_and_widget_state():
    cell = nbformat.v4.new_code_cell("1", metadata={"id": "abc", "tags": ["x"]})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    cleaned = clean(notebook)
    assert cleaned.cells[0].metadata == {"tags": ["x"]}
    assert set(cleaned.metadata) == {"kernelspec", "language_info"}


def test_a_drawing_is_stored_once_and_a_picture_stays():
    drawing = nbformat.v4.new_output(
        "display_data", {"image/svg+xml": "<svg/>", "image/png": "QUJD"}
    )
    picture = nbformat.v4.new_output("display_data", {"image/png": "QUJD"})
    cell = nbformat.v4.new_code_cell("x", outputs=[drawing, picture])
    keep_svg(nbformat.v4.new_notebook(cells=[cell]))
    assert [[*output.data] for output in cell.outputs] == [
        ["image/svg+xml"],
        ["image/png"],
    ]


def test_every_make_target_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    named = {
        word.strip("`")
        for line in (ROOT / "README.md").read_text().splitlines()
        for word in re.findall(r"make ([a-z]+)", line)
    }
    assert named
    assert all(f"\n{name}:" in makefile for name in named), named


def test_make_lists_its_targets():
    shown = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    )
    assert "make book" in shown.stdout


def test_version_is_one_number_everywhere():
    number = unetbook.__version__
    assert f"\nversion: {number}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {number}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_a_machine_without_a_browser_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(browser, "install_playwright", lambda: None)
    monkeypatch.setattr(browser, "fetch", lambda package: None)
    with pytest.raises(SystemExit, match="apt install chromium"):
        browser.main()
