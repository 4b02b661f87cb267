"""Run a hand-in in the sandbox: its cells, and the questions of its hidden checks."""

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from teach.checks import ANSWER_TYPE, is_hidden, question_cell
from teach.course import KERNEL
from teach.repair import grade_id
from teach.watch import Watch, make_run_dir, read_log, remove_run_dir

SHOWN_TYPES = ("text/plain", "image/png")
SHOWN_TEXTS = ("text/plain", "text/html", "text/markdown", "image/svg+xml")
LARGEST_OUTPUT = 200_000  # characters a cell, pictures apart
LARGEST_PICTURE = 3_000_000
STARTUP_SECONDS = 120
TIMEOUT = "CellTimeoutError"


class MachineError(RuntimeError):
    """The machine failed, not the hand-in: it stays without marks."""


class Plan(NamedTuple):
    """How the hand-ins of an assignment are run.

    `limits` are those of the assignment's source; `sandboxed` is False only for trusted
    students; `read_only` and `variables` are further paths that a hand-in may read, and
    environment variables that name them.
    """

    limits: dict
    sandboxed: bool = True
    read_only: tuple = ()
    variables: dict | None = None


class Run(NamedTuple):
    """What became of a hand-in: which cells ended, and whether Python ended early."""

    finished: dict  # from the place of each cell that ended to its answer, or None
    early: bool
    ended: str  # why, if the grader ended it


def tagged_cells(source, *tags):
    """Return the ids of the cells that have one of these tags."""
    found = [c for c in source.cells if set(tags) & set(c.metadata.get("tags", []))]
    return {grade_id(cell) for cell in found} - {None}


def import_code(source):
    """Return what the import cells of an instructor notebook hold."""
    tagged = tagged_cells(source, "imports")
    return "\n".join(cell.source for cell in source.cells if grade_id(cell) in tagged)


def quick_cells(source):
    """Return the ids of the cells that train and import nothing: answers and checks."""
    every = {grade_id(cell) for cell in source.cells} - {None}
    return every - tagged_cells(source, "imports", "run")


class Runner(NotebookClient):
    """Executes one notebook under the limits of a plan."""

    def __init__(self, notebook, source, plan, run_dir):
        super().__init__(
            notebook,
            kernel_manager_class=AsyncKernelManager,
            kernel_name=KERNEL if plan.sandboxed else "python3",
            startup_timeout=STARTUP_SECONDS,
            timeout_func=self.seconds_for,
            interrupt_on_timeout=True,
            error_on_timeout={
                "ename": TIMEOUT,
                "evalue": "",
                "traceback": [f"{TIMEOUT}: No reply from kernel before timeout"],
            },
            allow_errors=True,
            raise_on_iopub_timeout=False,
            extra_arguments=[],
        )
        self.plan, self.run_dir = plan, run_dir
        self.imports = tagged_cells(source, "imports")
        self.quick = quick_cells(source)
        self.finished, self.written = {}, {}
        self.watch, self.late = None, False

    def run(self):
        """Start a kernel and execute every cell, one after the other."""
        self.reset_execution_trackers()
        with self.setup_kernel():
            for index, cell in enumerate(self.nb.cells):
                self.execute_cell(cell, index)

    def seconds_for(self, cell):
        """Return how long a cell may run, so that one endless task leaves time."""
        limits = self.plan.limits
        if grade_id(cell) in self.imports:
            return limits["wall_seconds"] // 2
        seconds = limits["cell_seconds"]
        quick = grade_id(cell) in self.quick
        return limits.get("check_seconds", seconds) if quick else seconds

    def create_kernel_manager(self):
        """Give every kernel a folder and sockets of its own; it has no network."""
        manager = super().create_kernel_manager()
        if self.plan.sandboxed:
            manager.transport, manager.ip = "ipc", os.path.join(self.run_dir, "k")
            manager.connection_file = os.path.join(self.run_dir, "connection.json")
        return manager

    def start_new_kernel(self, **kwargs):
        """Start the kernel with its limits, and watch it."""
        seconds = self.plan.limits["wall_seconds"] + self.startup_timeout
        limits = {**self.plan.limits, "wall_seconds": seconds}
        plan = {"limits": limits, "read_only": list(self.plan.read_only)}
        plan["extra"] = self.plan.variables or {}
        kwargs["env"] = {**os.environ, "GRADING_SANDBOX": json.dumps(plan)}
        super().start_new_kernel(**kwargs)
        if self.plan.sandboxed:
            pid = self.km.provisioner.process.pid
            self.watch = Watch(pid, self.plan.limits, self.run_dir)
            self.watch.start()

    def on_notebook_start(self, **kwargs):
        """Let the hand-in's time begin; what Python took to start is not its own."""
        if self.watch:
            seconds = self.plan.limits["wall_seconds"]
            self.watch.deadline = time.monotonic() + seconds

    def on_cell_executed(self, **kwargs):
        """Note that this cell ran to its end; stop if the imports did not.

        Late imports are the machine's failure, unless a cell before them was late too:
        what swallows its interrupt runs on.
        """
        reply = kwargs["execute_reply"]["content"]
        add_missing_error(kwargs["cell"], reply)
        self.finished[kwargs["cell_index"]] = last_answer(kwargs["cell"])
        late = reply.get("ename") == TIMEOUT
        if late and grade_id(kwargs["cell"]) in self.imports:
            if self.late:
                raise DeadKernelError("a cell above the imports did not end")
            raise MachineError(
                f"the imports took more than {self.seconds_for(kwargs['cell'])} s; "
                "grade again when the machine is less busy"
            )
        self.late = self.late or late

    def process_message(self, msg, cell, cell_index):
        """Pass over what would change earlier outputs, and widgets' messages."""
        kind = msg["msg_type"]
        if kind == "update_display_data" or kind.startswith("comm"):
            return None
        msg["content"].pop("transient", None)
        return super().process_message(msg, cell, cell_index)

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


def last_answer(cell):
    """Return the text that the cell handed over last, or None.

    It is taken when the cell ends: what is displayed or changed later counts nothing.
    """
    found = [
        o.data[ANSWER_TYPE] for o in cell.outputs if ANSWER_TYPE in o.get("data", {})
    ]
    return found[-1] if found else None


def add_missing_error(cell, reply):
    """Note an error that the kernel reported but did not show, as a timeout."""
    if reply["status"] != "error":
        return
    shown = [o.ename for o in cell.outputs if o.output_type == "error"]
    if reply["ename"] not in shown:
        hidden = ["ERROR: An error occurred while showtraceback was disabled"]
        error = {"ename": reply["ename"], "evalue": reply["evalue"]}
        error["traceback"] = reply["traceback"] or hidden
        cell.outputs.append(NotebookNode(output_type="error", **error))


def harmless(output):
    """Return an output with nothing in it that a browser would run."""
    if output.output_type not in ("display_data", "execute_result"):
        return output
    data = {k: v for k, v in output.data.items() if k in (*SHOWN_TYPES, ANSWER_TYPE)}
    if len(data.get("image/png", "")) > LARGEST_PICTURE:
        del data["image/png"]
    output.data, output.metadata = data, {}
    return output if data else None


def execute(notebook, source, plan):
    """Execute a repaired hand-in; its hidden checks' outputs hold their answers.

    Args:
        notebook: Its cells get their outputs.
        source: The instructor notebook.
        plan: A `Plan`.

    Returns:
        A `Run`.

    Raises:
        MachineError: If a kernel does not start, or does not come through the imports
            in time.
    """
    hidden = {grade_id(c): c.source for c in source.cells if is_hidden(c)}
    imports = import_code(source)
    asked = {i: c for i, c in enumerate(notebook.cells) if grade_id(c) in hidden}
    shown = {index: cell.source for index, cell in asked.items()}
    for cell in asked.values():
        cell.source = question_cell(hidden[grade_id(cell)], imports)
    run = run_cells(notebook, source, plan)
    for index, cell in asked.items():
        cell.source = shown[index]
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and index not in asked:
            cell.outputs = [o for o in map(harmless, cell.outputs) if o]
    return run


def run_cells(notebook, source, plan):
    """Run the cells in a folder made for them, and say how it ended."""
    run_dir = make_run_dir()
    runner, early = Runner(notebook, source, plan, run_dir), False
    try:
        runner.run()
    except DeadKernelError:
        early = True
    except Exception as error:
        log = read_log(Path(run_dir, "kernel.log"))
        raise MachineError(f"{type(error).__name__}: {error}\n{log}") from error
    finally:
        if runner.watch:
            runner.watch.ended.set()
        remove_run_dir(run_dir)
    return Run(runner.finished, early, runner.watch.reason if runner.watch else "")
