"""Stamp the repository's address, kept in _config.yml, into every set-up cell.

`make address URL=https://github.com/you/repository` changes _config.yml first; without
a URL the cells are stamped with what stands there. The workflow `publish` also names
the branch on which readers find the stamped chapters: `tools/address.py URL BRANCH`.
"""

import re
import sys
from pathlib import Path

import nbformat

import unetbook

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "_config.yml"
SETUP_MARK = "from importlib.util import find_spec"


def read_address():
    """Return the repository's address from _config.yml."""
    return re.search(r"^  url: (\S+)$", CONFIG.read_text(), re.M)[1]


def write_address(url):
    """Put another address into _config.yml; `.git` and a last slash may follow it."""
    url = url.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", url):
        raise SystemExit(
            f"URL={url!r} is no repository address. Give it as https://HOST/OWNER/NAME."
        )
    CONFIG.write_text(re.sub(r"(?m)^  url: \S+$", f"  url: {url}", CONFIG.read_text()))


def write_branch(branch):
    """Put into _config.yml where the launch buttons look for the chapters."""
    line = re.compile(r"(?m)^(    launch_branch:) \S+")
    CONFIG.write_text(line.sub(rf"\1 {branch}", CONFIG.read_text()))


def setup_cell(url):
    """Return the first code cell of every chapter.

    On Colab it installs the version that the notebook was written for, so that later
    versions leave a notebook in use alone. git's exit code tells a missing tag (2) from
    a missing network (128), of which pip then speaks.
    """
    return f'''\
from importlib.util import find_spec
from subprocess import getstatusoutput

REPOSITORY = "{url}"
if find_spec("unetbook") is None:
    if "OWNER" in REPOSITORY:
        raise RuntimeError("The book's address is not set yet: run `make address`.")
    version = "v{unetbook.__version__}"
    find_tag = f"git ls-remote --exit-code {{REPOSITORY}} refs/tags/{{version}}"
    if getstatusoutput(find_tag)[0] == 2:  # git has looked, and it is not there
        print(f"{{REPOSITORY}} has no tag {{version}}: its branch main is installed.")
        version = "main"
    %pip install -q "unetbook @ git+{{REPOSITORY}}@{{version}}"

from unetbook.config import start

config = start()'''


def stamp(path, url):
    """Write the set-up cell into one notebook."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith(SETUP_MARK):
            cell.source = setup_cell(url)
    nbformat.write(notebook, path)


def main(url="", branch=""):
    """Change _config.yml where told to, and stamp every chapter and assignment."""
    if url:
        write_address(url)
    if branch:
        write_branch(branch)
    chapters = sorted((ROOT / "book").glob("*.ipynb"))
    for chapter in chapters + sorted((ROOT / "book" / "assignments").glob("*.ipynb")):
        stamp(chapter, read_address())
        print(f"stamped {chapter.name} with {read_address()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
