"""Runs first in every sandbox, before anything of the hand-in; read as text."""

import ast
import os
import re
import signal
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType

from IPython import get_ipython

MOST = 200_000  # characters that a cell may print; the grader keeps half of them
MOST_SHOWN = 6_000_000  # characters that a cell may display, pictures too
KILLS = re.compile(r"\s*(?:sudo\s+)?(?:kill|pkill|killall)\b")  # so some restart Colab


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

    def run_other(command):
        if KILLS.match(command):
            print("Commands that end processes do nothing here.")
        else:
            run(command)

    run = shell.system
    shell.system = run_other  # what `!` calls
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


def answer_nothing(prompt=""):
    """Stand for `input()`: nobody sits here."""
    print(f"{prompt}(input() gets an empty line here)")
    return ""


class PassOverImports(ast.NodeTransformer):
    """Lets a cell go on behind an import of what is not installed here, and says so.

    What needs the package fails where it is used.
    """

    def visit_Module(self, cell):
        """Guard the imports at the top of a cell; those in functions stay."""
        cell.body = [guard(one) if may_lack(one) else one for one in cell.body]
        return cell


def may_lack(line):
    """Tell whether a statement imports from a package that may not be here."""
    origin = getattr(line, "module", None)
    return isinstance(line, (ast.Import, ast.ImportFrom)) and origin != "__future__"


def guard(line):
    """Return an import that prints what it lacks."""
    text = "print(f'{lack}: the grader has no such package; what uses it fails.')"
    tried = ast.parse(f"try: pass\nexcept ModuleNotFoundError as lack: {text}").body[0]
    for one in ast.walk(tried):
        ast.copy_location(one, line)
    tried.body = [line]
    return tried


def pass_over_magics(shell):
    """Let magics that are not here do nothing, and a cell below one run without it."""
    run_line, run_cell = shell.run_line_magic, shell.run_cell_magic

    def line_magic(name, line, _stack_depth=1):
        if name == "matplotlib":  # charts are shown as they are
            return None
        if shell.find_line_magic(name) is None:
            return print(f"%{name} does nothing here.")
        try:
            return run_line(name, line, _stack_depth + 1)
        except ModuleNotFoundError as error:
            if name != "load_ext":
                raise
            return print(f"%{name} does nothing here: {error}.")

    def cell_magic(name, line, cell):
        if shell.find_cell_magic(name) is None:
            print(f"%%{name} does nothing here.")
            return shell.ex(cell)
        return run_cell(name, line, cell)

    shell.run_line_magic, shell.run_cell_magic = line_magic, cell_magic


shell = get_ipython()
shell.kernel.raw_input = answer_nothing
shell.ast_transformers.append(PassOverImports())
pass_over_magics(shell)
outlive_restarts(shell)
sys.meta_path.append(ColabFinder())
for stream in (sys.stdout, sys.stderr):
    bound_prints(shell, stream)
bound_displays(shell)
