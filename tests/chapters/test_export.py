"""The lines of chapter 12 that export a network to ONNX do so."""

import re
import subprocess

import nbformat
import numpy as np
import pytest

from experiments.isolated import ROOT, isolated_python
from tests.paths import BOOK
from unetbook.model import build_unet

BEFORE = """
import numpy as np
import keras
import onnxruntime
import tensorflow as tf
images = tf.constant(np.load("images.npy"))
"""
AFTER = """
np.save("probabilities.npy", probabilities)
"""


def export_lines():
    """Return the chapter's block of code, which the chapter does not execute."""
    notebook = nbformat.read(BOOK / "12_your_own_pictures.ipynb", as_version=4)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (lines,) = [block for block in blocks if "onnx" in block]
    return lines


def exporting_python():
    """Return the command of a Python with the packages that the chapter names."""
    notebook = (BOOK / "12_your_own_pictures.ipynb").read_text()
    (packages,) = re.findall(r"`pip install (tf2onnx[\w ]*)`", notebook)
    names = ["tensorflow", *packages.split()]
    return isolated_python([f"--with={name}" for name in names])


@pytest.mark.backends
def test_the_chapters_lines_export_a_network_that_onnx_runtime_runs(tmp_path):
    model = build_unet(128, 2, filters=(4, 8))
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((2, 128, 128, 3), "float32")
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "export.py").write_text(BEFORE + export_lines() + AFTER)
    command = [*exporting_python(), str(tmp_path / "export.py")]
    start = f"import os, runpy; os.chdir({str(tmp_path)!r}); "
    start += "runpy.run_path('export.py', run_name='__main__')"
    subprocess.run([*command[:-1], "-c", start], cwd=ROOT, check=True)
    found = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_allclose(found, model.predict(images[:1], verbose=0), atol=1e-5)
