"""A class of its own for each file of tests that grades."""

import socket
import threading

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from teach import assignments
from teach.course import Course, load_settings, open_nbgrader, read_seed
from tests.teaching.hand_ins import NAME


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
def settings(course):
    """nbgrader's configuration for the class of the tests."""
    return load_settings(course)


@pytest.fixture
def runner():
    """A runner of two cells that has no kernel."""
    from teach.execute import Plan, Runner

    notebook = new_notebook(cells=[new_code_cell("first"), new_code_cell("second")])
    started = []
    limits = {"notebook_seconds": 8, "patience": 5}
    made = Runner(notebook, notebook, Plan(limits), "", None)
    made.tell_start = lambda: started.append("started")
    made.told = started
    made.clear_before_next_output = False
    return made
