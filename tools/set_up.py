"""Make the virtual environment and install the book into it; quick when it is there.

Plain syntax and the standard library only: any Python 3 has to be able to read it.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUPPORTED = ((3, 11), (3, 12), (3, 13))
NEEDED_GB = 5
SOURCES = ("requirements.txt", "constraints.txt", "pyproject.toml")


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
    for version in reversed(SUPPORTED):
        candidate = shutil.which("python%d.%d" % version)
        if candidate and runs(candidate, ""):
            return candidate
    return stop(
        "the book needs Python 3.11, 3.12 or 3.13, and this is Python %d.%d. Install "
        "one of them, then run again, for example with: make PYTHON=python3.12 book"
        % sys.version_info[:2]
    )


def check_machine(python, environment):
    """Stop before anything is downloaded if the disk or the venv module is missing."""
    parent = os.path.dirname(os.path.abspath(environment))
    free = shutil.disk_usage(parent).free / 1e9
    if free < NEEDED_GB:
        stop(
            "%.1f GB are free in %s, and the packages take about %d GB. Free some "
            "space, or activate a virtual environment on another disk."
            % (free, parent, NEEDED_GB)
        )
    if not runs(python, "import venv, ensurepip"):
        stop(
            "%s has no venv module. On Debian or Ubuntu: apt install python3-venv. Or "
            "activate a virtual environment of your own first." % python
        )


def check_active(python):
    """Stop if the active environment has a Python that the book does not run on."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.check_output([python, "-c", code]).decode().strip()
    if version not in ["%d.%d" % pair for pair in SUPPORTED]:
        stop(
            "the active environment has Python %s, and the book needs 3.11, 3.12 or "
            "3.13. Deactivate it: make then uses .venv." % version
        )


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
    for command in commands:
        if subprocess.call(command, cwd=ROOT):
            stop(
                "this command failed, its own message stands above: %s. What was "
                "installed so far stays; run the same make command again to go on."
                % " ".join(command)
            )


def main(environment):
    """Bring `environment` up to date with requirements.txt and constraints.txt."""
    os.chdir(ROOT)
    python = os.path.join(environment, "bin", "python")
    stamp = os.path.join(environment, "unetbook-setup")
    if not os.path.exists(python):
        creator = find_python()
        check_machine(creator, environment)
        print("Creating %s with %s." % (environment, creator), flush=True)
        subprocess.check_call([creator, "-m", "venv", environment])
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
