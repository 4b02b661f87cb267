"""What students get: tasks, points, and checks that say what is wrong."""

import re

from teach import checks
from teach.wrong import read_wrong_answers
from tests.paths import ROOT
from tests.teaching.versions import each_assignment, student_version


@each_assignment
def test_every_answer_cell_begins_with_its_task(name):
    answers = [
        cell
        for cell in student_version(name).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    ]
    assert len(answers) >= 4
    for cell in answers:
        task = cell.metadata.nbgrader.grade_id
        first = {"code": f"# task: {task}", "markdown": f"<!-- task: {task} -->"}
        assert cell.source.splitlines()[0] == first[cell.cell_type]


@each_assignment
def test_an_assignment_has_twenty_points(name):
    marks = [cell.metadata.get("nbgrader", {}) for cell in student_version(name).cells]
    assert sum(mark.get("points", 0) for mark in marks) == 20
    text = "".join(cell.source for cell in student_version(name).cells)
    assert re.search(r"20 points, \d+ to \d+ minutes", text)


@each_assignment
def test_points_in_the_headings_are_those_of_the_checks(name):
    promised, given = [], []
    for cell in student_version(name).cells:
        heading = re.match(r"## .*\((\d+) points?\)", cell.source)
        if heading:
            promised.append(int(heading[1]))
            given.append(0)
        points = cell.metadata.get("nbgrader", {}).get("points", 0)
        if points:
            given[-1] += points
        said = re.match(r"# repeated by your teacher .*\((\d+) points?\)$", cell.source)
        if points and cell.cell_type == "code":
            assert said, cell.source
            assert int(said[1]) == points, cell.source
    assert promised == given


@each_assignment
def test_visible_checks_are_asserts_with_messages(name):
    visible = [
        cell.source
        for cell in student_version(name).cells
        if cell.source.startswith("# check of the task:")
    ]
    assert len(visible) >= 3
    for source in visible:
        asserts = re.findall(r"(?ms)^assert .*?(?=^\S|\Z)", source)
        assert asserts
        assert all(re.search(r",\s*\(?\s*f?\"", text) for text in asserts), source


@each_assignment
def test_wrong_answers_cover_every_task_three_times(name):
    tasks = [wrong["task"] for wrong in read_wrong_answers(name)]
    cells = filter(checks.is_answer, student_version(name).cells)
    answers = [cell.metadata.nbgrader.grade_id for cell in cells]
    assert set(answers) == set(tasks)
    assert [task for task in answers if tasks.count(task) < 3] == []


def test_teaching_packages_stay_out_of_what_readers_install():
    for file in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        text = (ROOT / file).read_text()
        assert "nbgrader" not in text
        assert "jupytext==" not in text
