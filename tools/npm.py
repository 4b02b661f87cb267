"""Fetch npm packages by name and hash, and keep the few files of them that we use.

Two are published with the site, so that its pages ask no other host: the runtime of the
page "Try it", and the player of the slider widgets. `_config.yml` publishes the folder
in which they are kept, outside `_static`, whose scripts every page would load.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

BUILD = Path(__file__).parents[1] / "_build"
SERVED = BUILD / "served" / "npm"  # what the site publishes under npm/
RETRIES = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")


class Package(NamedTuple):
    """A version of a package, its SHA-512, and what is taken from it to where."""

    name: str
    sha512: str
    files: tuple
    folder: Path = SERVED

    @property
    def folder_name(self):
        """The package's name and version, without the scope that npm puts first."""
        return self.name.split("/")[-1]

    def kept(self, file):
        """Return where a file of the package is kept."""
        return self.folder / self.folder_name / Path(file).name

    def is_kept(self):
        """Tell whether every file is there."""
        return all(self.kept(file).exists() for file in self.files)


RUNTIME = Package(
    "onnxruntime-web@1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1Sig"
    "qR4CXAfKYQ==",
    ("dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"),
)
PLAYER = Package(
    "@jupyter-widgets/html-manager@1.0.15",
    "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp"
    "47bCrJ3CQA==",
    (
        "dist/embed.js",
        "dist/embed.js.LICENSE.txt",
        "dist/1551f4f60c37af51121f.woff2",  # its icons, which it gives the page
        "dist/7a3337626410ca2f4071.woff2",
        "dist/d878b0a6a1144760244f.woff2",
    ),
)


def check_package(archive, package):
    """Stop if a downloaded package is not the one that was chosen."""
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.sha512:
        archive.unlink()
        sys.exit(
            f"{package.name} has the SHA-512 {digest}, expected {package.sha512}. It "
            "was removed. If you changed the version, change its hash in tools/ too."
        )


def unpack(archive, package):
    """Write the files that are needed, each whole or not at all."""
    with tarfile.open(archive) as members:
        for file in package.files:
            target = package.kept(file)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f"{target.name}.partial")
            partial.write_bytes(members.extractfile(f"package/{file}").read())
            partial.chmod(0o755)
            partial.replace(target)


def fetch(package):
    """Fetch a package, unless its files are there.

    Returns:
        None, or a sentence that says why npm did not bring it.
    """
    if package.is_kept():
        return None
    npm = shutil.which("npm")
    if npm is None:
        return f"npm is missing; it fetches {package.name}. On Debian: apt install npm."
    package.folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", *RETRIES, package.name]
    run = subprocess.run(command, cwd=BUILD, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        return f"{' '.join(command)} ended with {run.returncode}. Is the network there?"
    archive = BUILD / run.stdout.split()[-1]
    check_package(archive, package)
    unpack(archive, package)
    archive.unlink()
    return None


def fetch_served(strict):
    """Fetch what the site publishes; where that fails, stop or go on without it.

    Args:
        strict: Whether to stop, since a site that others read must not lack a file.
    """
    SERVED.mkdir(parents=True, exist_ok=True)
    for package in (RUNTIME, PLAYER):
        trouble = fetch(package)
        if trouble and strict:
            sys.exit(f"The site was not built. {trouble}")
        if trouble:
            print(f"{trouble} The pages that need it will say so.", flush=True)
    current = {package.folder_name for package in (RUNTIME, PLAYER)}
    for path in SERVED.iterdir():
        if path.is_dir() and path.name not in current:
            shutil.rmtree(path)  # of an older version, which need not be published
