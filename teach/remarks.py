"""What a teacher should look at: in one hand-in, and in several that are alike."""

import hashlib
import io
import json
import tokenize

from teach.execute import LACKS, TIMEOUT
from teach.messages import errors_of
from teach.names import find_doubts
from teach.repair import (
    LONGEST_CODE,
    by_id,
    defined,
    grade_id,
    is_answer,
    is_prose,
    without_comments,
    words,
)

FEWEST_ALIKE = 2  # answers; one line alone may well be the same by chance
SYNTAX = {"SyntaxError", "IndentationError", "TabError"}
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
STEPS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def code_words(source):
    """Return what code consists of, without comments, blanks and empty lines."""
    source = source[:LONGEST_CODE]
    try:
        found = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return without_comments(source).split()
    return [
        tokenize.tok_name[one.type] if one.type in STEPS else one.string
        for one in found
        if one.type not in LAYOUT
    ]


def is_unanswered(cell, stub, elsewhere):
    """Tell whether an answer is empty or as it was handed out.

    `elsewhere` are the functions that other cells of the hand-in define.
    """
    if cell.cell_type != "code":
        return words(cell) in ([], words(stub))
    blank = code_words(cell.source) in ([], code_words(stub.source))
    return blank and not defined(stub.source) & elsewhere


def cells_by_task(notebook, released):
    """Map each task to its answer and the cells that follow it."""
    found, name = {}, None
    for cell in notebook.cells:
        own = grade_id(cell)
        name = own if own in released and is_answer(released[own]) else name
        found.setdefault(name, []).append(cell)
    found.pop(None, None)
    return found


def error_names(cells):
    """Return the names of the errors that cells ended in."""
    return {error.ename for cell in cells for error in errors_of(cell)}


def find_kind(cells, stub, elsewhere):
    """Return what is the matter with a task, or None."""
    if is_unanswered(cells[0], stub, elsewhere):
        return "no answer in"
    if error_names(cells[:1]) & SYNTAX:
        prose = is_prose(cells[0].source)
        return "prose instead of code in" if prose else "a syntax error in"
    if TIMEOUT in error_names(cells):
        return "an endless loop, or too slow, in"
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    if any(LACKS in output.get("text", "") for output in outputs):
        return "a package that the grader has not, in"
    return None


def remarks_on_answers(notebook, release):
    """Yield what to look at in a hand-in that was repaired and run."""
    released, kinds = by_id(release), {}
    tasks = cells_by_task(notebook, released)
    for name, cells in tasks.items():
        stub = released[name]
        others = [c for c in notebook.cells if c.cell_type == "code" and c != cells[0]]
        elsewhere = set().union(*(defined(cell.source) for cell in others))
        kind = find_kind(cells, stub, elsewhere)
        if kind:
            kinds.setdefault(kind, []).append(repr(name))
    for kind, names in kinds.items():
        every = len(names) == len(tasks) > 1
        yield f"{kind} {'every task' if every else ', '.join(names)}"


def hash_answers(notebook, release, source):
    """Return a hash of a hand-in's own answers in code; an empty text if few are.

    What equals the stub or the solution of the repository is nobody's own.
    """
    given = [code_words(c.source) for one in (release, source) for c in one.cells]
    answers = {name for name, cell in by_id(release).items() if is_answer(cell)}
    found = [
        (grade_id(cell), code_words(cell.source))
        for cell in notebook.cells
        if grade_id(cell) in answers and cell.cell_type == "code"
    ]
    own = sorted((name, code) for name, code in found if code and code not in given)
    few = len(own) < FEWEST_ALIKE
    return "" if few else hashlib.sha256(json.dumps(own).encode()).hexdigest()


def remarks_beside(graded, elsewhere):
    """Map students to what their hand-ins say beside those of others.

    Args:
        graded: What a `Record` knows of those who have marks.
        elsewhere: Those with marks in another assignment, as `find_doubts` takes them.
    """
    found, alike = {}, {}
    people = {
        student: (about.get("name", student), about.get("identifier", ""))
        for student, about in graded.items()
    }
    for one, other in find_doubts(people, elsewhere):
        text = (
            f"{one!r} and {other!r} were kept apart; name the files of one person alike"
        )
        for student in (one, other):
            found.setdefault(student, []).append(text)
    for student, about in graded.items():
        if about.get("code"):
            alike.setdefault(about["code"], []).append(student)
    for students in alike.values():
        listed = ", ".join(map(repr, students[:5])) + ", ..." * (len(students) > 5)
        for student in students if len(students) > 1 else []:
            text = f"the same code but for blanks and comments: {listed}"
            found.setdefault(student, []).append(text)
    return found
