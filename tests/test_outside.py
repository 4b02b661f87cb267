"""What measures networks on other pets, on hand-made pictures."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments import outside
from experiments.__main__ import main
from unetbook.classes import PETS
from unetbook.data import load_pictures
from unetbook.model import build_unet


class Colours:
    """Takes red for the pet, green for background, blue for border."""

    input_shape = (None, 32, 32, 3)
    output_shape = (None, 32, 32, 3)

    def predict_on_batch(self, images):
        return np.asarray(images)


def write_pets(folder, count):
    """Write pictures of 32 x 32: background, cat and dog; green, red and blue."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    colours = np.array([[0, 255, 0], [255, 0, 0], [0, 0, 255]], "uint8")
    draws = np.random.default_rng(0)
    for number in range(count):
        mask = draws.integers(0, 3, (4, 4)).repeat(8, 0).repeat(8, 1).astype("uint8")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
        Image.fromarray(colours[mask]).save(folder / "images" / f"{number}.png")
    return {"background": 0, "cat": 1, "dog": 2}


def make_pairs(image, raw):
    """Return a data set of one pair."""
    return tf.data.Dataset.from_tensors((np.uint8(image), np.uint8(raw)))


def test_all_classes_but_the_background_are_the_animal_and_void_stays_void():
    pairs = make_pairs(np.zeros((1, 4, 3)), [[0, 1, 2, 3]])
    ((_, raw),) = outside.merge_animals(pairs, background=1).as_numpy_iterator()
    assert raw.tolist() == [[0, 2, 1, 2]]


def test_pet_and_border_are_the_animal_and_void_is_not_counted():
    image = np.zeros((32, 32, 3))
    image[:, :8, 0] = image[:, 8:16, 2] = image[:, 16:, 1] = 255
    raw = np.full((32, 32), 1)
    raw[:, 4:8] = raw[:, 20:24] = 2  # half of it is found
    raw[:, :4] = 0
    scores = outside.score_animals(Colours(), PETS, make_pairs(image, raw), {})
    assert scores["matrix"] == [[12 * 32, 8 * 32], [4 * 32, 4 * 32]]
    assert scores["iou"] == scores["picture_iou"] == 0.25


def test_the_file_holds_every_network_in_three_ways(tmp_path, monkeypatch, capsys):
    classes = write_pets(tmp_path / "pets", 10)
    (tmp_path / "pets" / "classes.csv").write_text(
        "name,value\n" + "\n".join(f"{name},{n}" for name, n in classes.items())
    )
    monkeypatch.setattr(outside, "load_pretrained", lambda name: Colours())
    folders = [str(tmp_path / "pets"), "--folder", str(tmp_path)]
    main(["outside", *folders, "--name", "cubes", "--epochs", "0"])
    measured = json.loads((tmp_path / "outside.json").read_text())
    assert (measured["name"], measured["fine_tuned"]) == ("cubes", {})
    assert sum(measured["pictures"].values()) == 10
    assert list(measured["networks"]) == ["tiny", "large", "pretrained"]
    for scores in measured["networks"].values():
        assert 0.8 < scores["home"] < 1
        assert [scores[way]["iou"] for way in ("plain", "whole", "both")] == [1, 1, 1]
    assert len(capsys.readouterr().out.splitlines()) == 1 + 9


@pytest.mark.slow
def test_fine_tuning_trains_two_classes_and_scores_the_best_epoch(
    tmp_path, monkeypatch
):
    classes = write_pets(tmp_path / "pets", 10)
    pictures = load_pictures(tmp_path / "pets", classes)
    begun = []

    def begin(name, size, num_classes):
        begun.append(name)
        return build_unet(32, num_classes, filters=(4, 8))

    monkeypatch.setattr(outside, "begin_model", begin)
    tuned = outside.fine_tune("large", pictures, epochs=2, seed=0)
    assert begun == ["large"]
    assert len(tuned["history"]["val_mean_iou"]) == 2
    for way in ("plain", "whole", "both"):
        assert np.sum(tuned[way]["matrix"]) == 32 * 32 * len(pictures.test)


def test_pets_without_a_background_are_refused(tmp_path):
    write_pets(tmp_path / "pets", 6)
    pictures = load_pictures(tmp_path / "pets", {"wall": 0, "cat": 1, "dog": 2})
    with pytest.raises(SystemExit, match="no class called background"):
        outside.measure_outside(pictures, "cubes", 0, 0)
