"""The other assignments, as they are graded: in a file of its own, for another core."""

import nbformat
import pytest

from teach import assignments, grade
from teach.course import open_nbgrader, read_seed
from teach.gradebook import open_gradebook, read_marks
from tests.teaching.hand_ins import Maker, skip_without_sandbox

pytestmark = [pytest.mark.grading, pytest.mark.slow]
skip_without_sandbox()

KERAS_ASSIGNMENTS = {"01_data_pipeline": 20, "03_blocks": 20, "04_unet": 16}


@pytest.mark.parametrize("name", KERAS_ASSIGNMENTS)
def test_solution_gets_full_marks_and_the_release_none(
    name, course, settings, tmp_path, capsys
):
    api, seed = open_nbgrader(course), read_seed(course)
    student = assignments.make_assignment(course, api, name, seed)
    maker = Maker(course, name)
    nbformat.write(student, tmp_path / "empty.ipynb")
    nbformat.write(maker.right(), tmp_path / "right.ipynb")
    found = grade.grade_class(course, name, tmp_path)
    assert found == {"empty": 0, "right": KERAS_ASSIGNMENTS[name]}
    with open_gradebook(course) as book:
        marks = read_marks(book, name, "right")
        empty = read_marks(book, name, "empty")
    assert sum(most for _, most, _ in marks.values()) == 20
    waits = [check for check, (*_, waits) in marks.items() if waits]
    assert waits == (["failures"] if name == "04_unet" else [])
    assert not any(waits for *_, waits in empty.values())
