"""Make the assignments of this class: `make assignments`.

From each `teach/assignments/NN_name.md` come the instructor notebook in the class
folder, with this class's numbers, and the student version in `book/assignments`, which
does not depend on them.
"""

import json
import sys
from pathlib import Path

import nbformat

from teach import course
from teach.checks import LIMITS, check_seed, is_hidden, split_check
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


def make_assignment(api, name, class_seed):
    """Write source and release of one assignment into the class folder.

    Returns:
        The student version.

    Raises:
        RuntimeError: If nbgrader refuses, with its reason.
    """
    notebook = read_source(course.SOURCES / f"{name}.md", class_seed)
    folder = course.CLASS_FOLDER / "source" / name
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    result = api.generate_assignment(name, force=True, create=True)
    if not result["success"]:
        raise RuntimeError(course.explain_failure(result))
    release = course.CLASS_FOLDER / "release" / name / f"{name}.ipynb"
    return student_version(nbformat.read(release, as_version=4))


def read_limits(name):
    """Return the limits of an assignment from its instructor notebook."""
    path = course.CLASS_FOLDER / "source" / name / f"{name}.ipynb"
    if not path.exists():
        sys.exit(f"{name} is not made yet for this class. Run: make assignments")
    return json.loads(path.read_text())["metadata"]["grading"]


def main(folder=course.STUDENT_VERSIONS):
    """Make every assignment and publish its student version."""
    course.check_teaching_packages()
    api = course.open_nbgrader(course.load_settings())
    seed = course.read_seed()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in sorted(course.SOURCES.glob("[0-9]*.md")):
        student = make_assignment(api, path.stem, seed)
        nbformat.write(student, Path(folder) / f"{path.stem}.ipynb")
        (
            course.CLASS_FOLDER / "handins" / str(course.assignment_number(path.stem))
        ).mkdir(parents=True, exist_ok=True)
        print(f"{path.stem}.ipynb for the students")


if __name__ == "__main__":
    main()
