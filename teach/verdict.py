"""What a hidden check found, as nbgrader reads it from a cell's outputs."""

import functools

import nbformat
from nbformat.v4 import new_output

from teach.checks import (
    is_hidden,
    judge,
    load_reference,
    quotes,
    read_answer,
)
from teach.execute import TIMEOUT
from teach.repair import grade_id
from unetbook.config import hold_stderr

LATE = "Python ended or the time was used up before this check ran"
BLANK = "there is no answer in the notebook"


@functools.lru_cache
def reference_of(text):
    """Return the `Reference` of an instructor notebook; it runs once a batch."""
    with hold_stderr():  # TensorFlow's lines while it loads
        return load_reference(nbformat.reads(text, as_version=4))


def failure(sentence):
    """Return the output that makes nbgrader give no points."""
    return new_output("error", ename="Check", evalue=sentence, traceback=[sentence])


def describe_error(error, source):
    """Return an error's name and words, unless they quote the hidden check."""
    text = f"{str(error.ename)[:60]}: {str(error.evalue)[:300]}".rstrip(": ")
    return "an error was raised" if quotes(text, source) else text


def verdict(cell, source, reference, answer):
    """Return the outputs of a hidden check after it was asked: none if it is passed."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if answer is None and any(error.ename == TIMEOUT for error in errors):
        return [failure("the answer took too long and was stopped: an endless loop?")]
    if answer is None and errors:
        return [failure(describe_error(errors[0], source))]
    try:
        answer = read_answer(answer)
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
    why = f"{LATE}: {run.ended}" if run.ended else LATE if run.early else BLANK
    for index, cell in enumerate(notebook.cells):
        if grade_id(cell) not in hidden:
            continue
        check = hidden[grade_id(cell)]
        if index in run.finished:
            cell.outputs = verdict(cell, check, reference, run.finished[index])
        else:
            cell.outputs = [failure(why)]
