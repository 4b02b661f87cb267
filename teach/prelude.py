"""Runs first in every sandbox, before anything of the hand-in; read as text."""

import os
import signal
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType

from IPython import get_ipython

MOST = 200_000  # characters that a cell may print; the grader keeps half of them
MOST_SHOWN = 6_000_000  # characters that a cell may display, pictures too


def bound_prints(shell, stream):
    """Drop what a cell prints beyond MOST: an endless loop would fill the memory."""
    write, room = type(stream).write, [MOST]

    def write_some(text):
        kept = text[: room[0]]
        room[0] -= len(kept)
        if kept:
            write(stream, kept)
        return len(text)

    def begin(*_):  # in the place of what IPython 9 puts there, which keeps all
        room[0], stream.write = MOST, write_some

    shell.events.register("pre_run_cell", begin)


def bound_displays(shell):
    """Drop what a cell displays beyond MOST_SHOWN."""
    publish, room = shell.display_pub.publish, [MOST_SHOWN]

    def publish_some(data, *rest, **more):
        forms = [f if isinstance(f, (str, bytes)) else str(f) for f in data.values()]
        room[0] -= 100 + sum(map(len, forms))
        if room[0] >= 0:
            publish(data, *rest, **more)

    def begin(*_):
        room[0] = MOST_SHOWN

    shell.display_pub.publish = publish_some
    shell.events.register("pre_run_cell", begin)


def outlive_restarts(shell):
    """Let do nothing what students write to end or restart this Python.

    Other processes and threads end as ever.
    """
    own, end, kill = os.getpid(), os._exit, os.kill

    def is_own():
        student = threading.current_thread() is threading.main_thread()
        return student and os.getpid() == own

    def end_other(status):
        if not is_own():
            end(status)

    def kill_other(pid, number):
        if not is_own() or pid not in (0, own) or number in (0, signal.SIGINT):
            kill(pid, number)

    os._exit, os.kill = end_other, kill_other
    shell.ask_exit = lambda: None  # what `exit()` and `quit()` call
    shell.kernel.do_shutdown = lambda restart: {"status": "ok", "restart": restart}


class OfColab(ModuleType):
    """Stands for `google.colab` and what is in it: calls do nothing."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return OfColab(f"{self.__name__}.{name}")

    def __call__(self, *_, **__):
        return {}


class ColabFinder:
    """Finds `google.colab` where there is none, and says so."""

    def find_spec(self, name, path=None, target=None):
        """Return how to import a part of Colab, or None."""
        if name == "google" or name.split(".")[:2] == ["google", "colab"]:
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        """Return what stands for it."""
        return OfColab(spec.name)

    def exec_module(self, module):
        """Say once that it does nothing."""
        if module.__name__ == "google.colab":
            print("google.colab is on Colab only: here its functions do nothing.")


shell = get_ipython()
outlive_restarts(shell)
sys.meta_path.append(ColabFinder())
for stream in (sys.stdout, sys.stderr):
    bound_prints(shell, stream)
bound_displays(shell)
