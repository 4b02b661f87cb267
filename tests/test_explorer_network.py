"""The network explorer holds what Keras counts and what was measured."""

import base64
import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from experiments.drawn import load_pictures
from experiments.recipes import CUTS
from tests.explorer_modules import read_settings, run_module
from tests.test_claims import missing
from unetbook.drawn_pets import hash_source
from unetbook.metrics import confusion_matrix, mean_iou
from unetbook.model import build_unet
from unetbook.prediction import load_pretrained, read_card
from unetbook.results import read_cuts, read_measured
from unetbook.widgets import explore_network, read_script, read_style

CHAPTER = Path(__file__).parents[1] / "book" / "06_unet.ipynb"
WIDTHS = (8, 16, 32, 64, 128)


def open_uri(uri):
    """Return the pixels of an address that holds a picture."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


@pytest.fixture(scope="module")
def shown():
    """The explorer of the network that comes with the book, as HTML text."""
    return explore_network().data


@pytest.fixture(scope="module")
def settings(shown):
    return read_settings(shown)


@pytest.fixture(scope="module")
def stored():
    return read_cuts()


def test_the_blocks_are_those_of_the_shipped_network(settings):
    model = load_pretrained("drawn")
    assert settings["parameters"] == model.count_params() == 488_043
    blocks = settings["blocks"]
    assert sum(block["parameters"] for block in blocks) == 488_043
    shapes = [tuple(block["shape"]) for block in blocks]
    down = [(128 // 2**i, 128 // 2**i, width) for i, width in enumerate(WIDTHS)]
    assert shapes == [*down, *down[-2::-1], (128, 128, 3)]
    assert settings["skips"] == [[0, 8], [1, 7], [2, 6], [3, 5]]
    assert [block["field"] for block in blocks[:5]] == [5, 14, 32, 68, 140]


def test_the_maps_are_pictures_of_the_blocks_size(settings):
    for block in settings["blocks"]:
        rows, columns, channels = block["shape"]
        assert len(block["maps"]) == min(channels, 64)
        assert {open_uri(uri).shape for uri in block["maps"]} == {(rows, columns)}


def test_the_probabilities_of_the_output_add_up_to_white(settings):
    output = settings["blocks"][-1]
    assert output["classes"] == ["pet", "background", "border"]
    maps = np.array([open_uri(uri).astype(float) for uri in output["maps"]])
    assert abs(maps.sum(axis=0) - 255).max() <= 3 * 255 / 31 / 2 + 1


def test_lost_and_won_pixels_are_counted_from_the_masks(settings, stored):
    _, arrays = stored
    for number, pet in enumerate(settings["cuts"]["pets"]):
        mask, whole = arrays["masks"][number], arrays["pred_masks"][0, number]
        for net, pred_masks in zip(pet["nets"], arrays["pred_masks"], strict=True):
            cut = pred_masks[number]
            assert (open_uri(net["mask"]) == cut).all()
            right = [(found == mask) for found in (whole, cut)]
            assert net["lost"] == (right[0] & ~right[1]).sum()
            assert net["won"] == (right[1] & ~right[0]).sum()
            expected = mean_iou(confusion_matrix(mask, cut))
            assert net["meanIou"] == pytest.approx(expected)


def test_the_stored_nets_are_what_they_say(stored):
    measured, arrays = stored
    cuts = [net["cut"] for net in measured["nets"]]
    assert cuts == [list(cut) for cut in CUTS.values()], "make skips"
    assert (cuts[0], cuts[-1]) == ([], [0, 1, 2, 3])
    assert measured["data"]["hash"] == hash_source(), "make skips"
    assert arrays["pred_masks"].shape == (
        len(CUTS),
        len(measured["pictures"]),
        128,
        128,
    )
    for net in measured["nets"]:
        # The half of a decoder's first convolution that read the skip is not there.
        lacking = sum(9 * WIDTHS[level] ** 2 for level in net["cut"])
        assert net["parameters"] == 488_043 - lacking
        matrix = np.array(net["test"]["matrix"])
        assert matrix.sum() == 240 * 128**2
        assert net["test"]["class"]["mean_iou"] == round(mean_iou(matrix), 4)


def test_the_net_with_all_skips_is_the_quick_tiers(stored):
    quick = read_measured("quick_drawn")
    whole, *_, none = (net["test"]["class"]["mean_iou"] for net in stored[0]["nets"])
    assert whole == pytest.approx(quick["runs"][0]["class"]["mean_iou"], abs=0.01)
    assert none < quick["mean_iou"]["lowest"] - 0.03, "skips are worth more than a seed"


@pytest.mark.slow
def test_the_stored_pets_are_the_first_of_the_drawn_test_split(stored, drawn_pets):
    images, masks, names = load_pictures(128)
    measured, arrays = stored
    assert names == measured["pictures"]
    assert (images == arrays["images"]).all()
    assert (masks == arrays["masks"]).all()


def test_another_model_and_picture_are_shown_instead():
    picture = np.zeros((20, 30, 3), "uint8")
    shown = explore_network(build_unet((16, 32), filters=(4, 8)), picture)
    settings = read_settings(shown.data)
    assert settings["size"] == [16, 32]
    shapes = [[16, 32, 4], [8, 16, 8], [16, 32, 4], [16, 32, 3]]
    assert [block["shape"] for block in settings["blocks"]] == shapes
    assert settings["cuts"] is None, "the stored nets have another depth"


def test_a_model_or_a_picture_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="picture has shape"):
        explore_network(build_unet(16, filters=(4, 8)), np.zeros((1, 2, 3, 4)))


# ----------------------------------------------------------- the module's own logic


def test_sentences_name_what_keras_counts(settings):
    code = "return given.blocks.map((block) => tools.blockSentence(block, given.size));"
    sentences = run_module("network", code, settings)
    assert sentences[1] == (
        "Encoder 2: 64 × 64 units in 16 channels, 3,584 parameters. "
        "The middle unit sees 14 × 14 pixels."
    )
    assert sentences[4].startswith("Bottleneck: 8 × 8 units in 128 channels, 222,208 ")
    assert sentences[4].endswith("sees 140 × 140 pixels: part of it padding.")
    assert sentences[8].endswith("pixels: the whole picture and padding.")


def test_every_cut_has_its_net(settings):
    code = "return given.cuts.map((cut) => tools.findNet(given.nets, cut));"
    given = {"nets": settings["cuts"]["nets"], "cuts": [[], [0], [3, 1, 0, 2], [0, 3]]}
    assert run_module("network", code, given) == [0, 1, len(CUTS) - 1, -1]


def test_the_sentence_about_a_cut_holds_the_measured_scores(settings, stored):
    cuts = settings["cuts"]
    code = "return tools.cutSentence(given, given.pets[0], given.nets.length - 1);"
    sentence = run_module("network", code, cuts)
    pet = cuts["pets"][0]["nets"]
    scores = [net["test"]["class"]["mean_iou"] for net in stored[0]["nets"]]
    assert sentence.startswith("Without any skip: mean IoU ")
    assert f"{pet[-1]['lost']} pixels lost, {pet[-1]['won']} won" in sentence
    assert f"{scores[-1]:.3f}, {scores[0]:.3f} with all skips." in sentence


def test_the_table_compares_two_nets(settings, stored):
    code = "return tools.scoreRows(given, given.pets[0], 1);"
    rows = run_module("network", code, settings["cuts"])
    nets = stored[0]["nets"]
    border = [f"{net['test']['class']['iou']['border']:.3f}" for net in nets]
    assert rows[-2] == ["… IoU of border", border[0], border[1]]
    assert rows[-1] == ["parameters", "488,043", "487,467"]


# --------------------------------------------------------------------- the chapter


def test_the_chapter_stores_the_explorer_as_it_is_now(settings):
    cells = [
        cell
        for cell in nbformat.read(CHAPTER, as_version=4).cells
        if cell.source.startswith("explore_network(")
    ]
    assert len(cells) == 1
    stored = cells[0].outputs[0]["data"]["text/html"]
    remedy = "python tools/outputs.py book/06_unet.ipynb"
    assert read_script("network") in stored, remedy
    assert read_style("network") in stored, remedy
    kept = read_settings(stored)
    assert kept["cuts"] == settings["cuts"], remedy
    for ours, theirs in zip(settings["blocks"], kept["blocks"], strict=True):
        pairs = zip(ours.pop("maps"), theirs.pop("maps"), strict=True)
        assert json.dumps(ours) == json.dumps(theirs), remedy
        for pair in pairs:  # another machine may round a shade another way
            one, other = (open_uri(uri).astype(int) for uri in pair)
            assert abs(one - other).max() <= 255 / 31 + 1, remedy


def test_the_chapters_sentences_say_what_was_measured(stored):
    measured, _ = stored
    scores = {net["name"]: net["test"]["class"] for net in measured["nets"]}
    mean_ious = {name: score["mean_iou"] for name, score in scores.items()}
    whole, *single, none = mean_ious.values()
    seeds = read_measured("quick_drawn")["mean_iou"]
    borders = [scores[name]["iou"]["border"] for name in ("none", "all")]
    assert read_card("drawn")["recipe"]["epochs"] == 40
    assert not missing(
        "06_unet",
        [
            "720 drawn pets, forty times each",  # 800 without a tenth for validation
            f"costs {whole - none:.3f} of mean IoU, "
            f"and {borders[0] - borders[1]:.3f} at",
            f"Without skip 1 the score is {single[0]:.3f} and without skip 2 it is "
            f"{single[1]:.3f}, a little *higher* than the {whole:.3f} of the whole",
            f"without skip 3 it is {single[2]:.3f} and without skip 4 it is "
            f"{single[3]:.3f}, lower",
            f"between {seeds['lowest']:.3f} and {seeds['highest']:.3f}, and each of",
            f"No single cut costs more than {whole - min(single):.3f}, and all four at "
            f"once cost {whole - none:.3f}, five times the range of the seeds",
        ],
    )
    assert single[0] > whole
    assert single[1] > whole
    assert all(seeds["lowest"] <= score <= seeds["highest"] for score in single[:3])
    assert 0 < seeds["lowest"] - single[3] < seeds["highest"] - seeds["lowest"]
    assert 4.5 < (whole - none) / (seeds["highest"] - seeds["lowest"]) < 5.5


def test_a_single_cut_moves_pixels_both_ways(settings):
    cream, tabby, hound = (pet["nets"] for pet in settings["cuts"]["pets"])
    assert 3.5 < cream[4]["won"] / cream[4]["lost"] < 4.5
    assert tabby[4]["lost"] > tabby[4]["won"]
    assert all(hound[cut]["won"] > hound[cut]["lost"] for cut in range(1, 5))
    assert 0 < cream[0]["meanIou"] - cream[-1]["meanIou"] < 0.02, "hardly better"


def test_the_chapter_is_light():
    assert CHAPTER.stat().st_size < 900_000


def test_only_stored_pictures_are_shown(settings):
    text = json.dumps(settings)
    assert not re.search(r"https?://", text)
