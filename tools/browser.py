"""Fetch what the browser tests need: playwright for Python, and axe-core.

The tests drive a Chromium that is installed already; they download none.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
AXE = ROOT / "_build" / "browser" / "axe.min.js"
AXE_PACKAGE = "axe-core@4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe"
    "37OgudVGtQ=="
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser():
    """Return the path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def install_playwright():
    """Install the Python package of requirements-browser.txt, if it is missing."""
    if find_spec("playwright"):
        return
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--python", sys.executable, "-r", "requirements-browser.txt"]
    if subprocess.call(command, cwd=ROOT):
        sys.exit(f"playwright was not installed: {' '.join(command)} failed.")


def check_package(archive):
    """Stop if a downloaded package is not the one that was chosen."""
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != AXE_SHA512:
        archive.unlink()
        sys.exit(
            f"{AXE_PACKAGE} has the SHA-512 {digest}, expected {AXE_SHA512}. It was "
            "removed. If you changed the version, change the hash in tools/browser.py."
        )


def fetch_axe():
    """Fetch axe-core with npm, check its hash, and keep its one file."""
    if AXE.exists():
        return
    if shutil.which("npm") is None:
        sys.exit("npm is missing; it fetches axe-core. On Debian: apt install npm.")
    AXE.parent.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", AXE_PACKAGE]
    name = subprocess.check_output(command, cwd=AXE.parent, text=True).split()[-1]
    archive = AXE.parent / name
    check_package(archive)
    with tarfile.open(archive) as package:
        text = package.extractfile("package/axe.min.js").read()
    AXE.write_bytes(text)
    archive.unlink()


def main():
    """Fetch everything, or say what is missing."""
    install_playwright()
    fetch_axe()
    if find_browser() is None:
        sys.exit("There is no Chromium. On Debian: apt install chromium.")


if __name__ == "__main__":
    main()
