"""A batch ends with its marks, and what the machine does is not the student's fault."""

import json
import os
import socket
import sys
import tempfile
import time

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_output

from teach import assignments, feedback, grade, sandbox
from teach.execute import Run, Runner, execute
from teach.repair import repair
from teach.verdict import put_verdicts
from tests.teaching.hand_ins import DAWDLES, NAME, SHORT, Maker, skip_without_sandbox

pytestmark = [pytest.mark.grading, pytest.mark.slow]
skip_without_sandbox()


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


def test_a_slow_start_costs_no_points(course, monkeypatch):
    start, limits = Runner.start_new_kernel_client, {"notebook_seconds": 10}

    def start_slowly(self):
        time.sleep(limits["notebook_seconds"] + 2)
        return start(self)

    monkeypatch.setattr(Runner, "start_new_kernel_client", start_slowly)
    limits["patience"] = 1
    assert execute_here(course, Maker(course, NAME).right(), limits) == 20


@pytest.fixture(scope="module")
def waiting(course, tmp_path_factory):
    """The marks of two hand-ins that only wait, graded side by side."""
    maker, folder = Maker(course, NAME), tmp_path_factory.mktemp("waiting")
    sleepy = maker.with_cell("import time\ntime.sleep(60)", 2)
    nbformat.write(sleepy, folder / "sleepy.ipynb")
    nbformat.write(maker.with_cell(DAWDLES), folder / "slow.ipynb")
    limits = {"cell_seconds": 60, "notebook_seconds": 12, "patience": 2}
    return grade.grade_class(course, NAME, folder, limits=limits)


def test_time_is_up_for_the_whole_notebook(waiting, course):
    assert waiting["sleepy"] == 0
    graded = course.notebook("autograded", NAME, "sleepy")
    assert "it took too much time" in graded.read_text()


def test_a_hand_in_cannot_hold_itself_without_marks(waiting):
    assert waiting["slow"] == 0


BOMB = '{"cells": [{"cell_type": "code", "outputs": [' + "{}," * 10**6 + "{}]}]}"


def run_nothing(self, notebook, source, plan):
    """Stand for a run in which no cell is reached, and one that the machine loses."""
    if any("the machine" in cell.source for cell in notebook.cells):
        raise RuntimeError("it lost its power\nand more")
    return notebook, Run({}, True, "")


def test_a_batch_ends_with_its_marks_and_pages_whatever_one_file_does(
    course, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(grade.Apart, "run", run_nothing)
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


def test_grading_refuses_without_a_sandbox(monkeypatch):
    monkeypatch.setattr(sandbox, "try_out", lambda: "bwrap: no")
    with pytest.raises(SystemExit, match="gives no sandbox: bwrap: no"):
        grade.check_sandbox("")
    with pytest.raises(SystemExit, match="is not the sentence"):
        grade.check_sandbox("yes")
    assert grade.check_sandbox(grade.TRUST) is False


def test_grading_refuses_where_a_sandbox_shows_the_class(tmp_path, monkeypatch):
    grade.check_places(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "python"))
    (tmp_path / "link").symlink_to(tmp_path / "python")
    for inside in (
        "/usr/src/course",
        tmp_path / "python" / "course",
        tmp_path / "link",
    ):
        with pytest.raises(SystemExit, match="Move .* out of it"):
            grade.check_places(tmp_path, inside)


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
    from nbgrader.server_extensions.formgrader import handlers

    release = course.notebook("release", NAME)
    notebook = nbformat.read(release, as_version=4)
    notebook.cells.append(new_markdown_cell(HOSTILE_TEXT))
    nbformat.write(notebook, tmp_path / "html.ipynb")
    assert grade.grade_class(course, NAME, tmp_path, limits=SHORT) == {"html": 0}
    check_is_harmless((feedback.write_pages(course, NAME) / "html.html").read_text())
    formgrader = settings.copy()  # as its server extension does
    formgrader.HTMLExporter.template_name = "formgrade"
    formgrader.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=formgrader)
    filters = "{{ text | markdown2html | strip_files_prefix }}"
    template = exporter.environment.from_string(filters)
    check_is_harmless(template.render(text=HOSTILE_TEXT))


RELINKS = """
import glob, os, socket
from ipykernel.connect import get_connection_info
for path in glob.glob(get_connection_info(unpack=True)["ip"] + "-*"):
    os.unlink(path)
    os.symlink({host!r}, path)
for number in map(int, os.listdir("/proc/self/fd")):
    try:
        line = socket.socket(fileno=os.dup(number))
        line.getpeername()
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        continue
print("relinked")
"""


def test_a_link_in_the_place_of_a_socket_leads_to_none_of_this_machine(course):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as host:
        path = f"{folder}/host"
        host.bind(path)
        host.listen()
        os.chmod(folder, 0o755)
        notebook = Maker(course, NAME).with_cell(RELINKS.format(host=path), 2)
        execute_here(course, notebook, SHORT)
        host.setblocking(False)
        with pytest.raises(BlockingIOError):
            host.accept()


def test_colours_and_signs_make_no_page_too_large(course, tmp_path, monkeypatch):
    def shout(apart, notebook, source, plan):
        text = "\x1b[1m<\x1b[38;2;1;2;3m&" * 10_000
        lines = {"ename": "E", "evalue": "", "traceback": [text]}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [new_output("error", **lines)]
        return notebook, Run({}, False, "")

    monkeypatch.setattr(grade.Apart, "run", shout)
    nbformat.write(Maker(course, NAME).with_cell("1"), tmp_path / "loud.ipynb")
    grade.grade_class(course, NAME, tmp_path, limits=SHORT)
    page = feedback.write_pages(course, NAME) / "loud.html"
    assert page.stat().st_size <= feedback.LARGEST_PAGE


def test_a_page_that_is_too_large_even_when_shortened_is_refused(monkeypatch):
    writer = feedback.Writer()
    monkeypatch.setattr(writer, "make", lambda *about: "x" * 2_000_000)
    with pytest.raises(ValueError, match="more than 1000000 bytes"):
        writer.make_small("course", "name", "student")


def test_a_page_that_takes_too_long_is_shortened_and_stops_no_other(
    course, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(grade.Apart, "run", run_nothing)
    monkeypatch.setattr(feedback, "PAGE_SECONDS", 20)
    maker = Maker(course, NAME)
    slow = maker.with_cell("1")
    slow.cells += [new_markdown_cell(r"\begin{a}" * 1111) for _ in range(190)]
    nbformat.write(slow, tmp_path / "tardy.ipynb")
    nbformat.write(maker.with_cell("1"), tmp_path / "swift.ipynb")
    assert len(grade.grade_class(course, NAME, tmp_path, limits=SHORT)) == 2
    pages = {page.stem for page in feedback.write_pages(course, NAME).glob("*.html")}
    assert {"tardy", "swift"} <= pages
    said = capsys.readouterr().out
    assert "tardy.html shortened: it took more than 20 s\n" in said
    assert "swift.html\n" in said
