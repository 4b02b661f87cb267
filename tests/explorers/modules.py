"""What the tests of the explorers share: Node runs a module, outputs are read back."""

import base64
import html
import io
import json
import re
import shutil
import subprocess
import zlib

import nbformat
import numpy as np
import pytest
from PIL import Image

from tests.paths import BOOK

CHAPTERS = {
    "transposed_convolution": "02_transposed_convolution",
    "network": "06_unet",
    "training": "07_training",
    "scores": "08_prediction",
}
PROGRAM = """
import {{ readFileSync, writeFileSync }} from "node:fs";
const tools = await import(process.argv[1]);
const answer = async (given) => {{ {code} }};
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(await answer(given)));
"""


def find_node():
    """Return the path of Node, or skip the test."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the pages' scripts")
    return node


def run_module(path, code, given=None):
    """Run JavaScript that calls a page's module.

    Args:
        path: The module's file.
        code: Statements that end in a `return`; they see the module as `tools` and
            what is given as `given`.
        given: What JSON can hold.

    Returns:
        What the code returned.
    """
    program = PROGRAM.format(code=code)
    run = subprocess.run(
        [find_node(), "--input-type=module", "-e", program, path.as_uri()],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def stored_output(name):
    """Return the HTML of an explorer as the one cell of its chapter has stored it."""
    path, start = BOOK / f"{CHAPTERS[name]}.ipynb", f"explore_{name}("
    cells = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if cell.source.splitlines() and cell.source.splitlines()[-1].startswith(start)
    ]
    assert len(cells) == 1, f"{len(cells)} cells end in a line with {start}"
    return cells[0].outputs[0]["data"]["text/html"]


def read_settings(text):
    """Return what the explorer in the output of a cell starts with."""
    found = re.search(r'data-settings="([^"]*)"', text)[1]
    return json.loads(html.unescape(found))


def open_uri(uri):
    """Return the picture that an address holds."""
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))


def unpack(text):
    """Return the bytes that a cell holds as packed text."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "uint8")
