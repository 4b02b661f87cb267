"""Nothing that students or readers get holds a solution or a hidden check."""

import html
import re
import subprocess
import sys
import tarfile
import zipfile
from functools import cache

import nbformat
import pytest

from teach import course
from tests.paths import BOOK, ROOT, SITE
from tests.teaching.versions import NAMES, each_assignment

CHAPTERS = sorted(BOOK.glob("0*.ipynb"))
REGIONS = (
    ("BEGIN SOLUTION", "END SOLUTION"),
    ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
)


def between(text, begin, end):
    """Return the lines between two marks, wherever they stand."""
    parts = re.findall(rf"(?ms)^[^\n]*{begin}[^\n]*\n(.*?)^[^\n]*{end}", text)
    return [line.strip() for part in parts for line in part.splitlines()]


@cache
def secret_lines():
    """Return every line of a solution or hidden check that says something.

    Lines that stand in the open part of a source, in a chapter or in the package as
    well are no secrets.
    """
    found, public = set(), ""
    for name in NAMES:
        text = (course.SOURCES / f"{name}.md").read_text()
        for begin, end in REGIONS:
            found |= set(between(text, begin, end))
            text = re.sub(rf"(?s){begin}.*?{end}", "", text)
        public += text
    for path in CHAPTERS:
        cells = nbformat.read(path, as_version=4).cells
        public += "\n".join(cell.source for cell in cells) + "\n"
    public += "\n".join(p.read_text() for p in (BOOK / "unetbook").glob("*.py"))
    return {line for line in found if len(line) >= 20 and line not in public}


def leaks(lines, text):
    """Return the lines that stand in a text: plain, in JSON, in HTML, or searched."""
    plain = html.unescape(re.sub(r"<[^>]+>", "", text))
    texts = (text, plain, text.replace('\\"', '"').replace("\\\\", "\\"))
    return [line for line in lines if any(line in form for form in texts)]


def test_there_is_something_to_keep_secret():
    assert len(secret_lines()) >= 40 * len(NAMES)


@each_assignment
def test_student_versions_hold_no_secret(name):
    text = (course.STUDENT_VERSIONS / f"{name}.ipynb").read_text()
    assert not leaks(secret_lines(), text)
    assert "BEGIN" not in text
    assert not re.search(r"CHECK_SEED|### ", text)


def test_a_rendered_solution_would_be_found():
    source = (course.SOURCES / f"{NAMES[0]}.md").read_text()
    page = "<pre>" + source.replace("<", "&lt;").replace("=", "<b>=</b>") + "</pre>"
    assert len(leaks(secret_lines(), page)) >= 40


@pytest.mark.skipif(not SITE.exists(), reason="the site is not rendered")
def test_the_site_holds_no_secret():
    files = [path for path in SITE.rglob("*") if path.is_file()]
    texts = [path for path in files if path.suffix in (".html", ".ipynb", ".md", ".js")]
    texts += [path for path in files if path.suffix in (".txt", ".inv", ".json", ".py")]
    assert any(path.name == "searchindex.js" for path in texts)
    assert any("_sources" in path.parts for path in texts)
    lines = secret_lines()
    found = {p: leaks(lines, p.read_text(errors="ignore")) for p in texts}
    assert not {str(path): lines for path, lines in found.items() if lines}
    assert not [path for path in files if "teach" in path.relative_to(SITE).parts]


@pytest.mark.slow
def test_wheel_and_source_distribution_hold_no_secret(tmp_path):
    for kind in ("wheel", "sdist"):
        code = (
            "import os, sys; sys.argv = ['x']; from setuptools import build_meta;"
            f"build_meta.build_{kind}({str(tmp_path)!r})"
        )
        subprocess.run(
            [sys.executable, "-c", code], cwd=copy_of_tracked(tmp_path), check=True
        )
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    texts = {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        for member in filter(tarfile.TarInfo.isfile, sdist.getmembers()):
            texts[member.name] = sdist.extractfile(member).read()
    assert len(texts) > 40
    lines = secret_lines()
    for name, content in texts.items():
        assert not re.search(r"(^|/)(teach|assignments)/", name), name
        assert not leaks(lines, content.decode(errors="ignore")), name


def copy_of_tracked(tmp_path):
    """Copy what git tracks, as a clone would hold it, and return the folder."""
    folder = tmp_path / "clone"
    if not folder.exists():
        words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((ROOT / name).read_bytes())
    return folder
