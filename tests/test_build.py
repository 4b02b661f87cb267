"""The book is executed when something changed, side by side, and only what changed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from tools import build, execute

ROOT = Path(__file__).parents[1]
EXECUTE_TWO = """
import os, signal, sys
from pathlib import Path
from tools import execute
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
execute.prepare_data = lambda *arguments: "CPU"
execute.count_at_once = lambda *arguments: 2
execute.execute_chapters(Path(sys.argv[1]), dict(os.environ))
"""


def test_the_cache_is_cleared_when_the_data_changes(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "BUILD", tmp_path)
    monkeypatch.delenv("UNETBOOK_DATA", raising=False)
    build.clear_stale_cache()
    cached = tmp_path / ".jupyter_cache" / "chapter"
    cached.mkdir(parents=True)
    build.clear_stale_cache()
    assert cached.exists()
    monkeypatch.setenv("UNETBOOK_DATA", "oxford")
    build.clear_stale_cache()
    assert not cached.exists()


def test_the_stamp_knows_the_package(monkeypatch, tmp_path):
    package = tmp_path / "book" / "unetbook"
    package.mkdir(parents=True)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    before = build.stamp()
    (package / "blocks.py").write_text("changed = True\n")
    assert build.stamp() != before


def test_the_stamp_knows_the_files_of_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setenv("UNETBOOK_DATA", str(tmp_path / "mine"))
    picture = tmp_path / "mine" / "images" / "a.png"
    picture.parent.mkdir(parents=True)
    stamps = [build.stamp()]
    for change in (b"a picture", b"a picture, changed"):
        picture.write_bytes(change)
        stamps.append(build.stamp())
    os.utime(picture, ns=(1, 1))
    stamps.append(build.stamp())
    picture.rename(picture.with_name("b.png"))
    stamps.append(build.stamp())
    assert len(set(stamps)) == len(stamps) == 5
    assert build.stamp() == stamps[-1]


def write_book(folder, chapters, **settings):
    """Write a book whose chapters are lists of cells, by name."""
    entries = [{"file": name} for name in chapters]
    toc = {"format": "jb-book", "root": "intro", "chapters": entries}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    config = {"execute": {"timeout": 60, **settings}}
    (folder / "_config.yml").write_text(yaml.safe_dump(config))
    for name, sources in chapters.items():
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        path = folder / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def names_uncached(folder, excluded=()):
    """Return the chapters that would be executed, in order."""
    cache = get_cache(folder / "_build" / ".jupyter_cache")
    return [path.stem for path in execute.list_uncached(folder, cache, excluded)]


@pytest.fixture
def two_at_once(monkeypatch):
    """A machine that executes two chapters at a time, whose data lies ready."""
    monkeypatch.setattr(execute, "prepare_data", lambda *arguments: "CPU")
    monkeypatch.setattr(execute, "count_at_once", lambda *arguments: 2)


def test_the_longest_chapters_start_first(tmp_path):
    write_book(tmp_path, {name: ["1"] for name in ("a", *execute.LONGEST[::-1], "z")})
    assert names_uncached(tmp_path) == [*execute.LONGEST, "a", "z"]


def test_the_chapters_called_longest_are_chapters():
    toc = (ROOT / "_toc.yml").read_text()
    assert all(f"file: book/{name}\n" in toc for name in execute.LONGEST)


def test_pages_without_cells_and_excluded_chapters_are_not_executed(tmp_path):
    write_book(tmp_path, {"one": ["1"], "tasks/two": ["2"]})
    (tmp_path / "intro.md").write_text("# Welcome")
    assert names_uncached(tmp_path, excluded=["tasks/*"]) == ["one"]


def test_a_chapter_that_was_not_cached_whole_is_executed_again(tmp_path):
    write_book(tmp_path, {"one": ["1"]})
    notebook = nbformat.read(tmp_path / "one.ipynb", as_version=4)
    cache = get_cache(tmp_path / "_build" / ".jupyter_cache")
    cache.cache_notebook_bundle(CacheBundleIn(notebook, "one"), check_validity=False)
    assert names_uncached(tmp_path) == []
    (written,) = cache.path.rglob("base.ipynb")
    written.write_text(written.read_text()[:100])
    assert names_uncached(tmp_path) == ["one"]
    written.unlink()
    assert names_uncached(tmp_path) == ["one"]


@pytest.mark.parametrize(
    ("device", "cores", "gigabytes", "expected"),
    [("CPU", 2, 8, 2), ("CPU", 16, 64, 8), ("CPU", 4, 5, 2), ("CPU", 4, 1, 1)]
    + [("A GPU", 16, 64, 1)],
)
def test_as_many_at_once_as_cores_and_memory_hold(
    monkeypatch, device, cores, gigabytes, expected
):
    memory = type("Memory", (), {"available": gigabytes * 1e9})
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert execute.count_at_once(8, device) == expected


@pytest.mark.slow
def test_only_chapters_that_changed_are_executed(tmp_path, capsys, two_at_once):
    chapters = {"book/one": ["open('1.log', 'a').write('.')"], "two": ["2"]}
    write_book(tmp_path, chapters)
    execute.execute_chapters(tmp_path, dict(os.environ))
    execute.execute_chapters(tmp_path, dict(os.environ))
    write_book(tmp_path, {**chapters, "two": ["3"]})
    execute.execute_chapters(tmp_path, dict(os.environ))
    lines = capsys.readouterr().out.splitlines()
    assert (tmp_path / "book" / "1.log").read_text() == "."
    assert [lines.count(f"{name}  started") for name in ("one", "two")] == [1, 2]
    assert sum(line.startswith("two  ") and "s, done" in line for line in lines) == 2


@pytest.mark.slow
def test_chapters_train_from_the_start_whatever_runs_there_are(tmp_path, two_at_once):
    write_book(
        tmp_path,
        {"one": ["import os", "open('1', 'w').write(os.environ['UNETBOOK_RUNS'])"]},
    )
    mine = str(tmp_path / "mine")
    execute.execute_chapters(tmp_path, {**os.environ, "UNETBOOK_RUNS": mine})
    assert (tmp_path / "1").read_text() not in ("", mine)


@pytest.mark.slow
def test_chapters_run_side_by_side_with_one_thread_each(tmp_path, two_at_once):
    meet = """
import os, pathlib, time
pathlib.Path("{own}").write_text(os.environ["OMP_NUM_THREADS"])
while not pathlib.Path("{other}").exists():
    time.sleep(0.05)
"""
    chapters = {
        "one": [meet.format(own="1.txt", other="2.txt")],
        "two": [meet.format(own="2.txt", other="1.txt")],
    }
    write_book(tmp_path, chapters, timeout=20)
    environment = {k: v for k, v in os.environ.items() if k not in execute.ONE_THREAD}
    execute.execute_chapters(tmp_path, environment)
    assert [(tmp_path / f"{n}.txt").read_text() for n in (1, 2)] == ["1", "1"]


@pytest.mark.slow
def test_a_chapter_alone_keeps_all_threads(tmp_path):
    source = "import os; assert 'OMP_NUM_THREADS' not in os.environ"
    write_book(tmp_path, {"one": [source]})
    environment = {k: v for k, v in os.environ.items() if k not in execute.ONE_THREAD}
    execute.execute_chapters(tmp_path, environment)
    assert names_uncached(tmp_path) == []


@pytest.mark.slow
def test_what_a_cell_prints_is_one_output_however_slowly(tmp_path):
    source = "import time; print('a', flush=True); time.sleep(0.5); print('b')"
    write_book(tmp_path, {"one": [source]})
    execute.execute_chapters(tmp_path, dict(os.environ))
    (written,) = (tmp_path / "_build").rglob("base.ipynb")
    (output,) = nbformat.read(written, as_version=4).cells[0].outputs
    assert output.text == "a\nb\n"


@pytest.mark.slow
def test_a_failed_chapter_stops_the_build_once_the_others_are_kept(
    tmp_path, capsys, two_at_once
):
    chapters = {"bad": ["1", "2 / 0"], "slow": ["__import__('time').sleep(9)"]}
    write_book(tmp_path, {**chapters, "good": ["3"]}, timeout=1)
    with pytest.raises(SystemExit, match="bad, slow failed"):
        execute.execute_chapters(tmp_path, dict(os.environ))
    shown = capsys.readouterr().out
    assert "failed in code cell 2:" in shown
    assert "\n2 / 0\n" in shown
    assert "\nZeroDivisionError: division by zero\n" in shown
    assert "timed out" in shown
    assert names_uncached(tmp_path) == ["bad", "slow"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_stops_the_kernels_and_caches_nothing(tmp_path):
    sleep = """
import os, pathlib, time
pathlib.Path(f"{os.getpid()}.kernel").touch()
time.sleep(300)
"""
    write_book(tmp_path, {"one": [sleep], "two": [sleep]}, timeout=400)
    process = subprocess.Popen(
        [sys.executable, "-c", EXECUTE_TWO, str(tmp_path)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    while len(kernels := list(tmp_path.glob("*.kernel"))) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    assert not any(psutil.pid_exists(int(kernel.stem)) for kernel in kernels)
    assert names_uncached(tmp_path) == ["one", "two"]
