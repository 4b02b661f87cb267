"""Run each hand-in in a process of its own, which it may end: `python -m teach.apart`.

Each is a fork of a process that has loaded what takes long to load.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading

import nbformat

from teach.course import ROOT
from teach.execute import (
    STARTUP_SECONDS,
    MachineError,
    Plan,
    Run,
    execute,
    longest_run,
)

OWN_MEMORY = 3_000_000_000  # addresses of the process that runs a hand-in
STARTED, ENDED = b"started\n", b"ended"
TRIES = 2


class Apart:
    """Runs hand-ins one after the other, each in a process of its own.

    Args:
        core: The one that they may use, or None.
    """

    def __init__(self, core=None):
        self.core, self.server = core, None

    def start(self):
        """Start the process that makes the others."""
        paths = [str(ROOT), str(ROOT / "book"), os.environ.get("PYTHONPATH", "")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        pipes["stderr"] = subprocess.DEVNULL
        words = [sys.executable, "-m", "teach.apart"]
        self.server = subprocess.Popen(words, env=env, cwd=ROOT, **pipes)

    def close(self):
        """End that process."""
        if self.server:
            self.server.kill()
            self.server.communicate()
            self.server = None

    def ask(self, order, seconds):
        """Return the lines that come back for an order: STARTED, JSON, and ENDED."""
        if self.server is None:
            self.start()
        clock, lines = threading.Timer(seconds, self.server.kill), []
        clock.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it died; what did it tell?
                self.server.stdin.write(order + b"\n")
                self.server.stdin.flush()
            for line in self.server.stdout:
                lines.append(line)
                if line.startswith(ENDED):
                    break
            else:
                self.close()  # it died, or is just dying
        finally:
            clock.cancel()
        return lines

    def run(self, notebook, source, plan):
        """Execute a hand-in as `execute` does.

        If the process dies of what a hand-in sends it, twice, the hand-in has ended
        early.

        Returns:
            `(notebook, run)`.
        """
        order = {"notebook": notebook, "source": source, "plan": plan}
        order |= {"core": self.core, "grader": os.getpid()}
        seconds = longest_run(plan.limits) + STARTUP_SECONDS
        for _ in range(TRIES):
            lines = self.ask(json.dumps(order).encode(), seconds)
            told = [line for line in lines if line.startswith(b"{")]
            if told:
                return read_told(json.loads(told[-1]))
            if STARTED not in lines:
                raise MachineError(f"the runner ended: {lines}")
        return notebook, Run({}, True, "it sent more than the grader can hold")


def read_told(told):
    """Return the notebook and the `Run` that a process has told."""
    if "failed" in told:
        raise MachineError(told["failed"])
    finished = {int(place): answer for place, answer in told["finished"].items()}
    run = Run(finished, told["early"], told["ended"], told["remark"])
    return nbformat.from_dict(told["notebook"]), run


def end_with_parent():
    """Let this process end when the one that made it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def work(order, out):
    """Execute what an order holds, and write what became of it."""
    if order["core"] is not None:
        os.sched_setaffinity(0, {order["core"]})
    notebook, source = map(nbformat.from_dict, (order["notebook"], order["source"]))
    plan = Plan(*order["plan"])
    if plan.sandboxed:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (OWN_MEMORY, hard))
    try:
        run = execute(
            notebook, source, plan, lambda: out.write(STARTED), order["grader"]
        )
        told = {"notebook": notebook, **run._asdict()}
    except MachineError as error:
        told = {"failed": str(error)}
    except KeyboardInterrupt:
        told = {"failed": "the teacher stopped it"}
    out.write(json.dumps(told).encode() + b"\n")


def work_in_fork(order, out):
    """Execute an order in a fork, and wait for it; return how that ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        end_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        work(order, out)
        status = 0
    finally:
        os._exit(status)


def main():
    """Execute what each line of standard input holds, and print what became of it.

    Where nothing can fork, one order is the last.
    """
    end_with_parent()
    out = os.fdopen(os.dup(1), "wb", buffering=0)  # a kernel does not inherit it
    os.dup2(2, 1)
    if not hasattr(os, "fork"):
        work(json.loads(sys.stdin.buffer.readline()), out)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        status = work_in_fork(json.loads(line), out)
        out.write(ENDED + b" %d\n" % status)


if __name__ == "__main__":
    main()
