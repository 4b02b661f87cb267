"""What is measured, read and cleaned around a hand-in, without a kernel."""

import copy
import json
import os
import socket
import subprocess
import sys
import tempfile

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from teach import course
from teach.assignments import read_source

pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(sys.platform != "linux", reason="grading needs Linux"),
]
pytest.importorskip("nbgrader", reason="needs teach/requirements.txt: make teacher")

from teach.checks import ANSWER_TYPE  # noqa: E402
from teach.execute import (  # noqa: E402
    TIMEOUT,
    MachineError,
    Plan,
    Runner,
    quick_cells,
    run_apart,
)
from teach.messages import plain_content  # noqa: E402
from teach.publish import (  # noqa: E402
    MOST_TAGS,
    ROOM,
    fit_outputs,
    safe_markdown,
    shorten_cells,
    withhold,
)
from teach.watch import (  # noqa: E402
    BLOCK,
    DISK,
    SOCKET,
    make_run_dir,
    read_log,
    size_of,
    unseen,
)


def test_files_in_folders_count_and_what_cannot_be_read_is_too_much(tmp_path):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    (tmp_path / "in" / "deeper" / "file").write_bytes(bytes(10**6))
    assert 10**6 < size_of(tmp_path) < 1.1 * 10**6
    assert size_of(tmp_path / "in" / "deeper" / "file") == float("inf")


def test_blocks_of_an_empty_file_count(tmp_path):
    (tmp_path / "file").touch()
    words = ["fallocate", "--keep-size", "--length", "1000000", tmp_path / "file"]
    subprocess.run(words, check=True)
    assert (tmp_path / "file").stat().st_size == 0
    assert size_of(tmp_path) > 10**6


def test_counting_stops_once_it_is_too_much(tmp_path):
    for number in range(3):
        with (tmp_path / str(number)).open("wb") as file:
            file.truncate(DISK)
    assert size_of(tmp_path) == DISK + BLOCK


def test_sockets_and_removed_files_that_are_open_count(tmp_path):
    before = unseen([os.getpid()], tmp_path)
    with (
        (tmp_path / "file").open("wb") as file,
        socket.socket(),
        open(os.memfd_create("unseen"), "wb") as memory,
    ):
        for written in (file, memory):
            written.write(bytes(10**6))
            written.flush()
        (tmp_path / "file").unlink()
        after = unseen([os.getpid()], tmp_path)
    more = [new - old for new, old in zip(after, before, strict=True)]
    assert SOCKET + 10**6 <= more[0] < SOCKET + 1.1 * 10**6
    assert 10**6 <= more[1] < 1.1 * 10**6


def test_a_log_that_is_no_file_is_not_read(tmp_path):
    log, secret = tmp_path / "kernel.log", tmp_path / "secret"
    secret.write_bytes(b"a\xff" * 1500)
    os.mkfifo(log)
    assert read_log(log) == "no kernel.log"
    log.unlink()
    log.symlink_to(secret)
    assert read_log(log) == "no kernel.log"
    assert read_log(secret) == "a\N{REPLACEMENT CHARACTER}" * 1000


def test_only_own_folders_of_dead_graders_are_removed(tmp_path, monkeypatch):
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
    make_run_dir(os.getpid())
    assert link.is_symlink()
    assert foreign.exists() == (os.getuid() == 0)
    assert not left.exists()


def test_a_page_of_tags_is_shown_as_text():
    assert "<div>" in safe_markdown("<div>" * 10)
    many = safe_markdown("<div>" * (MOST_TAGS + 1) + "<script>")
    assert many.count("&lt;div&gt;") == MOST_TAGS + 1
    assert "<div" not in many
    assert "<script" not in many


def test_trainings_have_more_time_than_answers_and_checks():
    quick = quick_cells(read_source(course.SOURCES / "04_unet.md", "any"))
    assert {"unet", "unet-check", "unet-output", "train", "train-check"} <= quick
    assert not quick & {"imports", "train-run", None}


def test_a_pasted_picture_stands_in_the_page_once_and_nothing_else_is_fetched():
    attachments = {"a b.png": {"image/png": "QUJD"}}
    text = "![tail](attachment:a%20b.png) ![again](attachment:a%20b.png)"
    shown = safe_markdown(
        text + " ![](attachment:lost.png) ![x](https://x.org/y.png)", attachments
    )
    assert shown.count('src="data:image/png;base64,QUJD"') == 1
    assert shown.count("src=") == 1
    assert 'alt="tail"' in shown
    forged = safe_markdown('<img src="pasted-0" onerror="x"> <img src="pasted-7">')
    assert "src" not in forged
    assert "onerror" not in forged


def test_an_output_that_quotes_a_hidden_check_in_colours_is_withheld():
    error = new_output(
        "error", ename="E", evalue="", traceback=["\x1b[31mans\x1b[0mwer = size(3)"]
    )
    assert "quoted" in withhold(error, {"answer = size(3)"}).text
    assert withhold(error, {"answer = size(4)"}) is error


def test_a_page_shows_no_more_than_it_has_room_for():
    cells = [new_code_cell("x", outputs=[new_output("stream", text="y" * (ROOM - 20))])]
    cells += copy.deepcopy(cells)
    cells[1]["id"] = "another"
    cells[0].metadata["nbgrader"] = {"grade_id": "size"}
    cells[0].source = "z" * 10_000
    notebook = new_notebook(cells=cells)
    fit_outputs(notebook)
    assert len(notebook.cells[0].outputs[0].text) == ROOM - 20
    assert notebook.cells[1].outputs[0].text == "(this output was too long to show)\n"
    shorten_cells(notebook)
    (cell,) = notebook.cells
    assert len(cell.source) < 2100
    assert cell.outputs == []


@pytest.mark.parametrize(
    "content",
    [
        {"data": {"image/png": 5, "text/plain": ["a"], "x": "y"}, "metadata": {}},
        {"data": {"image/png": '"><script>'}, "metadata": {}, "transient": {"a": 1}},
    ],
)
def test_what_a_kernel_sends_is_text_or_left_out(content):
    assert plain_content(content) == {"data": {}, "metadata": {}}


def test_errors_of_a_kernel_are_cut_and_can_be_written():
    error = {"ename": "E" * 10**6, "evalue": 5, "traceback": ["\ud800" * 10**5] * 100}
    kept = plain_content(error)
    json.dumps(kept).encode()
    assert len(kept["ename"]) == 200
    assert kept["evalue"] == "5"
    assert sum(map(len, kept["traceback"])) == 40_000
    "".join(kept["traceback"]).encode("utf-8")


@pytest.fixture
def runner():
    """A runner of two cells that has no kernel."""
    notebook = new_notebook(cells=[new_code_cell("first"), new_code_cell("second")])
    started = []
    made = Runner(notebook, notebook, Plan({"wall_seconds": 8}), "", None)
    made.tell_start = lambda: started.append("started")
    made.told = started
    made.clear_before_next_output = False
    return made


def message(kind, **content):
    """Return a message as a kernel sends it."""
    header = {"msg_type": kind, "msg_id": "1"}
    return {"msg_type": kind, "header": header, "content": content, "parent_header": {}}


def show(runner, text, kind="display_data"):
    """Let a cell display an answer under an id."""
    data, transient = {ANSWER_TYPE: text}, {"display_id": "mine"}
    cell = runner.nb.cells[1]
    content = {"data": data, "metadata": {}, "transient": transient}
    runner.process_message(message(kind, **content), cell, 1)


def test_an_answer_counts_at_the_end_of_its_cell(runner):
    show(runner, "1")
    reply = {"content": {"status": "ok"}}
    cell = runner.nb.cells[1]
    runner.on_cell_executed(cell=cell, cell_index=1, execute_reply=reply)
    show(runner, "2", "update_display_data")
    show(runner, "3")
    assert runner.finished == {1: "1"}
    assert cell.outputs[0].data == {ANSWER_TYPE: "1"}


def test_a_message_that_is_none_is_passed_over(runner):
    cell = runner.nb.cells[1]
    for kind in ("comm_open", "stream", "display_data", "nonsense"):
        runner.process_message(message(kind), cell, 1)
    assert cell.outputs == []


def test_imports_that_a_machine_is_too_slow_for_are_its_failure(runner):
    late = {"status": "error", "ename": TIMEOUT, "evalue": "", "traceback": []}
    about = {"cell": runner.nb.cells[0], "cell_index": 0}
    with pytest.raises(MachineError, match="took more than 4 s"):
        runner.on_cell_executed(execute_reply={"content": late}, **about)
    assert not runner.started
    runner.on_cell_executed(execute_reply={"content": {"status": "ok"}}, **about)
    assert runner.told == ["started"]


def run_by(tmp_path, monkeypatch, code):
    """Return what `run_apart` makes of a process that does this instead of running."""
    (tmp_path / "teach").mkdir()
    (tmp_path / "teach" / "execute.py").write_text(f"import os, sys\n{code}")
    monkeypatch.setattr("teach.execute.ROOT", tmp_path)
    notebook = new_notebook()
    return run_apart(notebook, notebook, Plan({"wall_seconds": 9}))


def test_a_process_that_dies_of_a_hand_in_is_the_hand_ins_own_doing(
    tmp_path, monkeypatch
):
    code = "sys.stdout.write('started\\n'); sys.stdout.flush(); os.abort()"
    _, run = run_by(tmp_path, monkeypatch, code)
    assert run == ({}, True, "it sent more than the grader can hold")


def test_a_process_that_dies_before_the_hand_in_began_gives_no_marks(
    tmp_path, monkeypatch
):
    with pytest.raises(MachineError, match="the runner ended"):
        run_by(tmp_path, monkeypatch, "sys.exit(3)")
