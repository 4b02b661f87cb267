"""Make the virtual environment and install the book into it; quick when it is there.

Plain syntax and the standard library only: any Python 3 has to be able to read it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "book"))

from unetbook.machine import find_obstacle  # noqa: E402

NEEDED_GB = 5
SOURCES = ("requirements.txt", "constraints.txt", "pyproject.toml")


def read_supported():
    """Return the versions of Python that pyproject.toml allows, as pairs."""
    with open(os.path.join(ROOT, "pyproject.toml")) as file:
        bounds = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', file.read())
    return [(3, minor) for minor in range(int(bounds.group(1)), int(bounds.group(2)))]


SUPPORTED = read_supported()
NAMES = ["%d.%d" % pair for pair in SUPPORTED]
NAMED = ", ".join(NAMES[:-1]) + " or " + NAMES[-1]


def stop(sentence):
    """End with a sentence for the reader."""
    sys.exit("Set-up stopped: " + sentence)


def runs(python, code):
    """Tell whether this Python runs this line of code."""
    return not subprocess.call([python, "-c", code], stderr=subprocess.DEVNULL)


def find_python():
    """Return a Python of a supported version, this one if it is."""
    if sys.version_info[:2] in SUPPORTED:
        return sys.executable
    for name in reversed(NAMES):
        candidate = shutil.which("python" + name)
        if candidate and runs(candidate, ""):
            return candidate
    return None


def check_disk(environment):
    """Stop before anything is downloaded if the disk is too full."""
    parent = os.path.dirname(os.path.abspath(environment))
    free = shutil.disk_usage(parent).free / 1e9
    if free < NEEDED_GB:
        stop(
            "%.1f GB are free in %s, and the packages take about %d GB. Free some "
            "space, or activate a virtual environment on another disk."
            % (free, parent, NEEDED_GB)
        )


def check_venv(python):
    """Stop if this Python comes without the module that makes environments."""
    if not runs(python, "import venv, ensurepip"):
        stop(
            "%s has no venv module. On Debian or Ubuntu: apt install python3-venv. Or "
            "activate a virtual environment of your own first." % python
        )


def check_active(python):
    """Stop if the active environment has a Python that the book does not run on."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.check_output([python, "-c", code]).decode().strip()
    if version not in NAMES:
        stop(
            "the active environment has Python %s, and the book needs %s. Deactivate "
            "it: make then uses .venv." % (version, NAMED)
        )


def run(commands, remedy):
    """Run commands in the repository, and stop at the first that fails."""
    for command in commands:
        if subprocess.call(command, cwd=ROOT):
            stop(
                "this command failed, its own message stands above: %s. %s"
                % (" ".join(command), remedy)
            )


def create(environment):
    """Make the environment, with a Python of this machine or the one of uv."""
    check_disk(environment)
    python = find_python()
    if python:
        check_venv(python)
        print("Creating %s with %s." % (environment, python), flush=True)
        subprocess.check_call([python, "-m", "venv", environment])
    elif os.environ.get("UNETBOOK_PYTHON") == "uv":
        create_with_uv(environment)
    else:
        stop(
            "the book needs Python %s, and this is Python %d.%d. uv can download a "
            "Python %s, about 35 MB, and yours stays as it is. If you want that, add "
            "one word: make book PYTHON=uv. Or install one of them yourself."
            % ((NAMED,) + sys.version_info[:2] + (NAMES[-1],))
        )


def create_with_uv(environment):
    """Make the environment with a Python that uv downloads; fetch uv if need be."""
    print("Creating %s with uv's Python %s." % (environment, NAMES[-1]), flush=True)
    python = os.path.join(environment, "bin", "python")
    create = ["venv", "--python", NAMES[-1], environment]
    commands = [["uv"] + create, [python, "-m", "ensurepip"]]
    with tempfile.TemporaryDirectory() as folder:
        if not shutil.which("uv"):
            check_venv(sys.executable)
            helper = os.path.join(folder, "bin", "python")
            fetch = [helper, "-m", "pip", "install", "--quiet", "uv"]
            commands[:1] = [[sys.executable, "-m", "venv", folder], fetch]
            commands[2:2] = [[helper, "-m", "uv"] + create]
        run(commands, "uv needs github.com. Or install a Python %s yourself." % NAMED)


def fingerprint():
    """Return a hash of the files that say what to install, and of where they are."""
    digest = hashlib.sha256(ROOT.encode())
    for name in SOURCES:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def install(python):
    """Install the exact set of constraints.txt, with uv for speed."""
    commands = (
        [python, "-m", "pip", "install", "--quiet", "uv"],
        [python, "-m", "uv", "pip", "install", "--python", python]
        + ["-r", "requirements.txt", "-c", "constraints.txt"],
    )
    run(
        commands,
        "What was installed so far stays; run the same make command again to go on.",
    )


def main(environment):
    """Bring `environment` up to date with requirements.txt and constraints.txt."""
    obstacle = find_obstacle()
    if obstacle:
        stop(obstacle)
    os.chdir(ROOT)
    python = os.path.join(environment, "bin", "python")
    stamp = os.path.join(environment, "unetbook-setup")
    if not os.path.exists(python):
        create(environment)
    check_active(python)
    wanted = fingerprint()
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return
    print("Installing the book's packages: about 3 GB, some minutes.", flush=True)
    install(python)
    with open(stamp, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".venv")
