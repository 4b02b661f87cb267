"""Test the book on the TensorFlow and the Python that come after its bounds.

`make candidate` moves the bounds in a copy, installs it with a Python that uv brings,
and runs the tests and chapters. It fails where they do, and also once that TensorFlow
is final and they pass: then the bounds can move, and the weekly workflow says so.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = [sys.executable, "-m", "uv"]
BOUNDS = ("pyproject.toml", "requirements.txt")
# A release candidate asks for it, and it would overwrite Keras.
OVERRIDE = "keras-nightly; python_version < '3'\n"
MARKS = "not slow and not browser and not grading and not backends"
TESTS = ("tests", "book", "-n", "auto", "-m", MARKS)


def move_bounds(text):
    """Return a file's text with TensorFlow and Python one minor version later."""

    def move_tensorflow(found):
        minor = int(found[1])
        return f"tensorflow>=2.{minor}.0rc0,<2.{minor + 1}"

    def move_python(found):
        return f"{found[1]}{int(found[2]) + 1}"

    text = re.sub(r"tensorflow>=[^,]+,<2\.(\d+)", move_tensorflow, text)
    return re.sub(r'(requires-python = ">=3\.\d+,<3\.)(\d+)', move_python, text)


def find_candidate(python, moved):
    """Return the newest published version within the moved bounds, or None."""
    wanted = re.search(r"tensorflow>=[^\"\n]+", moved)[0]
    command = [*UV, "pip", "compile", "--quiet", "--no-deps", "--no-header"]
    command += ["--python-version", python, "-"]
    ended = subprocess.run(command, input=wanted, capture_output=True, text=True)
    if ended.returncode and "No solution found" not in ended.stderr:
        raise SystemExit(ended.stderr)
    found = re.search(r"tensorflow==(\S+)", ended.stdout)
    return found[1] if found else None


def try_copy(folder, python):
    """Install a copy of the committed book with its bounds moved, and test it."""
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    for name in BOUNDS:
        path = folder / name
        path.write_text(move_bounds(path.read_text()))
    (folder / "override.txt").write_text(OVERRIDE)
    install = [*UV, "pip", "install", "--python", ".venv/bin/python"]
    install += ["-r", "requirements.txt", "--override", "override.txt"]
    tests = [".venv/bin/python", "-m", "pytest", *TESTS]
    for command in ([*UV, "venv", "--python", python], install, tests):
        if subprocess.call(command, cwd=folder):
            raise SystemExit(f"It does not pass: {' '.join(command)} failed.")


def main():
    """Say whether the next versions pass, or that there are none."""
    text = (ROOT / "pyproject.toml").read_text()
    python = re.search(r'requires-python = ".*<(.+)"', text)[1]
    candidate = find_candidate(python, move_bounds(text))
    if candidate is None:
        print(f"No TensorFlow beyond the bounds is published for Python {python}.")
        return
    print(f"Testing TensorFlow {candidate} on Python {python}.", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try_copy(Path(folder), python)
    passes = f"TensorFlow {candidate} passes on Python {python}."
    if "rc" not in candidate:
        raise SystemExit(f"{passes} It is final: move the bounds in {BOUNDS}.")
    print(passes)


if __name__ == "__main__":
    main()
