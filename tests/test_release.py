"""A version's tag is made once, after a check, and is what a chapter installs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.core.inputtransformer2 import TransformerManager

import unetbook
from tools import release
from tools.address import setup_cell

ROOT = Path(__file__).parents[1]
TAG = f"v{unetbook.__version__}"
VERSION_FILES = ("book/unetbook/__init__.py", "CITATION.cff", "CHANGELOG.md")


def git(folder, *words):
    """Run git in a folder and return what it printed."""
    names = ("-c", "user.name=A teacher", "-c", "user.email=teacher@example.org")
    command = ["git", "-C", folder, *names, *words]
    return subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder, name, text):
    """Write one file and push it to main."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(folder, "add", name)
    git(folder, "commit", "-m", name)
    git(folder, "push", "origin", "HEAD:main")


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A clone of a bare repository that holds what the version stands in."""
    git(tmp_path, "init", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "clone", "origin.git", "book")
    for name in VERSION_FILES:
        commit(tmp_path / "book", name, (ROOT / name).read_text())
    monkeypatch.setattr(release, "ROOT", tmp_path / "book")
    return tmp_path / "book"


def tagged_commit(folder):
    """Return the commit that the version's tag names in the bare repository."""
    return git(folder, "ls-remote", "origin", f"refs/tags/{TAG}").partition("\t")[0]


def test_a_new_version_is_tagged_and_its_notes_are_the_changelogs(book, capsys):
    release.main(book / "notes.md")
    assert capsys.readouterr().out == f"{TAG}\n"
    assert tagged_commit(book) == git(book, "rev-parse", "HEAD")
    notes = (book / "notes.md").read_text()
    assert notes in (ROOT / "CHANGELOG.md").read_text()
    assert "## " not in notes


def test_a_tag_that_is_there_stays_where_it_is(book, capsys):
    release.main(book / "notes.md")
    first = tagged_commit(book)
    commit(book, "README.md", "later")
    release.main(book / "notes.md")
    assert "is there already" in capsys.readouterr().err
    assert tagged_commit(book) == first != git(book, "rev-parse", "HEAD")


@pytest.mark.parametrize("change", [("## ", "## 9."), ("\n- ", "\n## 0.0.0\n\n- ")])
def test_a_version_without_notes_is_not_tagged(book, change):
    changed = (book / "CHANGELOG.md").read_text().replace(*change, 1)
    commit(book, "CHANGELOG.md", changed)
    with pytest.raises(SystemExit, match=f"says nothing under `## {TAG[1:]}`"):
        release.main(book / "notes.md")
    assert not tagged_commit(book)


def test_a_citation_of_another_version_is_not_tagged(book):
    commit(book, "CITATION.cff", "title: A book\nversion: 0.0.1\n")
    with pytest.raises(SystemExit, match=r"CITATION\.cff has another"):
        release.main(book / "notes.md")
    assert not tagged_commit(book)


def test_a_repository_that_does_not_answer_is_not_taken_for_one_without_tags(book):
    git(book, "remote", "set-url", "origin", "nowhere.git")
    with pytest.raises(SystemExit, match=r"ls-remote .* failed: .*nowhere\.git"):
        release.main(book / "notes.md")


@pytest.fixture
def set_up(monkeypatch):
    """A function that runs the set-up cell as on Colab, and returns pip's words."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    def run(address):
        lines, names = [], {}

        def record(magic, line):
            lines.append(f"%{magic} {line.format(**names)}")

        names["get_ipython"] = lambda: SimpleNamespace(run_line_magic=record)
        install, _, _ = setup_cell(address).partition("\n\nfrom unetbook")
        exec(TransformerManager().transform_cell(install), names)
        return lines

    return run


def test_a_chapter_installs_its_own_tag(book, set_up, capsys):
    release.main(book / "notes.md")
    capsys.readouterr()
    origin = (book.parent / "origin.git").as_uri()
    assert set_up(origin) == [f'%pip install -q "unetbook @ git+{origin}@{TAG}"']
    assert capsys.readouterr().out == ""


def test_where_the_tag_is_missing_a_chapter_installs_main_and_says_so(
    book, set_up, capsys
):
    origin = (book.parent / "origin.git").as_uri()
    assert set_up(origin) == [f'%pip install -q "unetbook @ git+{origin}@main"']
    said = f"{origin} has no tag {TAG}: its branch main is installed.\n"
    assert capsys.readouterr().out == said


def test_a_missing_network_is_not_called_a_missing_tag(set_up, tmp_path, capsys):
    nowhere = (tmp_path / "nowhere.git").as_uri()
    assert set_up(nowhere) == [f'%pip install -q "unetbook @ git+{nowhere}@{TAG}"']
    assert capsys.readouterr().out == ""


def test_without_an_address_nothing_is_installed(set_up):
    with pytest.raises(RuntimeError, match="address is not set"):
        set_up("https://github.com/OWNER/unetbook")


@pytest.mark.slow
def test_an_install_from_git_holds_every_file_of_the_package(tmp_path):
    book, ignored = tmp_path / "book", shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "book" / "unetbook", book / "unetbook", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    files = {path for path in book.rglob("*") if path.is_file()}
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    packed = {book / name for name in names if name.startswith("unetbook/")}
    assert packed == files
