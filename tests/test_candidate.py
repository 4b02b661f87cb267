"""What comes after the bounds is tried in a copy whose bounds are moved."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import candidate

BOUNDS = """requires-python = ">=3.11,<3.14"
    "tensorflow>=2.19,<2.22",
    "tensorflow-datasets>=4.9.7,<5",
"""


def answer(monkeypatch, **ended):
    """Let uv answer, and count the copies that are tested."""
    ended = {"returncode": 0, "stdout": "", "stderr": "", **ended}
    tried = []
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(**ended))
    monkeypatch.setattr(candidate, "try_copy", lambda *given: tried.append(given[1]))
    return tried


def test_only_the_bounds_of_tensorflow_and_python_move():
    moved = candidate.move_bounds(BOUNDS)
    assert '">=3.11,<3.15"\n    "tensorflow>=2.22.0rc0,<2.23",\n' in moved
    assert "tensorflow-datasets>=4.9.7,<5" in moved


def test_both_files_have_a_bound_that_moves():
    for name in candidate.BOUNDS:
        text = (Path(candidate.ROOT) / name).read_text()
        assert candidate.move_bounds(text) != text


def test_a_candidate_that_passes_is_said(monkeypatch, capsys):
    tried = answer(monkeypatch, stdout="tensorflow==2.22.0rc1\n")
    candidate.main()
    assert len(tried) == 1
    assert "TensorFlow 2.22.0rc1 passes on Python" in capsys.readouterr().out


def test_a_final_version_that_passes_asks_for_the_bounds_to_move(monkeypatch):
    tried = answer(monkeypatch, stdout="tensorflow==2.22.0\n")
    with pytest.raises(SystemExit, match=r"2\.22\.0 passes.*final: move the bounds"):
        candidate.main()
    assert len(tried) == 1


def test_where_nothing_is_published_nothing_is_tried(monkeypatch, capsys):
    tried = answer(monkeypatch, returncode=1, stderr="No solution found when resolving")
    candidate.main()
    assert not tried
    assert "No TensorFlow beyond the bounds" in capsys.readouterr().out


def test_a_missing_network_is_not_called_a_missing_version(monkeypatch):
    answer(monkeypatch, returncode=2, stderr="error: no connection")
    with pytest.raises(SystemExit, match="no connection"):
        candidate.main()
