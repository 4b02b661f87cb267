"""What the sandbox is told to show and to forbid; no kernel is started."""

from pathlib import Path

from teach.sandbox import command
from tests.paths import BOOK, ROOT


def test_the_sandbox_sees_no_repository_and_no_network(tmp_path):
    limits = {"wall_seconds": 9, "memory_gb": 1, "processes": 20}
    words = command(str(tmp_path / "connection.json"), limits)
    assert "--unshare-net" in words
    bound = [words[i + 1] for i, w in enumerate(words) if w in ("--bind", "--ro-bind")]
    assert str(BOOK / "unetbook") in bound
    above = {str(ROOT), *map(str, ROOT.parents), str(ROOT / "teach"), str(Path.home())}
    assert not above & set(bound)
    writable = [words[i + 1] for i, word in enumerate(words) if word == "--bind"]
    assert writable == [str(tmp_path)]
    assert words[:4] == ["timeout", "--kill-after=2", "--signal=KILL", "9"]
