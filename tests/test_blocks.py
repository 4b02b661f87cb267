"""The four blocks: shapes, parameters by hand, and what each one must not do."""

import keras
import numpy as np
import pytest
from keras import layers

from unetbook.blocks import bottleneck, conv_block, decoder_block, encoder_block


def layer_types(outputs, inputs):
    model = keras.Model(inputs, outputs)
    return [type(layer).__name__ for layer in model.layers[1:]]


def test_conv_block_keeps_height_and_width():
    inputs = keras.Input((6, 10, 3))
    assert conv_block(inputs, 7).shape == (None, 6, 10, 7)


def test_conv_block_is_convolution_normalisation_relu_twice():
    inputs = keras.Input((8, 8, 3))
    once = ["Conv2D", "BatchNormalization", "Activation"]
    assert layer_types(conv_block(inputs, 4), inputs) == 2 * once


def test_conv_block_without_normalisation_has_biases():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, conv_block(inputs, 4, batch_normalization=False))
    # 3 x 3 x 3 x 4 + 4 and 3 x 3 x 4 x 4 + 4
    assert model.count_params() == 112 + 148


def test_conv_block_with_normalisation_has_no_bias_and_four_values_a_channel():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, conv_block(inputs, 4))
    assert model.count_params() == 108 + 16 + 144 + 16


def test_conv_block_takes_another_kernel_size():
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, conv_block(inputs, 1, 5, batch_normalization=False))
    assert model.count_params() == 2 * 26


def test_conv_block_returns_nothing_negative():
    inputs = keras.Input((8, 8, 3))
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    outputs = keras.Model(inputs, conv_block(inputs, 4))(images)
    assert float(keras.ops.min(outputs)) >= 0


def test_encoder_block_returns_a_full_skip_and_a_halved_map():
    skip, pooled = encoder_block(keras.Input((8, 12, 3)), 5)
    assert skip.shape == (None, 8, 12, 5)
    assert pooled.shape == (None, 4, 6, 5)


def test_pooled_map_is_the_largest_of_four_values_of_the_skip():
    inputs = keras.Input((4, 4, 3))
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype("float32")
    skip, pooled = keras.Model(inputs, encoder_block(inputs, 2))(images)
    skip, pooled = np.asarray(skip), np.asarray(pooled)
    by_hand = skip.reshape(1, 2, 2, 2, 2, 2).max(axis=(2, 4))
    np.testing.assert_array_equal(pooled, by_hand)


def test_encoder_dropout_touches_the_pooled_map_and_not_the_skip():
    inputs = keras.Input((64, 64, 3))
    model = keras.Model(inputs, encoder_block(inputs, 4, False, dropout_rate=0.5))
    keras.utils.set_random_seed(0)
    skip, pooled = model(np.ones((1, 64, 64, 3), "float32"), training=True)
    by_hand = np.asarray(skip).reshape(1, 32, 2, 32, 2, 4).max(axis=(2, 4))
    changed = ~np.isclose(np.asarray(pooled), by_hand)
    assert 0.4 < changed[by_hand > 0].mean() <= 1
    quiet_skip, _ = model(np.ones((1, 64, 64, 3), "float32"), training=False)
    np.testing.assert_allclose(skip, quiet_skip, atol=1e-5)


def test_encoder_block_without_dropout_has_no_dropout_layer():
    inputs = keras.Input((8, 8, 3))
    assert "Dropout" not in layer_types(encoder_block(inputs, 4), inputs)


def test_bottleneck_keeps_the_resolution():
    assert bottleneck(keras.Input((2, 3, 4)), 8).shape == (None, 2, 3, 8)


def test_bottleneck_pools_nothing_and_ends_in_dropout():
    inputs = keras.Input((8, 8, 4))
    types = layer_types(bottleneck(inputs, 8), inputs)
    assert "MaxPooling2D" not in types
    assert types[-1] == "Dropout"
    assert "Dropout" not in layer_types(bottleneck(inputs, 8, dropout_rate=0), inputs)


def test_bottleneck_is_deterministic_in_inference():
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, bottleneck(inputs, 4, dropout_rate=0.9))
    images = np.ones((1, 4, 4, 2), "float32")
    np.testing.assert_array_equal(model(images), model(images))


def test_decoder_block_doubles_the_resolution():
    x, skip = keras.Input((4, 6, 8)), keras.Input((8, 12, 5))
    assert decoder_block(x, skip, 3).shape == (None, 8, 12, 3)


def test_decoder_block_joins_the_up_sampled_map_first_and_the_skip_second():
    x, skip = keras.Input((4, 4, 8)), keras.Input((8, 8, 5))
    model = keras.Model([x, skip], decoder_block(x, skip, 3))
    (join,) = [la for la in model.layers if isinstance(la, layers.Concatenate)]
    assert [tensor.shape[-1] for tensor in join.input] == [3, 5]
    assert join.input[1] is skip


def test_decoder_block_parameters_by_hand():
    x, skip = keras.Input((4, 4, 8)), keras.Input((8, 8, 5))
    model = keras.Model([x, skip], decoder_block(x, skip, 3, batch_normalization=False))
    up = 2 * 2 * 8 * 3 + 3
    convolutions = 3 * 3 * (3 + 5) * 3 + 3 + 3 * 3 * 3 * 3 + 3
    assert model.count_params() == up + convolutions


def test_decoder_block_kernel_size_is_the_transposed_convolution_s():
    x = keras.Input((4, 4, 8))
    model = keras.Model(x, decoder_block(x, None, 3, kernel_size=3))
    (up,) = [la for la in model.layers if isinstance(la, layers.Conv2DTranspose)]
    assert up.kernel.shape[:2] == (3, 3)
    assert model.output.shape == (None, 8, 8, 3)


def test_decoder_block_without_a_skip_joins_nothing():
    x = keras.Input((4, 4, 8))
    output = decoder_block(x, None, 3)
    assert output.shape == (None, 8, 8, 3)
    assert "Concatenate" not in layer_types(output, x)


def test_decoder_block_refuses_a_skip_of_another_level():
    with pytest.raises(ValueError, match="Concatenate"):
        decoder_block(keras.Input((4, 4, 8)), keras.Input((16, 16, 5)), 3)


def test_decoder_dropout_follows_the_joining():
    x, skip = keras.Input((4, 4, 8)), keras.Input((8, 8, 5))
    model = keras.Model([x, skip], decoder_block(x, skip, 3, dropout_rate=0.3))
    (dropout,) = [la for la in model.layers if isinstance(la, layers.Dropout)]
    assert dropout.input.shape == (None, 8, 8, 8)
