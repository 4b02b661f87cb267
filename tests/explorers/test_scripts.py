"""What the scripts work out without Python, tested by Node's own test runner."""

import subprocess
from pathlib import Path

from tests.explorers.modules import find_node

TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))


def test_nodes_own_tests_pass():
    assert TESTS
    command = [find_node(), "--test", *map(str, TESTS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
