"""The network explorer holds what Keras counts and what was measured."""

import json
import re

import numpy as np
import pytest

from experiments.drawn import load_pictures
from experiments.recipes import CUTS
from tests.explorers.modules import (
    open_uri,
    read_settings,
    run_module,
    stored_output,
)
from tests.paths import BOOK
from unetbook.explorers.cells import PAGE
from unetbook.explorers.network import explore_network
from unetbook.metrics import confusion_matrix, mean_iou
from unetbook.model import build_unet
from unetbook.pretrained import load_pretrained
from unetbook.results import read_cuts, read_measured
from unetbook.sources.drawn.dataset import hash_drawings

CHAPTER = BOOK / "06_unet.ipynb"
MODULE = PAGE / "network.mjs"
WIDTHS = (8, 16, 32, 64, 128)


def pixels(uri):
    """Return the pixels of an address that holds a picture."""
    return np.asarray(open_uri(uri))


@pytest.fixture(scope="module")
def settings():
    """What the explorer of the network that comes with the book starts with."""
    return read_settings(explore_network().data)


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
        assert {pixels(uri).shape for uri in block["maps"]} == {(rows, columns)}


def test_the_probabilities_of_the_output_add_up_to_white(settings):
    output = settings["blocks"][-1]
    assert output["classes"] == ["pet", "background", "border"]
    maps = np.array([pixels(uri).astype(float) for uri in output["maps"]])
    assert abs(maps.sum(axis=0) - 255).max() <= 3 * 255 / 31 / 2 + 1


def test_lost_and_won_pixels_are_counted_from_the_masks(settings, stored):
    _, arrays = stored
    for number, pet in enumerate(settings["cuts"]["pets"]):
        mask, whole = arrays["masks"][number], arrays["pred_masks"][0, number]
        for net, pred_masks in zip(pet["nets"], arrays["pred_masks"], strict=True):
            cut = pred_masks[number]
            assert (pixels(net["mask"]) == cut).all()
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
    assert measured["data"]["hash"] == hash_drawings(), "make skips"
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


def test_the_sentence_about_a_cut_holds_the_measured_scores(settings, stored):
    cuts = settings["cuts"]
    code = "return tools.cutSentence(given, given.pets[0], given.nets.length - 1);"
    sentence = run_module(MODULE, code, cuts)
    pet = cuts["pets"][0]["nets"]
    scores = [net["test"]["class"]["mean_iou"] for net in stored[0]["nets"]]
    assert sentence.startswith("Without any skip: mean IoU ")
    assert f"{pet[-1]['lost']} pixels lost, {pet[-1]['won']} won" in sentence
    assert f"{scores[-1]:.3f}, {scores[0]:.3f} with all skips." in sentence


def test_the_table_compares_two_nets(settings, stored):
    code = "return tools.scoreRows(given, given.pets[0], 1);"
    rows = run_module(MODULE, code, settings["cuts"])
    nets = stored[0]["nets"]
    border = [f"{net['test']['class']['iou']['border']:.3f}" for net in nets]
    assert rows[-2] == ["… IoU of border", border[0], border[1]]
    assert rows[-1] == ["parameters", "488,043", "487,467"]


# --------------------------------------------------------------------- the chapter


def test_the_chapter_stores_the_blocks_and_cuts_as_they_are_now(settings):
    remedy = "python tools/outputs.py book/06_unet.ipynb"
    kept = read_settings(stored_output("network"))
    assert kept["cuts"] == settings["cuts"], remedy
    for ours, theirs in zip(settings["blocks"], kept["blocks"], strict=True):
        one, other = (json.dumps({**block, "maps": 0}) for block in (ours, theirs))
        assert one == other, remedy
        for pair in zip(ours["maps"], theirs["maps"], strict=True):
            # Another machine may round a shade another way.
            one, other = (pixels(uri).astype(int) for uri in pair)
            assert abs(one - other).max() <= 255 / 31 + 1, remedy


def test_a_single_cut_moves_pixels_both_ways(settings):
    cream, tabby, hound = (pet["nets"] for pet in settings["cuts"]["pets"])
    assert 3.5 < cream[4]["won"] / cream[4]["lost"] < 4.5
    assert tabby[4]["lost"] > tabby[4]["won"]
    assert all(hound[cut]["won"] > hound[cut]["lost"] for cut in range(1, 5))
    assert tabby[0]["meanIou"] - tabby[-1]["meanIou"] > 0.1, "the figure shows it"


def test_the_chapter_is_light():
    assert CHAPTER.stat().st_size < 900_000


def test_only_stored_pictures_are_shown(settings):
    text = json.dumps(settings)
    assert not re.search(r"https?://", text)
