"""Make the assignments of this class: `make assignments`.

From each `teach/assignments/NN_name.md` come the instructor notebook in the class
folder, with this class's numbers, and the student version in `book/assignments`, which
does not depend on them.
"""

import json
import sys
from pathlib import Path

import nbformat

from teach.checks import LIMITS, check_seed, is_hidden, split_check
from teach.course import (
    SOURCES,
    STUDENT_VERSIONS,
    check_teaching_packages,
    explain_failure,
    open_nbgrader,
    own_course,
    read_seed,
)
from tools.address import read_address, setup_cell

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
SET_UP = "# the book's set-up cell"


def complete_marks(cell):
    """Fill in the nbgrader metadata that is the same in every cell."""
    marks = cell.metadata.get("nbgrader")
    if marks is None:
        return
    marks = {"grade": False, "solution": False, "task": False, **marks}
    marks.setdefault("locked", not marks["solution"])
    cell.metadata["nbgrader"] = {"schema_version": 3, **marks}


def read_source(path, class_seed):
    """Read an instructor source and give it this class's numbers.

    Args:
        path: A MyST notebook of `teach/assignments`.
        class_seed: Any text; another text makes other numbers in the hidden checks.

    Returns:
        A notebook for nbgrader, with solutions and hidden checks.

    Raises:
        ValueError: If a hidden check lacks one of its parts.
    """
    import jupytext

    notebook = jupytext.read(path, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        complete_marks(cell)
        cell["id"] = f"cell-{number:02d}"
        if cell.source.strip() == SET_UP:
            cell.source = setup_cell(read_address())
        if is_hidden(cell):
            split_check(cell.source)
            seed = check_seed(class_seed, cell.metadata.nbgrader.grade_id)
            cell.source = cell.source.replace("CHECK_SEED", str(seed))
    limits = {**LIMITS, **notebook.metadata.get("grading", {})}
    notebook.metadata = {"kernelspec": KERNEL, "grading": limits}
    return notebook


def student_version(release):
    """Return a released notebook as it is published: nothing of this class in it."""
    release.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(release.cells):
        cell["id"] = f"cell-{number:02d}"
        cell.metadata.pop("tags", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return release


def read_stage(course, stage, name):
    """Read an assignment's `"source"` or `"release"` from the teacher's own folder."""
    return nbformat.read(course.notebook(stage, name), as_version=4)


def make_assignment(course, api, name, class_seed):
    """Write source and release of one assignment into the class folder.

    Returns:
        The student version.

    Raises:
        RuntimeError: If nbgrader refuses, with its reason.
    """
    notebook = read_source(SOURCES / f"{name}.md", class_seed)
    path = course.notebook("source", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    result = api.generate_assignment(name, force=True, create=True)
    if not result["success"]:
        raise RuntimeError(explain_failure(result))
    return student_version(read_stage(course, "release", name))


def read_limits(course, name):
    """Return the limits of an assignment from its instructor notebook."""
    path = course.notebook("source", name)
    if not path.exists():
        sys.exit(f"{name} is not made yet for this class. Run: make assignments")
    return json.loads(path.read_text())["metadata"]["grading"]


def main(course, folder=STUDENT_VERSIONS):
    """Make every assignment and publish its student version."""
    check_teaching_packages()
    api, seed = open_nbgrader(course), read_seed(course)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in sorted(SOURCES.glob("[0-9]*.md")):
        student = make_assignment(course, api, path.stem, seed)
        nbformat.write(student, Path(folder) / f"{path.stem}.ipynb")
        course.handins(path.stem).mkdir(parents=True, exist_ok=True)
        print(f"{path.stem}.ipynb for the students")


if __name__ == "__main__":
    main(own_course())
