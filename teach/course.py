"""Where a class keeps its files, and nbgrader with this course's settings.

Everything of one class lies in one folder, `teach/class`, which git ignores::

    handins/2/            put the files of assignment 2 here, as they come
    source/  release/     made by `make assignments`
    collected/            what was taken in of each file
    submitted/            run and judged
    autograded/  feedback/  gradebook.db     nbgrader's own
    pages/2/  grades.csv  grades_2.csv
"""

import contextlib
import logging
import os
import re
import secrets
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

TEACH = Path(__file__).absolute().parent
ROOT = TEACH.parent
SOURCES = TEACH / "assignments"
STUDENT_VERSIONS = ROOT / "book" / "assignments"
KERNEL = "unetbook-sandbox"
HOOKS = ("HideHiddenTests",)


@dataclass(frozen=True)
class Course:
    """The folder of one class, and where everything lies in it."""

    folder: Path

    def notebook(self, stage, name, student="."):
        """Return where one of the stages keeps a notebook of an assignment."""
        return self.folder / stage / student / name / f"{name}.ipynb"

    def handins(self, name):
        """Return the folder that the teacher puts an assignment's files into."""
        return self.folder / "handins" / str(assignment_number(name))

    def page(self, name, student):
        """Return where nbgrader writes a feedback page."""
        return self.folder / "feedback" / student / name / f"{name}.html"

    def pages(self, name):
        """Return the folder of an assignment's finished pages."""
        return self.folder / "pages" / str(assignment_number(name))

    def grades(self, name):
        """Return the CSV file of an assignment's marks."""
        return self.folder / f"grades_{assignment_number(name)}.csv"

    def record(self, name):
        """Return the file that notes what was graded."""
        return self.folder / f"graded_{assignment_number(name)}.json"

    @property
    def totals(self):
        """The CSV file of all assignments."""
        return self.folder / "grades.csv"

    @property
    def log(self):
        """What nbgrader reported."""
        return self.folder / "grading.log"

    @property
    def gradebook(self):
        """The address of nbgrader's database."""
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    @property
    def seed_file(self):
        """The file beside the folder that holds the class seed."""
        return self.folder.with_name(f"{self.folder.name}_seed")

    @property
    def jupyter(self):
        """Where Jupyter finds the kernel that starts in a sandbox."""
        return self.folder / "jupyter"

    @property
    def pets(self):
        """The drawn pets that every sandbox may read."""
        return self.folder / "pets"


def own_course():
    """Return the class of this teacher: `teach/class`, or what GRADING_CLASS names.

    A path that does not begin at the root begins at the repository, wherever a command
    is given: Formgrader starts in `teach`.
    """
    return Course((ROOT / (os.environ.get("GRADING_CLASS") or "teach/class")).resolve())


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


def read_seed(course):
    """Return the class seed; draw one and keep it if the teacher has set none."""
    if not course.seed_file.exists():
        course.seed_file.parent.mkdir(parents=True, exist_ok=True)
        course.seed_file.write_text(secrets.token_hex(8) + "\n")
        print(f"Drew a new class seed into {course.seed_file.name}: keep it secret.")
    return course.seed_file.read_text().strip()


def place(settings, course):
    """Tell nbgrader, and our hooks in it, which class this is."""
    settings.CourseDirectory.root = str(course.folder)
    settings.CourseDirectory.db_url = course.gradebook
    for hook in HOOKS:
        settings[hook].course = str(course.folder)


def load_settings(course):
    """Return the configuration of nbgrader_config.py for a class."""
    from traitlets.config.loader import PyFileConfigLoader

    settings = PyFileConfigLoader("nbgrader_config.py", str(TEACH)).load_config()
    place(settings, course)
    return settings


def open_nbgrader(course, tight=False):
    """Return nbgrader's Python interface for a class.

    `tight` makes feedback pages without the student's own cells.

    nbgrader looks for `alembic` on PATH, so the running environment is put there.
    """
    from nbgrader.apps.api import NbGraderAPI
    from sqlalchemy.exc import SAWarning

    warnings.filterwarnings("ignore", category=SAWarning)  # about nbgrader's own code
    logging.getLogger("traitlets").propagate = False  # nbgrader's log goes to a file
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    course.folder.mkdir(parents=True, exist_ok=True)
    here = str(Path(sys.executable).parent)
    if here not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([here, os.environ["PATH"]])
    settings = load_settings(course)
    settings.HideHiddenTests.tight = tight
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
    line = (raised or telling or lines or ["nbgrader gave no reason"])[-1].strip()
    return line[:300]  # a hand-in may have put megabytes into it
