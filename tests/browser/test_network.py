"""The explorer of chapter 6, driven by keyboard and by touch, its numbers checked.

`make pages` runs this; tests/explorers/test_network.py checks what it is given.
"""

import re

import pytest

from tests.browser.opening import sideways
from tests.browser.readers import Network
from unetbook.model import build_unet
from unetbook.results import read_cuts

NAMES = (
    *("encoder 1", "encoder 2", "encoder 3", "encoder 4", "bottleneck"),
    *("decoder 4", "decoder 3", "decoder 2", "decoder 1", "output"),
)
READER = Network


@pytest.fixture(scope="module")
def blocks():
    """Name, shape and parameters of every block, from Keras's own layers."""
    model = build_unet(128, filters=(8, 16, 32, 64, 128))
    kinds = ("MaxPooling2D", "Conv2DTranspose")
    groups = [[]]
    for layer in model.layers[1:]:
        if type(layer).__name__ in kinds or layer.name == "logits":
            groups.append([])
        groups[-1].append(layer)
    shapes = [group[-1].output.shape[1:] for group in groups]
    counts = [sum(layer.count_params() for layer in group) for group in groups]
    return list(zip(NAMES, shapes, counts, strict=True))


def test_it_opens_with_the_first_block_and_all_skips(explorer):
    explorer.check_start()
    assert explorer.root.locator(".tiles img").count() == 8
    assert "With all skips" in explorer.root.locator(".panel-cuts").inner_text()


def test_every_block_by_keyboard_is_what_keras_says(explorer, blocks):
    for name, shape, parameters in blocks:
        explorer.control("button", name).focus()
        explorer.press("Enter")
        facts = explorer.facts()
        assert facts["feature maps"] == " × ".join(map(str, shape))
        assert facts["parameters"] == f"{parameters:,}"
        assert explorer.status().lower().startswith(name)
        assert explorer.root.locator(".tiles img").count() == min(shape[-1], 64)
        large = explorer.root.locator(".large img")
        width = large.evaluate(
            "async (i) => { await i.decode(); return i.naturalWidth; }"
        )
        assert width == shape[1]


def test_the_frame_is_what_the_middle_unit_sees(explorer):
    explorer.control("button", "encoder 2").focus()
    explorer.press("Space")
    assert explorer.facts()["the middle unit sees"] == "14 × 14 pixels"
    frame, image = (
        explorer.root.locator(f".seen {part}").bounding_box()
        for part in (".field", "img")
    )
    assert frame["width"] / image["width"] == pytest.approx(14 / 128, abs=0.01)
    middle = frame["x"] + frame["width"] / 2 - image["x"]
    assert middle / image["width"] == pytest.approx(0.5, abs=0.03)


def test_channels_by_keyboard(explorer):
    explorer.control("button", "output").focus()
    explorer.press("Enter")
    explorer.control("slider", "channel").focus()
    explorer.press("ArrowRight", "ArrowRight")
    assert "Probability of border" in explorer.root.locator(".large").inner_text()
    tiles = explorer.root.locator(".tiles img")
    assert "chosen" in tiles.nth(2).get_attribute("class").split()
    large = explorer.root.locator(".large img").get_attribute("src")
    assert large == tiles.nth(2).get_attribute("src")


def test_each_skip_is_cut_and_restored_by_keyboard(explorer):
    measured, _ = read_cuts()
    nets = {tuple(net["cut"]): net for net in measured["nets"]}
    whole = nets[()]["test"]["class"]["mean_iou"]
    buttons = {cut: f"Cut skip {cut[0] + 1}" for cut in nets if len(cut) == 1}
    buttons[0, 1, 2, 3] = "Cut all skips"
    for cut, name in buttons.items():
        explorer.control("button", name).focus()
        explorer.press("Enter")
        assert name in explorer.pressed()
        score = nets[cut]["test"]["class"]["mean_iou"]
        table = explorer.table()
        assert table["240 test pets, mean IoU"] == [f"{whole:.3f}", f"{score:.3f}"]
        assert table["parameters"] == ["488,043", f"{nets[cut]['parameters']:,}"]
        assert f"On all 240 test pets {score:.3f}" in explorer.status()
        assert explorer.root.locator(".skip.cut").count() == len(cut)
    explorer.press("Enter")
    assert explorer.pressed() == ["encoder 1"]
    assert explorer.status() == "All skips are there."
    assert explorer.root.locator(".scores").is_hidden()
    assert explorer.root.locator(".legend").is_hidden()


def test_another_pet_by_keyboard(explorer):
    explorer.control("button", "Cut all skips").focus()
    explorer.press("Enter")
    first = explorer.root.locator(".view img").nth(1).get_attribute("src")
    explorer.control("combobox", "pet").focus()
    explorer.press("ArrowDown")
    assert explorer.root.locator(".view img").nth(1).get_attribute("src") != first
    lost = re.search(r"(\d+) pixels lost, (\d+) won", explorer.status())
    caption = explorer.root.locator(".views .caption").last.inner_text()
    assert caption == lost[0]


def test_everything_by_touch(phone, blocks):
    for name, shape, _ in blocks:
        phone.control("button", name).tap()
        assert phone.facts()["feature maps"] == " × ".join(map(str, shape))
    phone.control("button", "encoder 4").tap()
    phone.root.locator(".tiles img").nth(63).tap()
    assert phone.root.locator(".large").inner_text() == "Channel 64"
    phone.control("button", "Cut skip 1").tap()
    assert "Cut skip 1" in phone.pressed()
    phone.control("combobox", "pet").select_option("2")
    assert phone.status().startswith("Without skip 1: mean IoU ")
    assert sideways(phone.page) <= 0
