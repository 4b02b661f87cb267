"""What is measured, read and cleaned around a hand-in, without a kernel."""

import asyncio
import copy
import html
import os
import queue
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import zmq
from nbformat.v4 import new_code_cell, new_notebook, new_output

from teach import course
from teach.assignments import read_source

pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(sys.platform != "linux", reason="grading needs Linux"),
]
pytest.importorskip("nbgrader", reason="needs teach/requirements.txt: make teacher")

from teach.apart import Apart  # noqa: E402
from teach.execute import (  # noqa: E402
    TIMEOUT,
    MachineError,
    Plan,
    Runner,
    bounded_context,
    quick_cells,
)
from teach.publish import (  # noqa: E402
    LONGEST_RENDERED,
    ROOM,
    fit_outputs,
    safe_markdown,
    shorten_cells,
    withhold,
)
from teach.watch import (  # noqa: E402
    INODE,
    LIBRARIES,
    Usage,
    Watch,
    largest_connection,
    largest_socket,
    make_run_dir,
    measure,
    read_log,
    usage_of,
    waiting,
    written,
)


def test_removed_files_and_empty_ones_count_as_memory():
    room = tempfile.TemporaryDirectory(dir="/dev/shm")
    with room, tempfile.TemporaryFile(dir="/dev/shm") as removed:
        before = written("/", ["dev/shm"])
        removed.write(bytes(10**6))
        removed.flush()
        for name in "abc":
            open(f"{room.name}/{name}", "w").close()
        more = written("/", ["dev/shm"]) - before
    assert 10**6 + 3 * INODE <= more < 1.1 * 10**6


def test_an_open_socket_counts_with_the_most_that_it_can_hold():
    before = usage_of("/proc/self")
    with socket.socket():
        after = usage_of("/proc/self")
    assert after.memory - before.memory >= largest_socket() >= 425_984


def test_a_connection_counts_at_both_ends_and_a_listener_not():
    before = waiting("/proc/self/net/tcp")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0],
    ):
        after = waiting("/proc/self/net/tcp")
    assert after - before >= 2 * largest_connection() >= 10**6
    assert waiting("/proc/nothing") == 0


def test_seconds_of_children_that_ended_count():
    before = usage_of("/proc/self").seconds
    child = os.fork()
    if not child:
        while os.times().user < 0.2:  # the child's own
            pass
        os._exit(0)
    os.waitpid(child, 0)
    assert 0.15 < usage_of("/proc/self").seconds - before < 2


HIDES = """
import ctypes, os, sys, threading, time

def hold():
    block = bytearray(os.urandom(1)) * 10**8
    print(len(block), flush=True)
    time.sleep(60)

libc = ctypes.CDLL(None)
libc.prctl(15, bytes([255, 254]))  # PR_SET_NAME, which is no UTF-8
threading.Thread(target=hold).start()
libc.pthread_exit(None)  # the first thread ends, the other one holds on
"""


def test_a_process_with_a_strange_name_or_without_its_first_thread_counts():
    command = [sys.executable, "-c", HIDES]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        deadline = time.monotonic() + 10
        status = Path(f"/proc/{process.pid}/status")
        while b"zombie" not in status.read_bytes() and time.monotonic() < deadline:
            time.sleep(0.01)
        found = [usage_of(f"/proc/{process.pid}", exact) for exact in (False, True)]
        process.kill()
    assert min(usage.memory for usage in found) > 10**8


def test_what_cannot_be_watched_is_killed(monkeypatch):
    def hide(root, folders, exact=False):
        raise PermissionError

    killed = []
    monkeypatch.setattr("teach.watch.measure", hide)
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    watch = Watch(5, {"memory_gb": 1, "processes": 5}, "")
    watch.run()
    assert killed == [5]
    assert watch.reason == "it hid what it took"


def test_a_sandbox_is_measured_by_its_own_list_of_processes(tmp_path):
    (tmp_path / "proc").mkdir()
    for name in (str(os.getpid()), "999999999", "meminfo"):
        (tmp_path / "proc" / name).symlink_to(f"/proc/{name}")
    found, own = measure(tmp_path, []), usage_of("/proc/self")
    assert found.processes == 1
    assert found.seconds == pytest.approx(own.seconds, abs=0.5)
    assert found.memory == pytest.approx(own.memory, rel=0.2)


def test_memory_that_processes_share_counts_once(tmp_path):
    block = bytearray(os.urandom(1)) * (2 * 10**8)
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.read(told, 1)
        os._exit(0)
    (tmp_path / "proc").mkdir()
    for process in (os.getpid(), child):
        (tmp_path / "proc" / str(process)).symlink_to(f"/proc/{process}")
    found, exact = measure(tmp_path, []), measure(tmp_path, [], exact=True)
    os.write(tell, b"n")
    os.waitpid(child, 0)
    assert found.memory - exact.memory > 1.5 * 10**8
    assert exact.memory > len(block)


@pytest.mark.parametrize("share", [0.9, 1.1, 4.1])
def test_a_watch_looks_closely_only_where_that_decides(share, monkeypatch):
    looks = []

    def look(root, folders, exact=False):
        looks.append(exact)
        return Usage(0, int(share * (10**9 + LIBRARIES)), 1)

    monkeypatch.setattr("teach.watch.measure", look)
    Watch(5, {"memory_gb": 1, "processes": 5}, "").look()
    assert looks == ([False, True] if share == 1.1 else [False])


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (Usage(9, 10**9 + LIBRARIES, 5), ""),
        (Usage(9, 10**9 + LIBRARIES + 1, 5), "it took too much memory"),
        (Usage(9, 0, 6), "it started too many processes"),
        (Usage(11, 0, 1), "it took too much time"),
    ],
)
def test_a_watch_says_what_is_too_much(usage, reason):
    watch = Watch(0, {"memory_gb": 1, "processes": 5}, "")
    watch.seconds = 1
    watch.begin(9, 3)
    watch.seconds = usage.seconds
    assert watch.too_much(usage) == reason


def test_who_only_waits_has_more_time_by_the_clock():
    watch = Watch(0, {"memory_gb": 1, "processes": 5}, "")
    watch.begin(-1, -1)
    watch.most = 1
    assert watch.too_much(Usage(0, 0, 1)) == ""
    watch.begin(1, -1)
    assert watch.too_much(Usage(0, 0, 1)) == "it took too much time"


def test_the_end_of_a_log_is_read_as_text(tmp_path):
    log = tmp_path / "kernel.log"
    assert read_log(log) == "no kernel.log"
    log.write_bytes(b"a\xff" * 1500)
    assert read_log(log) == "a\N{REPLACEMENT CHARACTER}" * 1000


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


@pytest.mark.parametrize("unit", ["<div>", "\\(", "\\begin{a}", "<<b><", "&"])
def test_long_text_that_takes_long_to_render_is_shown_as_it_is(unit):
    assert "<pre" not in safe_markdown(unit * 10)
    text = unit * LONGEST_RENDERED + "<script>"
    start = time.monotonic()
    assert safe_markdown(text) == f"<pre>{html.escape(text)}</pre>"
    assert time.monotonic() - start < 1


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
    again = "[1]: attachment:a%20b.png\n\n" + "![1] " * 9 + '<img src="pasted-0">' * 9
    assert safe_markdown(again, attachments).count("QUJD") == 1
    forged = safe_markdown('<img src="pasted-0" onerror="x"> <img src="pasted-7">')
    assert "src" not in forged
    assert "onerror" not in forged


def test_an_output_that_quotes_a_hidden_check_in_colours_is_withheld():
    error = new_output(
        "error", ename="E", evalue="", traceback=["\x1b[31mans\x1b[0mwer = size(3)"]
    )
    assert "quoted" in withhold(error, {"answer = size(3)"}).text
    assert withhold(error, {"answer = size(4)"}) is error
    spaced = new_output("stream", text="'answer  =\\n  size(3)'")
    assert "quoted" in withhold(spaced, {"answer = size(3)"}).text


def test_a_page_shows_no_more_than_it_has_room_for():
    cells = [new_code_cell("x", outputs=[new_output("stream", text="y" * (ROOM - 20))])]
    cells += copy.deepcopy(cells)
    cells[1]["id"] = "another"
    cells[0].metadata["nbgrader"] = {"grade_id": "size"}
    cells[0].source = "z" * 10_000
    notebook = new_notebook(cells=cells)
    loud = new_output("stream", text="\x1b[1m<" * (ROOM // 100))
    cells.append(new_code_cell("x", outputs=[loud]))
    notebook = new_notebook(cells=cells)
    fit_outputs(notebook)
    assert notebook.cells[2].outputs[0].text == "(this output was too long to show)\n"
    assert len(notebook.cells[0].outputs[0].text) == ROOM - 20
    assert notebook.cells[1].outputs[0].text == "(this output was too long to show)\n"
    shorten_cells(notebook)
    (cell,) = notebook.cells
    assert len(cell.source) < 2100
    assert cell.outputs == []


def wait_for_nothing(runner, timeout, used):
    """Return how long a runner waits for a reply that does not come."""

    async def get_msg(timeout):
        runner.watch.seconds += used
        time.sleep(0.01)
        raise queue.Empty

    runner.watch, runner.allowed = Watch(0, {}, ""), 10
    start = time.monotonic()
    with pytest.raises(queue.Empty):
        asyncio.run(runner.wait_for_reply_of_cell(get_msg, timeout))
    return time.monotonic() - start


def test_a_cell_ends_when_its_seconds_of_a_core_are_used_up_or_the_clock_says_so(
    runner,
):
    assert wait_for_nothing(runner, 60, used=3) < 10
    assert runner.watch.seconds == 12
    assert 0.2 < wait_for_nothing(runner, 0.2, used=0) < 10


def test_nothing_is_sent_for_ever_to_a_kernel_that_broke_its_sockets(monkeypatch):
    monkeypatch.setattr("teach.execute.LONGEST_SEND", 20)
    with bounded_context() as context, context.socket(zmq.DEALER) as lonely:
        with pytest.raises(zmq.Again):
            zmq.Socket.shadow(lonely.underlying).send(b"1 + 1")
        assert lonely.getsockopt(zmq.MAXMSGSIZE) == 20_000_000
        assert lonely.getsockopt(zmq.RCVHWM) == 20


def test_the_clock_shows_more_than_a_cell_may_use(runner):
    cell = runner.nb.cells[0]
    assert runner.seconds_for(cell) == 4
    assert runner.timeout_func(cell) == 20


@pytest.mark.parametrize("line", ["import keras", "  from tensorflow.keras import x"])
def test_a_slow_import_takes_no_answers_time(line):
    notebook = new_notebook(cells=[new_code_cell("1"), new_code_cell(f"x\n{line}")])
    limits = {"notebook_seconds": 60, "patience": 5, "cell_seconds": 5}
    slow, fast = (
        Runner(one, notebook, Plan(limits), "", None)
        for one in (notebook, new_notebook(cells=[new_code_cell("# import keras")]))
    )
    assert slow.seconds_for(notebook.cells[1]) == 30
    assert fast.seconds_for(new_code_cell()) == 5


def test_a_cell_that_swallows_interrupts_takes_no_time_of_the_next(tmp_path):
    stubborn = (
        "left = 3\nwhile left:\n    try:\n        while True:\n            pass\n"
    )
    stubborn += "    except KeyboardInterrupt:\n        left -= 1"
    sources = ("1", stubborn, "print(left)")
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    limits = {"notebook_seconds": 120, "patience": 1, "cell_seconds": 2}
    plan = Plan(limits, sandboxed=False)
    Runner(notebook, notebook, plan, str(tmp_path), lambda: None).run()
    assert notebook.cells[2].outputs[0].text == "0\n"


def test_imports_that_a_machine_is_too_slow_for_are_its_failure(runner):
    late = {"status": "error", "ename": TIMEOUT, "evalue": "", "traceback": []}
    about = {"cell": runner.nb.cells[0], "cell_index": 0}
    with pytest.raises(MachineError, match="took more than 4 s"):
        runner.on_cell_executed(execute_reply={"content": late}, **about)
    assert not runner.started
    runner.on_cell_executed(execute_reply={"content": {"status": "ok"}}, **about)
    assert runner.told == ["started"]


def run_by(tmp_path, monkeypatch, code):
    """Return what `Apart` makes of a process that does this instead of running."""
    (tmp_path / "teach").mkdir()
    (tmp_path / "teach" / "apart.py").write_text(f"import os, sys\n{code}")
    monkeypatch.setattr("teach.apart.ROOT", tmp_path)
    apart, plan = Apart(), Plan({"notebook_seconds": 9, "patience": 1})
    try:
        return apart.run(new_notebook(), new_notebook(), plan)
    finally:
        apart.close()


def test_a_process_that_dies_of_a_hand_in_is_the_hand_ins_own_doing(
    tmp_path, monkeypatch
):
    code = "sys.stdout.write('started\\n'); sys.stdout.flush(); os.abort()"
    _, run = run_by(tmp_path, monkeypatch, code)
    assert run[:3] == ({}, True, "it sent more than the grader can hold")


def test_a_process_that_dies_before_the_hand_in_began_gives_no_marks(
    tmp_path, monkeypatch
):
    with pytest.raises(MachineError, match="the runner ended"):
        run_by(tmp_path, monkeypatch, "sys.exit(3)")
