"""What measures the second look, flips and long pictures, on hand-made pictures."""

import numpy as np
import pytest

from experiments import looks
from experiments.__main__ import main


class Colours:
    """Takes red for the pet, green for background, blue for border."""

    input_shape = (None, 6, 6, 3)
    output_shape = (None, 6, 6, 3)

    def __init__(self):
        self.seen = []

    def predict_on_batch(self, images):
        self.seen.append(images)
        return images


def pair(*classes):
    """Return a picture of 6 x 6 in upright stripes of these classes, and its mask."""
    mask = np.repeat(classes, 6 // len(classes))[None].repeat(6, axis=0)
    return np.eye(3)[mask].astype("uint8") * 255, mask.astype("int32")


def test_threes_are_joined_and_what_is_over_is_left_out():
    pairs = [pair(0), pair(1), pair(2), pair(0)]
    ((image, mask),) = looks.join_threes(pairs, axis=1)
    assert image.shape == (6, 18, 3)
    np.testing.assert_array_equal(mask[0], np.repeat([0, 1, 2], 6))
    ((_, mask),) = looks.join_threes(pairs, axis=0)
    np.testing.assert_array_equal(mask[:, 0], np.repeat([0, 1, 2], 6))


def test_the_middle_third_is_kept():
    ((image, mask),) = looks.cut_thirds([pair(0, 1, 2)], axis=1)
    assert image.shape == (6, 2, 3)
    assert (mask == 1).all()


def test_bars_of_a_letterbox_are_grey_and_cut_off_again():
    model = Colours()
    strip = np.full((2, 6, 3), 255, "uint8")
    predicted = looks.predict_letterboxed(model, strip)
    assert predicted.shape == (2, 6, 3)
    assert (predicted == 1).all()
    rows = model.seen[0][0, :, 0, 0] * 255
    assert rows.tolist() == pytest.approx([128, 128, 255, 255, 128, 128])


def test_a_pets_iou_is_averaged_over_the_pictures_that_have_one():
    half = np.array([[2, 1, 0], [1, 6, 0], [0, 0, 0]])  # 2 of 4
    none = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    border = np.array([[0, 0, 3], [0, 6, 0], [0, 0, 0]])  # border is pet here
    assert looks.mean_pet_iou(np.array([half, none, border])) == 0.75
    assert looks.mean_pet_iou(np.array([none])) is None


def test_the_file_holds_every_look_and_every_shape(monkeypatch, capsys):
    monkeypatch.setattr(looks, "load_pretrained", lambda name: Colours())
    pairs = [pair(0, 1, 1, 1, 1, 1), pair(0, 2, 1), pair(1)]
    measured = looks.measure_looks(pairs, ["tiny"])
    assert (measured["pictures"], measured["small_pictures"]) == (3, 2)
    network = measured["networks"]["tiny"]
    plain = network["looks"]["plain"]
    assert plain["matrix"] == [[18, 0, 0], [0, 78, 0], [0, 0, 12]]
    assert [plain[f"pet_iou{kind}"] for kind in ("", "_small", "_others")] == [1, 1, 1]
    assert list(network["looks"]) == ["plain", "flip", "look twice", "both"]
    for scores in network["shapes"].values():
        assert list(scores) == ["squeezed", "letterboxed", "squares"]
    wide = network["shapes"]["three side by side"]["squares"]["matrix"]
    assert np.sum(wide) == 3 * 36
    looks.print_scores(measured)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 + 4 * 3
    assert lines[0].split() == ["tiny", "plain", "1.0000", "pet", *["1.0000"] * 3]


def test_a_few_pictures_need_a_folder():
    with pytest.raises(SystemExit, match="give them a --folder"):
        main(["looks", "--pictures", "20"])
