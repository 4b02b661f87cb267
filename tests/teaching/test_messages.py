"""What a kernel may send, and what is kept of it."""

import io
import json
import os
import signal
import sys
import time
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_code_cell, new_output
from traitlets.config import Config

pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(sys.platform != "linux", reason="grading needs Linux"),
]
pytest.importorskip("nbgrader", reason="needs teach/requirements.txt: make teacher")

from teach.checks import ANSWER, LARGEST_ANSWER  # noqa: E402
from teach.execute import CUT, LACKS, PRELUDE, explain  # noqa: E402
from teach.messages import (  # noqa: E402
    LARGEST_OUTPUT,
    answer_of,
    plain_content,
)


@pytest.mark.parametrize(
    "content",
    [
        {"data": {"image/png": 5, "text/plain": ["a"], "x": "y"}, "metadata": {}},
        {"data": {"image/png": '"><script>'}, "metadata": {}, "transient": {"a": 1}},
    ],
)
def test_what_a_kernel_sends_is_text_or_left_out(content):
    assert plain_content(content) == {"data": {}, "metadata": {}}


@pytest.mark.parametrize("count", ["<b>", "\ud800", "9" * 3_000_000, -1, True, 1.5, []])
def test_a_forged_number_of_a_cell_or_stream_is_left_out(count):
    kept = plain_content({"execution_count": count, "name": count, "text": "x"})
    assert kept == {"execution_count": None, "name": "stdout", "text": "x"}
    true = {"execution_count": 7, "name": "stderr", "text": "x"}
    assert plain_content(true) == true


def start_shell(monkeypatch):
    """Return a shell of IPython after the prelude; it prints and displays into memory.

    pytest puts its own streams back after every fixture, so this is none.
    """
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    made = InteractiveShell(config=Config(HistoryManager={"hist_file": ":memory:"}))
    made.displayed = []
    made.display_pub.publish = lambda data: made.displayed.append(data)
    made.kernel = SimpleNamespace()
    monkeypatch.setattr("IPython.get_ipython", lambda: made)
    for name in ("_exit", "kill"):
        monkeypatch.setattr(os, name, getattr(os, name))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    made.run_cell(f"exec({PRELUDE!r}, {{}})")
    return made


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_cell_prints_no_more_than_the_prelude_lets_it(name, monkeypatch):
    shell = start_shell(monkeypatch)
    loop = f"import sys\nfor _ in range(3): print('x' * 99_999, file=sys.{name})"
    for times in (1, 2):  # the second cell may print as much again
        shell.run_cell(loop)
        assert len(getattr(sys, name).getvalue()) == times * 200_000
    assert "xxx" not in str(shell.history_manager.outputs), "IPython keeps what it read"
    assert shell.ask_exit() is None


def test_a_cell_displays_no_more_than_the_prelude_lets_it(monkeypatch):
    shell = start_shell(monkeypatch)
    loop = "for _ in range(9): get_ipython().display_pub.publish({'image/png': shown})"
    for size in (10**6, 2 * 10**6, 10**7):
        shell.displayed.clear()
        shell.run_cell(f"shown = 'x' * {size}\n{loop}")
        assert len(shell.displayed) == (6_000_000 - 1) // size


def test_what_restarts_python_does_nothing_to_it_and_all_to_others(monkeypatch):
    shell = start_shell(monkeypatch)
    assert shell.kernel.do_shutdown(True) == {"status": "ok", "restart": True}
    os._exit(1)
    os.kill(os.getpid(), signal.SIGKILL)
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("interrupt"))
    os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert heard == ["interrupt"]
    ends = {"exits": lambda: os._exit(3), "killed": lambda: time.sleep(9)}
    for name, end in ends.items():
        child = os.fork()
        if not child:
            end()
        if name == "killed":
            os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == (9 if name == "killed" else 3 << 8)


def test_commands_that_kill_python_are_not_run(monkeypatch, capfd):
    shell = start_shell(monkeypatch)
    for command in ("kill -9 -1", "sudo kill -9 $PPID", " pkill python", "killall sh"):
        assert shell.run_cell(f"!{command}").success
    assert sys.stdout.getvalue().count("do nothing here") == 4
    shell.run_cell("!echo killed")
    assert "killed" in capfd.readouterr().out + sys.stdout.getvalue()


def test_who_is_asked_for_input_answers_with_an_empty_line(monkeypatch):
    assert start_shell(monkeypatch).kernel.raw_input("Name: ") == ""
    assert "Name: (input() gets an empty line here)" in sys.stdout.getvalue()


def test_a_cell_goes_on_behind_packages_and_magics_that_are_not_here(monkeypatch):
    shell = start_shell(monkeypatch)
    top = "from __future__ import annotations\nimport nowhere.x as y\n%nothing 2\n"
    top += "%matplotlib widget\n%load_ext nowhere\n"
    assert shell.run_cell(top + "import math\nfound = math.pi").success
    assert LACKS in sys.stdout.getvalue()
    assert shell.user_ns["found"] > 3
    assert "y" not in shell.user_ns
    assert shell.run_cell("%%nothing\nbelow = 5").success
    assert shell.user_ns["below"] == 5
    for source in ("def f():\n    import nowhere\nf()", "from math import nothing"):
        assert isinstance(shell.run_cell(source).error_in_exec, ImportError)


def test_what_only_colab_has_does_nothing_and_says_so(monkeypatch):
    shell = start_shell(monkeypatch)
    assert shell.run_cell("import google.colab.files as f; f.upload()").success
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]
    assert "here its functions do nothing" in sys.stdout.getvalue()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 reads it")
def test_an_f_string_that_python_cannot_read_is_explained():
    with pytest.raises(SyntaxError) as found:
        compile("""f"{x["a"]}" """, "cell", "exec")
    error = new_output("error", ename="SyntaxError", evalue=str(found.value))
    cell = new_code_cell("", outputs=[error])
    assert "use other quotes inside" in explain(cell)
    assert "use other quotes inside" in cell.outputs[-1].text
    error.evalue = "invalid syntax"
    assert explain(new_code_cell("", outputs=[error])) == ""


def test_errors_of_a_kernel_are_cut_and_can_be_written():
    error = {"ename": "E" * 10**6, "evalue": 5, "traceback": ["\ud800" * 10**5] * 100}
    kept = plain_content(error)
    json.dumps(kept).encode()
    assert len(kept["ename"]) == 200
    assert kept["evalue"] == "5"
    assert sum(map(len, kept["traceback"])) == 40_000
    "".join(kept["traceback"]).encode("utf-8")


def message(kind, **content):
    """Return a message as a kernel sends it."""
    header = {"msg_type": kind, "msg_id": "1"}
    return {"msg_type": kind, "header": header, "content": content, "parent_header": {}}


def take_in(runner, kind, **content):
    """Give a runner a message of its second cell, and return the cell's outputs."""
    cell = runner.nb.cells[1]
    runner.process_message(message(kind, **content), cell, 1)
    return cell.outputs


def test_a_cell_that_prints_too_much_shows_its_beginning_and_says_so(runner):
    for _ in range(3):
        outputs = take_in(runner, "stream", name="stdout", text="x" * 10**6)
    assert [len(output.text) for output in outputs] == [LARGEST_OUTPUT - 100, len(CUT)]
    for number in range(3):
        words = {"ename": "E", "evalue": str(number), "traceback": []}
        outputs = take_in(runner, "error", **words)
    assert outputs[1].text == CUT
    assert [output.evalue for output in outputs[2:]] == ["2"]


def test_pictures_count_in_what_a_notebook_may_show(runner):
    for _ in range(4):
        data = {"image/png": "x" * 2_000_000}
        outputs = take_in(runner, "display_data", data=data, metadata={})
    assert [output.get("text") for output in outputs] == [None, None, CUT]


def test_an_answer_is_what_comes_with_the_reply_of_its_cell(runner):
    reply = {"status": "ok", "payload": [{"source": ANSWER, "text": "1"}]}
    cell = runner.nb.cells[1]
    for kind in ("display_data", "update_display_data"):
        content = {"data": {ANSWER: "2"}, "metadata": {}}
        runner.process_message(message(kind, **content), cell, 1)
    about = {"cell": cell, "cell_index": 1}
    runner.on_cell_executed(execute_reply={"content": reply}, **about)
    assert runner.finished == {1: "1"}


@pytest.mark.parametrize("payload", [None, "x", ["x"], [{"source": "page"}]])
def test_a_reply_without_an_answer_has_none(payload):
    assert answer_of({"status": "ok", "payload": payload}) is None


def test_an_answer_of_a_reply_is_text_and_cut():
    for text in (["["], "x" * (LARGEST_ANSWER + 5), "\ud800"):
        found = answer_of({"payload": [{"source": ANSWER, "text": text}]})
        assert len(found.encode()) <= LARGEST_ANSWER + 1


def test_a_message_that_is_none_is_passed_over(runner):
    cell = runner.nb.cells[1]
    for kind in ("comm_open", "stream", "display_data", "nonsense"):
        runner.process_message(message(kind), cell, 1)
    assert cell.outputs == []
