"""What the tests of the explorers share: Node runs a module, settings are read back."""

import html
import json
import re
import shutil
import subprocess

import nbformat
import pytest

from unetbook.explorers.cells import PAGE

PROGRAM = """
import {{ readFileSync }} from "node:fs";
const tools = await import(process.argv[1]);
const answer = async (given) => {{ {code} }};
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(await answer(given)));
"""


def run_module(name, code, given=None):
    """Run JavaScript that calls an explorer's module.

    Args:
        name: Stem of the module in the folder `explorers`.
        code: Statements that end in a `return`; they see the module as `tools` and
            what is given as `given`.
        given: What JSON can hold.

    Returns:
        What the code returned.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the explorers' arithmetic")
    module = (PAGE / f"{name}.mjs").as_uri()
    program = PROGRAM.format(code=code)
    run = subprocess.run(
        [node, "--input-type=module", "-e", program, module],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def read_settings(text):
    """Return what the explorer in the output of a cell starts with."""
    found = re.search(r'data-settings="([^"]*)"', text)[1]
    return json.loads(html.unescape(found))


def stored_output(path, start):
    """Return the HTML that the one cell of a chapter which starts so has stored."""
    cells = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if cell.source.splitlines() and cell.source.splitlines()[-1].startswith(start)
    ]
    assert len(cells) == 1, f"{len(cells)} cells end in a line with {start}"
    return cells[0].outputs[0]["data"]["text/html"]
