"""Receptive fields and counts, against hand calculation and Keras."""

import keras
import numpy as np
import pytest
from keras import layers

from unetbook.blocks import conv_block
from unetbook.gradients import input_gradient
from unetbook.inspection import (
    coarsen_masks,
    conv_block_parameters,
    multiply_adds,
    receptive_field,
    unet_parameters,
)
from unetbook.model import build_unet


def test_two_3x3_convolutions_see_5_pixels():
    assert receptive_field([(3, 1), (3, 1)]) == 5


def test_four_pooled_levels_and_a_bottleneck_see_140_pixels():
    level = [(3, 1), (3, 1)]
    assert receptive_field((level + [(2, 2)]) * 4 + level) == 140


def test_no_layer_sees_one_pixel():
    assert receptive_field([]) == 1


def test_measured_receptive_field_of_a_conv_block_is_5_pixels_wide():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 3))
    model = keras.Model(inputs, conv_block(inputs, 8))
    images = np.random.default_rng(0).normal(size=(8, 16, 16, 3)).astype("float32")
    rows, columns = np.nonzero(input_gradient(model, images, 7, 9))
    assert (rows.min(), rows.max()) == (5, 9)
    assert (columns.min(), columns.max()) == (7, 11)


def test_measured_gradient_of_an_averaging_kernel_is_the_kernel():
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(
        inputs, layers.Conv2D(1, 2, kernel_initializer="ones", use_bias=False)(inputs)
    )
    gradient = input_gradient(model, np.zeros((1, 4, 4, 1), "float32"), 1, 1)
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = 1
    np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("batch_normalization", [True, False])
def test_conv_block_parameters_agree_with_keras(batch_normalization):
    inputs = keras.Input((8, 8, 5))
    block = keras.Model(
        inputs, conv_block(inputs, 7, batch_normalization=batch_normalization)
    )
    counted = conv_block_parameters(5, 7, batch_normalization)
    assert counted == block.count_params()


def test_a_coarse_cell_takes_the_class_of_most_of_its_pixels():
    mask = np.array([[0, 0, 1, 2], [0, 1, 2, 2], [1, 1, 2, 2], [1, 1, 2, 0]])
    expected = np.repeat(np.repeat([[0, 2], [1, 2]], 2, axis=0), 2, axis=1)
    np.testing.assert_array_equal(coarsen_masks(mask[None], 2), expected[None])


def test_a_coarse_cell_may_take_any_class_of_the_reader_s_own():
    mask = np.array([[4, 4], [4, 0]])
    np.testing.assert_array_equal(coarsen_masks(mask[None], 1), np.full((1, 2, 2), 4))


def test_the_highest_byte_is_a_class_like_any_other():
    mask = np.full((1, 2, 2), 255, "uint8")
    np.testing.assert_array_equal(coarsen_masks(mask, 1), mask)


def test_a_grid_of_the_mask_s_own_size_changes_nothing():
    masks = np.random.default_rng(0).integers(0, 3, (2, 6, 6))
    np.testing.assert_array_equal(coarsen_masks(masks, 6), masks)


def test_a_grid_that_does_not_divide_the_mask_is_refused():
    with pytest.raises(ValueError, match="grid_size=4.*divisor of 6"):
        coarsen_masks(np.zeros((1, 6, 6), int), 4)


def test_unet_parameters_of_the_article_are_34513475():
    filters = (64, 128, 256, 512, 1024)
    assert (
        unet_parameters(filters, up_kernel_size=3, batch_normalization=False)
        == 34_513_475
    )


def test_unet_parameters_agree_with_keras_for_the_default_options():
    filters = (4, 6, 9)
    model = build_unet(16, 5, filters)
    assert unet_parameters(filters, 5) == model.count_params()


def total_multiply_adds(model):
    return sum(multiply_adds(layer) for layer in model.layers)


def test_multiply_adds_of_one_convolution_and_one_transposed_by_hand():
    inputs = keras.Input((4, 6, 2))
    x = layers.Conv2D(3, 3, padding="same")(inputs)  # 24 positions x 9 x 2 x 3
    x = layers.Conv2DTranspose(5, 2, strides=2)(x)  # 24 positions x 4 x 3 x 5
    model = keras.Model(inputs, x)
    counts = [multiply_adds(layer) for layer in model.layers]
    assert counts == [0, 24 * 54, 24 * 60]


def test_multiply_adds_quarter_when_the_side_halves():
    large, small = build_unet(32, filters=(2, 4)), build_unet(16, filters=(2, 4))
    assert total_multiply_adds(large) == 4 * total_multiply_adds(small)
