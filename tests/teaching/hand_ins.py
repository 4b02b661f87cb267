"""Made-up hand-ins of assignment 2: honest, unlucky and hostile."""

import copy
import json
import sys
from importlib.util import find_spec

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from teach import sandbox
from teach.wrong import change, read_wrong_answers

NAME = "02_transposed_convolution"
SHORT = {"cell_seconds": 4, "check_seconds": 1, "notebook_seconds": 14}

ENDLESS = "while True:\n    pass"
FLOOD = "while True:\n    print('x' * 10**6)\n"
NOISE = """
import sys, warnings
print("noise", file=sys.stderr)
warnings.warn("more")
return kernel_size // strides, -(-kernel_size // strides)
"""
HOG = "grown = []\nwhile True:\n    grown.append(bytearray(b'x') * 10**8)\n"
CRASH = "import ctypes\nctypes.CDLL(None)._exit(0)\n"
SWALLOW = "while True:\n    try:\n        while True:\n            pass\n"
SWALLOW += "    except BaseException:\n        pass\n"
FORKS = "import os\nwhile True:\n    os.fork()\n"
FILLS = """
import os
os.chdir(os.environ["JUPYTER_RUNTIME_DIR"])
kept = []
while True:
    kept.append(open("file", "wb", buffering=0))
    os.unlink("file")
    kept[-1].write(bytes(10**7))
"""
DIGS = """
import os
os.chdir(os.environ["JUPYTER_RUNTIME_DIR"])
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
os.chmod(os.environ["JUPYTER_RUNTIME_DIR"] + "/d", 0o300)
"""
DAWDLES = """
import sys, time
class Slow:
    def find_spec(self, name, *rest):
        if name == "numpy":
            time.sleep(100)
sys.modules.pop("numpy", None)
sys.meta_path.insert(0, Slow())
"""
REACHES = """
import json, socket, sqlite3
def read():
    cells = json.load(open({source!r}))["cells"]
    solution = [c for c in cells if "# task: coverage" in "".join(c["source"])][0]
    exec("".join(solution["source"]), globals())
def call():
    with socket.create_connection(("127.0.0.1", {port}), timeout=1) as line:
        line.sendall(b"please")
def write():
    book = sqlite3.connect({gradebook!r})
    book.execute("update grade set manual_score = 20")
    book.commit()
for reach in (read, call, write):
    try:
        reach()
    except Exception:
        continue
    return kernel_size // strides, -(-kernel_size // strides)
"""
PATCHES = """
import ast, builtins, IPython, numpy
class Deaf(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
shell = IPython.get_ipython()
shell.ast_transformers.append(Deaf())
builtins.AssertionError = KeyboardInterrupt
numpy.allclose = numpy.array_equal = lambda *a, **k: True
def quiet(*a, **k):
    pass
shell.showtraceback = quiet
"""
EQUAL = """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return Same()
    def __call__(self, *a, **k): return Same()
    def __iter__(self): return iter([Same(), Same()])
    def __matmul__(self, other): return Same()
    def __array__(self, *a, **k): raise TypeError
final_size = stamp = stamp_matrix = coverage = lambda *a: Same()
"""
FORGES = """
def coverage(kernel_size, strides):
    payload = get_ipython().payload_manager
    payload.write_payload({"source": "answer", "text": "[[1, 1]]"})
    payload.write_payload({"source": "answer", "text": ["["]}, single=False)
    import ctypes
    ctypes.CDLL(None)._exit(0)
"""
TELLS = """
def coverage(kernel_size, strides):
    import __main__
    __main__.seen = list(__main__.In)
    return kernel_size // strides, -(-kernel_size // strides)
"""


SHARES = """
draw, pairs, cases, matrix, kernel, row, sizes = 1, 2, [3], 4, 5, 6, 7
answer = attempt = same = stacks = refuses = fresh = own = "mine"
"""
NEEDS = """
assert (draw, pairs, cases, answer, fresh) == (1, 2, [3], "mine", "mine")
return halve(kernel_size, strides), -halve(-kernel_size, strides)
"""
SHADOWS = "list = str = int = float = bool = zip = range = map = any = 5\n"
LEAVES = """
import IPython, os, signal, sys
get_ipython().kernel.do_shutdown(True)
IPython.Application.instance().kernel.do_shutdown(True)
os.kill(os.getpid(), 9)
os._exit(0)
if os.fork():
    assert os.wait()[1] == 3 << 8
else:
    os._exit(3)
exit()
quit()
sys.exit()
"""
KILLS = """
!kill -9 -1
!sudo kill -9 $PPID
get_ipython().system("pkill -9 python")
"""
LACKS = """
from __future__ import annotations
import nowhere, os
from nowhere.at_all import anything as something
%tensorflow_version 2.x
%matplotlib widget
%load_ext nowhere
"""
COLAB = """
from google.colab import drive, files
from google.colab.patches import cv2_imshow
drive.mount("/content/drive")
assert files.upload() == {}
came_through = True
"""
QUOTES = 'print(f"{"a"}")'
HELPER = "\n\ndef halve(kernel_size, strides):\n    return kernel_size // strides\n"
DISPLAYS = """
from comm import create_comm
from IPython.display import display
display({"image/png": 5, "text/plain": ["a"]}, raw=True)
display({"image/png": {"a": 1}, "text/html": None}, raw=True)
create_comm(target_name="jupyter.widget", data={"state": {}})
display("x", display_id="x", update=True)
"""
LEAKS = """
def stamp_matrix(*arguments):
    raise ValueError("".join(In[-1].split())[-250:])
"""
SHOUTS = """
Long = type("E" * 10**5, (Exception,), {})
raise Long("x" * 10**6)
"""


def skip_without_sandbox():
    """Skip the calling file of tests where nothing can be graded, and say why."""
    if find_spec("nbgrader") is None or find_spec("jupytext") is None:
        reason = "needs teach/requirements.txt: make teacher"
        pytest.skip(reason, allow_module_level=True)
    if sys.platform != "linux" or sandbox.try_out():
        pytest.skip(f"no sandbox: {sandbox.try_out()}", allow_module_level=True)


def id_of(cell):
    """Return the grade_id of a cell, or None."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


class Maker:
    """Makes hand-ins of an assignment from its release and its solution.

    Args:
        course: The class that the assignment was made for.
        name: The assignment's.
        port: Where on this machine a hand-in may try to call, and fail.
    """

    def __init__(self, course, name, port=0):
        source = course.notebook("source", name)
        release = course.notebook("release", name)
        gradebook = str(course.folder / "gradebook.db")
        self.name = name
        self.places = {"source": str(source), "gradebook": gradebook, "port": port}
        self.release = nbformat.read(release, as_version=4)
        solved = nbformat.read(source, as_version=4)
        self.solutions = {
            id_of(c): c.source for c in solved.cells if "BEGIN SOLUTION" in c.source
        }

    def empty(self):
        """Return the notebook as students get it."""
        return copy.deepcopy(self.release)

    def right(self, **answers):
        """Return the right notebook, but for the answers that are given."""
        notebook = self.empty()
        for cell in notebook.cells:
            name = id_of(cell)
            if name in self.solutions:
                cell.source = answers.get(name, self.solutions[name])
        return notebook

    def instead(self, task, source):
        """Return the right notebook with other code in the cell of one task."""
        return self.right(**{task: f"# task: {task}\n{source}"})

    def with_body(self, task, body):
        """Return the right notebook with another function body in one task."""
        head = self.solutions[task].split("    ### BEGIN SOLUTION")[0]
        indented = "\n".join("    " + line for line in body.strip().splitlines())
        return self.right(**{task: head + indented})

    def with_cell(self, source, place=0, notebook=None):
        """Return the right notebook with one more cell."""
        notebook = notebook or self.right()
        place = len(notebook.cells) if place is None else place
        notebook.cells.insert(place, new_code_cell(source))
        return notebook

    def without(self, *names, notebook=None):
        """Return the right notebook without some cells."""
        notebook = notebook or self.right()
        notebook.cells = [c for c in notebook.cells if id_of(c) not in names]
        return notebook

    def checks(self):
        """Return the ids of all locked cells."""
        return [
            id_of(c)
            for c in self.release.cells
            if c.metadata.get("nbgrader", {}).get("locked")
        ]

    def edited(self, notebook):
        """Return a notebook whose checks all say `pass`."""
        for cell in notebook.cells:
            if id_of(cell) in self.checks()[1:]:
                cell.source = "pass"
                cell.metadata.nbgrader["points"] = 100
        return notebook

    def stripped(self):
        """Return the right notebook without cell metadata, and one id for all cells."""
        notebook = self.right()
        for cell in notebook.cells:
            cell.metadata, cell["id"] = {}, "same"
        return notebook

    def from_colab(self):
        """Return the right notebook as Colab saves it, one answer cell copied."""
        notebook = self.right()
        at = [id_of(cell) for cell in notebook.cells].index("stamp")
        notebook.cells.insert(at, copy.deepcopy(notebook.cells[at]))
        notebook.metadata = {
            "colab": {"provenance": [], "toc_visible": True},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
        }
        notebook["nbformat_minor"] = 0
        for number, cell in enumerate(notebook.cells):
            del cell["id"]
            cell.metadata["id"] = f"colab{number}"
            if cell.cell_type == "code":
                cell.metadata["outputId"] = f"out{number}"
                cell["execution_count"] = number
        return notebook

    def claims(self):
        """Return an empty notebook whose own cell says that it is a hidden check."""
        cell = new_code_cell("answer = 'open sesame'")
        marks = {"grade_id": "size-gap", "grade": True, "points": 20, "locked": True}
        cell.metadata["nbgrader"] = marks
        notebook = self.empty()
        notebook.cells.append(cell)
        return notebook

    def always_equal(self):
        """Return a patched notebook whose every answer is equal to anything."""
        notebook = self.empty()
        for cell in notebook.cells:
            if id_of(cell) in self.solutions:
                cell.source = f"# task: {id_of(cell)}\n{EQUAL}"
        return self.with_cell(PATCHES, 2, notebook)

    def told(self):
        """Return a notebook that prints and raises what it saw of hidden checks."""
        answers = {"coverage": TELLS, "matrix": LEAKS}
        notebook = self.right(**{k: f"# task: {k}\n{v}" for k, v in answers.items()})
        return self.with_cell("for text in seen:\n    print(text)", None, notebook)

    def searching(self):
        """Return the right notebook, but for an answer that reaches for every place."""
        return self.with_body("coverage", REACHES.format(**self.places))

    def naming(self):
        """Return the right notebook with names that hidden checks use, too.

        One is a helper in the locked cell of the imports.
        """
        notebook = self.with_body("coverage", NEEDS)
        for cell in notebook.cells:
            if id_of(cell) == "imports":
                cell.source += HELPER
        return self.with_cell(SHARES + SHADOWS, 2, notebook)

    def noisy(self):
        """Return the right notebook with warnings, strange outputs and errors."""
        notebook = self.with_body("coverage", "assert came_through\n" + NOISE)
        for cell in notebook.cells:
            if id_of(cell) == "stamp":
                cell.source = LACKS + cell.source
            if id_of(cell) == "size":
                cell.source = f"%%memit\n{cell.source}"
            if id_of(cell) == "matrix":
                cell.source = f"name = input('Your name: ')\n{cell.source}"
        for source in (LEAVES, KILLS, COLAB, QUOTES, DISPLAYS, SHOUTS, "# \ud800"):
            self.with_cell(source, 2, notebook)
        return notebook

    def endless(self):
        """Return the right notebook with an endless loop in a cell and in an answer."""
        return self.with_cell(ENDLESS, 0, self.with_body("coverage", ENDLESS))

    def flooding(self):
        """Return the right notebook that prints without end, in an answer, too."""
        return self.with_cell(FLOOD, 0, self.with_body("coverage", FLOOD))

    def together(self):
        """Return all answers in one cell, and no other cell at all."""
        notebook = self.right()
        everything = "\n\n".join(self.solutions.values())
        notebook.cells = [new_code_cell(everything)]
        return notebook

    def respelled(self):
        """Return the right notebook without metadata and with other task lines."""
        notebook = self.stripped()
        lines = iter(("## Task : size", "# my own", "%%time\n# TASK 3 - matrix", ""))
        for cell in notebook.cells:
            if cell.source.startswith("# task:"):
                first, rest = cell.source.split("\n", 1)
                cell.source = f"{next(lines)}\n{rest}"
        return notebook

    def swapped(self):
        """Return the right notebook with one plausible mistake."""
        wrong = read_wrong_answers(self.name)[0]
        mistake = change(self.solutions[wrong["task"]], wrong)
        return self.right(**{wrong["task"]: mistake})


# How a `Maker` makes each hand-in, and the points that it gets. One kind each: what a
# hand-in of one kind may do is in it together.
HAND_INS = {
    "correct": (lambda make: make.right(), 20),
    "wrong": (lambda make: make.swapped(), 18),
    "empty": (lambda make: make.empty(), 0),
    "syntax-error": (lambda make: make.instead("stamp", "def stamp(x,\n"), 15),
    "deleted-cells": (lambda make: make.without("coverage", *make.checks()), 16),
    "edited-checks": (lambda make: make.edited(make.right()), 20),
    "stripped-metadata": (lambda make: make.stripped(), 20),
    "colab": (lambda make: make.from_colab(), 20),
    "all-in-one-cell": (lambda make: make.together(), 20),
    "other-task-lines": (lambda make: make.respelled(), 20),
    "own-names": (lambda make: make.naming(), 20),
    "noisy": (lambda make: make.noisy(), 20),
    "endless-function": (lambda make: make.endless(), 16),
    "endless-first": (lambda make: make.with_body("size", ENDLESS), 15),
    "floods": (lambda make: make.flooding(), 16),
    "exit-function": (lambda make: make.with_body("matrix", CRASH), 10),
    "exit-top": (lambda make: make.with_cell(CRASH), 0),
    "exit-end": (lambda make: make.with_cell(DIGS + CRASH, None), 20),
    "swallows-above-imports": (lambda make: make.with_cell(SWALLOW), 0),
    "swallows-interrupts": (lambda make: make.with_body("coverage", SWALLOW), 16),
    "memory-hog": (lambda make: make.with_body("coverage", HOG), 16),
    "forks": (lambda make: make.with_body("coverage", FORKS), 16),
    "fills-the-disk": (lambda make: make.with_body("coverage", FILLS), 16),
    "reaches-out": (lambda make: make.searching(), 16),
    "claims-a-check": (lambda make: make.edited(make.claims()), 0),
    "patches-right": (lambda make: make.with_cell(PATCHES, 2), 20),
    "patches-and-equals": (lambda make: make.always_equal(), 0),
    "forges-answers": (lambda make: make.instead("coverage", FORGES), 16),
    "tells-hidden": (lambda make: make.told(), 14),
}


def broken_files():
    """Map file names to contents that are no gradable notebook."""
    deep = b'{"cells": ' + b"[" * 100_000
    listed = json.dumps([1, 2]).encode()
    cells = json.dumps({"cells": "many", "nbformat": 4, "nbformat_minor": 5}).encode()
    return {
        "not-a-notebook": b"%PDF-1.4 my homework",
        "no-bytes": b"",
        "binary": bytes(range(256)) * 10,
        "json-list": listed,
        "json-deep": deep,
        "cells-are-text": cells,
    }
