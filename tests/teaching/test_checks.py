"""Hidden checks: asked inside, judged outside, by answers that may be hostile."""

import json
import tracemalloc

import numpy as np
import pytest

from teach import checks

HIDDEN = """\
# repeated by your teacher
### BEGIN HIDDEN TESTS
number = 3
### ASK
answer = double(number)
### COMPARE
assert same(answer, 2 * number), "twice 3 is 6"
### END HIDDEN TESTS"""


SOLUTION = checks.Reference({"double": lambda number: 2 * number}, {})


def test_a_check_is_judged_outside_by_what_was_handed_over():
    assert checks.judge(HIDDEN, 6, SOLUTION) == ""
    assert checks.judge(HIDDEN, 7, SOLUTION) == "twice 3 is 6"
    assert checks.judge(HIDDEN, None, SOLUTION) == "twice 3 is 6"


def test_a_sentence_that_quotes_the_answer_stays_short():
    quoting = HIDDEN.replace('"twice 3 is 6"', 'f"6, not {answer}"')
    assert checks.judge(quoting, 7, SOLUTION) == "6, not 7"
    assert len(checks.judge(quoting, [7] * 100_000, SOLUTION)) == 500


def test_an_answer_takes_no_more_memory_than_75_bytes_for_each_of_its_characters():
    array = '{"array": [%s0], "shape": [-1], "dtype": "float64"}'
    for text in ("[" + "[]," * 30_000 + "0]", array % ("0," * 45_000)):
        tracemalloc.start()
        assert checks.judge(HIDDEN, checks.read_answer(text), SOLUTION)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 75 * len(text)


def test_an_answer_that_passes_has_the_form_of_the_solutions():
    careless = HIDDEN.replace("= double(number)", "= [double(number)] * 2")
    compare = "for got in answer:\n    assert same(got, 6), 'twice 3 is 6'"
    careless = careless.replace(
        'assert same(answer, 2 * number), "twice 3 is 6"', compare
    )
    assert checks.judge(careless, [6, 6], SOLUTION) == ""
    assert checks.judge(careless, [6, 7], SOLUTION) == "twice 3 is 6"
    for answer in ([], {}, "", [6], [6, 6, 6]):
        sentence = "the answer has another form than asked for"
        assert sentence in checks.judge(careless, answer, SOLUTION), answer


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ([1, 2.5, True], ["number", "number", "bool"]),
        (np.zeros((2, 3), "uint8"), ((2, 3), "number")),
        (np.zeros(3, bool), ((3,), "bool")),
        ({"a": ["x", None]}, {"a": ["str", "NoneType"]}),
    ],
)
def test_a_form_is_nesting_length_shape_and_kind(answer, form):
    assert checks.form(answer) == form


NAMES = """
number, answer, list, hand_over = "mine", "mine", [1], None
def double(number): return number * 2 + helper
helper = 0
np = None
"""


def test_a_question_changes_no_name_of_the_student_and_none_of_theirs_disturbs_it():
    student, handed = {}, []
    exec(NAMES, student)
    source = HIDDEN.replace("double(number)", "list([double(number)])")
    code = checks.question_cell(source, "import math")
    code = code.replace("hand_over(answer)", "handed.append(answer)")
    student["handed"] = handed
    exec(code, student)
    assert handed == [[6]]
    assert (student["number"], student["list"], student["np"]) == ("mine", [1], None)
    assert "draw" not in student


def test_a_kind_of_value_error_is_one():
    names = {}
    exec(checks.INSIDE, names)
    assert names["refuses"](lambda: "x".encode("ascii").decode("utf-8")) is False
    assert names["refuses"](lambda: b"\xff".decode()) is True  # UnicodeDecodeError
    assert names["refuses"](lambda: {}["x"]) is False


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("answer = double(number)", True),
        ("repr: '### \\nanswer = double(number)'", True),
        ("the seed is 123456789012", True),
        ("name 'double' is not defined", False),
        ("operands have shapes (3,) and (4,)", False),
    ],
)
def test_an_error_that_quotes_a_hidden_check_is_known(text, quoted):
    seeded = HIDDEN.replace("number = 3", "number = 3  # 123456789012")
    assert checks.quotes(text, seeded) is quoted


def test_the_question_holds_no_expected_value():
    question = checks.question_cell(HIDDEN)
    assert "answer = double(number)" in question
    assert "number = 3" in question
    assert "same(" not in question
    assert "twice" not in question


def test_a_check_without_its_parts_is_refused():
    with pytest.raises(ValueError, match="### COMPARE"):
        checks.split_check(HIDDEN.replace("### COMPARE\n", ""))


@pytest.mark.parametrize(
    ("given", "expected", "verdict"),
    [
        (1, 1, True),
        (1.0000001, 1, True),
        (1.1, 1, False),
        (True, 1, False),
        (1, True, False),
        ("1", 1, False),
        ([1, 2], (1, 2), True),
        ([1, 2, 3], [1, 2], False),
        (None, None, True),
        (None, 0, False),
        ({"raised": "ValueError"}, {"raised": "ValueError"}, True),
        (float("nan"), 1.0, False),
    ],
)
def test_same_is_strict_about_types_and_kind_about_rounding(given, expected, verdict):
    assert checks.same(given, expected) is verdict


def test_answers_survive_the_way_out_of_the_sandbox():
    names = {}
    exec(checks.INSIDE, names)
    value = [np.arange(6.0).reshape(2, 3), {"a": np.int64(3)}, (True, None, "x"), 2.5]
    text = json.dumps(names["to_plain"](value))
    array, entries, mixed, number = checks.read_answer(text)
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (entries, mixed, number) == ({"a": 3}, [True, None, "x"], 2.5)


def test_numbers_in_an_array_of_objects_are_numbers():
    names = {}
    exec(checks.INSIDE, names)
    for numbers in ([[1, 2], [3, 4]], [0.5, 2]):
        text = json.dumps(names["to_plain"](np.array(numbers, dtype=object)))
        assert checks.same(checks.read_answer(text), np.array(numbers))
    mixed = np.array([1, {}], dtype=object)
    assert names["to_plain"](mixed) == {"unknown": "ndarray"}


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        '{"array": ["x"], "shape": [1], "dtype": "S1000000000"}',
        "[" * 10**5,
        '{"array": [1], "shape": [9], "dtype": "int64"}',
        "x" * 10**8,
    ],
)
def test_hostile_answers_are_one_failed_check(text):
    with pytest.raises(ValueError, match="answer"):
        checks.read_answer(text)
