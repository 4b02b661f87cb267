"""Instructor sources: their checks catch what they should, with any class's numbers."""

import functools

import pytest

from teach import assignments, checks
from teach.assignments import read_source
from teach.course import SOURCES, STUDENT_VERSIONS, Course
from teach.wrong import failed_checks, read_wrong_answers
from tests.teaching.versions import NAMES

pytestmark = pytest.mark.grading
for package in ("nbgrader", "jupytext"):
    pytest.importorskip(package, reason="needs teach/requirements.txt: make teacher")

KERAS = ("01", "03", "04")


def wrong_cases():
    """Return `(name, number of the wrong answer)` for every assignment."""
    cases = []
    for name in NAMES:
        marks = [pytest.mark.slow] if name[:2] in KERAS else []
        for number, wrong in enumerate(read_wrong_answers(name)):
            label = f"{name[:2]}-{wrong['task']}-{number}"
            cases.append(pytest.param(name, number, id=label, marks=marks))
    return cases


@functools.cache
def read_solved(name, seed):
    """Return an instructor notebook, and its solution's names to compare answers with.

    Comparing calls these functions and changes nothing of them.
    """
    notebook = read_source(SOURCES / f"{name}.md", seed)
    return notebook, checks.load_reference(notebook)


@pytest.mark.parametrize(("name", "number"), wrong_cases())
def test_a_wrong_answer_loses_the_intended_checks_and_no_others(name, number):
    wrong = read_wrong_answers(name)[number]
    assert wrong["caught"]
    hidden, visible = failed_checks(*read_solved(name, "a seed of the tests"), wrong)
    assert hidden == wrong["caught"]
    assert visible == [f"{wrong['task']}-check"], "the student was not told"


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(n, s, marks=[pytest.mark.slow] if n[:2] in KERAS else [])
        for n in NAMES
        for s in ("one", "another")
    ],
)
def test_the_solution_passes_every_check_with_any_seed(name, seed):
    assert failed_checks(*read_solved(name, seed)) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_another_class_seed_makes_other_hidden_checks(name):
    path = SOURCES / f"{name}.md"
    one, other = (read_source(path, seed) for seed in ("one", "other"))
    pairs = zip(one.cells, other.cells, strict=True)
    differ = [a.source != b.source for a, b in pairs]
    assert any(differ)
    for cell, differs in zip(one.cells, differ, strict=True):
        if differs:
            assert checks.is_hidden(cell)


@pytest.mark.slow
def test_student_versions_equal_freshly_generated_ones(tmp_path):
    assignments.main(Course(tmp_path / "class"), tmp_path / "fresh")
    fresh = sorted((tmp_path / "fresh").glob("*.ipynb"))
    stored = sorted(STUDENT_VERSIONS.glob("*.ipynb"))
    assert [path.name for path in fresh] == [path.name for path in stored]
    for new, old in zip(fresh, stored, strict=True):
        assert new.read_text() == old.read_text(), f"run: make assignments ({old.name})"
