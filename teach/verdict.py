"""What a hidden check found, as nbgrader reads it from a cell's outputs."""

import functools

import nbformat
from nbformat.v4 import new_output

from teach.checks import (
    ANSWER_TYPE,
    is_hidden,
    judge,
    load_reference,
    read_answer,
)
from teach.repair import grade_id
from unetbook.config import hold_stderr

LATE = "Python ended or the time was used up before this check ran"


@functools.lru_cache
def reference_of(text):
    """Return the names that an instructor notebook defines; run once a batch."""
    with hold_stderr():  # TensorFlow's lines while it loads
        return load_reference(nbformat.reads(text, as_version=4))


def last_answer(cell):
    """Return the text that the cell handed over last, or None."""
    found = [
        o.data[ANSWER_TYPE] for o in cell.outputs if ANSWER_TYPE in o.get("data", {})
    ]
    return found[-1] if found else None


def failure(sentence):
    """Return the output that makes nbgrader give no points."""
    return new_output("error", ename="Check", evalue=sentence, traceback=[sentence])


def verdict(cell, source, reference):
    """Return the outputs of a hidden check after it was asked: none if it is passed."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if any(error.ename == "CellTimeoutError" for error in errors):
        return [failure("the answer took too long and was stopped: an endless loop?")]
    for error in errors:
        evalue = str(error.evalue)[:300]
        return [failure(f"{error.ename}: {evalue}" if evalue else error.ename)]
    try:
        answer = read_answer(last_answer(cell))
    except ValueError as error:
        return [failure(str(error))]
    sentence = judge(source, answer, reference)
    return [failure(sentence)] if sentence else []


def put_verdicts(notebook, source, run):
    """Replace what hidden checks showed by what they found.

    Args:
        notebook: A repaired hand-in that was executed.
        source: The instructor notebook.
        run: What became of it: a `Run` of execute.py.
    """
    reference = reference_of(nbformat.writes(source))
    hidden = {grade_id(c): c.source for c in source.cells if is_hidden(c)}
    why = f"{LATE}: {run.ended}" if run.ended else LATE
    for index, cell in enumerate(notebook.cells):
        if grade_id(cell) not in hidden:
            continue
        check = hidden[grade_id(cell)]
        finished = index in run.finished
        cell.outputs = verdict(cell, check, reference) if finished else [failure(why)]
