"""The architecture figure says what the model is."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import keras
import pytest
from keras import layers

from unetbook.figures.diagram import draw_unet, place_boxes, trace_unet
from unetbook.model import build_unet

STORED = Path(__file__).parents[1] / "book" / "images" / "unet.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def small():
    return build_unet((16, 32), 3, (4, 8))


def test_the_boxes_are_the_models_tensors(small):
    boxes, _ = trace_unet(small)
    sizes = [box.size for box in boxes]
    assert sizes == [(16, 32)] * 3 + [(8, 16)] * 3 + [(16, 32)] * 5
    assert [box.channels for box in boxes] == [3, 4, 4, 4, 8, 8, 8, 4, 4, 3, 3]
    parts = ["image"] + 2 * ["encoder"] + 3 * ["bottleneck"] + 3 * ["decoder"]
    assert [box.part for box in boxes] == parts + 2 * ["output"]


def test_the_arrows_name_the_models_layers(small):
    _, arrows = trace_unet(small)
    assert [arrow.kind for arrow in arrows] == (
        ["conv", "conv", "pool", "conv", "conv", "up", "copy", "conv", "conv"]
        + ["head", "head"]
    )
    assert arrows[0].text == "3 × 3 convolution, batch normalisation, ReLU"
    assert arrows[5].text == "2 × 2 transposed convolution, stride 2"
    assert arrows[6].start is arrows[1].end


def test_a_skip_joins_the_encoders_channels(small):
    boxes, _ = trace_unet(small)
    assert [(b.channels, b.copied) for b in boxes if b.copied] == [(8, 4)]


def test_a_net_without_skips_has_no_copy_arrow():
    _, arrows = trace_unet(build_unet(16, 3, (4, 8), use_skips=False))
    assert "copy" not in [arrow.kind for arrow in arrows]


def test_options_show_in_the_figure():
    options = {"up_kernel_size": 3, "batch_normalization": False, "dropout_rate": 0.0}
    figure = draw_unet(build_unet(16, 3, (4, 8), **options))
    assert "3 × 3 transposed convolution" in figure
    assert "normalisation" not in figure
    assert "dropout" not in figure


def test_boxes_do_not_overlap():
    boxes, arrows = trace_unet(build_unet(64, 3, (4, 8, 16, 32)))
    width, bottom = place_boxes(boxes, arrows)
    for box in boxes:
        assert box.x >= 0
        assert box.x + box.width <= width
        assert box.y + box.height <= bottom
    for row in {box.size for box in boxes}:
        places = sorted((b.x, b.x + b.width) for b in boxes if b.size == row)
        for (_, end), (start, _) in zip(places, places[1:], strict=False):
            assert end < start


def test_the_figure_is_svg_with_a_title_and_a_description(small):
    root = ElementTree.fromstring(draw_unet(small))
    title, description = root.find(f"{SVG}title").text, root.find(f"{SVG}desc").text
    assert f"{small.count_params():,} parameters" in title
    assert "16 by 32 pixels with 4 channels, 8 by 16 pixels" in description


def test_channel_labels_are_the_models_channels():
    figure = draw_unet(build_unet(64, 3, (4, 8, 16)))  # joined: 4 + 4 and 8 + 8
    labels = re.findall(r">(\d+)</text>", figure)
    assert sorted(set(map(int, labels))) == [3, 4, 8, 16]


def test_an_unknown_layer_is_named():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, layers.Cropping2D(1, name="cut")(inputs))
    with pytest.raises(ValueError, match="'cut' of type Cropping2D"):
        draw_unet(model)


def test_the_stored_figure_is_the_courses_network_drawn_now():
    assert STORED.read_text(encoding="utf-8") == draw_unet(build_unet(128)), (
        "Run: python -m unetbook.figures.diagram > book/images/unet.svg"
    )
