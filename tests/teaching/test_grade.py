"""The grading pipeline on made-up hand-ins: exact marks, whatever is handed in."""

import html
import itertools
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from teach import assignments, feedback, grade, sandbox
from teach.checks import hidden_lines, is_hidden
from teach.course import Course, load_settings, open_nbgrader, read_seed
from teach.execute import Run, Runner, execute
from teach.gradebook import open_gradebook, read_marks, write_totals
from teach.repair import repair
from teach.verdict import put_verdicts
from tests.paths import ROOT
from tests.teaching.hand_ins import DAWDLES, HAND_INS, Maker, broken_files

pytestmark = [pytest.mark.grading, pytest.mark.slow]
if find_spec("nbgrader") is None or find_spec("jupytext") is None:
    reason = "needs teach/requirements.txt: make teacher"
    pytest.skip(reason, allow_module_level=True)
if sys.platform != "linux" or sandbox.try_out():
    pytest.skip(f"no sandbox: {sandbox.try_out()}", allow_module_level=True)

NAME = "02_transposed_convolution"
SHORT = {"cell_seconds": 2, "wall_seconds": 40}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class of its own, with its own seed and assignment 2 made."""
    made = Course(tmp_path_factory.mktemp("school") / "class")
    made.seed_file.write_text("a class of the tests")
    assignments.make_assignment(made, open_nbgrader(made), NAME, read_seed(made))
    return made


@pytest.fixture(scope="module")
def listener():
    """A server on this machine, and the list of what was sent to it."""
    heard = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            heard.append(line.recv(100))
            line.close()

    threading.Thread(target=listen, daemon=True).start()
    yield server.getsockname()[1], heard
    server.close()


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
    (folder / f"{student or name}_x.ipynb").write_bytes(content)


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


def test_whoever_fills_the_disk_is_stopped(points, course):
    graded = course.notebook("autograded", NAME, "fills-the-disk")
    assert "it wrote too much to the disk" in graded.read_text()


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


HOSTILE_TEXT = """
<script>alert(1)</script> <img src=x onerror=alert(2)>

<b>bold</b> **strong** [ok](https://x.org) [here](javascript:alert(3))
<a href="javascript:alert(4)">there</a> [files](files/javascript:alert(5))

<iframe src="https://x.org"></iframe> <input name="score"> $a < b$
"""


def check_is_harmless(page):
    """Assert that HOSTILE_TEXT stands in a page as text, and runs nothing."""
    for tag in ("<script>alert(1)", "<img src=x", "<iframe", '<input name="score"'):
        assert tag not in page
    assert 'href="javascript:' not in page
    for kept in ("<b>bold</b>", "<strong>strong</strong>", 'href="https://x.org"'):
        assert kept in page
    assert "alert(1)" in page


def test_html_of_a_hand_in_runs_nowhere(course, settings, tmp_path, capsys):
    from nbconvert.exporters import HTMLExporter
    from nbformat.v4 import new_markdown_cell
    from nbgrader.server_extensions.formgrader import handlers

    release = course.notebook("release", NAME)
    notebook = nbformat.read(release, as_version=4)
    notebook.cells.append(new_markdown_cell(HOSTILE_TEXT))
    nbformat.write(notebook, tmp_path / "html_x.ipynb")
    assert grade.grade_class(course, NAME, tmp_path, limits=SHORT) == {"html": 0}
    check_is_harmless((feedback.write_pages(course, NAME) / "html.html").read_text())
    formgrader = settings.copy()  # as its server extension does
    formgrader.HTMLExporter.template_name = "formgrade"
    formgrader.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=formgrader)
    filters = "{{ text | markdown2html | strip_files_prefix }}"
    template = exporter.environment.from_string(filters)
    check_is_harmless(template.render(text=HOSTILE_TEXT))


def page_text(page):
    """Return the text of a page without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))


def test_a_second_run_passes_over_what_it_knows(points, hand_ins, course, capsys):
    before = course.grades(NAME).read_text()
    assert grade.grade_class(course, NAME, hand_ins, limits=SHORT) == {}
    assert course.grades(NAME).read_text() == before


def test_grading_again_gives_the_same_marks(points, hand_ins, tmp_path, capsys):
    few = ["correct", "wrong", "endless-function", "exit-function", "stripped-metadata"]
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


def test_an_endless_task_leaves_time_for_those_behind_it(
    points, hand_ins, tmp_path, capsys
):
    copy_hand_in(hand_ins, "endless-first", tmp_path)
    limits = {"cell_seconds": 60, "check_seconds": 2, "wall_seconds": 50}
    again = grade.grade_class(course, NAME, tmp_path, again=True, limits=limits)
    assert again == {"endless-first": 15}


@pytest.fixture(scope="module")
def settings(course):
    """nbgrader's configuration for the class of the tests."""
    return load_settings(course)


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


def test_manual_marks_survive_grading_again(
    points, hand_ins, settings, tmp_path, capsys
):
    with open_gradebook(course) as book:
        grades = book.find_submission(NAME, "wrong").notebooks[0].grades
        chosen = next(g for g in grades if g.name == "size-convolution")
        chosen.manual_score, chosen.needs_manual_grade = 1.5, False
        book.db.commit()
    copy_hand_in(hand_ins, "wrong", tmp_path)
    assert grade.grade_class(course, NAME, tmp_path, again=True)["wrong"] == 19.5
    with open_gradebook(course) as book:
        assert read_marks(book, NAME, "wrong")["size-convolution"] == (1.5, 2.0, False)


def test_a_kernel_that_does_not_start_gives_no_marks(
    course, hand_ins, tmp_path, monkeypatch, capsys
):
    copy_hand_in(hand_ins, "correct", tmp_path, "late")
    broken = {"processes": 48, "memory_gb": -0.6}  # too little for any Python
    found = grade.grade_class(course, NAME, tmp_path, limits=broken)
    assert found == {"late": None}
    assert "not graded" in capsys.readouterr().out
    assert grade.grade_class(course, NAME, tmp_path) == {"late": 20}


def execute_here(course, notebook, limits):
    """Return the marks of a repaired hand-in that is run in this process."""
    source = assignments.read_stage(course, "source", NAME)
    repair(notebook, assignments.read_stage(course, "release", NAME))
    plan = grade.make_plan(
        course, {**assignments.read_limits(course, NAME), **limits}, True
    )
    put_verdicts(notebook, source, execute(notebook, source, plan))
    marks = [
        c.metadata.nbgrader.points
        for c in notebook.cells
        if "points" in c.metadata.get("nbgrader", {}) and not c.outputs
    ]
    return sum(marks)


def test_a_slow_start_costs_no_points(course, hand_ins, monkeypatch):
    start = Runner.start_new_kernel_client

    def start_slowly(self):
        time.sleep(SHORT["wall_seconds"] // 2 + 2)
        return start(self)

    monkeypatch.setattr(Runner, "start_new_kernel_client", start_slowly)
    limits = {"wall_seconds": SHORT["wall_seconds"] // 2}
    assert execute_here(course, Maker(course, NAME).right(), limits) == 20


def test_time_is_up_for_the_whole_notebook(course, tmp_path, capsys):
    maker = Maker(course, NAME)
    sleepy = maker.with_cell("import time\ntime.sleep(60)", 2)
    nbformat.write(sleepy, tmp_path / "sleepy_x.ipynb")
    limits = {"cell_seconds": 60, "wall_seconds": 12}
    assert grade.grade_class(course, NAME, tmp_path, limits=limits) == {"sleepy": 0}
    graded = course.notebook("autograded", NAME, "sleepy")
    assert "it took too much time" in graded.read_text()


def test_a_hand_in_that_holds_the_imports_up_has_no_points_but_marks(
    course, tmp_path, capsys
):
    maker = Maker(course, NAME)
    nbformat.write(maker.with_cell(DAWDLES), tmp_path / "slow_x.ipynb")
    found = grade.grade_class(course, NAME, tmp_path, limits=SHORT)
    assert found["slow"] is not None
    assert found["slow"] <= 20


def test_the_teacher_reads_whose_python_ended_early(points, course):
    rows = course.grades(NAME).read_text().splitlines()
    ended = {row.split(",")[0] for row in rows if "Python ended early" in row}
    assert {"exit-function", "exit-top", "fills-the-disk"} <= ended
    assert not {"correct", "wrong", "empty"} & ended


def wait_for(condition, seconds=60):
    """Wait until a condition holds, for as long as patience lasts."""
    patience = time.time() + seconds
    while not condition() and time.time() < patience:
        time.sleep(0.02)


def test_a_killed_batch_goes_on_where_it_was(course, hand_ins, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(4):
        copy_hand_in(hand_ins, "correct", folder, f"killed{number}")
    code = (
        "from pathlib import Path; from teach import course, grade;"
        f"own = course.Course(Path({str(course.folder)!r}));"
        f"grade.grade_class(own, {NAME!r}, {str(folder)!r})"
    )
    words = [sys.executable, "-c", code]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert "killed0" in first.stdout.readline()
    wait_for(lambda: kernels(first.pid))
    first.kill()
    first.wait()
    assert run_dirs(first.pid), "it was killed too late to leave anything"
    wait_for(lambda: not kernels(first.pid))
    assert kernels(first.pid) == 0
    check_second_run(words)
    assert run_dirs(first.pid) == []
    with sqlite3.connect(course.folder / "gradebook.db") as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)


def check_second_run(words):
    """Assert that a second run passes over the first file and grades the others."""
    second = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    lines = [line for line in second.stdout.splitlines() if "killed" in line]
    assert "unchanged" in lines[0]
    assert [" 20.0 of 20" in line for line in lines[1:]] == [True] * 3


BOMB = '{"cells": [{"cell_type": "code", "outputs": [' + "{}," * 10**6 + "{}]}]}"


def run_nothing(notebook, source, plan, core):
    """Stand for a run in which no cell is reached, and one that the machine loses."""
    if any("the machine" in cell.source for cell in notebook.cells):
        raise RuntimeError("it lost its power\nand more")
    return notebook, Run({}, True, "")


def test_a_batch_ends_with_its_marks_and_pages_whatever_one_file_does(
    course, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(grade, "run_apart", run_nothing)
    maker = Maker(course, NAME)
    (tmp_path / "bomb.ipynb").write_text(BOMB)
    for student, source in (
        ("half", "# \ud800"),
        ("\u0390" * 124, "1"),
        ("lost", "# the machine"),
        ("zoe", "1"),
    ):
        (tmp_path / student).mkdir()
        text = json.dumps(maker.with_cell(source))
        (tmp_path / student / "x.ipynb").write_text(text)
    found = grade.grade_class(course, NAME, tmp_path, limits=SHORT)
    assert len(found) == 5
    assert [student for student, points in found.items() if points is None] == ["lost"]
    said = capsys.readouterr().out
    assert "no marks  not graded: it lost its power\n" in said
    rows = course.grades(NAME).read_text(encoding="utf-8")
    assert all(f"\n{student}," in rows for student in found)
    pages = {page.stem for page in feedback.write_pages(course, NAME).glob("*.html")}
    assert {student for student in found if student != "lost"} <= pages


def test_pages_are_small_whatever_a_hand_in_shows(points, course):
    sizes = [page.stat().st_size for page in course.pages(NAME).glob("*.html")]
    assert len(sizes) > len(HAND_INS)
    assert max(sizes) <= feedback.LARGEST_PAGE


KERAS_ASSIGNMENTS = {"01_data_pipeline": 20, "03_blocks": 20, "04_unet": 16}


@pytest.mark.parametrize("name", KERAS_ASSIGNMENTS)
def test_solution_gets_full_marks_and_the_release_none(
    name, course, settings, tmp_path, capsys
):
    api, seed = open_nbgrader(course), read_seed(course)
    student = assignments.make_assignment(course, api, name, seed)
    maker = Maker(course, name)
    nbformat.write(student, tmp_path / "empty_x.ipynb")
    nbformat.write(maker.right(), tmp_path / "right_x.ipynb")
    found = grade.grade_class(course, name, tmp_path)
    assert found == {"empty": 0, "right": KERAS_ASSIGNMENTS[name]}
    with open_gradebook(course) as book:
        marks = read_marks(book, name, "right")
        empty = read_marks(book, name, "empty")
    assert sum(most for _, most, _ in marks.values()) == 20
    waits = [check for check, (*_, waits) in marks.items() if waits]
    assert waits == (["failures"] if name == "04_unet" else [])
    assert not any(waits for *_, waits in empty.values())


def test_grading_refuses_without_a_sandbox(monkeypatch):
    monkeypatch.setattr(sandbox, "try_out", lambda: "bwrap: no")
    with pytest.raises(SystemExit, match="gives no sandbox: bwrap: no"):
        grade.check_sandbox("")
    with pytest.raises(SystemExit, match="is not the sentence"):
        grade.check_sandbox("yes")
    assert grade.check_sandbox(grade.TRUST) is False


def test_trusted_students_are_graded_without_a_sandbox(
    course, hand_ins, tmp_path, capsys
):
    copy_hand_in(hand_ins, "correct", tmp_path, "trusted")
    assert grade.grade_class(course, NAME, tmp_path, sandboxed=False) == {"trusted": 20}
