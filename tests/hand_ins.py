"""Made-up hand-ins of assignment 2: honest, unlucky and hostile."""

import copy
import json

import nbformat
from nbformat.v4 import new_code_cell

HOG = "grown = []\nwhile True:\n    grown.append(bytearray(b'x') * 10**8)\n"
EXIT = "import os\nos._exit(0)\n"
SWALLOW = "while True:\n    try:\n        while True:\n            pass\n"
SWALLOW += "    except BaseException:\n        pass\n"
FORKS = "import os\nwhile True:\n    os.fork()\n"
FILLS = """
import os
os.chdir(os.environ["JUPYTER_RUNTIME_DIR"])
os.makedirs("in/deeper")
number = 0
while True:
    number += 1
    with open(f"in/deeper/{number}", "wb") as file:
        file.write(bytes(10**7))
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
READS = """
import json
cells = json.load(open({source!r}))["cells"]
solution = [c for c in cells if "# task: coverage" in "".join(c["source"])][0]
exec("".join(solution["source"]), globals())
return coverage(kernel_size, strides)
"""
CALLS = """
import socket
with socket.create_connection(("127.0.0.1", {port}), timeout=1) as line:
    line.sendall(b"please")
return kernel_size // strides, -(-kernel_size // strides)
"""
WRITES = """
import sqlite3
book = sqlite3.connect({gradebook!r})
book.execute("update grade set manual_score = 20")
book.commit()
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
from IPython.display import display
def coverage(kernel_size, strides):
    display({"application/x-answer": "[[1, 1]]"}, raw=True)
    display({"application/x-answer": "[" * 100000}, raw=True)
    import os
    os._exit(0)
"""
TELLS = """
def coverage(kernel_size, strides):
    import inspect
    import __main__
    frame = inspect.currentframe().f_back
    __main__.seen = [inspect.getsource(frame), *__main__.In]
    return kernel_size // strides, -(-kernel_size // strides)
"""


def id_of(cell):
    """Return the grade_id of a cell, or None."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


class Maker:
    """Makes hand-ins from the release and the solution."""

    def __init__(self, release, source):
        self.release = nbformat.read(release, as_version=4)
        solved = nbformat.read(source, as_version=4)
        self.solutions = {
            id_of(c): c.source for c in solved.cells if "BEGIN SOLUTION" in c.source
        }

    def right(self, **answers):
        """Return the right notebook, but for the answers that are given."""
        notebook = copy.deepcopy(self.release)
        for cell in notebook.cells:
            name = id_of(cell)
            if name in self.solutions:
                cell.source = answers.get(name, self.solutions[name])
        return notebook

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
        """Return the right notebook without any cell metadata."""
        notebook = self.right()
        for cell in notebook.cells:
            cell.metadata = {}
        return notebook

    def twice(self, task):
        """Return the right notebook with one answer cell copied, ids and all."""
        notebook = self.right()
        at = [id_of(c) for c in notebook.cells].index(task)
        notebook.cells.insert(at, copy.deepcopy(notebook.cells[at]))
        return notebook

    def same_ids(self):
        """Return the right notebook with one cell id for all cells."""
        notebook = self.right()
        for cell in notebook.cells:
            cell["id"] = "same"
        return notebook

    def from_colab(self):
        """Return the right notebook as Colab saves it."""
        notebook = self.right()
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
        notebook = copy.deepcopy(self.release)
        notebook.cells.append(cell)
        return notebook

    def always_equal(self):
        """Return a notebook whose every answer is equal to anything."""
        notebook = copy.deepcopy(self.release)
        for cell in notebook.cells:
            if id_of(cell) in self.solutions:
                cell.source = f"# task: {id_of(cell)}\n{EQUAL}"
        return notebook

    def told(self):
        """Return the right notebook that prints what it saw of a hidden check."""
        notebook = self.right(coverage="# task: coverage\n" + TELLS)
        return self.with_cell("for text in seen:\n    print(text)", None, notebook)

    def swapped(self, wrong):
        """Return the right notebook with one plausible mistake."""
        from teach.wrong import change

        return self.right(
            **{wrong["task"]: change(self.solutions[wrong["task"]], wrong)}
        )


def flood():
    """Return code that prints for as long as it is let."""
    return "while True:\n    print('x' * 1000)\n"


def make_table(maker, wrong, *, source, gradebook, port):
    """Map each hand-in's name to `(notebook, expected points)`."""
    places = {"source": source, "gradebook": gradebook, "port": port}
    empty = maker.release
    noise = "import sys, warnings\nprint('noise', file=sys.stderr)\n"
    noise += "warnings.warn('more')\n"
    noisy = noise + "return kernel_size // strides, -(-kernel_size // strides)"
    return {
        "correct": (maker.right(), 20),
        "wrong": (maker.swapped(wrong), 18),
        "empty": (empty, 0),
        "syntax-error": (maker.right(stamp="# task: stamp\ndef stamp(x,\n"), 15),
        "endless-function": (maker.with_body("coverage", "while True:\n    pass"), 16),
        "endless-first": (maker.with_body("size", "while True:\n    pass"), 15),
        "endless-top": (maker.with_cell("while True:\n    pass"), 20),
        "exit-function": (maker.with_body("matrix", EXIT), 10),
        "exit-top": (maker.with_cell(EXIT), 0),
        "swallows-above-imports": (maker.with_cell(SWALLOW), 0),
        "exit-end": (maker.with_cell(EXIT, None), 20),
        "deleted-checks": (maker.without(*maker.checks()), 20),
        "edited-checks": (maker.edited(maker.right()), 20),
        "edited-checks-empty": (maker.edited(copy.deepcopy(empty)), 0),
        "claims-a-check": (maker.claims(), 0),
        "duplicated-answer": (maker.twice("stamp"), 20),
        "deleted-answer": (maker.without("coverage"), 16),
        "stripped-metadata": (maker.stripped(), 20),
        "colab": (maker.from_colab(), 20),
        "same-cell-ids": (maker.same_ids(), 20),
        "memory-hog": (maker.with_body("coverage", HOG), 16),
        "output-flood": (maker.with_cell(flood()), 20),
        "flood-in-answer": (maker.with_body("coverage", flood()), 16),
        "stderr-noise": (maker.with_body("coverage", noisy), 20),
        "swallows-interrupts": (maker.with_body("coverage", SWALLOW), 16),
        "reads-files": (maker.with_body("coverage", READS.format(**places)), 16),
        "opens-sockets": (maker.with_body("coverage", CALLS.format(**places)), 16),
        "writes-gradebook": (maker.with_body("coverage", WRITES.format(**places)), 16),
        "patches-asserts": (maker.with_cell(PATCHES, 2, copy.deepcopy(empty)), 0),
        "patches-right": (maker.with_cell(PATCHES, 2), 20),
        "always-equal": (maker.always_equal(), 0),
        "forges-answers": (maker.right(coverage="# task: coverage\n" + FORGES), 16),
        "tells-hidden": (maker.told(), 20),
        "forks": (maker.with_body("coverage", FORKS), 16),
        "fills-the-disk": (maker.with_body("coverage", FILLS), 16),
        "digs-folders": (maker.with_cell(DIGS, None), 20),
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
