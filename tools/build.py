"""Render the site: executed again, or with `--stored` from the stored outputs.

Jupyter Book keeps executed chapters in `_build/.jupyter_cache`, and does not notice
that the package, the installed versions, the data or the tier have changed. A stamp of
all four stands beside the cache; when it differs, the cache and the pages are cleared.
The stamp of a folder of pictures is that of its files' names, sizes and times.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import yaml

from unetbook.config import TIERS, find_folder

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # a script finds `tools` no other way

from tools.execute import execute_chapters  # noqa: E402
from tools.npm import fetch_served  # noqa: E402
from tools.pdf import check_printer, write_pdf  # noqa: E402

BUILD = ROOT / "_build"
STORED = BUILD / "stored"
SETTINGS = ("UNETBOOK_DATA", "UNETBOOK_TIER", "TFDS_DATA_DIR")


def stamp():
    """Return a hash of everything that executed chapters depend on."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "book" / "unetbook").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.read_bytes())
    installed = sorted(f"{d.metadata['Name']}=={d.version}" for d in distributions())
    settings = [f"{name}={os.environ.get(name, '')}" for name in SETTINGS]
    digest.update("\n".join(installed + settings + list_data()).encode())
    return digest.hexdigest()


def list_data():
    """Return a line for each file of the folder that `UNETBOOK_DATA` names, if any."""
    data = os.environ.get("UNETBOOK_DATA") or "drawn"
    if data in ("drawn", "oxford"):
        return []
    try:
        folder = find_folder(data, "UNETBOOK_DATA")
    except ValueError as error:
        sys.exit(str(error))
    lines = []
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        name = ascii(str(path.relative_to(folder)))
        lines.append(f"{name} {state.st_size} {state.st_mtime_ns}")
    return lines


def check_tier():
    """Stop at an unknown tier before anything that was built is cleared."""
    tier = os.environ.get("UNETBOOK_TIER") or "quick"
    if tier not in TIERS:
        sys.exit(
            f"UNETBOOK_TIER={tier!r} names no tier. Set one of {', '.join(TIERS)}."
        )


def clear_stale_cache():
    """Remove executed chapters and rendered pages that belong to another stamp."""
    file, current = BUILD / "stamp", stamp()
    if file.exists() and file.read_text() == current:
        return
    for name in (".jupyter_cache", ".doctrees", "html"):
        shutil.rmtree(BUILD / name, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    file.write_text(current)


def stored_config():
    """Write a copy of _config.yml that executes nothing, and return its path."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"] = {"execute_notebooks": "off"}
    STORED.mkdir(parents=True, exist_ok=True)
    path = STORED / "_config.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def render(options, environment):
    """Render the pages with Jupyter Book, which takes executed chapters as cached."""
    jupyter_book = Path(sys.executable).parent / "jupyter-book"
    command = [str(jupyter_book), "build", ".", "-W", "--keep-going", *options]
    status = subprocess.call(command, cwd=ROOT, env=environment)
    if status:
        sys.exit(f"The site was not built: {' '.join(command)} ended with {status}.")


def read_arguments():
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stored", action="store_true", help="execute nothing")
    parser.add_argument("--pdf", action="store_true", help="print the book as well")
    parser.add_argument(
        "--publish", action="store_true", help="as --pdf; stop if a file is missing"
    )
    arguments = parser.parse_args()
    arguments.pdf |= arguments.publish
    return arguments


def prepare(stored, environment):
    """Execute the chapters unless they are stored; return Jupyter Book's options."""
    if stored:
        print("Rendering the site from the stored outputs.", flush=True)
        return ["--config", str(stored_config()), "--path-output", str(STORED)]
    check_tier()
    clear_stale_cache()
    print(
        "Executing and rendering the book: on two cores about 3 minutes, seconds"
        " when nothing changed.",
        flush=True,
    )
    execute_chapters(ROOT, environment)
    return []


def main():
    """Build the site and say where it is."""
    arguments = read_arguments()
    if arguments.pdf:
        check_printer()
    fetch_served(strict=arguments.publish)
    # `_config.yml` names an extension of our own by `tools.page_fixes`.
    search_path = os.pathsep.join(
        filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    )
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": search_path}
    render(prepare(arguments.stored, environment), environment)
    site = (STORED / "_build" if arguments.stored else BUILD) / "html"
    if arguments.pdf:
        print(f"As one file it is at {write_pdf(site).as_uri()}")
    print(f"The book is at {(site / 'index.html').as_uri()}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. Chapters that were done are kept.")
