"""What is measured, read and cleaned around a hand-in, without a kernel."""

import os
import subprocess
import sys
import tempfile

import pytest

from teach import course
from teach.assignments import read_source

pytestmark = [
    pytest.mark.grading,
    pytest.mark.skipif(sys.platform != "linux", reason="grading needs Linux"),
]
pytest.importorskip("nbgrader", reason="needs teach/requirements.txt: make teacher")

from teach.execute import quick_cells  # noqa: E402
from teach.publish import MOST_TAGS, safe_markdown  # noqa: E402
from teach.watch import BLOCK, DISK, make_run_dir, read_log, size_of  # noqa: E402


def test_files_in_folders_count_and_what_cannot_be_read_is_too_much(tmp_path):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    (tmp_path / "in" / "deeper" / "file").write_bytes(bytes(10**6))
    assert 10**6 < size_of(tmp_path) < 1.1 * 10**6
    assert size_of(tmp_path / "in" / "deeper" / "file") == float("inf")


def test_blocks_of_an_empty_file_count(tmp_path):
    (tmp_path / "file").touch()
    words = ["fallocate", "--keep-size", "--length", "1000000", tmp_path / "file"]
    subprocess.run(words, check=True)
    assert (tmp_path / "file").stat().st_size == 0
    assert size_of(tmp_path) > 10**6


def test_counting_stops_once_it_is_too_much(tmp_path):
    for number in range(3):
        with (tmp_path / str(number)).open("wb") as file:
            file.truncate(DISK)
    assert size_of(tmp_path) == DISK + BLOCK


def test_a_log_that_is_no_file_is_not_read(tmp_path):
    log, secret = tmp_path / "kernel.log", tmp_path / "secret"
    secret.write_bytes(b"a\xff" * 1500)
    os.mkfifo(log)
    assert read_log(log) == "no kernel.log"
    log.unlink()
    log.symlink_to(secret)
    assert read_log(log) == "no kernel.log"
    assert read_log(secret) == "a\N{REPLACEMENT CHARACTER}" * 1000


def test_only_own_folders_of_dead_graders_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "home").mkdir()
    link, left, foreign = (tmp_path / f"grading-999999999-{name}" for name in "abc")
    link.symlink_to(tmp_path / "home")
    left.mkdir()
    foreign.mkdir()
    if os.getuid() == 0:
        os.chown(foreign, 1234, 1234)
    else:
        foreign.rmdir()
    make_run_dir()
    assert link.is_symlink()
    assert foreign.exists() == (os.getuid() == 0)
    assert not left.exists()


def test_a_page_of_tags_is_shown_as_text():
    assert "<div>" in safe_markdown("<div>" * 10)
    many = safe_markdown("<div>" * (MOST_TAGS + 1) + "<script>")
    assert many.count("&lt;div&gt;") == MOST_TAGS + 1
    assert "<div" not in many
    assert "<script" not in many


def test_trainings_have_more_time_than_answers_and_checks():
    quick = quick_cells(read_source(course.SOURCES / "04_unet.md", "any"))
    assert {"unet", "unet-check", "unet-output", "train", "train-check"} <= quick
    assert not quick & {"imports", "train-run", None}
