"""Run a hand-in in the sandbox: its cells, and the questions of its hidden checks.

What a hand-in sends to the process that runs it may be too much for that one, so each
is run in a process of its own, by apart.py.
"""

import json
import math
import os
import queue
import re
import shutil
import stat
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import zmq.asyncio
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal
from nbformat.v4 import new_code_cell, new_output

from teach.checks import is_hidden, question_cell
from teach.course import KERNEL
from teach.messages import (
    LARGEST_OUTPUT,
    add_missing_error,
    answer_of,
    harmless,
    plain_content,
    unread_f_string,
)
from teach.repair import grade_id
from teach.sandbox import sockets_of
from teach.watch import Watch, make_run_dir, read_log

MOST_SHOWN = 5_000_000  # characters a notebook, pictures too
LARGEST_MESSAGE = 20_000_000  # bytes
MOST_MESSAGES = 20  # that wait to be read, on each channel
LONGEST_SEND = 20_000  # ms; a kernel that broke its sockets takes nothing any more
STARTUP_SECONDS = 120
SLOW = re.compile(r"^\s*(?:import|from)\s+(?:keras|tensorflow)\b", re.MULTILINE)
SLOW_SECONDS = 25  # that such an import may take
TICK = 0.2  # seconds between two looks at what a cell has used up
INTERRUPTS = 20  # of a cell that goes on, a tick apart
TIMEOUT = "CellTimeoutError"
LACKS = "the grader has no such package"  # as prelude.py says it
CUT = "The rest of what this cell wrote is left out: it was too much.\n"
PRELUDE = (Path(__file__).parent / "prelude.py").read_text()


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
    remark: str = ""  # on what it holds


def longest_run(limits):
    """Return how many seconds a kernel may live, its start and the imports too."""
    return int(1.5 * limits["patience"] * limits["notebook_seconds"]) + STARTUP_SECONDS


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


def bounded_context():
    """Return what makes sockets that neither fill the memory nor wait for ever."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
    context.setsockopt(zmq.RCVHWM, MOST_MESSAGES)
    context.setsockopt(zmq.SNDTIMEO, LONGEST_SEND)
    return context


class Runner(NotebookClient):
    """Executes one notebook under the limits of a plan, the first cell being ours.

    A cell may use so many seconds of a core, however busy the machine is, and so may
    the notebook. The clock may show `patience` times as many: for what only waits.
    """

    def __init__(self, notebook, source, plan, run_dir, started):
        super().__init__(
            notebook,
            kernel_manager_class=AsyncKernelManager,
            kernel_name=KERNEL if plan.sandboxed else "python3",
            startup_timeout=STARTUP_SECONDS,
            timeout_func=lambda cell: self.patience * self.seconds_for(cell),
            interrupt_on_timeout=True,
            error_on_timeout={"ename": TIMEOUT, "evalue": "", "traceback": [TIMEOUT]},
            allow_errors=True,
            raise_on_iopub_timeout=False,
            extra_arguments=[],
        )
        self.plan, self.run_dir = plan, run_dir
        self.patience, self.allowed = plan.limits["patience"], math.inf
        self.imports = tagged_cells(source, "imports")
        self.quick = quick_cells(source)
        self.slow = any(SLOW.search(c.source) for c in notebook.cells)
        self.finished, self.written, self.shown = {}, {}, 0
        self.watch, self.started, self.tell_start = None, False, started
        self.held = []  # the kernel's sockets

    def run(self):
        """Start a kernel and execute every cell, one after the other."""
        self.reset_execution_trackers()
        with self.setup_kernel():
            channel = self.kc.shell_channel
            channel.get_msg = partial(self.wait_for_reply_of_cell, channel.get_msg)
            for index, cell in enumerate(self.nb.cells):
                self.allowed = self.used() + self.seconds_for(cell)
                self.execute_cell(cell, index)

    def used(self):
        """Return the seconds of a core that the kernel has used up."""
        return self.watch.seconds if self.watch else 0

    async def wait_for_reply_of_cell(self, get_msg, timeout):
        """Wait for a message until the clock or the core has run for too long."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return await get_msg(timeout=TICK)
            except queue.Empty:
                if time.monotonic() > deadline or self.used() > self.allowed:
                    raise

    async def _async_handle_timeout(self, timeout, cell=None):
        """Interrupt a cell until it ends: a bare `except` may swallow an interrupt.

        Otherwise it would go on, and use up the time of the cells behind it.
        """
        reply = await super()._async_handle_timeout(timeout, cell)
        for _ in range(INTERRUPTS):
            try:
                await self.kc.shell_channel.get_msg(timeout=TICK)
                break
            except queue.Empty:
                await self.km.interrupt_kernel()
        return reply

    def seconds_for(self, cell):
        """Return how long a cell may compute, so that one endless task leaves time."""
        limits = self.plan.limits
        if cell is self.nb.cells[0] or grade_id(cell) in self.imports:
            return limits["notebook_seconds"] // 2
        seconds = limits["cell_seconds"]
        if grade_id(cell) in self.quick:
            seconds = limits.get("check_seconds", seconds)
        return seconds + SLOW_SECONDS * self.slow

    def create_kernel_manager(self):
        """Give every kernel sockets of its own; it has no network.

        They lie in a folder inside the sandbox; `meet` leads to them from out here.
        """
        manager = super().create_kernel_manager()
        if self.plan.sandboxed:
            manager.connection_file = os.path.join(self.run_dir, "connection.json")
            sockets = sockets_of(manager.connection_file)
            manager.transport, manager.ip = "ipc", os.path.join(sockets, "k")
            manager.context.setsockopt(zmq.SNDTIMEO, LONGEST_SEND)
        return manager

    def start_new_kernel(self, **kwargs):
        """Start the kernel with its limits, and watch it."""
        limits = {**self.plan.limits, "clock_seconds": longest_run(self.plan.limits)}
        plan = {"limits": limits, "read_only": list(self.plan.read_only)}
        plan["extra"] = self.plan.variables or {}
        kwargs["env"] = {**os.environ, "GRADING_SANDBOX": json.dumps(plan)}
        super().start_new_kernel(**kwargs)
        if self.plan.sandboxed:
            sockets = sockets_of(self.km.connection_file)
            first = self.meet(sockets)
            self.watch = Watch(first, self.plan.limits, sockets)
            self.watch.start()

    def meet(self, sockets):
        """Lead the paths of the kernel's sockets to those that lie in the sandbox.

        They are held open: a link that a hand-in puts in the place of one leads
        nowhere, whatever it names out here.

        Returns:
            The first process of the sandbox.
        """
        told = Path(self.run_dir, "bwrap.json")
        self.wait_for(lambda: told.exists() and "}" in told.read_text())
        first = json.loads(told.read_text())["child-pid"]
        os.mkdir(sockets)
        for port in self.km.ports:
            inside = f"/proc/{first}/root{sockets}/k-{port}"
            self.wait_for(lambda path=inside: os.path.exists(path))
            self.held.append(os.open(inside, os.O_PATH | os.O_NOFOLLOW))
            if not stat.S_ISSOCK(os.fstat(self.held[-1]).st_mode):
                raise MachineError(f"k-{port} in the sandbox is no socket")
            os.symlink(f"/proc/self/fd/{self.held[-1]}", f"{sockets}/k-{port}")
        return first

    def wait_for(self, ready):
        """Wait until something of the sandbox is there."""
        patience = time.monotonic() + self.startup_timeout
        while not ready():
            ended = self.km.provisioner.process.poll() is not None
            if ended or time.monotonic() > patience:
                raise MachineError("the sandbox did not start")
            time.sleep(0.02)

    def start_new_kernel_client(self):
        """Connect by sockets that take no message which would fill the memory."""
        make = self.km.client

        def client(**kwargs):
            return make(context=bounded_context(), **kwargs)

        self.km.client = client
        return super().start_new_kernel_client()

    def on_cell_executed(self, **kwargs):
        """Note that this cell ran to its end; after ours, the hand-in's time begins."""
        reply, cell = kwargs["execute_reply"]["content"], kwargs["cell"]
        add_missing_error(cell, reply)
        self.finished[kwargs["cell_index"]] = answer_of(reply)
        if kwargs["cell_index"]:
            return
        if reply["status"] != "ok":
            raise MachineError(
                f"the imports failed or took more than {self.seconds_for(cell)} s "
                f"({reply.get('ename')}); grade again when the machine is less busy"
            )
        self.started = True
        self.tell_start()
        if self.watch:
            self.watch.begin(self.plan.limits["notebook_seconds"], self.patience)

    def process_message(self, msg, cell, cell_index):
        """Take a message in, whatever a hand-in has put into it.

        Widgets' messages and changes of earlier outputs are passed over.
        """
        kind = msg["msg_type"]
        if kind == "update_display_data" or kind.startswith("comm"):
            return None
        try:
            msg["content"] = plain_content(msg["content"])
            return super().process_message(msg, cell, cell_index)
        except CellControlSignal:
            raise
        except Exception as error:
            self.log.warning("A message that is none: %s", error)
            return None

    def output(self, outs, msg, display_id, cell_index):
        """Take in of an output what its cell may still write; errors always."""
        content, data = msg["content"], msg["content"].get("data", {})
        room = LARGEST_OUTPUT - self.written.get(cell_index, 0) - 100
        size = len(content.get("text", "")) + len(data.get("text/plain", ""))
        size += sum(map(len, content.get("traceback", [])))
        self.written[cell_index] = LARGEST_OUTPUT - room + size
        shown = self.shown + 100 + size + len(data.get("image/png", ""))
        if size <= room and shown <= MOST_SHOWN:
            self.shown = shown
        elif msg["msg_type"] == "error":
            outs[:] = [o for o in outs if o.output_type != "error"]
        else:
            if room > 0 and self.shown < MOST_SHOWN and "text" in content:
                content["text"] = content["text"][:room]
                super().output(outs, msg, display_id, cell_index)
            if all(o.get("text") != CUT for o in outs):
                outs.append(new_output("stream", text=CUT))  # nbgrader drops stderr
            return None
        return super().output(outs, msg, display_id, cell_index)


def execute(notebook, source, plan, started=lambda: None, grader=None):
    """Execute a repaired hand-in, and ask the questions of its hidden checks.

    Args:
        notebook: Its cells get their outputs.
        source: The instructor notebook.
        plan: A `Plan`.
        started: Called as soon as all that follows is the hand-in's own doing.
        grader: The process of the grader, if that is another one.

    Returns:
        A `Run`.

    Raises:
        MachineError: If a kernel does not start, or does not come through the imports
            in time.
    """
    hidden = {grade_id(c): c.source for c in source.cells if is_hidden(c)}
    imports = import_code(source)
    asked = [cell for cell in notebook.cells if grade_id(cell) in hidden]
    shown = [cell.source for cell in asked]
    for cell in asked:
        cell.source = question_cell(hidden[grade_id(cell)], imports)
    # Before anything of the hand-in: what it does to the imports cannot make them late.
    first = f"exec({PRELUDE!r}, {{}})\nexec({imports!r}, {{}})"
    notebook.cells.insert(0, new_code_cell(first))
    try:
        run_dir = make_run_dir(grader or os.getpid())
        run = run_cells(Runner(notebook, source, plan, run_dir, started))
    finally:
        del notebook.cells[0]
    for cell, released in zip(asked, shown, strict=True):
        cell.source = released
    run = run._replace(remark=next(filter(None, map(explain, notebook.cells)), ""))
    finished = {place - 1: answer for place, answer in run.finished.items() if place}
    return run._replace(finished=finished)


def explain(cell):
    """Leave what is harmless of a cell's outputs; return a remark, shown there, too."""
    if cell.cell_type != "code":
        return ""
    cell.outputs = [output for output in map(harmless, cell.outputs) if output]
    remark = unread_f_string(cell)
    if remark:
        cell.outputs.append(new_output("stream", text=f"This cell has {remark}.\n"))
    return remark


def run_cells(runner):
    """Run the cells, and say how it ended."""
    early = False
    try:
        runner.run()
    except Exception as error:
        if not runner.started:
            log = read_log(Path(runner.run_dir, "kernel.log"))
            raise MachineError(f"{error or type(error).__name__}\n{log}") from error
        early = True
    finally:
        if runner.watch:
            runner.watch.ended.set()
        for socket in runner.held:
            os.close(socket)
        shutil.rmtree(runner.run_dir, ignore_errors=True)
    return Run(runner.finished, early, runner.watch.reason if runner.watch else "")
