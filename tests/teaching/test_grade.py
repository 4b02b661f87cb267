"""The grading pipeline on made-up hand-ins: exact marks, whatever is handed in."""

import csv
import html
import itertools
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest

from teach import feedback, grade
from teach.checks import hidden_lines, is_hidden
from teach.course import open_nbgrader
from teach.execute import CUT
from teach.gradebook import open_gradebook, read_marks, write_totals
from tests.paths import ROOT
from tests.teaching.hand_ins import (
    HAND_INS,
    NAME,
    SHORT,
    Maker,
    broken_files,
    skip_without_sandbox,
)

pytestmark = [pytest.mark.grading, pytest.mark.slow]
skip_without_sandbox()


@pytest.fixture(scope="module")
def hand_ins(course, listener):
    """The folder of the hand-ins, as a learning platform would fill it."""
    maker = Maker(course, NAME, listener[0])
    folder = course.handins(NAME)
    folder.mkdir(parents=True)
    for number, (name, (make, _)) in enumerate(HAND_INS.items()):
        text = json.dumps(make(maker))
        (folder / f"{name}_{number}_77_{NAME}.ipynb").write_text(text)
    for name, content in broken_files().items():
        (folder / f"{name}_99_assignsubmission_file_x.ipynb").write_bytes(content)
    with (folder / "too-large_1_2_x.ipynb").open("wb") as file:
        file.truncate(200_000_000)
    return folder


@pytest.fixture(scope="module")
def points(course, hand_ins):
    """The marks of one run over all hand-ins."""
    return grade.grade_class(course, NAME, hand_ins, limits=SHORT)


def copy_hand_in(hand_ins, name, folder, student=None):
    """Hand in a file of the big run once more, alone in a folder."""
    content = next(hand_ins.glob(f"{name}_*")).read_bytes()
    (folder / f"{student or name}.ipynb").write_bytes(content)


@pytest.mark.parametrize("name", HAND_INS)
def test_hand_in_gets_exactly_its_points(name, points):
    assert points[name] == HAND_INS[name][1]


@pytest.mark.parametrize("name", [*broken_files(), "too-large"])
def test_what_is_no_notebook_gets_no_points_and_a_remark(name, points, course):
    assert points[name] == 0
    known = json.loads(course.record(NAME).read_text())
    assert (
        "no Jupyter notebook" in known[name]["remark"] or "MB" in known[name]["remark"]
    )


def test_the_batch_reached_everybody(points):
    assert len(points) == len(HAND_INS) + len(broken_files()) + 1
    assert None not in points.values()


def test_nobody_was_called(points, listener):
    assert listener[1] == []


def test_no_hand_in_wrote_into_the_gradebook(points, course):
    with sqlite3.connect(course.folder / "gradebook.db") as book:
        found = book.execute("select manual_score from grade").fetchall()
    assert found
    assert {score for (score,) in found} == {None}


def kernels(pid):
    """Return how many processes run for a grader's kernels."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
    file = f"{tempfile.gettempdir()}/grading-{pid}-"
    return listed.stdout.count(f"ipykernel_launcher -f {file}")


def test_no_process_of_a_hand_in_lives_on(points):
    assert kernels(os.getpid()) == 0


def run_dirs(pid):
    """Return the folders that a grader has made for its kernels."""
    return list(Path(tempfile.gettempdir()).glob(f"grading-{pid}-*"))


def test_no_folder_of_a_hand_in_is_left(points):
    assert run_dirs(os.getpid()) == []


def test_removed_files_that_are_open_find_no_room(points, course):
    graded = course.notebook("autograded", NAME, "fills-the-disk")
    assert "No space left on device" in graded.read_text()


def test_autograded_notebooks_hold_no_html(points, course):
    for path in course.folder.glob(f"autograded/*/{NAME}/{NAME}.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                assert set(output.get("data", {})) <= {"text/plain", "image/png"}


def secrets_of(course):
    """Return the lines of hidden checks that no student may see."""
    source = course.notebook("source", NAME)
    release = course.notebook("release", NAME).read_text()
    cells = [c for c in nbformat.read(source, as_version=4).cells if is_hidden(c)]
    lines = {line for cell in cells for line in hidden_lines(cell.source)}
    return {line for line in lines if json.dumps(line)[1:-1] not in release}


def test_feedback_pages_show_no_hidden_check(points, course, capsys):
    pages = sorted(feedback.write_pages(course, NAME).glob("*.html"))
    assert len(pages) == len(points)
    secret = secrets_of(course)
    assert len(secret) > 50
    for page in pages:
        text = page_text(page)
        assert not [line for line in secret if line in text], page.name
    assert "quoted a hidden check" in page_text(
        next(page for page in pages if page.stem == "tells-hidden")
    )
    assert "does not count" in page_text(next(p for p in pages if p.stem == "wrong"))
    endless = page_text(next(p for p in pages if p.stem == "endless-function"))
    assert "took too long" in endless
    assert "coverage-even (Score: 0.0 / 1.0)" in endless
    assert CUT in page_text(next(p for p in pages if p.stem == "floods"))


def page_text(page):
    """Return the text of a page without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))


def test_a_second_run_passes_over_what_it_knows(points, hand_ins, course, capsys):
    before = course.grades(NAME).read_text()
    assert grade.grade_class(course, NAME, hand_ins, limits=SHORT) == {}
    assert course.grades(NAME).read_text() == before


def test_grading_again_gives_the_same_marks(course, points, hand_ins, tmp_path, capsys):
    few = ["correct", "memory-hog", "exit-function"]
    for name in few:
        copy_hand_in(hand_ins, name, tmp_path)
    again = grade.grade_class(course, NAME, tmp_path, again=True, limits=SHORT)
    assert again == {name: points[name] for name in few}
    rows = course.grades(NAME).read_text().splitlines()
    listed = {row.split(",")[0] for row in rows}
    assert set(points) <= listed, "a folder with few files lost the others"


def test_a_hand_in_whose_grading_was_cut_off_has_no_total(points, course):
    with open_gradebook(course) as book:
        book.add_student("half")
        book.add_submission(NAME, "half")
        write_totals(course, book)
        book.remove_student("half")
    rows = course.totals.read_text().splitlines()
    assert "half,,0" in rows
    assert "correct,20.0,20.0" in rows


def test_an_endless_task_leaves_time_for_those_behind_it(points):
    assert 4 * SHORT["cell_seconds"] > SHORT["notebook_seconds"]
    assert points["endless-first"] == 15


def hooks_of(api, make):
    """Return the preprocessors that one of nbgrader's converters runs."""
    converter = make(coursedir=api.coursedir, parent=api)
    exporter = converter.exporter_class(parent=converter, config=converter.config)
    lists = [converter.preprocessors]
    if hasattr(converter, "autograde_preprocessors"):
        lists = [converter.sanitize_preprocessors, converter.autograde_preprocessors]
    for hook in itertools.chain(*lists):
        exporter.register_preprocessor(hook)
    return exporter._preprocessors


def test_nbgrader_hides_hidden_checks_and_runs_nothing(settings, course):
    from nbgrader.converters import Autograde, GenerateFeedback

    api = open_nbgrader(course)
    found = {type(hook).__name__: hook for hook in hooks_of(api, GenerateFeedback)}
    assert found["HideHiddenTests"].enabled
    assert found["HideHiddenTests"].course == str(course.folder)
    kept = {type(hook).__name__ for hook in hooks_of(api, Autograde)}
    assert {"OverwriteCells", "SaveAutoGrades"} <= kept
    assert not {name for name in kept if "Execute" in name or "Clear" in name} - {
        "ClearMetadataPreprocessor"
    }


def test_manual_marks_survive_grading_again(course, points, hand_ins, tmp_path, capsys):
    mark_by_hand(course, "wrong", "size-convolution", 1.5)
    copy_hand_in(hand_ins, "wrong", tmp_path)
    assert grade.grade_class(course, NAME, tmp_path, again=True)["wrong"] == 19.5
    with open_gradebook(course) as book:
        assert read_marks(book, NAME, "wrong")["size-convolution"] == (1.5, 2.0, False)


def test_a_kernel_that_does_not_start_gives_no_marks(
    course, hand_ins, tmp_path, monkeypatch, capsys
):
    copy_hand_in(hand_ins, "correct", tmp_path, "tardy")
    broken = {"processes": 48, "memory_gb": -0.6}  # too little for any Python
    found = grade.grade_class(course, NAME, tmp_path, limits=broken)
    assert found == {"tardy": None}
    assert "not graded" in capsys.readouterr().out
    assert grade.grade_class(course, NAME, tmp_path) == {"tardy": 20}


def test_the_teacher_reads_whose_python_ended_early(points, course):
    rows = course.grades(NAME).read_text().splitlines()
    ended = {row.split(",")[0] for row in rows if "Python ended early" in row}
    assert {"exit-function", "exit-top", "swallows-above-imports"} <= ended
    assert not {"correct", "wrong", "empty", "floods"} & ended


def test_what_only_other_machines_run_costs_nothing_and_is_said(points, course):
    page = page_text(course.pages(NAME) / "noisy.html")
    assert "google.colab is on Colab only" in page
    if sys.version_info < (3, 12):
        assert "cannot read; 3.12 may" in page
        assert "cannot read; 3.12 may" in course.grades(NAME).read_text()


def read_table(path):
    """Return the rows of a CSV file of marks by student."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_the_teacher_reads_what_to_look_at(points, course):
    rows = read_table(course.grades(NAME))
    for student, remark in {
        "empty": "no answer in every task",
        "deleted-cells": "no answer in 'coverage'",
        "syntax-error": "a syntax error in 'stamp'",
        "endless-function": "an endless loop, or too slow, in 'coverage'",
        "correct": "",
        "all-in-one-cell": "",
    }.items():
        assert rows[student]["remark"] == remark
    assert "'" not in rows["not-a-notebook"]["remark"].partition("(")[0]


def test_the_table_holds_what_the_platform_calls_a_student(points, course):
    rows = read_table(course.grades(NAME))
    found = [(rows[s]["name"], rows[s]["identifier"]) for s in ("wrong", "binary")]
    assert found == [("wrong", "1"), ("binary", "Participant 99")]


def test_whose_file_was_deleted_leaves_the_tables_until_it_is_back(
    course, hand_ins, tmp_path, capsys
):
    for student in ("stays", "leaves"):
        copy_hand_in(hand_ins, "correct", tmp_path, student)
    grade.grade_class(course, NAME, tmp_path, limits=SHORT)
    feedback.write_pages(course, NAME)
    page = course.pages(NAME) / "leaves.html"
    assert page.exists()
    (tmp_path / "leaves.ipynb").rename(tmp_path / ".leaves.ipynb")
    grade.grade_class(course, NAME, tmp_path, limits=SHORT)
    assert "no longer in the marks: leaves. " in capsys.readouterr().out
    for table in (course.grades(NAME), course.totals):
        assert set(read_table(table)) & {"stays", "leaves"} == {"stays"}
    feedback.write_pages(course, NAME)
    assert not page.exists()
    (tmp_path / ".leaves.ipynb").rename(tmp_path / "leaves.ipynb")
    assert grade.grade_class(course, NAME, tmp_path, limits=SHORT) == {}
    assert read_table(course.grades(NAME))["leaves"]["total"] == "20.0"


def mark_by_hand(course, student, check, points):
    """Give points as Formgrader does."""
    with open_gradebook(course) as book:
        grades = book.find_submission(NAME, student).notebooks[0].grades
        chosen = next(g for g in grades if g.name == check)
        chosen.manual_score, chosen.needs_manual_grade = points, False
        book.db.commit()


def test_marks_by_hand_are_shown_and_kept_by_a_second_run(
    course, hand_ins, tmp_path, capsys
):
    copy_hand_in(hand_ins, "wrong", tmp_path, "marked")
    assert grade.grade_class(course, NAME, tmp_path, limits=SHORT) == {"marked": 18}
    mark_by_hand(course, "marked", "size-convolution", 1.5)
    assert grade.grade_class(course, NAME, tmp_path, limits=SHORT) == {}
    assert " 19.5 of 20  unchanged, marks kept" in capsys.readouterr().out
    row = read_table(course.grades(NAME))["marked"]
    assert (row["total"], row["size-convolution"]) == ("19.5", "1.5")
    assert read_table(course.totals)["marked"]["sum"] == "19.5"
    copy_hand_in(hand_ins, "exit-end", tmp_path, "marked")  # it has changed
    assert grade.grade_class(course, NAME, tmp_path, limits=SHORT) == {"marked": 19.5}
    assert read_table(course.grades(NAME))["marked"]["to mark"] == "1"


def wait_for(condition, seconds=60):
    """Wait until a condition holds, for as long as patience lasts."""
    patience = time.time() + seconds
    while not condition() and time.time() < patience:
        time.sleep(0.02)


def test_a_killed_batch_goes_on_where_it_was(course, hand_ins, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(3):
        copy_hand_in(hand_ins, "correct", folder, f"killed{number}")
    code = (
        "from pathlib import Path; from teach import course, grade;"
        f"own = course.Course(Path({str(course.folder)!r}));"
        f"grade.grade_class(own, {NAME!r}, {str(folder)!r})"
    )
    words = [sys.executable, "-c", code]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert first.stdout.readline().startswith(f"Grading {NAME}: 3 hand-in(s) in ")
    assert "killed0" in first.stdout.readline()
    wait_for(lambda: kernels(first.pid))
    first.kill()
    first.wait()
    assert run_dirs(first.pid), "it was killed too late to leave anything"
    wait_for(lambda: not kernels(first.pid))
    assert kernels(first.pid) == 0
    check_second_run(words)
    rows = course.grades(NAME).read_text().splitlines()
    assert {f"killed{n},20.0" for n in range(3)} <= {row[:12] for row in rows}
    assert run_dirs(first.pid) == []
    with sqlite3.connect(course.folder / "gradebook.db") as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)


def check_second_run(words):
    """Assert that a second run passes over what was graded, and grades the others.

    Beside the first file, the second may have been done when the grader was killed.
    """
    second = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    lines = [line for line in second.stdout.splitlines() if " killed" in line]
    assert "unchanged" in lines[0]
    kept = ["unchanged" in line for line in lines]
    assert kept in ([True, False, False], [True, True, False])
    assert all(" 20.0 of 20" in line for line in lines)


def test_pages_are_small_whatever_a_hand_in_shows(points, course):
    sizes = [page.stat().st_size for page in course.pages(NAME).glob("*.html")]
    assert len(sizes) > len(HAND_INS)
    assert max(sizes) <= feedback.LARGEST_PAGE


def test_trusted_students_are_graded_without_a_sandbox(
    course, hand_ins, tmp_path, capsys
):
    copy_hand_in(hand_ins, "correct", tmp_path, "trusted")
    assert grade.grade_class(course, NAME, tmp_path, sandboxed=False) == {"trusted": 20}
