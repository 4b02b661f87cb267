"""What a teacher should look at, told from the cells and what they ended in."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_output

from teach.execute import TIMEOUT
from teach.remarks import hash_answers, is_prose, remarks_beside, remarks_on_answers
from teach.repair import by_id, grade_id
from tests.teaching.versions import student_version

NAME = "02_transposed_convolution"
RELEASE = student_version(NAME)
OWN = {
    "size": "def final_size(size, layers):\n    return size + 1",
    "stamp": "def stamp(x, kernel, strides):\n    return x",
    "matrix": "def stamp_matrix(kernel, height, width, strides):\n    return kernel",
    "coverage": "def coverage(kernel_size, strides):\n    return 1, 2",
}


def hand_in(**sources):
    """Return a hand-in whose answers are our own, but for those that are given."""
    notebook = copy.deepcopy(RELEASE)
    for name, source in {**OWN, **sources}.items():
        by_id(notebook)[name].source = source
    return notebook


def ends_in(notebook, name, error):
    """Let one cell of a notebook end in an error."""
    output = new_output("error", ename=error, evalue="", traceback=[])
    by_id(notebook)[name].outputs = [output]
    return notebook


def remarks(notebook):
    """Return the remarks on a hand-in."""
    return list(remarks_on_answers(notebook, RELEASE))


def test_answers_of_ones_own_get_no_remark():
    assert remarks(hand_in()) == []


@pytest.mark.parametrize("text", ["", "# I do not know\n\n# and gave up"])
def test_an_answer_without_code_is_named(text):
    stub = by_id(RELEASE)["stamp"].source
    left = hand_in(size=text, stamp="# my stamp\n" + stub)
    assert remarks(left) == ["no answer in 'size', 'stamp'"]


def test_a_notebook_as_it_was_handed_out_has_no_answer_in_every_task():
    assert remarks(copy.deepcopy(RELEASE)) == ["no answer in every task"]


def test_a_stub_that_was_left_beside_its_answer_is_none_without():
    notebook = hand_in(size=by_id(RELEASE)["size"].source)
    notebook.cells.append(new_code_cell(OWN["size"]))
    assert remarks(notebook) == []


@pytest.mark.parametrize(
    ("source", "remark"),
    [
        ("I did not know how to do this, sorry.", "prose instead of code in 'size'"),
        ("# task: size\nÜber den Rand ragt es\nnicht.", "prose instead of code in"),
        ("def final_size(size, layers):\nreturn size", "a syntax error in 'size'"),
        ("return", "a syntax error in 'size'"),
    ],
)
def test_prose_is_told_from_a_syntax_error(source, remark):
    (found,) = remarks(ends_in(hand_in(size=source), "size", "SyntaxError"))
    assert found.startswith(remark)


def test_code_is_no_prose():
    assert not any(is_prose(source) for source in OWN.values())
    assert not is_prose("for layer in layers\n    print(layer)")


@pytest.mark.parametrize("cell", ["matrix", "matrix-check"])
def test_an_answer_that_took_too_long_is_named_where_it_was_asked(cell):
    found = remarks(ends_in(hand_in(), cell, TIMEOUT))
    assert found == ["an endless loop, or too slow, in 'matrix'"]


def test_a_package_that_the_grader_has_not_is_named():
    notebook = hand_in()
    text = "No module named 'x': the grader has no such package; what uses it fails."
    for cell in notebook.cells:
        if grade_id(cell) == "matrix":
            cell.outputs = [new_output("stream", text=text)]
    assert remarks(notebook) == ["a package that the grader has not, in 'matrix'"]


def test_code_that_differs_in_blanks_and_comments_alone_is_the_same():
    respaced = {
        n: f"# mine\n{s.replace(', ', ' ,')}  # yes\n\n" for n, s in OWN.items()
    }
    codes = [
        hash_answers(notebook, RELEASE, hand_in())
        for notebook in (RELEASE, hand_in(), hand_in(size="x = 1"))
    ]
    assert codes == ["", "", ""], "as handed out, as solved, and one line alone"
    mine = hash_answers(hand_in(), RELEASE, RELEASE)
    assert mine
    assert hash_answers(hand_in(**respaced), RELEASE, RELEASE) == mine
    deeper = OWN["size"].replace("return", "if size:\n        return")
    assert hash_answers(hand_in(size=deeper), RELEASE, RELEASE) != mine


def test_those_with_the_same_code_are_named_to_each_other():
    graded = {"ada": {"code": "x"}, "bob": {"code": "x"}, "eve": {"code": ""}}
    graded["joe"] = {"code": ""}
    text = "the same code but for blanks and comments: 'ada', 'bob'"
    assert remarks_beside(graded, {}) == {"ada": [text], "bob": [text]}


def test_those_who_may_be_one_person_are_named_to_the_teacher():
    (text,) = remarks_beside({"ada": {}}, {"ada-king": ("ada king", "")})["ada"]
    assert text.startswith("'ada' and 'ada-king' were kept apart")
