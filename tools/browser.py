"""Fetch what the browser tests need: playwright for Python, and two npm packages.

The tests drive a Chromium that is installed already; they download none. axe-core looks
at pages as a screen reader would, and Biome lints scripts and styles.
"""

import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # a script finds `tools` no other way

from tools.npm import BUILD, Package, fetch  # noqa: E402

FOLDER = BUILD / "browser"
AXE_PACKAGE = Package(
    "axe-core@4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe"
    "37OgudVGtQ==",
    ("axe.min.js",),
    FOLDER,
)
AXE = AXE_PACKAGE.kept("axe.min.js")
BIOME_VERSION = "2.6.8"
BIOME_HASHES = {
    "linux-x64": "XIk3pLQT56I6Tti+u0DF8FtSNXjCMTPbxVTzfJ9cS2t1ImVKvrqV5b52GuEaJg6/wuiX"
    "vz0sjfb5saB4TPRjzA==",
    "linux-arm64": "0Bjim8lKwnrvXUHoI4k3Tb51BjoiLEwDnovCI8nSzkk6wj3dShiuAjrx6+X0Hjf4ej"
    "R1sRZgTQiSDHlpy9vB7w==",
    "darwin-x64": "QWWUPjlA0RnkkgYnFLUHZu+RrDc0FdK0A+wEPA+dENQJwsuSHMH89lspnAw2QUWWc9VH"
    "yfluGx1Xmp6Y2GZi8Q==",
    "darwin-arm64": "DHyj+JnRHcn4YdvpiqgTFZMYKSPELMCfFpNNlEuu1L8DKTGXhzW7raIwdsbo2Ie9nC"
    "ljQLAQkVWQk/mwM0ueiA==",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def biome_package():
    """Return the linter's npm package for this machine, or None if there is none."""
    machine = platform.machine()
    names = {"x86_64": "x64", "aarch64": "arm64"}
    name = f"{sys.platform}-{names.get(machine, machine)}"
    if name not in BIOME_HASHES:
        return None
    package = f"@biomejs/cli-{name}@{BIOME_VERSION}"
    return Package(package, BIOME_HASHES[name], ("biome",), FOLDER)


def find_browser():
    """Return the path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def install_playwright():
    """Install the Python packages of requirements-browser.txt, if one is missing."""
    if find_spec("playwright") and find_spec("pypdf"):
        return
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--python", sys.executable, "-r", "requirements-browser.txt"]
    if subprocess.call(command, cwd=ROOT):
        sys.exit(
            f"playwright and pypdf were not installed: {' '.join(command)} failed."
        )


def main():
    """Fetch everything, or say what is missing."""
    install_playwright()
    for package in filter(None, (AXE_PACKAGE, biome_package())):
        if trouble := fetch(package):
            sys.exit(trouble)
    if find_browser() is None:
        sys.exit("There is no Chromium. On Debian: apt install chromium.")


if __name__ == "__main__":
    main()
