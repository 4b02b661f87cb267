"""Run a module of the project in an environment that holds chosen packages alone."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def isolated_python(options):
    """Return the beginning of a command: Python in an environment that uv makes.

    uv keeps the packages in its cache and throws the environment away.

    Args:
        options: uv's own, such as `["--with", "numpy"]`; constraints.txt holds.
    """
    uv = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--isolated"]
    return [*uv, "-p", sys.executable, "-c", "constraints.txt", *options, "python"]


def run_module(module, options, arguments=(), **environment):
    """Run a module in an environment of its own.

    Args:
        module: Its name with dots.
        options: As in `isolated_python`.
        arguments: Of the module's command line.
        environment: Variables to set for it.

    Raises:
        SystemExit: If it fails, or its packages cannot be installed.
    """
    command = [*isolated_python(options), "-m", module, *arguments]
    variables = os.environ | {"PYTHONPATH": str(ROOT / "book")} | environment
    status = subprocess.call(command, cwd=ROOT, env=variables)
    if status:
        raise SystemExit(
            f"This command ended with status {status}, its own message stands above: "
            f"{' '.join(command)}"
        )
