"""Scripts and styles pass Biome's rules, as the Python code passes ruff's."""

import subprocess

import pytest

from tests.paths import ROOT
from tools.browser import biome_package


def test_scripts_and_styles_pass_the_linter():
    package = biome_package()
    if package is None:
        pytest.skip("tools/browser.py knows no Biome for this machine")
    biome = package.kept("biome")
    if not biome.exists():
        pytest.skip("Biome is missing: python tools/browser.py")
    command = [biome, "lint", "--error-on-warnings"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
