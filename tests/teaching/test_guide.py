"""The teacher's guide says what the assignments hold and which commands there are."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from teach import course
from teach.wrong import read_wrong_answers
from tests.paths import BOOK, ROOT
from tests.teaching.versions import NAMES


def test_the_guide_lists_every_wrong_answer_with_its_checks():
    guide = (BOOK / "teaching.md").read_text()
    listed = re.findall(r"(?m)^\| (\d) \| `(\w+)` \| (.+?) \| (.+?) \|$", guide)
    expected = [
        (
            str(int(name[:2])),
            wrong["task"],
            wrong["mistake"],
            ", ".join(f"`{check}`" for check in wrong["caught"]),
        )
        for name in NAMES
        for wrong in read_wrong_answers(name)
    ]
    assert listed == expected


def test_the_guide_names_every_assignment_and_only_real_commands():
    guide = (BOOK / "teaching.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"(assignments/{name}.ipynb)" in guide for name in NAMES)
    targets = set(re.findall(r"make ([a-z]+)(?= ASSIGNMENT|`|\n)", guide))
    assert {"assignments", "grade", "feedback", "formgrader", "slides"} <= targets
    assert all(f"\n{target}:" in makefile for target in targets), targets
    modules = re.findall(r"python -m teach\.(\w+)", guide)
    assert all((course.TEACH / f"{module}.py").exists() for module in modules)


def test_the_guide_warns_of_grading_without_a_sandbox():
    guide = (BOOK / "teaching.md").read_text()
    assert "*Autograde* and *Generate Feedback* know no sandbox" in guide


def test_a_class_is_found_from_the_repository_wherever_a_command_runs(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRADING_CLASS", raising=False)
    assert course.own_course().folder == ROOT / "teach" / "class"
    monkeypatch.setenv("GRADING_CLASS", "teach/class_b")
    assert course.own_course().folder == ROOT / "teach" / "class_b"
    assert course.own_course().seed_file == ROOT / "teach" / "class_b_seed"
    monkeypatch.setenv("GRADING_CLASS", str(tmp_path / "b"))
    assert course.own_course().folder == tmp_path / "b"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["assignments", "grade", "feedback"])
def test_make_hands_on_which_class_is_meant(target):
    tells = ["PYTHON=true", "RUN=printenv GRADING_CLASS #"]  # instead of working
    words = ["make", target, "GRADING_CLASS=teach/class_b", *tells]
    plain = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(words, cwd=ROOT, env=plain, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "teach/class_b", done.stderr


@pytest.mark.parametrize("command", ["assignments", "grade", "feedback"])
def test_without_nbgrader_a_command_says_what_to_install(command):
    code = (
        "import runpy, sys; sys.modules['nbgrader'] = None; sys.argv[1:] = ['2']; "
        f"runpy.run_module('teach.{command}', run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert re.match("nbgrader( and jupytext)? not installed. Run: make", ended.stderr)
    assert "Traceback" not in ended.stderr
