"""Try wrong answers on the checks without nbgrader, a kernel or a sandbox.

For the people who write assignments: `python -m teach.wrong 2` lists which check
catches which mistake.
"""

import importlib.util
import sys
from pathlib import Path

from teach import checks
from teach.assignments import read_source
from teach.course import SOURCES, assignment_name

RUN = {"imports", "run"}  # tags of locked cells that a solution needs
VISIBLE = "# check of the task:"
WRONG = Path(__file__).parent / "wrong_answers"


def read_wrong_answers(name):
    """Return the list of wrong answers of an assignment."""
    spec = importlib.util.spec_from_file_location(
        f"wrong_{name[:2]}", WRONG / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG_ANSWERS


def change(source, wrong):
    """Return a solution with the mistake in it.

    Raises:
        ValueError: If the solution does not hold the words to be replaced.
    """
    for old, new in (wrong["replace"], *([wrong["also"]] if "also" in wrong else [])):
        if old not in source:
            raise ValueError(
                f"{wrong['mistake']!r}: the solution does not hold {old!r}."
            )
        source = source.replace(old, new)
    return source


def is_left_out(cell, notebook, wrong):
    """Tell whether a cell belongs to a training that this mistake cannot change."""
    trained = {
        cell.metadata.nbgrader.grade_id.split("-")[0]
        for cell in notebook.cells
        if "run" in cell.metadata.get("tags", [])
    }
    name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    task = name.split("-")[0]
    return wrong is not None and task in trained - {wrong["task"]}


def failed_checks(notebook, reference, wrong=None):
    """Return which checks an answer fails: `(hidden, visible)`, two lists of ids.

    Args:
        notebook: An instructor notebook from `read_source`.
        reference: Its solution, from `load_reference`.
        wrong: One of the wrong answers; None for the solution itself.
    """
    names, hidden, visible = {}, [], []
    for cell in notebook.cells:
        marks, source = cell.metadata.get("nbgrader", {}), cell.source
        if is_left_out(cell, notebook, wrong):
            continue
        if wrong and marks.get("grade_id") == wrong["task"]:
            source = change(source, wrong)
        if checks.is_answer(cell) or RUN & set(cell.metadata.get("tags", [])):
            exec(source, names)
        elif checks.is_hidden(cell) and not passes(source, names, reference):
            hidden.append(marks["grade_id"])
        elif source.startswith(VISIBLE) and not runs(source, names):
            visible.append(marks["grade_id"])
    return hidden, visible


def runs(source, names):
    """Tell whether a visible check runs to its end."""
    try:
        exec(source, dict(names))
    except Exception:
        return False
    return True


def passes(source, names, reference):
    """Tell whether these names pass a hidden check; an error is a failure."""
    try:
        return not checks.judge(source, checks.ask_here(source, names), reference)
    except Exception:
        return False


def main(number):
    """List every wrong answer with the checks that catch it."""
    name = assignment_name(number)
    notebook = read_source(SOURCES / f"{name}.md", "try-out")
    reference = checks.load_reference(notebook)
    print(f"the solution fails: {failed_checks(notebook, reference)}")
    for wrong in read_wrong_answers(name):
        found, seen = failed_checks(notebook, reference, wrong)
        mark = "as intended" if found == wrong["caught"] else f"NOT {wrong['caught']}"
        mark += "" if seen else ", NOT SEEN by the student"
        print(f"{wrong['task']:10} {wrong['mistake']}: {found}, {mark}")


if __name__ == "__main__":
    main(sys.argv[1])
