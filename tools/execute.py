"""Execute chapters side by side, into the cache that Jupyter Book takes them from.

Jupyter Book alone executes one chapter after the other. What its cache lacks is
executed here before it starts: as many chapters at a time as the machine holds, with
the settings of `_config.yml`.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import nbformat
import psutil
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from sphinx_external_toc.parsing import parse_toc_yaml

LONGEST = ("07_training", "05_decoder")
CHAPTER_MEMORY = 2e9  # bytes
# Several TensorFlows that use every core wait for each other. A single inter-op thread
# is not wanted: `tf.data` would wait for its own threads.
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
RULE = "-" * 60

say = partial(print, flush=True)


def execute_chapters(root, environment):
    """Execute what the cache lacks; stop with the names of the chapters that fail.

    Args:
        root: The folder of `_config.yml`, `_toc.yml` and `_build`.
        environment: The variables that chapters see.
    """
    settings = yaml.safe_load((root / "_config.yml").read_text())["execute"]
    cache = get_cache(root / "_build" / ".jupyter_cache")
    chapters = list_uncached(root, cache, settings.get("exclude_patterns", []))
    if not chapters:
        return
    at_once = 1
    if len(chapters) > 1:
        at_once = count_at_once(len(chapters), prepare_data(root, environment))
    if at_once > 1:
        environment = {**ONE_THREAD, **environment}
    say(f"Chapters to execute: {len(chapters)}, {at_once} at a time.")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as runs:  # none goes on where another ended
        environment = {**environment, "UNETBOOK_RUNS": runs}
        failed = run_interruptible(
            execute_all(chapters, at_once, cache, settings, environment)
        )
    say(f"Chapters executed in {time.perf_counter() - began:.0f} s.")
    if failed:
        sys.exit(
            f"The site was not built: {', '.join(failed)} failed, as shown above. "
            "What the other chapters gave is kept."
        )


def list_uncached(root, cache, excluded):
    """Return the chapters to execute, the longest first.

    Last, the longest would run alone in the end, beside cores that wait.
    """
    documents = (root / f"{name}.ipynb" for name in parse_toc_yaml(root / "_toc.yml"))
    chapters = [
        path
        for path in documents
        if path.exists()
        and not any(path.match(pattern) for pattern in excluded)
        and not is_cached(path, cache)
    ]
    order = {name: place for place, name in enumerate(LONGEST)}
    return sorted(chapters, key=lambda path: order.get(path.stem, len(order)))


def is_cached(path, cache):
    """Tell whether the cache holds outputs of the chapter's cells as they are now."""
    try:
        cache.merge_match_into_notebook(nbformat.read(path, as_version=4))
    except (KeyError, ValueError):  # no record, or one of a file not written whole
        return False
    return True


def prepare_data(root, environment):
    """Draw or download the data set once, before several chapters ask for it.

    Returns:
        The name of the device on which the chapters compute.
    """
    command = [sys.executable, "-m", "tools.prepare"]
    result = subprocess.run(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )
    if result.returncode:
        sys.exit("The data set could not be prepared: the error stands above.")
    return result.stdout.strip()


def count_at_once(num_chapters, device):
    """Return how many chapters to execute at a time."""
    if device != "CPU":  # one TensorFlow takes the GPU's whole memory
        return 1
    fitting = int(psutil.virtual_memory().available / CHAPTER_MEMORY)
    return max(1, min(num_chapters, os.cpu_count(), fitting))


def run_interruptible(coroutine):
    """Run a coroutine to its end; Ctrl-C cancels it and waits while it tidies up.

    It runs in a thread of its own: in the main one nbclient takes Ctrl-C for itself,
    and stops only the kernel that started last.
    """
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as thread:
        loop = runner.get_loop()
        task = loop.create_task(coroutine)
        try:
            return thread.submit(loop.run_until_complete, task).result()
        except KeyboardInterrupt:
            loop.call_soon_threadsafe(task.cancel)
            raise


async def execute_all(paths, at_once, *arguments):
    """Execute chapters, some at a time, and return the names of those that failed."""
    gate = asyncio.Semaphore(at_once)

    async def take_turn(path):
        async with gate:
            return await execute(path, *arguments)

    async with asyncio.TaskGroup() as group:
        tasks = {path.stem: group.create_task(take_turn(path)) for path in paths}
    return [name for name, task in tasks.items() if not task.result()]


async def execute(path, cache, settings, environment):
    """Execute one chapter as Jupyter Book does, and cache it unless a cell fails.

    Returns:
        Whether it is in the cache now.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=settings["timeout"],
        allow_errors=settings.get("allow_errors", False),
        coalesce_streams=True,  # else a busy machine splits what a cell prints
        record_timing=False,  # metadata of a cell is part of the cache's key
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],  # else each warns of its transport
    )
    say(f"{path.stem}  started")
    began = time.perf_counter()
    try:
        await client.async_execute(env=environment)
    except Exception as error:
        if asyncio.current_task().cancelling():  # by Ctrl-C: no fault of the chapter
            raise
        seconds = time.perf_counter() - began
        say(f"{path.stem}  {seconds:.0f} s, failed in {describe(error, client)}")
        return False
    seconds = time.perf_counter() - began
    bundle = CacheBundleIn(notebook, path, data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    say(f"{path.stem}  {seconds:.0f} s, done")
    return True


def describe(error, client):
    """Return the cell that failed, by number and text, and the end of the error."""
    cells = ["(none, since its kernel did not start)"] + [
        cell.source
        for cell in client.nb.cells
        if cell.cell_type == "code" and cell.source.strip()
    ]
    number = client.code_cells_executed
    text = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip()  # without colours
    end = "\n".join(text.splitlines()[-12:])
    return f"code cell {number}:\n{RULE}\n{cells[number]}\n{RULE}\n{end}\n{RULE}"
