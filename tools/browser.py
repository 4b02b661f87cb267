"""Fetch what the browser tests need: playwright for Python, and three npm packages.

The tests drive a Chromium that is installed already; they download none. They are
answered from npm packages where a page asks another host for a file. The third package
is Biome, which lints scripts and styles.
"""

import base64
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "_build" / "browser"
# An npm package, its SHA-512, and the files that the tests take from it.
AXE_PACKAGE = (
    "axe-core@4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe"
    "37OgudVGtQ==",
    ("axe.min.js",),
)
RUNTIME_PACKAGE = (
    "onnxruntime-web@1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1Sig"
    "qR4CXAfKYQ==",
    ("dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"),
)
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
    return f"@biomejs/cli-{name}@{BIOME_VERSION}", BIOME_HASHES[name], ("biome",)


def kept(package, name):
    """Return where a file of an npm package is kept."""
    return FOLDER / package.split("/")[-1] / Path(name).name


AXE = kept(AXE_PACKAGE[0], "axe.min.js")


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


def check_package(archive, package, expected):
    """Stop if a downloaded package is not the one that was chosen."""
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != expected:
        archive.unlink()
        sys.exit(
            f"{package} has the SHA-512 {digest}, expected {expected}. It was "
            "removed. If you changed the version, change the hash in tools/browser.py."
        )


def fetch_package(package, expected, files):
    """Fetch a package with npm, check its hash, and keep the files that are needed."""
    if all(kept(package, file).exists() for file in files):
        return
    if shutil.which("npm") is None:
        sys.exit(f"npm is missing; it fetches {package}. On Debian: apt install npm.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", package]
    name = subprocess.check_output(command, cwd=FOLDER, text=True).split()[-1]
    archive = FOLDER / name
    check_package(archive, package, expected)
    with tarfile.open(archive) as members:
        for file in files:
            target = kept(package, file)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(members.extractfile(f"package/{file}").read())
            target.chmod(0o755)
    archive.unlink()


def main():
    """Fetch everything, or say what is missing."""
    install_playwright()
    for package in filter(None, (AXE_PACKAGE, RUNTIME_PACKAGE, biome_package())):
        fetch_package(*package)
    if find_browser() is None:
        sys.exit("There is no Chromium. On Debian: apt install chromium.")


if __name__ == "__main__":
    main()
