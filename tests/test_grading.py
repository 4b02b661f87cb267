"""The grading pipeline on made-up hand-ins: exact marks, whatever is handed in."""

import json
import os
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

from teach import course, sandbox

pytestmark = [pytest.mark.grading, pytest.mark.slow]
if find_spec("nbgrader") is None or find_spec("jupytext") is None:
    pytest.skip("needs teach/requirements.txt", allow_module_level=True)
if sys.platform != "linux" or sandbox.try_out():
    pytest.skip(f"no sandbox: {sandbox.try_out()}", allow_module_level=True)

from teach import assignments, feedback, grade  # noqa: E402
from teach.checks import hidden_lines, is_hidden  # noqa: E402
from teach.wrong import read_wrong_answers  # noqa: E402
from tests.hand_ins import DAWDLES, Maker, broken_files, make_table  # noqa: E402

NAME = "02_transposed_convolution"
SHORT = {"cell_seconds": 2, "wall_seconds": 40}


@pytest.fixture(scope="module")
def class_folder(tmp_path_factory):
    """A class of its own, with its own seed and assignment 2 made."""
    folder = tmp_path_factory.mktemp("class")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "CLASS_FOLDER", folder)
        patch.setattr(course, "SEED_FILE", folder / "class_seed")
        (folder / "class_seed").write_text("a class of the tests")
        api = course.open_nbgrader(course.load_settings())
        assignments.make_assignment(api, NAME, course.read_seed())
        yield folder


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
def table(class_folder, listener):
    """Every made-up hand-in with its expected points."""
    source = class_folder / "source" / NAME / f"{NAME}.ipynb"
    maker = Maker(class_folder / "release" / NAME / f"{NAME}.ipynb", source)
    wrong = read_wrong_answers(NAME)[0]
    gradebook = str(class_folder / "gradebook.db")
    return make_table(
        maker, wrong, source=str(source), gradebook=gradebook, port=listener[0]
    )


@pytest.fixture(scope="module")
def hand_ins(class_folder, table):
    """The folder of the hand-ins, as a learning platform would fill it."""
    folder = class_folder / "handins" / "2"
    folder.mkdir(parents=True)
    for number, (name, (notebook, _)) in enumerate(table.items()):
        text = json.dumps(notebook)
        (folder / f"{name}_{number}_77_{NAME}.ipynb").write_text(text)
    for name, content in broken_files().items():
        (folder / f"{name}_99_assignsubmission_file_x.ipynb").write_bytes(content)
    with (folder / "too-large_1_2_x.ipynb").open("wb") as file:
        file.truncate(200_000_000)
    return folder


@pytest.fixture(scope="module")
def points(class_folder, hand_ins):
    """The marks of one run over all hand-ins."""
    return grade.grade_class(NAME, hand_ins, limits=SHORT)


def names_of_table():
    """Return the names of the table without making it."""

    class Anything:
        def __getattr__(self, name):
            return lambda *a, **k: Anything()

        def __iter__(self):
            return iter(())

        def __deepcopy__(self, memo):
            return self

    listed = make_table(Anything(), None, source="", gradebook="", port=0)
    return list(listed)


@pytest.mark.parametrize("name", names_of_table())
def test_hand_in_gets_exactly_its_points(name, points, table):
    assert points[name] == table[name][1]


@pytest.mark.parametrize("name", [*broken_files(), "too-large"])
def test_what_is_no_notebook_gets_no_points_and_a_remark(name, points, class_folder):
    assert points[name] == 0
    known = json.loads((class_folder / "graded_2.json").read_text())
    assert (
        "no Jupyter notebook" in known[name]["remark"] or "MB" in known[name]["remark"]
    )


def test_the_batch_reached_everybody(points, table):
    assert len(points) == len(table) + len(broken_files()) + 1
    assert None not in points.values()


def test_nobody_was_called(points, listener):
    assert listener[1] == []


def test_no_hand_in_wrote_into_the_gradebook(points, class_folder):
    with sqlite3.connect(class_folder / "gradebook.db") as book:
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


def test_whoever_fills_the_disk_is_stopped(points, class_folder):
    graded = class_folder / "autograded" / "fills-the-disk" / NAME / f"{NAME}.ipynb"
    assert "it wrote too much to the disk" in graded.read_text()


def test_files_in_folders_count_and_what_cannot_be_read_is_too_much(tmp_path):
    from teach.hooks import size_of

    (tmp_path / "in" / "deeper").mkdir(parents=True)
    (tmp_path / "in" / "deeper" / "file").write_bytes(bytes(10**6))
    assert 10**6 < size_of(tmp_path) < 1.1 * 10**6
    assert size_of(tmp_path / "in" / "deeper" / "file") == float("inf")


def test_blocks_of_an_empty_file_count(tmp_path):
    from teach.hooks import size_of

    (tmp_path / "file").touch()
    words = ["fallocate", "--keep-size", "--length", "1000000", tmp_path / "file"]
    subprocess.run(words, check=True)
    assert (tmp_path / "file").stat().st_size == 0
    assert size_of(tmp_path) > 10**6


def test_counting_stops_once_it_is_too_much(tmp_path):
    from teach.hooks import BLOCK, DISK, size_of

    for number in range(3):
        with (tmp_path / str(number)).open("wb") as file:
            file.truncate(DISK)
    assert size_of(tmp_path) == DISK + BLOCK


def test_a_log_that_is_no_file_is_not_read(tmp_path):
    from teach.hooks import read_log

    log, secret = tmp_path / "kernel.log", tmp_path / "secret"
    secret.write_bytes(b"a\xff" * 1500)
    os.mkfifo(log)
    assert read_log(log) == "no kernel.log"
    log.unlink()
    log.symlink_to(secret)
    assert read_log(log) == "no kernel.log"
    assert read_log(secret) == "a\N{REPLACEMENT CHARACTER}" * 1000


def test_only_own_folders_of_dead_graders_are_removed(tmp_path, monkeypatch):
    from teach.hooks import make_run_dir

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "home").mkdir()
    link, left, foreign = (tmp_path / f"grading-999999999-{name}" for name in "abc")
    link.symlink_to(tmp_path / "home")
    left.mkdir()
    foreign.mkdir()
    if os.getuid() == 0:
        os.chown(foreign, 1234, 1234)
    else:
        foreign.rmdir()
    make_run_dir()
    assert link.is_symlink()
    assert foreign.exists() == (os.getuid() == 0)
    assert not left.exists()


def test_autograded_notebooks_hold_no_html(points, class_folder):
    for path in class_folder.glob(f"autograded/*/{NAME}/{NAME}.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                assert set(output.get("data", {})) <= {"text/plain", "image/png"}


def secrets_of(class_folder):
    """Return the lines of hidden checks that no student may see."""
    source = class_folder / "source" / NAME / f"{NAME}.ipynb"
    release = (class_folder / "release" / NAME / f"{NAME}.ipynb").read_text()
    cells = [c for c in nbformat.read(source, as_version=4).cells if is_hidden(c)]
    lines = {line for cell in cells for line in hidden_lines(cell.source)}
    return {line for line in lines if json.dumps(line)[1:-1] not in release}


def test_feedback_pages_show_no_hidden_check(points, class_folder, capsys):
    pages = sorted(feedback.write_pages(NAME).glob("*.html"))
    assert len(pages) == len(points)
    secret = secrets_of(class_folder)
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


def test_html_of_a_hand_in_runs_nowhere(class_folder, settings, tmp_path, capsys):
    from nbconvert.exporters import HTMLExporter
    from nbformat.v4 import new_markdown_cell
    from nbgrader.server_extensions.formgrader import handlers

    release = class_folder / "release" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(release, as_version=4)
    notebook.cells.append(new_markdown_cell(HOSTILE_TEXT))
    nbformat.write(notebook, tmp_path / "html_x.ipynb")
    assert grade.grade_class(NAME, tmp_path, limits=SHORT) == {"html": 0}
    check_is_harmless((feedback.write_pages(NAME) / "html.html").read_text())
    formgrader = settings.copy()  # as its server extension does
    formgrader.HTMLExporter.template_name = "formgrade"
    formgrader.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=formgrader)
    filters = "{{ text | markdown2html | strip_files_prefix }}"
    template = exporter.environment.from_string(filters)
    check_is_harmless(template.render(text=HOSTILE_TEXT))


def test_a_page_of_tags_is_shown_as_text():
    from teach.hooks import MOST_TAGS, safe_markdown

    assert "<div>" in safe_markdown("<div>" * 10)
    many = safe_markdown("<div>" * (MOST_TAGS + 1) + "<script>")
    assert many.count("&lt;div&gt;") == MOST_TAGS + 1
    assert "<div" not in many
    assert "<script" not in many


def page_text(page):
    """Return the text of a page without its tags."""
    import html
    import re

    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))


def test_a_second_run_passes_over_what_it_knows(points, hand_ins, class_folder, capsys):
    before = (class_folder / "grades_2.csv").read_text()
    assert grade.grade_class(NAME, hand_ins, limits=SHORT) == {}
    assert (class_folder / "grades_2.csv").read_text() == before


def test_grading_again_gives_the_same_marks(points, hand_ins, tmp_path, capsys):
    few = ["correct", "wrong", "endless-function", "exit-function", "stripped-metadata"]
    for name in few:
        file = next(hand_ins.glob(f"{name}_*"))
        (tmp_path / file.name).write_bytes(file.read_bytes())
    again = grade.grade_class(NAME, tmp_path, again=True, limits=SHORT)
    assert again == {name: points[name] for name in few}
    rows = (course.CLASS_FOLDER / "grades_2.csv").read_text().splitlines()
    listed = {row.split(",")[0] for row in rows}
    assert set(points) <= listed, "a folder with few files lost the others"


def test_a_hand_in_whose_grading_was_cut_off_has_no_total(points, class_folder):
    from teach.gradebook import open_gradebook, write_totals

    with open_gradebook(course.load_settings()) as book:
        book.add_student("half")
        book.add_submission(NAME, "half")
        write_totals(book)
        book.remove_student("half")
    rows = (class_folder / "grades.csv").read_text().splitlines()
    assert "half,,0" in rows
    assert "correct,20.0,20.0" in rows


def test_an_endless_task_leaves_time_for_those_behind_it(
    points, hand_ins, tmp_path, capsys
):
    file = next(hand_ins.glob("endless-first_*"))
    (tmp_path / file.name).write_bytes(file.read_bytes())
    limits = {"cell_seconds": 60, "check_seconds": 2, "wall_seconds": 50}
    again = grade.grade_class(NAME, tmp_path, again=True, limits=limits)
    assert again == {"endless-first": 15}


@pytest.fixture(scope="module")
def settings(class_folder):
    """nbgrader's configuration for the class of the tests."""
    return course.load_settings()


def test_every_hook_is_in_the_pipeline_and_enabled(settings, class_folder):
    from nbgrader.converters import Autograde, GenerateFeedback

    api = course.open_nbgrader(settings)
    with_hooks = {"RestoreCells": 0, "SafeExecute": 0, "HideHiddenTests": 0}
    for make in (Autograde, GenerateFeedback):
        converter = make(coursedir=api.coursedir, parent=api)
        converter.exporter = converter.exporter_class(
            parent=converter, config=converter.config
        )
        lists = [converter.preprocessors]
        if make is Autograde:
            lists = [
                converter.sanitize_preprocessors,
                converter.autograde_preprocessors,
            ]
        for hooks in lists:
            for hook in hooks:
                converter.exporter.register_preprocessor(hook)
        for hook in converter.exporter._preprocessors:
            name = type(hook).__name__
            if name in with_hooks:
                assert hook.enabled, name
                assert hook.course == str(class_folder)
                with_hooks[name] += 1
    assert set(with_hooks.values()) == {1}


def test_manual_marks_survive_grading_again(
    points, hand_ins, settings, tmp_path, capsys
):
    from teach.gradebook import open_gradebook, read_marks

    with open_gradebook(settings) as book:
        grades = book.find_submission(NAME, "wrong").notebooks[0].grades
        chosen = next(g for g in grades if g.name == "size-convolution")
        chosen.manual_score, chosen.needs_manual_grade = 1.5, False
        book.db.commit()
    file = next(hand_ins.glob("wrong_*"))
    (tmp_path / file.name).write_bytes(file.read_bytes())
    assert grade.grade_class(NAME, tmp_path, again=True)["wrong"] == 19.5
    with open_gradebook(settings) as book:
        assert read_marks(book, NAME, "wrong")["size-convolution"] == (1.5, 2.0, False)


def test_a_kernel_that_does_not_start_gives_no_marks(
    class_folder, hand_ins, tmp_path, monkeypatch, capsys
):
    file = next(hand_ins.glob("correct_*"))
    (tmp_path / f"late_{file.name}").write_bytes(file.read_bytes())
    broken = {"processes": 48, "memory_gb": -0.6}  # too little for any Python
    found = grade.grade_class(NAME, tmp_path, limits=broken)
    assert found == {"late": None}
    assert "not graded" in capsys.readouterr().out
    assert grade.grade_class(NAME, tmp_path) == {"late": 20}


def test_a_slow_start_costs_no_points(
    class_folder, hand_ins, tmp_path, monkeypatch, capsys
):
    from teach.hooks import SafeExecute

    start = SafeExecute.start_new_kernel_client

    def start_slowly(self):
        time.sleep(SHORT["wall_seconds"] // 2 + 2)
        return start(self)

    monkeypatch.setattr(SafeExecute, "start_new_kernel_client", start_slowly)
    file = next(hand_ins.glob("correct_*"))
    (tmp_path / f"awaited_{file.name}").write_bytes(file.read_bytes())
    limits = {"wall_seconds": SHORT["wall_seconds"] // 2}
    assert grade.grade_class(NAME, tmp_path, limits=limits) == {"awaited": 20}


def test_time_is_up_for_the_whole_notebook(class_folder, tmp_path, capsys):
    source = class_folder / "source" / NAME / f"{NAME}.ipynb"
    maker = Maker(class_folder / "release" / NAME / f"{NAME}.ipynb", source)
    sleepy = maker.with_cell("import time\ntime.sleep(60)", 2)
    nbformat.write(sleepy, tmp_path / "sleepy_x.ipynb")
    limits = {"cell_seconds": 60, "wall_seconds": 12}
    assert grade.grade_class(NAME, tmp_path, limits=limits) == {"sleepy": 0}
    graded = class_folder / "autograded" / "sleepy" / NAME / f"{NAME}.ipynb"
    assert "it took too much time" in graded.read_text()


def test_imports_that_take_too_long_give_no_marks(class_folder, tmp_path, capsys):
    source = class_folder / "source" / NAME / f"{NAME}.ipynb"
    maker = Maker(class_folder / "release" / NAME / f"{NAME}.ipynb", source)
    nbformat.write(maker.with_cell(DAWDLES), tmp_path / "slow_x.ipynb")
    assert grade.grade_class(NAME, tmp_path, limits=SHORT) == {"slow": None}
    said = capsys.readouterr().out
    assert "the imports took more than 20 s" in said
    assert "Without marks: slow. Give the same command again." in said


def test_the_teacher_reads_whose_python_ended_early(points, class_folder):
    rows = (class_folder / "grades_2.csv").read_text().splitlines()
    ended = {row.split(",")[0] for row in rows if "Python ended early" in row}
    assert {"exit-function", "exit-top", "fills-the-disk"} <= ended
    assert not {"correct", "wrong", "empty"} & ended


def test_a_killed_batch_goes_on_where_it_was(class_folder, hand_ins, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    content = next(hand_ins.glob("correct_*")).read_bytes()
    for number in range(4):
        (folder / f"killed{number}_x.ipynb").write_bytes(content)
    code = (
        "from pathlib import Path; from teach import course, grade;"
        f"course.CLASS_FOLDER = Path({str(class_folder)!r});"
        f"grade.grade_class({NAME!r}, {str(folder)!r})"
    )
    words = [sys.executable, "-c", code]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=course.ROOT)
    assert "killed0" in first.stdout.readline()
    patience = time.time() + 60
    while not kernels(first.pid) and time.time() < patience:
        time.sleep(0.02)
    first.kill()
    first.wait()
    assert run_dirs(first.pid), "it was killed too late to leave anything"
    while kernels(first.pid) and time.time() < patience:
        time.sleep(0.02)
    assert kernels(first.pid) == 0
    second = subprocess.run(words, capture_output=True, text=True, cwd=course.ROOT)
    lines = [line for line in second.stdout.splitlines() if "killed" in line]
    assert "unchanged" in lines[0]
    assert [" 20.0 of 20" in line for line in lines[1:]] == [True] * 3
    assert run_dirs(first.pid) == []
    with sqlite3.connect(class_folder / "gradebook.db") as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)


KERAS_ASSIGNMENTS = {"01_data_pipeline": 20, "03_blocks": 20, "04_unet": 16}


@pytest.mark.parametrize("name", KERAS_ASSIGNMENTS)
def test_solution_gets_full_marks_and_the_release_none(
    name, class_folder, settings, tmp_path, capsys
):
    from teach.gradebook import open_gradebook, read_marks

    api = course.open_nbgrader(course.load_settings())
    student = assignments.make_assignment(api, name, course.read_seed())
    maker = Maker(
        class_folder / "release" / name / f"{name}.ipynb",
        class_folder / "source" / name / f"{name}.ipynb",
    )
    nbformat.write(student, tmp_path / "empty_x.ipynb")
    nbformat.write(maker.right(), tmp_path / "right_x.ipynb")
    found = grade.grade_class(name, tmp_path)
    assert found == {"empty": 0, "right": KERAS_ASSIGNMENTS[name]}
    with open_gradebook(settings) as book:
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
    class_folder, hand_ins, tmp_path, capsys
):
    file = next(hand_ins.glob("correct_*"))
    (tmp_path / "trusted_x.ipynb").write_bytes(file.read_bytes())
    assert grade.grade_class(NAME, tmp_path, sandboxed=False) == {"trusted": 20}
