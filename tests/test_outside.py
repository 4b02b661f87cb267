"""What scores networks for pets on other animals, on pictures counted by hand."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import outside
from experiments.__main__ import main
from unetbook.classes import PETS
from unetbook.data import load_pictures
from unetbook.results import read_pictures


class Reds:
    """Takes red for the pet and blue for the border, in any picture of 8 x 8."""

    input_shape = (None, 8, 8, 3)
    output_shape = (None, 8, 8, 3)

    def predict_on_batch(self, images):
        return images


@pytest.fixture
def cats(tmp_path, monkeypatch):
    """Six pictures: half red or blue, and three quarters of each a cat."""
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path / "cache"))
    for number in range(6):
        pixels = np.zeros((8, 8, 3), "uint8")
        pixels[..., 1] = 255
        pixels[:4] = np.eye(3, dtype="uint8")[2 * (number % 2)] * 255
        pixels[number, number] = (0, 200, 0)  # no copies
        mask = np.zeros((8, 8), "uint8")
        mask[:6] = 255
        for folder, values in (("images", pixels), ("masks", mask)):
            path = tmp_path / "cats" / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path)
    return tmp_path / "cats"


def test_pet_and_border_count_as_animal_against_all_that_is_not_background(cats):
    pictures = load_pictures(cats, {"background": 0, "cat": 255})
    score = outside.score_animals(Reds(), pictures.test, PETS, 0, {})
    numbers = [int(e["file_name"][:1]) for e in pictures.test.as_numpy_iterator()]
    hits = sum(32 - (number < 4) for number in numbers)  # of 48 pixels each
    assert score == pytest.approx(hits / (48 * len(numbers)), abs=1e-5)


def test_not_annotated_pixels_are_left_out(cats):
    pictures = load_pictures(cats, {"void": 0, "background": 7, "cat": 255})
    score = outside.score_animals(Reds(), pictures.test.take(1), PETS, 0, {})
    (example,) = pictures.test.take(1).as_numpy_iterator()
    missed = int(example["file_name"][:1]) < 4
    assert score == pytest.approx((32 - missed) / 48, abs=1e-5)


@pytest.mark.slow
def test_the_command_scores_fine_tunes_and_writes_one_file(cats, tmp_path, monkeypatch):
    monkeypatch.setattr(outside, "load_pictures", lambda place: load_pictures(cats))
    monkeypatch.setattr(outside.measure_outside, "__defaults__", (("tiny",),) * 2)
    main(
        ["outside", str(cats), "--name", "cats", "--epochs", "1"]
        + ["--folder", str(tmp_path)]
    )
    measured = json.loads((tmp_path / "outside.json").read_text())
    assert measured["name"] == "cats"
    assert sum(measured["pictures"].values()) == 6
    tiny = read_pictures("tiny").matrices.sum(axis=0)
    hit = tiny[[0, 0, 2, 2], [0, 2, 0, 2]].sum()
    own = hit / (tiny.sum() - tiny[1, 1])
    assert measured["networks"]["tiny"]["own test split"] == pytest.approx(own, 1e-4)
    for scores in (measured["networks"]["tiny"], measured["fine_tuned"]["tiny"]):
        assert 0 <= scores["plain"] <= 1
        assert 0 <= scores["both"] <= 1
