"""Repair what students, Colab and editors did to the cells of an assignment."""

import copy
import re

TASK = re.compile(r"\A\s*(?:#|<!--) ?task: *([\w-]+)")


def grade_id(cell):
    """Return the id that nbgrader knows a cell by, or None."""
    marks = cell.metadata.get("nbgrader")
    return marks.get("grade_id") if isinstance(marks, dict) else None


def mark_answers(cells, released):
    """Give every cell that belongs to the release its release's metadata.

    Answer cells without their id are known by their first line, `# task: NAME`.
    """
    for cell in cells:
        name = grade_id(cell)
        task = TASK.match(cell.source)
        if name not in released and task and task[1] in released:
            name = task[1]
        cell.metadata.pop("nbgrader", None)
        if name in released:
            cell.metadata["nbgrader"] = copy.deepcopy(released[name].metadata.nbgrader)


def drop_copies(cells, released):
    """Let one cell keep each id: the last one that a student wrote something into."""
    keepers = {}
    for cell in cells:
        name = grade_id(cell)
        if name and (name not in keepers or cell.source != released[name].source):
            keepers[name] = cell
    for cell in cells:
        if grade_id(cell) and keepers[grade_id(cell)] is not cell:
            del cell.metadata["nbgrader"]


def put_back_missing(cells, released):
    """Insert what was deleted as it was released, before what follows it."""
    following = None
    for name in reversed(released):
        names = [grade_id(cell) for cell in cells]
        if name not in names:
            place = names.index(following) if following else len(cells)
            cells.insert(place, copy.deepcopy(released[name]))
        following = name


def restore_locked(cells, released):
    """Put locked cells back as they were released."""
    for place, cell in enumerate(cells):
        if grade_id(cell) and released[grade_id(cell)].metadata.nbgrader.locked:
            cells[place] = copy.deepcopy(released[grade_id(cell)])


def repair(notebook, release):
    """Bring every released cell back, once, and keep the student's own cells.

    Args:
        notebook: What was collected; its cells are changed.
        release: The assignment as students got it.
    """
    released = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    mark_answers(notebook.cells, released)
    drop_copies(notebook.cells, released)
    put_back_missing(notebook.cells, released)
    restore_locked(notebook.cells, released)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
