"""The small figures mark the part that a chapter is about, and show a block whole."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from unetbook.figures.diagram import trace_unet
from unetbook.figures.places import PLACES, draw_block, draw_place, pick_block
from unetbook.figures.style import BOX_COLOURS
from unetbook.model import build_unet

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def small():
    return build_unet((16, 32), 3, (4, 8, 16))


def marked_colours(figure):
    """Return the colours of the boxes that are not pale."""
    groups = ElementTree.fromstring(figure.data).findall(f"{SVG}g")
    clear = [group for group in groups if "opacity" not in group.attrib]
    return {box.get("fill") for group in clear for box in group.findall(f"{SVG}rect")}


def test_the_bottleneck_alone_is_marked(small):
    marked = marked_colours(draw_place(small, "the bottleneck"))
    assert marked == {BOX_COLOURS["bottleneck"]}


def test_the_whole_network_is_marked_whole(small):
    assert "opacity" not in draw_place(small, "the whole network").data


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_named_and_something_of_it_marked(small, place):
    figure = draw_place(small, place)
    assert f"You are here: {place}</text>" in figure.data
    groups = ElementTree.fromstring(figure.data).findall(f"{SVG}g")
    assert any("opacity" not in group.attrib for group in groups)


def test_a_place_that_there_is_not_is_named(small):
    with pytest.raises(ValueError, match="place='the cellar', expected one of pict"):
        draw_place(small, "the cellar")


def test_an_encoder_block_ends_below_its_pooling(small):
    boxes, arrows = pick_block(*trace_unet(small), "encoder", 1)
    assert [arrow.kind for arrow in arrows] == ["conv", "conv", "pool"]
    assert [(box.size, box.channels) for box in boxes] == [
        ((8, 16), 4),
        ((8, 16), 8),
        ((8, 16), 8),
        ((4, 8), 8),
    ]


def test_a_decoder_block_begins_with_what_is_copied_and_what_is_enlarged(small):
    boxes, arrows = pick_block(*trace_unet(small), "decoder", 0)
    assert [arrow.kind for arrow in arrows] == ["up", "copy", "conv", "conv"]
    assert [box.part for box in boxes] == ["encoder"] + 4 * ["decoder"]


@pytest.mark.parametrize(
    ("part", "level"),
    [("encoder", 0), ("encoder", 1), ("bottleneck", 0), ("decoder", 0), ("decoder", 1)],
)
def test_a_blocks_figure_names_its_channels_and_stays_on_its_card(small, part, level):
    figure = draw_block(small, part, level).data
    root = ElementTree.fromstring(figure)
    width, height = map(float, root.get("viewBox").split()[2:])
    for box in root.iter(f"{SVG}rect"):
        x, y = float(box.get("x")), float(box.get("y"))
        assert 0 <= x <= x + float(box.get("width")) <= width
        assert 0 <= y <= y + float(box.get("height")) <= height
    boxes, _ = pick_block(
        *trace_unet(small), part, 2 if part == "bottleneck" else level
    )
    channels = sorted(str(box.channels) for box in boxes)
    assert sorted(re.findall(r">(\d+)</text>", figure)) == channels


def test_a_block_that_there_is_not_is_named(small):
    with pytest.raises(ValueError, match="level=2: expected .* a level from 0 to 1"):
        draw_block(small, "decoder", 2)
    with pytest.raises(ValueError, match="part='skip'"):
        draw_block(small, "skip")
