"""Repair what students, Colab and editors did to the cells of an assignment.

A cell belongs to a task by its nbgrader id; else, if it is a locked one, by its text;
else by its task line, in any spelling; else by the functions that it defines.
"""

import copy
import re

from nbformat.v4 import new_code_cell, new_markdown_cell

TASK = re.compile(r"[\W_]*task\b[\W\d_]*([a-z][\w-]*)")
DEFINED = re.compile(r"^(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*\(", re.MULTILINE)
FIRST_LINES = 8
CODE = re.compile(r"\w\(|[=\[]|^\s*(?:import|from\s+\S+\s+import)\s", re.MULTILINE)
FEWEST_WORDS = 15  # of a cell that is taken for a free text
FEWEST_PROSE = 4  # words that are no code
LONGEST_CODE = 20_000  # characters of an answer that are looked at


def grade_id(cell):
    """Return the id that nbgrader knows a cell by, or None."""
    marks = cell.metadata.get("nbgrader")
    return marks.get("grade_id") if isinstance(marks, dict) else None


def words(cell):
    """Return a cell's source without what spaces and empty lines do to it."""
    return cell.source.split()


def is_answer(cell):
    """Tell whether a released cell is one that students fill in."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def find_task(source, names):
    """Return the task that one of a cell's first lines names, or None."""
    lines = [line for line in source.splitlines() if line.strip()][:FIRST_LINES]
    for line in lines:
        found = TASK.match(line.casefold())
        if found and found[1] in names:
            return found[1]
    return None


def defined(source):
    """Return the names of the functions that code defines at its top."""
    return set(DEFINED.findall(source))


def tasks_by_function(released):
    """Map each function of a stub to its task."""
    return {
        function: name
        for name, cell in released.items()
        if is_answer(cell) and cell.cell_type == "code"
        for function in defined(cell.source)
    }


def known_by_text(cell, released, functions):
    """Return the tasks that a cell answers by its line and its functions, in order.

    Text answers no task in code, unless it holds the function: a cell made text.
    """
    own = [
        functions[name] for name in DEFINED.findall(cell.source) if name in functions
    ]
    kinds = {name: one.cell_type for name, one in released.items() if is_answer(one)}
    names = {name for name in kinds if kinds[name] == cell.cell_type or name in own}
    task = find_task(cell.source, names)
    return list(dict.fromkeys(filter(None, [task, *own])))


def mark_answers(cells, released):
    """Give every cell that belongs to the release its release's metadata."""
    functions = tasks_by_function(released)
    present = {grade_id(cell) for cell in cells}
    left = {
        name: words(cell)
        for name, cell in released.items()
        if cell.metadata.nbgrader.locked and name not in present
    }
    for cell in cells:
        name, own = grade_id(cell), words(cell)
        if name not in released:
            same = [locked for locked, printed in left.items() if printed == own]
            known = same or known_by_text(cell, released, functions)
            name = next(iter(known), None)
            left.pop(name, None)
        cell.metadata.pop("nbgrader", None)
        if name in released:
            cell.metadata["nbgrader"] = copy.deepcopy(released[name].metadata.nbgrader)


def without_comments(source):
    """Return text without the lines that are comments."""
    return re.sub(r"(?m)^\s*#.*", "", source)


def is_prose(source):
    """Tell whether what should be code reads like a sentence."""
    text = without_comments(source[:LONGEST_CODE])
    found = text.split()
    plain = [word for word in found if word.strip("'\"(.,;:!?)").isalpha()]
    enough = len(plain) >= FEWEST_PROSE and len(plain) > 0.75 * len(found)
    return enough and not CODE.search(text)


def holds_text(cell):
    """Tell whether a cell is text, or a code cell with nothing but text in it."""
    return cell.cell_type == "markdown" or is_prose(cell.source)


def mark_texts(cells, released, release):
    """Take the last text of a student's own for a free text without an answer.

    Its cell lost its marks, or still is as it was handed out.
    """
    printed = [words(cell) for cell in release.cells]
    marked = {grade_id(cell) for cell in cells if words(cell) not in printed}
    for name, answer in released.items():
        if not is_answer(answer) or answer.cell_type == "code" or name in marked:
            continue
        own = [
            cell
            for cell in cells
            if holds_text(cell)
            and grade_id(cell) is None
            and len(words(cell)) >= FEWEST_WORDS
            and words(cell) not in printed
        ]
        for cell in own[-1:]:
            cell.metadata["nbgrader"] = copy.deepcopy(answer.metadata.nbgrader)


def drop_copies(cells, released):
    """Let one cell keep each id: the last one that a student wrote something into.

    A copy that still is as it was handed out goes: it would undo what stands above it.
    """
    keepers = {}
    for cell in cells:
        name = grade_id(cell)
        if name and (name not in keepers or words(cell) != words(released[name])):
            keepers[name] = cell
    kept = []
    for cell in cells:
        name = grade_id(cell)
        if name and keepers[name] is not cell:
            if words(cell) == words(released[name]):
                continue
            del cell.metadata["nbgrader"]
        kept.append(cell)
    cells[:] = kept


def put_back_missing(cells, released):
    """Insert what was deleted as it was released, before what follows it.

    An answer that was deleted goes to the top: its function may stand in another cell,
    which the stub must not undo.
    """
    following, stubs = None, []
    for name in reversed(released):
        names = [grade_id(cell) for cell in cells]
        if name not in names:
            cell = copy.deepcopy(released[name])
            if is_answer(cell) and cell.cell_type == "code":
                stubs.append(cell)
                continue
            place = names.index(following) if following else len(cells)
            cells.insert(place, cell)
        following = name
    cells[:0] = reversed(stubs)


def move_stubs(cells, released):
    """Move to the top what was left as a stub though another cell has its function."""
    blank = [
        cell
        for cell in cells
        if cell.cell_type == "code"
        and grade_id(cell)
        and is_answer(released[grade_id(cell)])
        and words(cell) == words(released[grade_id(cell)])
    ]
    written = [c.source for c in cells if c.cell_type == "code" and c not in blank]
    elsewhere = set().union(*map(defined, written)) if written else set()
    moved = [cell for cell in blank if defined(cell.source) & elsewhere]
    if moved:
        cells[:] = moved + [cell for cell in cells if cell not in moved]


def answers_task(cell, stub):
    """Tell whether a code cell answers a stub's task, by its id or its functions."""
    shared = defined(cell.source) & defined(stub.source)
    named = shared or grade_id(cell) == grade_id(stub)
    return cell.cell_type == "code" and bool(named) and words(cell) != words(stub)


def move_checks(cells, released):
    """Move the checks of an answer that stands behind them to right behind it.

    What the next task begins with, data for its training say, stays where it is.
    """
    ids, behind, stub = [grade_id(cell) for cell in cells], {}, None
    tasks = {name for name, printed in released.items() if is_answer(printed)}
    for name, printed in released.items():
        if is_answer(printed):
            stub = printed
        elif stub is not None and name.split("-")[0] not in tasks - {grade_id(stub)}:
            place = ids.index(name)
            answers = [i for i, cell in enumerate(cells) if answers_task(cell, stub)]
            if answers and answers[0] > place:
                behind.setdefault(answers[0], []).append(place)
    moved, order = set().union(*behind.values()), []
    for place, cell in enumerate(cells):
        if place not in moved:
            order += [cell, *(cells[check] for check in behind.get(place, []))]
    cells[:] = order


def restore_locked(cells, released):
    """Put locked cells back, and keep what a student wrote into them in front of them.

    Not every platform locks them, and a helper may stand there. An answer whose cell
    was made text, or the other way round, gets its kind back.
    """
    restored = []
    for cell in cells:
        original = released.get(grade_id(cell))
        if original is None:
            restored.append(cell)
        elif original.metadata.nbgrader.locked:
            if cell.cell_type == "code" and words(cell) != words(original):
                restored.append(new_code_cell(cell.source))
            restored.append(copy.deepcopy(original))
        elif cell.cell_type != original.cell_type:
            new = new_code_cell if original.cell_type == "code" else new_markdown_cell
            restored.append(new(cell.source, metadata=cell.metadata))
        else:
            restored.append(cell)
    cells[:] = restored


def is_blank(notebook, release):
    """Tell whether a repaired hand-in holds no code but what was handed out."""
    code = [
        sorted(words(cell) for cell in one.cells if cell.cell_type == "code")
        for one in (notebook, release)
    ]
    return code[0] == code[1]


def by_id(release):
    """Map the ids of a release to its cells."""
    return {grade_id(cell): cell for cell in release.cells if grade_id(cell)}


def count_tasks(cells, release):
    """Count the tasks of an assignment that a notebook holds an answer to.

    What still is as it was released counts a little, so that the right assignment is
    known by its stubs, too.
    """
    released = by_id(release)
    functions = tasks_by_function(released)
    found = {}
    for cell in cells:
        names = {grade_id(cell), *known_by_text(cell, released, functions)}
        for name in names & {name for name in released if is_answer(released[name])}:
            written = words(cell) != words(released[name])
            found[name] = max(found.get(name, 0), 1 if written else 0.01)
    return sum(found.values())


def repair(notebook, release):
    """Bring every released cell back, once, and keep the student's own cells.

    Args:
        notebook: What was collected; its cells are changed.
        release: The assignment as students got it.
    """
    released = by_id(release)
    mark_answers(notebook.cells, released)
    mark_texts(notebook.cells, released, release)
    drop_copies(notebook.cells, released)
    put_back_missing(notebook.cells, released)
    move_stubs(notebook.cells, released)
    move_checks(notebook.cells, released)
    restore_locked(notebook.cells, released)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
