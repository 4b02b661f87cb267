"""What the network explorer says of a model is what Keras and the gradients say."""

import keras
import numpy as np
import pytest
from keras import layers

from unetbook.explorers.anatomy import (
    compute_maps,
    find_skips,
    rows_before,
    seen_rows,
    seen_square,
    split_blocks,
)
from unetbook.explorers.network import (
    LOST,
    RIGHT,
    WON,
    WRONG,
    compare_masks,
    grey_channels,
)
from unetbook.gradients import input_gradient
from unetbook.inspection import multiply_adds, receptive_field
from unetbook.model import build_unet

WIDTHS = (4, 8, 16)
NAMES = ["encoder 1", "encoder 2", "bottleneck", "decoder 2", "decoder 1", "output"]


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(0)
    return build_unet(64, filters=WIDTHS)


@pytest.fixture(scope="module")
def blocks(small):
    return split_blocks(small)


def test_the_blocks_go_down_and_up(blocks):
    assert [block.name for block in blocks] == NAMES
    shapes = [(64, 64, 4), (32, 32, 8), (16, 16, 16), (32, 32, 8), (64, 64, 4)]
    assert [block.shape for block in blocks] == [*shapes, (64, 64, 3)]


def test_every_layer_belongs_to_one_block(small, blocks):
    assert [la for block in blocks for la in block.layers] == small.layers[1:]
    assert sum(block.parameters for block in blocks) == small.count_params()
    work = sum(map(multiply_adds, small.layers))
    assert sum(block.work for block in blocks) == work


def test_skips_lead_from_encoder_to_decoder(blocks):
    assert find_skips(blocks) == [(0, 4), (1, 3)]


def test_a_net_without_skips_has_none():
    assert (
        find_skips(split_blocks(build_unet(16, filters=(4, 8), use_skips=False))) == []
    )


def test_the_encoder_sees_what_chapter_3_computes(small, blocks):
    level, pooling = [(3, 1), (3, 1)], [(2, 2)]
    for poolings, block in enumerate(blocks[:3]):
        wanted = receptive_field((level + pooling) * poolings + level)
        first, last = seen_rows(small, block.layers[-1], 5)
        assert last - first + 1 == wanted


@pytest.mark.slow
@pytest.mark.parametrize("up_kernel_size", [2, 3, 4])
def test_a_block_sees_the_pixels_whose_gradient_is_not_zero(up_kernel_size):
    keras.utils.set_random_seed(1)
    model = build_unet(
        64,
        filters=(6, 6, 6),
        up_kernel_size=up_kernel_size,
        batch_normalization=False,
        dropout_rate=0,
    )
    noise = np.random.default_rng(0).random((24, 64, 64, 3), dtype="float32")
    for block in split_blocks(model):
        for row in {block.shape[0] // 2, block.shape[0] // 2 + 1}:
            reader = keras.Model(model.input, block.layers[-1].output)
            seen = np.flatnonzero(input_gradient(reader, noise, row, row).any(axis=1))
            first, last = seen_rows(model, block.layers[-1], row)
            assert (seen[0], seen[-1]) == (max(first, 0), min(last, 63)), block.name


def test_a_transposed_convolution_is_followed_back_stamp_by_stamp():
    for kernel_size in (1, 2, 3, 4, 5):
        for strides in (1, 2, 3):
            layer = layers.Conv2DTranspose(1, kernel_size, strides, padding="same")
            layer.build((None, 9, 9, 1))
            layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
            ones = np.zeros((9, 9, 9, 1), "float32")
            ones[np.arange(9), np.arange(9)] = 1  # picture i holds row i alone
            stamped = np.asarray(layer(ones))[:, :, 4 * strides, 0] > 1
            row = 4 * strides + 1
            reached = np.flatnonzero(stamped[:, row])
            first, last = rows_before(layer, row, row)
            if len(reached):
                assert (first, last) == (reached[0], reached[-1])
            else:
                assert last < first


def test_the_square_stays_inside_the_picture(small, blocks):
    assert seen_square(small, blocks[0]) == ((30, 30, 35, 35), 5)
    square, side = seen_square(small, blocks[-1])
    assert side > 32
    assert square[0] >= 0
    assert square[2] <= 64


def test_feature_maps_are_those_of_the_layers(small, blocks):
    image = np.random.default_rng(0).random((64, 64, 3), dtype="float32")
    maps = compute_maps(small, blocks, image)
    assert [m.shape for m in maps] == [tuple(block.shape) for block in blocks]
    expected = np.asarray(small(image[None]))[0]
    assert np.allclose(maps[-1], expected, atol=1e-6)


def test_every_channel_has_its_own_scale_of_grey():
    maps = np.array([[[0.0, 5.0, 7.0], [2.0, 9.0, 7.0]]])
    assert grey_channels(maps).tolist() == [[[0, 255]], [[0, 255]], [[0, 0]]]


def test_probabilities_share_one_scale():
    maps = np.array([[[0.0, 1.0, 0.5]]])
    dark, light, middle = grey_channels(maps, 0, 1)[:, 0, 0].tolist()
    assert (dark, light) == (0, 255)
    assert abs(middle - 128) <= 255 / 31 / 2  # half a shade


def test_a_cut_loses_and_wins_pixels():
    mask, whole, cut = ([[0, 0, 0, 0]], [[0, 1, 1, 0]], [[1, 0, 2, 0]])
    changes = compare_masks(*map(np.array, (mask, whole, cut)))
    assert changes.tolist() == [[LOST, WON, WRONG, RIGHT]]


def test_a_model_that_is_no_u_is_refused():
    inputs = keras.Input((8, 8, 3), name="image")
    flat = keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(inputs), name="flat")
    with pytest.raises(ValueError, match="'flat' has no pooling"):
        split_blocks(flat)
    cut = keras.Model(inputs, layers.Cropping2D(1, name="cropped")(inputs))
    with pytest.raises(ValueError, match="'cropped' of type Cropping2D"):
        split_blocks(cut)
