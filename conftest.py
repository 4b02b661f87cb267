"""How `pytest -n auto` shares the tests out: a file is one piece, the longest first."""

import os
import subprocess
import sys
import tempfile

import psutil

from unetbook.config import cache_dir

MEMORY = 3e9  # bytes of a worker with TensorFlow and a process that it starts
LONGEST = ("07_training", "05_decoder", "test_training", "test_experiments")
LONGEST += ("test_sources", "test_grade", "test_solutions")  # `make grading`
# Not TF_NUM_INTEROP_THREADS: with a single one, `tf.data` waits for its own threads.
ONE_THREAD = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")

if "PYTEST_XDIST_WORKER" in os.environ:  # before TensorFlow or a kernel starts
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")


def pytest_configure(config):
    """Let chapters train from the start, not go on with the runs of this machine."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        runs = tempfile.TemporaryDirectory()
        os.environ["UNETBOOK_RUNS"] = runs.name
        config.add_cleanup(runs.cleanup)


def pytest_xdist_auto_num_workers():
    """One worker a core, as far as the memory allows."""
    fitting = int(psutil.virtual_memory().available / MEMORY)
    return max(1, min(os.cpu_count(), fitting))


def pytest_collection_modifyitems(items):
    """Put the longest files first: last, one would run alone beside cores that wait."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_sessionstart(session):
    """Draw the pets once, before several workers find that they are missing."""
    if session.config.getoption("tx") and not any(cache_dir().glob("drawn_pets-*")):
        code = "from unetbook.data import load_pets; load_pets('drawn')"
        subprocess.run([sys.executable, "-c", code], check=True)
