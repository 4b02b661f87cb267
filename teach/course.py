"""Where a class keeps its files, and nbgrader with this course's settings.

Everything of one class lies in `teach/class`, which git ignores::

    handins/2/            put the files of assignment 2 here, as they come
    source/  release/     made by `make assignments`
    submitted/  autograded/  feedback/  gradebook.db     nbgrader's own
    grades.csv  grades_2.csv
"""

import contextlib
import logging
import os
import re
import secrets
import sys
import warnings
from pathlib import Path

TEACH = Path(__file__).absolute().parent
ROOT = TEACH.parent
SOURCES = TEACH / "assignments"
STUDENT_VERSIONS = ROOT / "book" / "assignments"
CLASS_FOLDER = Path(os.environ.get("GRADING_CLASS") or TEACH / "class").absolute()
SEED_FILE = Path(os.environ.get("GRADING_SEED") or TEACH / "class_seed").absolute()
KERNEL = "unetbook-sandbox"


def assignment_name(number):
    """Return the name of an assignment from its number.

    Args:
        number: 1 to 4, as text or integer.

    Raises:
        SystemExit: If there is no such assignment.
    """
    names = {
        assignment_number(path.stem): path.stem for path in SOURCES.glob("[0-9]*.md")
    }
    with contextlib.suppress(ValueError, TypeError):
        if int(number) in names:
            return names[int(number)]
    listed = ", ".join(str(known) for known in sorted(names))
    sys.exit(
        f"ASSIGNMENT={number!r} is none of {listed}. Say for example ASSIGNMENT=2."
    )


def assignment_number(name):
    """Return the number that an assignment's name begins with."""
    return int(name[:2])


def read_seed():
    """Return the class seed; draw one and keep it if the teacher has set none."""
    if not SEED_FILE.exists():
        SEED_FILE.write_text(secrets.token_hex(8) + "\n")
        print(f"Drew a new class seed into {SEED_FILE.name}: keep it to yourself.")
    return SEED_FILE.read_text().strip()


def load_settings():
    """Return the configuration that nbgrader_config.py makes."""
    from traitlets.config.loader import PyFileConfigLoader

    os.environ["GRADING_TEACH"] = str(TEACH)
    return PyFileConfigLoader("nbgrader_config.py", str(TEACH)).load_config()


def open_nbgrader(settings):
    """Return nbgrader's Python interface for the class folder.

    nbgrader looks for `alembic` on PATH, so the running environment is put there.
    """
    from nbgrader.apps.api import NbGraderAPI
    from sqlalchemy.exc import SAWarning

    warnings.filterwarnings("ignore", category=SAWarning)  # about nbgrader's own code
    logging.getLogger("traitlets").propagate = False  # nbgrader's log goes to a file
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    CLASS_FOLDER.mkdir(parents=True, exist_ok=True)
    here = str(Path(sys.executable).parent)
    if here not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([here, os.environ["PATH"]])
    return NbGraderAPI(config=settings)


def check_teaching_packages():
    """Stop with a sentence if nbgrader or jupytext is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("nbgrader", "jupytext") if find_spec(name) is None]
    if missing:
        sys.exit(
            f"{' and '.join(missing)} not installed. Run: make teacher, or: "
            "pip install -r teach/requirements.txt -c constraints.txt"
        )


def explain_failure(result):
    """Return the last telling line of what nbgrader reported."""
    lines = (result.get("log", "") + result.get("error", "")).strip().splitlines()
    raised = [line for line in lines if re.match(r"\s*[\w.]*Error: ", line)]
    telling = [line for line in lines if "Error" in line or "error" in line]
    return (raised or telling or lines or ["nbgrader gave no reason"])[-1].strip()
