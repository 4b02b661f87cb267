"""The command line: what it writes, what it says, and its exit codes."""

import csv
import json
from functools import partial

import numpy as np
import pytest
from PIL import Image

from unetbook import commands
from unetbook.__main__ import main
from unetbook.classes import PETS
from unetbook.model import build_unet
from unetbook.pretrained import replace_head
from unetbook.runs import read_network, score_objects, score_split

COUNT = 6


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Work in an empty folder, with a cache that remembers no other test."""
    monkeypatch.setenv("UNETBOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PWD", str(tmp_path / "work"))


@pytest.fixture
def leaves(tmp_path):
    """Six pictures of noise with a bright square, and masks of 0 and 255."""
    folder = tmp_path / "leaves"
    for number in range(COUNT):
        rng = np.random.default_rng(number)
        pixels = rng.integers(0, 100, (24, 24, 3), dtype="uint8")
        mask = np.zeros((24, 24), "uint8")
        top, left = rng.integers(2, 10, 2)
        pixels[top : top + 10, left : left + 10] += 150
        mask[top : top + 10, left : left + 10] = 255
        for name, values in (("images", pixels), ("masks", mask)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize("command", ["", "check", "train", "score", "segment"])
def test_help_ends_with_0(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"usage: unetbook {command}".strip() in capsys.readouterr().out


def test_a_whole_folder_is_checked_with_0_and_a_sheet(leaves, tmp_path, capsys):
    assert main(["check", str(leaves)]) == 0
    said = capsys.readouterr().out
    assert "6 pairs; faults: 0; to look at: 0" in said
    assert "foreground: 17.4% of the pixels" in said  # 100 of 576
    with Image.open("check.png") as sheet:
        assert sheet.format == "PNG"


def test_a_folder_with_a_fault_is_checked_with_1(leaves, capsys):
    (leaves / "masks" / "3.png").unlink()
    assert main(["check", str(leaves)]) == 1
    said = capsys.readouterr().out
    assert "3.png has no mask" in said
    assert said.count('See "When it goes wrong" in the book: "The folder is ref') == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "there is no such folder"),
        (["check", "LEAFES"], "Did you mean leaves?"),
        (["check", "LEAVES", "--classes", "a,b,c"], "classes.csv"),
        (["check", "LEAVES", "--sheet", "nowhere/sheet.png"], "there is no folder"),
        (
            ["train", "LEAVES", "--run", "net", "--start", "best"],
            "give one of imagenet, scratch, drawn",
        ),
        (["train", "LEAVES", "--run", "net", "--size", "100"], "32"),
        (["train", "LEAVES", "--run", "net", "--start", "tiny", "--size", "64"], "128"),
        (["score", "nowhere", "LEAVES"], "holds no model.keras"),
        (["score", "tiny", "LEAVES", "--classes", "a,b"], "hold a, b, and the network"),
        (["segment", "LEAVES/images", "--model", "LEAVES/msks"], "Did you mean masks?"),
        (["check", "LEAVES/images"], "lies beside it. Give"),
        (["segment", "LEAVES", "--model", "tiny"], "itself. Give the folder that th"),
        (["segment", "LEAVES/images", "--model", "nowhere"], "holds no model.keras"),
        (["segment", ".", "--model", "tiny"], "holds no pictures"),
        (["segment", "cat.jpg", "--model", "tiny"], "no file or folder"),
        (
            ["segment", "LEAVES/images", "LEAVES/masks", "--model", "tiny"],
            "both become 0_mask",
        ),
    ],
)
def test_a_fault_is_a_sentence_and_2(leaves, tmp_path, capsys, arguments, message):
    near = str(leaves).replace("leaves", "leafes")
    arguments = [
        word.replace("LEAVES", str(leaves)).replace("LEAFES", near)
        for word in arguments
    ]
    assert main(arguments) == 2
    said = capsys.readouterr().err.rpartition("\r")[2]  # what follows the progress bar
    assert message in said
    assert said.startswith(f"unetbook {arguments[0]}: ")
    assert "Traceback" not in said
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["segment", "nowhere.jpg", "--model", "tiny"],
        ["segment", "LEAVES/images", "--model", "nowhere"],
        ["segment", "LEAVES/images", "--model", "tiny", "--out", "LEAVES/made"],
        ["train", "LEAVES", "--run", "net", "--size", "100"],
        ["train", "LEAVES", "--run", "LEAVES/net", "--epochs", "3"],
        ["check", "LEAVES", "--sheet", "sheet.jpg"],
    ],
)
def test_what_can_be_seen_at_once_is_told_before_tensorflow_is_loaded(
    leaves, monkeypatch, arguments
):
    def load():
        raise AssertionError("TensorFlow is loaded")

    monkeypatch.setattr("unetbook.__main__.load_tensorflow", load)
    (leaves / "made").mkdir()
    for number in range(COUNT):
        (leaves / "made" / f"{number}_mask.png").touch()
    (leaves / "net").mkdir()
    settings = {"folder": str(leaves), "start": "imagenet", "size": None}
    settings |= {"batch": 8, "seed": 0}
    facts = {f"settings {name}": value for name, value in settings.items()}
    (leaves / "net" / "run.json").write_text(json.dumps({"epochs": 2, **facts}))
    assert main([word.replace("LEAVES", str(leaves)) for word in arguments]) == 2


def test_another_number_of_epochs_in_a_run_is_named_as_it_was_typed(leaves, capsys):
    net = leaves / "net"
    net.mkdir()
    facts = {"folder": str(leaves), "start": "tiny", "size": 64, "batch": 8, "seed": 0}
    facts = {f"settings {name}": value for name, value in facts.items()}
    (net / "run.json").write_text(json.dumps({"epochs": 2, **facts}))
    order = ["train", str(leaves), "--run", str(net), "--start", "tiny"]
    assert main([*order, "--epochs", "3"]) == 2
    said = capsys.readouterr().err
    assert f"{net} was begun with --size 64, --epochs 2. Give the same again" in said


def test_full_memory_is_a_sentence_and_another_error_of_ours_is_none(
    tmp_path, monkeypatch, capsys
):
    class ResourceExhaustedError(Exception):
        """As TensorFlow's is called."""

    def fail(options):
        raise failure

    monkeypatch.setattr(commands, "score_folder", fail)
    (tmp_path / "work" / "leaves").mkdir()
    failure = ResourceExhaustedError("OOM when allocating tensor with shape[64,256]")
    assert main(["score", "tiny", "leaves"]) == 2
    assert "smaller --batch" in capsys.readouterr().err
    failure = KeyError("a fault of ours")
    with pytest.raises(KeyError):
        main(["score", "tiny", "leaves"])
    failure = KeyboardInterrupt()
    assert main(["score", "tiny", "leaves"]) == 130
    assert "the same command goes on" in capsys.readouterr().err
    failure = KeyboardInterrupt("Stopped in epoch 2.")
    assert main(["score", "tiny", "leaves"]) == 130
    assert "epoch 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train", "leaves"],
        ["train", "leaves", "--run", "net", "--epochs", "0"],
        ["check", "leaves", "--classes", "a=1,b"],
    ],
)
def test_wrong_arguments_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_new_head_keeps_all_other_weights():
    model = build_unet(8, 3, (2, 4))
    other = replace_head(model, 5)
    assert other.output_shape == (None, 8, 8, 5)
    for mine, theirs in zip(other.weights[:-2], model.weights[:-2], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert [tuple(weight.shape) for weight in other.weights[-2:]] == [
        (1, 1, 2, 5),
        (5,),
    ]


def test_a_class_that_never_occurs_has_no_score():
    image = np.zeros((1, 1, 2, 3), "float32")
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0]], "float32")[None, None]

    class Model:
        output_shape = (None, 1, 2, 3)

        def predict(self, images, **options):
            return probabilities

    batches = [(image, np.array([[[0, 0]]]))]
    scores = score_split(Model(), batches, PETS)
    assert scores["iou"] == {"pet": 0.5, "background": 0, "border": None}
    assert scores["pixel_accuracy"] == 0.5


def test_masks_of_other_classes_are_scored_as_background_and_object():
    image = np.zeros((1, 1, 4, 3), "float32")
    probabilities = np.eye(3, dtype="float32")[[[[0, 1, 2, 1]]]]  # border is object

    class Model:
        def predict(self, images, **options):
            return probabilities

    masks = np.array([[[2, 0, 0, -1]]])  # dog, background twice, not annotated
    scores = score_objects(Model(), PETS, [(image, masks)], background=0)
    assert scores["iou"] == {"background": 0.5, "object": 0.5}
    assert scores["pixel_accuracy"] == pytest.approx(2 / 3)


def test_advice_on_a_low_score_depends_on_the_one_in_training():
    assert "stands still" in commands.explain_low(0.3)
    assert "bad elsewhere" in commands.explain_low(0.9)


def test_few_pictures_are_shown_more_often():
    assert commands.count_epochs(22, 8) == 134  # of 3 steps
    assert commands.count_epochs(3000, 8) == 20


@pytest.mark.slow
def test_a_folder_is_trained_on_scored_and_used(leaves, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "build_unet", partial(build_unet, filters=(4, 8)))
    order = ["train", str(leaves), "--run", "net", "--start", "scratch", "--size", "16"]
    order += ["--epochs", "2", "--batch", "2"]
    assert main(order) == 0
    assert "These are few steps. Without --epochs there are" in capsys.readouterr().out
    net = tmp_path / "work" / "net"
    written = {file.name for file in net.iterdir()}
    assert written >= {"model.keras", "classes.csv", "history.csv", "scores.json"}
    assert written >= {"curves.png", "sheet.png"}
    assert not [name for name in written if "unfinished" in name]
    scores = json.loads((net / "scores.json").read_text())
    assert list(scores) == ["validation", "test"]
    assert list(scores["test"]["iou"]) == ["background", "foreground"]

    capsys.readouterr()
    assert main(order) == 0  # goes on where it was: nothing is left to do
    assert json.loads((net / "scores.json").read_text()) == scores
    with open(net / "history.csv") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert main([*order[:-1], "3"]) == 2  # another batch size is another run
    assert "--batch 2" in capsys.readouterr().err

    assert main(["score", "tiny", str(leaves), "--split", "test"]) == 0
    assert "counts as one class, object" in capsys.readouterr().out
    assert main(["score", "net", str(leaves), "--split", "test"]) == 0
    assert f"mean IoU {scores['test']['mean_iou']:.3f}" in capsys.readouterr().out
    model, classes = read_network("net")
    assert classes.names == ("background", "foreground")
    assert classes.background == 0

    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(np.zeros((30, 40, 3), "uint8")).save(photos / "a.jpg")
    (photos / "b.jpg").write_text("no picture")
    assert main(["segment", str(photos), "--model", "net", "--cut-out"]) == 2
    said = capsys.readouterr().out
    assert "a.jpg: background" in said
    assert "a_cut.png" in said
    assert "b.jpg cannot be read" in said
    made = sorted(file.name for file in (tmp_path / "work" / "segmented").iterdir())
    assert made == ["a_cut.png", "a_mask.png"]
    with Image.open(tmp_path / "work" / "segmented" / "a_mask.png") as mask:
        assert (mask.mode, mask.size) == ("P", (40, 30))
        assert set(np.unique(np.asarray(mask))) <= {1, 2}
    assert main(["segment", str(photos / "a.jpg"), "--model", "net"]) == 2
    assert "a_mask.png is there already" in capsys.readouterr().err
    order = ["segment", str(photos / "a.jpg"), "--model", "net", "--overwrite"]
    assert main(order) == 0
