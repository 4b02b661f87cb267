"""What nbgrader does differently here: hooks that nbgrader_config.py puts in its way.

nbgrader alone gives no grade to a notebook that lost its metadata or ended Python, runs
hidden tests beside student code, and prints them on feedback pages.
"""

import contextlib
import copy
import functools
import html
import json
import math
import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import bleach
import nbformat
import psutil
from nbclient.exceptions import DeadKernelError
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
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
from teach.sandbox import NOBODY
from unetbook.config import hold_stderr

TASK = re.compile(r"\A\s*(?:#|<!--) ?task: *([\w-]+)")
SHOWN_TYPES = ("text/plain", "image/png")
SHOWN_TEXTS = ("text/plain", "text/html", "text/markdown", "image/svg+xml")
LARGEST_OUTPUT = 200_000  # characters a cell, pictures apart
LARGEST_PICTURE = 3_000_000
MOST_TAGS = 2000  # bleach needs the square of the tags that are open at once
TAGS = {*bleach.ALLOWED_TAGS, "p", "br", "hr", "pre", "div", "span", "del"}
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
BLOCK = 4096  # bytes that even an empty file takes
DISK = 50_000_000  # bytes that a hand-in may write into its folder
RUN_DIR = re.compile(r"grading-(\d{1,9})-\w+")
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


def is_ours(folder):
    """Tell whether a grader of this user made a folder: /tmp is everybody's."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    user = os.getuid() if hasattr(os, "getuid") else found.st_uid
    owners = (user,) if user else (user, NOBODY)  # root gives it to the sandbox
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners


def make_run_dir():
    """Make a folder for one kernel, and remove those that killed graders left."""
    for folder in Path(tempfile.gettempdir()).glob("grading-*"):
        grader = RUN_DIR.fullmatch(folder.name)
        dead = grader and not psutil.pid_exists(int(grader[1]))
        if dead and is_ours(folder):
            remove_run_dir(folder)
    return tempfile.mkdtemp(prefix=f"grading-{os.getpid()}-")


def remove_run_dir(folder):
    """Remove a kernel's folder, however deep or unreadable a hand-in has made it."""
    if not shutil.which("rm"):  # Windows, and there only trusted students
        shutil.rmtree(folder, ignore_errors=True)
        return
    for words in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.exists(folder):
            subprocess.run([*words, str(folder)], capture_output=True)


def size_of(folder):
    """Return the bytes in a folder and below it; infinite if it cannot be read.

    It stops counting above DISK. A file that was removed but is open is not seen.
    """
    size, folders = 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        found = entry.stat(follow_symlinks=False)
                        size += BLOCK + max(found.st_size, found.st_blocks * 512)
                    if size > DISK:
                        return size
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            return math.inf
    return size


def measure(process, folder):
    """Return memory (bytes) and number of a process's descendants, and files' size."""
    family = process.children(recursive=True)
    memory = 0
    for member in family:
        try:
            memory += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return memory, len(family), size_of(folder)


class Watch(threading.Thread):
    """Kill a kernel that takes more time, memory, processes or disk than allowed."""

    def __init__(self, pid, limits, folder):
        super().__init__(daemon=True)
        self.process, self.limits, self.folder = psutil.Process(pid), limits, folder
        self.ended, self.reason = threading.Event(), ""
        self.deadline = math.inf

    def run(self):
        """Look five times a second."""
        while not self.ended.wait(0.2):
            try:
                memory, processes, files = measure(self.process, self.folder)
            except psutil.NoSuchProcess:
                return
            if memory > self.limits["memory_gb"] * 1e9:
                self.reason = "it took too much memory"
            elif processes > self.limits["processes"]:
                self.reason = "it started too many processes"
            elif files > DISK:
                self.reason = "it wrote too much to the disk"
            elif time.monotonic() > self.deadline:
                self.reason = "it took too much time"
            if self.reason:
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.process.kill()
                return


def read_log(log):
    """Return the end of a kernel's log; a hand-in can put anything in its place."""
    with contextlib.suppress(OSError):
        if log.is_file() and not log.is_symlink():
            return log.read_bytes()[-2000:].decode(errors="replace")
    return "no kernel.log"


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
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if any(error.ename == "CellTimeoutError" for error in errors):
        return [failure("the answer took too long and was stopped: an endless loop?")]
    for error in errors:
        evalue = str(error.evalue)[:300]
        return [failure(f"{error.ename}: {evalue}" if evalue else error.ename)]
    try:
        answer = read_answer(last_answer(cell))
    except ValueError as error:
        return [failure(str(error))]
    sentence = judge(source, answer, reference)
    return [failure(sentence)] if sentence else []


def tagged_cells(source, *tags):
    """Return the ids of the cells that have one of these tags."""
    found = [c for c in source.cells if set(tags) & set(c.metadata.get("tags", []))]
    return {grade_id(cell) for cell in found} - {None}


def quick_cells(source):
    """Return the ids of the cells that train and import nothing: answers and checks."""
    every = {grade_id(cell) for cell in source.cells} - {None}
    return every - tagged_cells(source, "imports", "run")


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
        self.late = False
        self.quick = quick_cells(source)
        self.imports = tagged_cells(source, "imports")
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

        A kernel that does not start, or does not come through the imports in time,
        is the machine's failure and raises: such a hand-in stays without marks.
        """
        self.run_dir = make_run_dir()
        try:
            super().preprocess(nb, resources)
        except DeadKernelError:
            self.log.warning("The hand-in ended its Python.")
        except Exception:
            self.log.error(read_log(Path(self.run_dir, "kernel.log")))
            raise
        finally:
            if self.watch:
                self.watch.ended.set()
            remove_run_dir(self.run_dir)
        reason = self.watch.reason if self.watch else ""
        return f"{LATE}: {reason}" if reason else LATE

    def seconds_for(self, cell):
        """Return how long a cell may run, so that one endless task leaves time."""
        if grade_id(cell) in self.imports:
            return self.limits["wall_seconds"] // 2
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
        seconds = self.limits["wall_seconds"] + self.startup_timeout
        limits = {**self.limits, "wall_seconds": seconds}
        plan = {"limits": limits, "read_only": list(self.read_only)}
        plan["extra"] = dict(self.variables)
        kwargs["env"] = {**os.environ, "GRADING_SANDBOX": json.dumps(plan)}
        super().start_new_kernel(**kwargs)
        if self.sandboxed:
            pid = self.km.provisioner.process.pid
            self.watch = Watch(pid, self.limits, self.run_dir)
            self.watch.start()

    def on_notebook_start(self, **kwargs):
        """Let the hand-in's time begin; what Python took to start is not its own."""
        if self.watch:
            self.watch.deadline = time.monotonic() + self.limits["wall_seconds"]

    def on_cell_executed(self, **kwargs):
        """Note that this cell ran to its end; stop if the imports did not.

        Late imports are the machine's failure, unless a cell before them was late too:
        what swallows its interrupt runs on.
        """
        super().on_cell_executed(**kwargs)
        self.finished.add(kwargs["cell_index"])
        late = kwargs["execute_reply"]["content"].get("ename") == "CellTimeoutError"
        if late and grade_id(kwargs["cell"]) in self.imports:
            if self.late:
                raise DeadKernelError("a cell above the imports did not end")
            raise RuntimeError(
                f"the imports took more than {self.seconds_for(kwargs['cell'])} s; "
                "grade again when the machine is less busy"
            )
        self.late = self.late or late

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


def safe_markdown(source):
    """Return text of a notebook as HTML that runs nothing and fetches nothing.

    nbgrader's own templates, Formgrader's too, put a student's HTML into the page as
    it is: nbconvert's `sanitize_html` does not reach them.
    """
    if source.count("<") > MOST_TAGS:
        source = html.escape(source)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    return bleach.clean(rendered, tags=TAGS, attributes={"a": ["href", "title"]})


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
