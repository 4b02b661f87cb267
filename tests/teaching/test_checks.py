"""Hidden checks: asked inside, judged outside, by answers that may be hostile."""

import json

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


def test_a_check_is_judged_outside_by_what_was_handed_over():
    assert checks.judge(HIDDEN, 6) == ""
    assert checks.judge(HIDDEN, 7) == "twice 3 is 6"
    assert checks.judge(HIDDEN, None) == "twice 3 is 6"


def test_the_question_holds_no_expected_value():
    question = checks.question(HIDDEN)
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


@pytest.mark.parametrize(
    "text",
    [None, "", "[" * 10**5, '{"array": [1], "shape": [9], "dtype": "i8"}', "x" * 10**8],
)
def test_hostile_answers_are_one_failed_check(text):
    with pytest.raises(ValueError, match="answer"):
        checks.read_answer(text)
