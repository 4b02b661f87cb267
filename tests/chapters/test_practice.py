"""Chapter 10's three lines keep a run, and its sentences say what was measured."""

import re
import sys
import types

import keras
import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.magics.osm import OSMagics

from tests.chapters.test_claims import missing
from tests.paths import BOOK
from unetbook.config import runs_dir
from unetbook.model import build_unet
from unetbook.results import read_measured, read_runs
from unetbook.training import compile_unet, train

PRACTICE = "10_training_in_practice"
MOUNTED = "/content/drive"


def three_lines():
    """Return the lines that keep runs on Google Drive, as the chapter shows them."""
    notebook = nbformat.read(BOOK / f"{PRACTICE}.ipynb", as_version=4)
    blocks = [
        block
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for block in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)
    ]
    (lines,) = [block for block in blocks if "drive.mount" in block]
    return lines


@pytest.fixture
def drive(monkeypatch, tmp_path):
    """A folder in the place of Google Drive, and a disk that a machine takes along."""
    folder = tmp_path / "drive"
    mount = types.SimpleNamespace(mount=lambda path: folder.mkdir(exist_ok=True))
    colab = types.SimpleNamespace(drive=mount)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setenv("UNETBOOK_RUNS", str(tmp_path / "disk"))
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path / "disk"))
    return folder


def run_lines(folder):
    """Run the three lines as a notebook does, with a folder for the mounted Drive."""
    lines = three_lines()
    assert lines.count("\n") == 3
    assert MOUNTED in lines
    code = TransformerManager().transform_cell(lines.replace(MOUNTED, str(folder)))
    magic = types.SimpleNamespace(
        run_line_magic=lambda name, line: getattr(OSMagics(), name)(line)
    )
    exec(code, {"get_ipython": lambda: magic})


def train_for(epochs, stop_after):
    """Train the smallest network on one batch, and stop after some epochs."""
    keras.utils.set_random_seed(0)
    model = compile_unet(build_unet(8, filters=(2, 3)), keras.optimizers.Adam())
    batch = np.zeros((1, 2, 8, 8, 3), "float32"), np.zeros((1, 2, 8, 8), "int32")

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, number):
            return batch[0][0], batch[1][0]

    def train_ds(epoch):
        if epoch == stop_after:
            raise ConnectionError("the machine is gone")
        return Batches()

    return train(model, train_ds, Batches(), epochs, run_dir=runs_dir() / "mine")


def test_three_lines_keep_a_run_when_the_machine_goes(drive, capsys, tmp_path):
    run_lines(drive)
    with pytest.raises(ConnectionError):
        train_for(2, stop_after=1)
    assert (drive / "MyDrive" / "unetbook" / "mine" / "checkpoint.npz").exists()
    assert not (tmp_path / "disk").exists(), "the machine's own disk holds nothing"
    capsys.readouterr()
    run_lines(drive)  # the next day, on another machine
    train_for(2, stop_after=None)
    assert "Going on after epoch 1 of 2." in capsys.readouterr().out


def test_chapter_7_goes_on_by_default_and_deletes_nothing():
    text = (BOOK / "07_training.ipynb").read_text(encoding="utf-8")
    assert "rmtree" not in text
    assert 'attempt = \\"\\"' in text, "chapter 8 looks for the run without an ending"


def test_chapter_7_says_what_save_weights_keeps():
    sentence = "its file holds the optimizer too, but not the random state of dropout."
    assert missing("07_training", [sentence]) == []


def test_how_long_the_standard_tier_took():
    runs = read_runs("course")
    assert len(runs) == 5
    minutes = [round(run["seconds"]["training"] / 60) for run in runs]
    sentences = [
        "We trained the standard tier's network five times",
        f"took {max(minutes) / min(minutes):.1f} times as long as the fastest",
    ]
    assert {run["where"]["precision"] for run in runs} == {"mixed_bfloat16"}
    assert missing(PRACTICE, sentences) == []


def test_what_two_processes_did():
    machines = read_measured("machines")
    assert machines["one_and_two_processes"]["SGD"]["largest_difference"] < 1e-4
    adam = machines["one_and_two_processes"]["AdamW"]["largest_difference"]
    seconds = [run["seconds"] for run in machines["ended"].values()]
    assert sorted(seconds)[-2] < 1, "within a second"
    assert 20 < max(seconds) < 32, "half a minute"
    assert machines["largest_difference_resumed_by"]["two processes"] == 0
    large, article = machines["on_paper"].values()
    assert large["1 Gbit/s"]["speed_up"] > 1.3
    assert article["1 Gbit/s"]["speed_up"] < 1
    assert round(article["parameters"] / large["parameters"]) == 15
    exchange = 8 * 4 * large["parameters"] / 1e8
    steps = article["step_seconds"] / large["step_seconds"]
    assert 1.8 < steps < 2.3, "in a step only twice as long"
    sentences = [
        f"the losses differ by {adam:.0e}.".replace("e-0", "e-"),
        "it has fifteen times as many gradients to send",
        f"takes {exchange:.1f} seconds, longer than a whole step of "
        f"{large['step_seconds']:.1f} seconds",
    ]
    assert missing(PRACTICE, sentences) == []


def test_what_a_forgotten_part_costs():
    notebook = nbformat.read(BOOK / f"{PRACTICE}.ipynb", as_version=4)
    printed = "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )
    found = re.findall(r"(\d+)% of the way off, (.*) forgotten", printed)
    off = {part: int(share) for share, part in found}
    assert len(off) == 5
    assert off["nothing"] == 0
    assert (
        min(share for share in off.values() if share) == off["dropout's random state"]
    )
    assert 25 < off["dropout's random state"] < 50, "more than a quarter"
    assert off["the whole optimizer"] > 200, "more than twice"
