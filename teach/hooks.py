"""What nbgrader does differently here: hooks that nbgrader_config.py puts in its way.

nbgrader alone gives no grade to a notebook that lost its metadata or ended Python, runs
hidden tests beside student code, and prints them on feedback pages.
"""

import copy
import functools
import json
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path

import nbformat
import psutil
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Bool, Dict, List, Unicode

from teach.checks import (
    ANSWER_TYPE,
    hidden_lines,
    is_hidden,
    judge,
    load_reference,
    question,
    read_answer,
)
from unetbook.config import hold_stderr

TASK = re.compile(r"\A\s*(?:#|<!--) ?task: *([\w-]+)")
SHOWN_TYPES = ("text/plain", "image/png")
SHOWN_TEXTS = ("text/plain", "text/html", "text/markdown", "image/svg+xml")
LARGEST_OUTPUT = 200_000  # characters a cell, pictures apart
LARGEST_PICTURE = 3_000_000
LATE = "Python ended or the time was used up before this check ran"


def grade_id(cell):
    """Return the id that nbgrader knows a cell by, or None."""
    marks = cell.metadata.get("nbgrader")
    return marks.get("grade_id") if isinstance(marks, dict) else None


def read_teacher_file(course, folder, resources):
    """Read the notebook of this assignment from the teacher's own folder."""
    names = resources["nbgrader"]
    path = Path(course, folder, names["assignment"], f"{names['notebook']}.ipynb")
    return nbformat.read(path, as_version=4)


def mark_answers(cells, released):
    """Give every cell that belongs to the release its release's metadata.

    Answer cells without their id are known by their first line, `# task: NAME`.
    """
    for cell in cells:
        name = grade_id(cell)
        task = TASK.match(cell.source)
        if name not in released and task and task[1] in released:
            name = task[1]
        cell.metadata.pop("nbgrader", None)
        if name in released:
            cell.metadata["nbgrader"] = copy.deepcopy(released[name].metadata.nbgrader)


def drop_copies(cells, released):
    """Let one cell keep each id: the last one that a student wrote something into."""
    keepers = {}
    for cell in cells:
        name = grade_id(cell)
        if name and (name not in keepers or cell.source != released[name].source):
            keepers[name] = cell
    for cell in cells:
        if grade_id(cell) and keepers[grade_id(cell)] is not cell:
            del cell.metadata["nbgrader"]


def put_back_missing(cells, released):
    """Insert what was deleted as it was released, before what follows it."""
    following = None
    for name in reversed(released):
        names = [grade_id(cell) for cell in cells]
        if name not in names:
            place = names.index(following) if following else len(cells)
            cells.insert(place, copy.deepcopy(released[name]))
        following = name


class RestoreCells(NbGraderPreprocessor):
    """Repair what students, Colab and editors did to ids and cells."""

    course = Unicode(help="The folder of the class").tag(config=True)

    def preprocess(self, nb, resources):
        """Bring every released cell back, once, and keep the student's own cells."""
        release = read_teacher_file(self.course, "release", resources)
        released = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
        mark_answers(nb.cells, released)
        drop_copies(nb.cells, released)
        put_back_missing(nb.cells, released)
        for number, cell in enumerate(nb.cells):
            cell["id"] = f"cell-{number}"
        return nb, resources


def measure(process, folder):
    """Return memory (bytes) and number of a process's descendants, and files' size."""
    family = process.children(recursive=True)
    memory = 0
    for member in family:
        try:
            memory += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    files = sum(path.lstat().st_size for path in Path(folder).glob("*"))
    return memory, len(family), files


class Watch(threading.Thread):
    """Kill a kernel that takes more memory, processes or disk than it is allowed."""

    def __init__(self, pid, limits, folder):
        super().__init__(daemon=True)
        self.process, self.limits, self.folder = psutil.Process(pid), limits, folder
        self.ended, self.reason = threading.Event(), ""

    def run(self):
        """Look five times a second."""
        while not self.ended.wait(0.2):
            try:
                memory, processes, files = measure(self.process, self.folder)
            except (psutil.NoSuchProcess, FileNotFoundError):
                return
            if memory > self.limits["memory_gb"] * 1e9:
                self.reason = "it took too much memory"
            elif processes > self.limits["processes"]:
                self.reason = "it started too many processes"
            elif files > 50e6:
                self.reason = "it wrote too much to the disk"
            if self.reason:
                self.process.kill()
                return


@functools.lru_cache
def reference_of(text):
    """Return the names that an instructor notebook defines; run once a batch."""
    with hold_stderr():  # TensorFlow's lines while it loads
        return load_reference(nbformat.reads(text, as_version=4))


def last_answer(cell):
    """Return the text that the cell handed over last, or None."""
    found = [
        o.data[ANSWER_TYPE] for o in cell.outputs if ANSWER_TYPE in o.get("data", {})
    ]
    return found[-1] if found else None


def failure(sentence):
    """Return the output that makes nbgrader give no points."""
    return new_output("error", ename="Check", evalue=sentence, traceback=[sentence])


def verdict(cell, source, reference):
    """Return the outputs of a hidden check after it was asked: none if it is passed."""
    for output in cell.outputs:
        if output.output_type == "error":
            evalue = str(output.evalue)[:300]
            return [failure(f"{output.ename}: {evalue}" if evalue else output.ename)]
    try:
        answer = read_answer(last_answer(cell))
    except ValueError as error:
        return [failure(str(error))]
    sentence = judge(source, answer, reference)
    return [failure(sentence)] if sentence else []


def quick_cells(source):
    """Return the ids of the cells that train and import nothing: answers and checks."""
    slow = {"imports", "run"}
    quick = [c for c in source.cells if not slow & set(c.metadata.get("tags", []))]
    return {grade_id(cell) for cell in quick} - {None}


class SafeExecute(Execute):
    """Run a hand-in in the sandbox, and judge its hidden checks outside."""

    course = Unicode(help="The folder of the class").tag(config=True)
    limits = Dict(help="wall_seconds, check_seconds and so on").tag(config=True)
    read_only = List(help="Further paths that a hand-in may read").tag(config=True)
    variables = Dict(help="Further environment variables").tag(config=True)
    sandboxed = Bool(True, help="False only for trusted students").tag(config=True)

    def preprocess(self, nb, resources, km=None):
        """Execute every cell, then give each hidden check its verdict."""
        source = read_teacher_file(self.course, "source", resources)
        hidden = {grade_id(c): c.source for c in source.cells if is_hidden(c)}
        reference = reference_of(nbformat.writes(source))
        self.finished, self.written, self.watch = set(), {}, None
        self.quick = quick_cells(source)
        self.timeout_func = self.seconds_for
        for cell in nb.cells:
            if grade_id(cell) in hidden:
                cell.source = question(hidden[grade_id(cell)])
        why = self.execute_quietly(nb, resources)
        for index, cell in enumerate(nb.cells):
            name = grade_id(cell)
            if name in hidden:
                cell.outputs = (
                    verdict(cell, hidden[name], reference)
                    if index in self.finished
                    else [failure(why)]
                )
                cell.source = hidden[name]
            elif cell.cell_type == "code":
                cell.outputs = [o for o in map(self.harmless, cell.outputs) if o]
        return nb, resources

    def execute_quietly(self, nb, resources):
        """Execute, and return why cells may not have been reached.

        A kernel that does not start is the grader's own failure and raises: such a
        hand-in gets no marks at all rather than none.
        """
        self.run_dir = tempfile.mkdtemp(prefix="grading-")
        try:
            super().preprocess(nb, resources)
        except DeadKernelError:
            self.log.warning("The hand-in ended its Python.")
        except Exception:
            log = Path(self.run_dir, "kernel.log")
            self.log.error(log.read_text()[-2000:] if log.exists() else "no kernel.log")
            raise
        finally:
            if self.watch:
                self.watch.ended.set()
            shutil.rmtree(self.run_dir, ignore_errors=True)
        reason = self.watch.reason if self.watch else ""
        return f"{LATE}: {reason}" if reason else LATE

    def seconds_for(self, cell):
        """Return how long a cell may run, so that one endless task leaves time."""
        quick = grade_id(cell) in self.quick
        return self.limits.get("check_seconds", self.timeout) if quick else self.timeout

    def create_kernel_manager(self):
        """Give every kernel a folder and sockets of its own; it has no network."""
        manager = super().create_kernel_manager()
        if self.sandboxed:
            manager.transport, manager.ip = "ipc", os.path.join(self.run_dir, "k")
            manager.connection_file = os.path.join(self.run_dir, "connection.json")
        return manager

    def start_new_kernel(self, **kwargs):
        """Start the kernel with its limits, and watch it."""
        plan = {"limits": dict(self.limits), "read_only": list(self.read_only)}
        plan["extra"] = dict(self.variables)
        kwargs["env"] = {**os.environ, "GRADING_SANDBOX": json.dumps(plan)}
        super().start_new_kernel(**kwargs)
        if self.sandboxed:
            pid = self.km.provisioner.process.pid
            self.watch = Watch(pid, self.limits, self.run_dir)
            self.watch.start()

    def on_cell_executed(self, **kwargs):
        """Note that this cell ran to its end."""
        super().on_cell_executed(**kwargs)
        self.finished.add(kwargs["cell_index"])

    def output(self, outs, msg, display_id, cell_index):
        """Take an output in, unless its cell has written enough; answers always."""
        data = msg["content"].get("data", {})
        texts = [msg["content"].get("text", ""), *map(data.get, SHOWN_TEXTS)]
        size = 100 + sum(len(str(text)) for text in texts)
        self.written[cell_index] = self.written.get(cell_index, 0) + size
        if self.written[cell_index] > LARGEST_OUTPUT:
            if ANSWER_TYPE in data:
                outs[:] = []
            elif msg["msg_type"] != "error":
                return None
        return super().output(outs, msg, display_id, cell_index)

    @staticmethod
    def harmless(output):
        """Return an output with nothing in it that a browser would run."""
        if output.output_type not in ("display_data", "execute_result"):
            return output
        data = {k: v for k, v in output.data.items() if k in SHOWN_TYPES}
        if len(data.get("image/png", "")) > LARGEST_PICTURE:
            del data["image/png"]
        output.data, output.metadata = data, {}
        return output if data else None


class HideHiddenTests(NbGraderPreprocessor):
    """Keep hidden checks off the feedback page; leave what each one found."""

    course = Unicode(help="The folder of the class").tag(config=True)

    def preprocess(self, nb, resources):
        """Show released sources, and withhold outputs that quote a hidden line."""
        source = read_teacher_file(self.course, "source", resources)
        release = read_teacher_file(self.course, "release", resources)
        shown = {grade_id(cell): cell.source for cell in release.cells}
        hidden = {grade_id(c): c.source for c in source.cells if is_hidden(c)}
        lines = {line for text in hidden.values() for line in hidden_lines(text)}
        for cell in nb.cells:
            if grade_id(cell) in hidden:
                cell.source = shown[grade_id(cell)]
            elif cell.cell_type == "code":
                cell.outputs = [withhold(output, lines) for output in cell.outputs]
        return nb, resources


def withhold(output, lines):
    """Replace an output by a note if it quotes one of the lines."""
    text = json.dumps(output, ensure_ascii=False)
    if any(json.dumps(line, ensure_ascii=False)[1:-1] in text for line in lines):
        return new_output("stream", text="(this output quoted a hidden check)\n")
    return output
