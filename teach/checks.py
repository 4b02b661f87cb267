"""Hidden checks: asked inside the sandbox, judged outside it.

A hidden check of an assignment has three parts::

    ### BEGIN HIDDEN TESTS
    draw = np.random.default_rng(CHECK_SEED)   # runs on both sides
    ### ASK
    answer = final_size(5, layers)             # runs with the student's code
    ### COMPARE
    assert same(answer, 11), "why it is 11"    # runs in the grader
    ### END HIDDEN TESTS

Only the answer, as JSON, goes from one side to the other. So a hand-in that replaces
`assert`, equality or NumPy deceives nobody but itself, and the expected values are
never where student code could read them.

Whatever COMPARE asserts, an answer passes only in the form of the answer that the
solution gives to the same question: nesting, lengths, shapes and kinds. Where the
solution cannot be asked (a training), COMPARE sets `form` to an answer of this form.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from teach import by_hand

BEGIN = "### BEGIN HIDDEN TESTS"
ASK = "### ASK"
COMPARE = "### COMPARE"
END = "### END HIDDEN TESTS"
INSIDE = (Path(__file__).parent / "inside.py").read_text()
ANSWER = "answer"  # what `hand_over` of inside.py calls it
LARGEST_ANSWER = 2_000_000  # characters of JSON, 75 bytes of memory each
LONGEST_SENTENCE = 500  # characters; it may quote the answer
DTYPES = {"bool", "float16", "float32", "float64"}
DTYPES |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
LIMITS = {"cell_seconds": 20, "notebook_seconds": 180, "patience": 5}  # see Runner
LIMITS |= {"memory_gb": 3, "processes": 64}


class Check(NamedTuple):
    """The three parts of a hidden check, as source code."""

    draw: str
    ask: str
    compare: str


class Reference(NamedTuple):
    """The solution's names, and the forms of its answers as far as they are known."""

    names: dict
    known: dict


def split_check(source):
    """Cut a hidden check into its parts.

    Args:
        source: The whole cell.

    Returns:
        A `Check`.

    Raises:
        ValueError: If a mark is missing or stands in the wrong place.
    """
    places = [source.find(mark + "\n") for mark in (BEGIN, ASK, COMPARE)]
    places.append(source.find(END))
    if -1 in places or places != sorted(places):
        raise ValueError(
            f"The cell {source.splitlines()[:1]} needs the lines {BEGIN!r}, {ASK!r}, "
            f"{COMPARE!r} and {END!r}, in this order."
        )
    parts = [
        source[start:stop].split("\n", 1)[1]
        for start, stop in zip(places, places[1:], strict=False)
    ]
    return Check(*parts)


def question(source):
    """Return the code that asks a hidden check's question; it sets `answer`."""
    check = split_check(source)
    return "\n".join([INSIDE, "import numpy as np", check.draw, check.ask])


def question_cell(source, imports=""):
    """Return the cell that asks a hidden check's question inside the sandbox.

    It runs in a copy of the student's names, so that its own names change nothing
    there, and under the imports and builtins that a student may have put something
    else in the place of.

    Args:
        source: The whole cell of the hidden check.
        imports: The assignment's import cell.
    """
    code = "\n".join([imports, question(source), "hand_over(answer)"])
    return (
        f"(lambda own: own.exec({code!r}, {{**own.globals(), **own.vars(own)}}))"
        "(__import__('builtins'))"  # sets no name, which may be a helper's
    )


def squeeze(text):
    """Return text without blanks, line ends and what quoting adds to it."""
    return re.sub(r"\\n|[\s\\]", "", text)


def quotes(text, source, length=16):
    """Tell whether a text holds a piece of a hidden check, whatever its spaces."""
    hidden, text = squeeze("".join(split_check(source))), squeeze(text)
    if any(number in text for number in re.findall(r"\d{9,}", hidden)):  # its seed
        return True
    pieces = (text[i : i + length] for i in range(len(text) - length + 1))
    return any(piece in hidden for piece in pieces)


def hidden_lines(source):
    """Return the lines of a hidden check that say something, without indents."""
    lines = "\n".join(split_check(source)).splitlines()
    return [line.strip() for line in lines if len(line.strip()) >= 12]


def check_seed(class_seed, name):
    """Derive one check's seed, so that knowing it tells nothing about the others."""
    digest = hashlib.sha256(f"{class_seed.strip()}/{name}".encode()).hexdigest()
    return int(digest[:12], 16)


def from_plain(value):
    """Rebuild what `to_plain` of inside.py took apart; numbers come back as numbers."""
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "entries" in value:
        return {key: from_plain(item) for key, item in value["entries"]}
    if "array" in value:
        if value["dtype"] not in DTYPES:
            raise ValueError(f"an array of {value['dtype']!r}")
        array = np.array(value["array"], value["dtype"])
        return array.reshape(value["shape"]) if value["shape"] else array.item()
    return value


def read_answer(text):
    """Read an answer that came out of the sandbox.

    Args:
        text: JSON, written by whatever ran in there.

    Returns:
        Numbers, text, arrays, lists and dictionaries.

    Raises:
        ValueError: If there is none, or it is too long or not what `hand_over` writes.
    """
    if not isinstance(text, str):
        raise ValueError("no answer came back")
    if len(text) > LARGEST_ANSWER:
        raise ValueError("the answer is too large")
    try:
        return from_plain(json.loads(text))
    except Exception as error:  # whatever hostile JSON sets off is one failed check
        raise ValueError("the answer could not be read") from error


def same(given, expected, tolerance=1e-6):
    """Tell whether an answer is what was expected; never raises.

    Args:
        given: What came out of the sandbox.
        expected: A number, text, bool, None, array, or lists of these.
        tolerance: Allowed difference of numbers, absolute and relative.

    Returns:
        True or False. Lists and arrays must agree in length and shape; a list is not
        taken for an array, nor a bool for a number.
    """
    if isinstance(expected, list | tuple):
        return (
            isinstance(given, list)
            and len(given) == len(expected)
            and all(map(same, given, expected, [tolerance] * len(given)))
        )
    if isinstance(expected, np.ndarray) != isinstance(given, np.ndarray):
        return False
    if isinstance(expected, bool | str | dict | None):
        return type(given) is type(expected) and given == expected
    if isinstance(given, bool) or not isinstance(given, int | float | np.ndarray):
        return False
    return np.shape(given) == np.shape(expected) and bool(
        np.allclose(given, expected, rtol=tolerance, atol=tolerance)
    )


def form(answer):
    """Return nesting, lengths, shapes and kinds of an answer, without its values."""
    if isinstance(answer, list | tuple):
        return [form(item) for item in answer]
    if isinstance(answer, dict):
        return {key: form(item) for key, item in answer.items()}
    if isinstance(answer, np.ndarray):
        return answer.shape, "bool" if answer.dtype == bool else "number"
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return "number"
    return type(answer).__name__


def ask_here(source, names):
    """Return what these names answer to a hidden check's question, asked right here."""
    names = dict(names)
    exec(question(source), names)
    return read_answer(json.dumps(names["to_plain"](names["answer"])))


def solution_form(source, reference):
    """Return the form of the solution's answer; it is asked once."""
    if source not in reference.known:
        reference.known[source] = form(ask_here(source, reference.names))
    return reference.known[source]


def judge(source, answer, reference):
    """Compare an answer with what the check expects, and with the solution's form.

    Args:
        source: The whole cell of the hidden check, from the teacher's own files.
        answer: What `read_answer` returned.
        reference: A `Reference`, from `load_reference`.

    Returns:
        An empty text if the check is passed, else a sentence for the student.
    """
    check = split_check(source)
    names = {**reference.names, "np": np, "same": same, "answer": answer}
    names["by_hand"] = by_hand
    try:
        exec(check.draw + "\n" + check.compare, names)
        found = form(answer)
    except AssertionError as error:
        return str(error)[:LONGEST_SENTENCE] or "the answer is not the expected one"
    except Exception as error:
        return f"the answer has another form than asked for ({type(error).__name__})"
    if "form" in names:
        expected = form(names["form"])
    else:
        expected = solution_form(source, reference)
    return "" if found == expected else "the answer has another form than asked for"


def is_answer(cell):
    """Tell whether a cell of an assignment is a code cell to be filled in."""
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(marks.get("solution"))


def is_hidden(cell):
    """Tell whether a cell of an assignment is a hidden check."""
    return cell.cell_type == "code" and BEGIN in cell.source


def load_reference(notebook):
    """Run imports and solutions of an instructor notebook; return a `Reference`.

    Cells tagged `inside-only` (trainings) are left out.
    """
    names = {}
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "inside-only" not in tags and (is_answer(cell) or "imports" in tags):
            exec(cell.source, names)
    return Reference(names, {})
