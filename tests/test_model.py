"""The assembled U-Net: counts, wiring, sizes, precision, errors."""

import keras
import numpy as np
import pytest
from keras import layers

from unetbook.model import build_unet, check_image_size

SMALL = (2, 4, 8)


def joins(model):
    """Return the concatenations from the deepest to the highest resolution."""
    return [la for la in model.layers if isinstance(la, layers.Concatenate)]


def test_the_article_s_network_has_34513475_parameters():
    model = build_unet(
        128,
        3,
        (64, 128, 256, 512, 1024),
        up_kernel_size=3,
        batch_normalization=False,
        dropout_rate=0,
        block_dropout_rate=0.3,
    )
    assert model.count_params() == 34_513_475


def test_the_quick_tier_s_network_has_488043_parameters():
    assert build_unet(128, filters=(8, 16, 32, 64, 128)).count_params() == 488_043


def test_a_two_level_network_s_parameters_by_hand():
    model = build_unet(8, 3, (1, 2), batch_normalization=False, dropout_rate=0)
    encoder = (27 + 1) + (9 + 1)
    bottom = (18 + 2) + (36 + 2)
    decoder = (2 * 2 * 2 * 1 + 1) + (9 * 2 + 1) + (9 + 1)
    head = 1 * 3 + 3
    assert model.count_params() == encoder + bottom + decoder + head


def test_output_has_the_picture_s_size_and_one_channel_a_class():
    assert build_unet(32, 5, SMALL).output.shape == (None, 32, 32, 5)


def test_any_size_that_the_depth_divides_works():
    model = build_unet((12, 20), 3, SMALL)
    assert model(np.zeros((1, 12, 20, 3), "float32")).shape == (1, 12, 20, 3)


def test_weights_of_one_size_fit_another():
    small, large = build_unet(16, 3, SMALL), build_unet((24, 40), 3, SMALL)
    large.set_weights(small.get_weights())
    assert small.count_params() == large.count_params()


@pytest.mark.parametrize("image_size", [100, (128, 100), 8, 0, -16])
def test_a_size_the_depth_does_not_divide_is_refused(image_size):
    with pytest.raises(ValueError, match=r"image_size=.*multiples of 16.*filters"):
        build_unet(image_size)


def test_check_image_size_returns_height_and_width():
    assert check_image_size(32, SMALL) == (32, 32)
    assert check_image_size((4, 12), SMALL) == (4, 12)


def test_every_skip_arrives_at_the_level_it_left():
    model = build_unet(32, 3, (2, 4, 6, 8))
    shapes = [
        [tuple(tensor.shape[1:]) for tensor in join.input] for join in joins(model)
    ]
    assert shapes == [
        [(8, 8, 6), (8, 8, 6)],
        [(16, 16, 4), (16, 16, 4)],
        [(32, 32, 2), (32, 32, 2)],
    ]


def test_every_skip_is_the_input_of_its_level_s_pooling():
    model = build_unet(32, 3, (2, 4, 6, 8))
    pools = [la for la in model.layers if isinstance(la, layers.MaxPooling2D)]
    for pool, join in zip(pools, reversed(joins(model)), strict=True):
        assert join.input[1] is pool.input


def test_the_deepest_decoder_block_reads_the_bottleneck():
    model = build_unet(16, 3, SMALL)
    ups = [la for la in model.layers if isinstance(la, layers.Conv2DTranspose)]
    assert [up.input.shape[-1] for up in ups] == [8, 4]
    for up, join in zip(ups, joins(model), strict=True):
        assert join.input[0] is up.output


def test_with_the_up_sampling_silenced_only_the_skips_carry_the_picture():
    keras.utils.set_random_seed(0)
    options = {"batch_normalization": False, "dropout_rate": 0}
    images = np.zeros((2, 16, 16, 3), "float32")
    images[1, 5, 5] = 1
    # Silence every transposed convolution: only the skips are left.
    for use_skips in (True, False):
        model = build_unet(16, 3, (4, 8), use_skips=use_skips, **options)
        for layer in model.layers:
            if isinstance(layer, layers.Conv2DTranspose):
                layer.kernel.assign(keras.ops.zeros_like(layer.kernel))
        first, second = np.asarray(model(images))
        assert np.any(first != second) == use_skips


def test_use_skips_false_joins_nothing_and_has_fewer_parameters():
    cut, whole = build_unet(16, 3, SMALL, use_skips=False), build_unet(16, 3, SMALL)
    assert joins(cut) == []
    # Each decoder block's first convolution loses 3 x 3 x width x width weights.
    assert whole.count_params() - cut.count_params() == 9 * (4 * 4 + 2 * 2)


def test_one_bool_for_all_skips_or_one_for_each_build_the_same_network():
    for use_skips in (True, False):
        networks = []
        for choice in (use_skips, [use_skips] * 2):
            keras.utils.set_random_seed(0)
            networks.append(build_unet(16, 3, SMALL, use_skips=choice).get_weights())
        pairs = zip(*networks, strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)


def test_one_cut_skip_takes_its_half_of_one_convolution_away():
    widths = (2, 4, 8, 16, 32)
    whole = build_unet(16, 3, widths).count_params()
    for level, width in enumerate(widths[:-1]):
        kept = tuple(other != level for other in range(4))
        cut = build_unet(16, 3, widths, use_skips=kept)
        assert whole - cut.count_params() == 3 * 3 * width * width
        assert [join.output.shape[-1] for join in joins(cut)] == [
            2 * other for other in reversed(widths[:-1]) if other != width
        ]


@pytest.mark.parametrize("use_skips", [(), (True,), (True, False, True)])
def test_another_number_of_bools_than_skips_is_refused(use_skips):
    message = rf"use_skips=.* has {len(use_skips)} entries.* 2 levels.*Give one bool"
    with pytest.raises(ValueError, match=message):
        build_unet(16, 3, SMALL, use_skips=use_skips)


def test_probabilities_of_a_pixel_sum_to_one():
    model = build_unet(16, 3, SMALL)
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")
    probabilities = np.asarray(model(images))
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-6)


def test_mixed_precision_computes_in_16_bits_and_returns_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_unet(16, 3, SMALL)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.get_layer("logits").compute_dtype == "bfloat16"
    output = model(np.zeros((1, 16, 16, 3), "float32"))
    assert keras.backend.standardize_dtype(output.dtype) == "float32"


def test_dropout_stands_at_the_bottleneck_by_default():
    model = build_unet(16, 3, SMALL)
    dropouts = [la for la in model.layers if isinstance(la, layers.Dropout)]
    assert [tuple(la.output.shape[1:]) for la in dropouts] == [(4, 4, 8)]
    assert dropouts[0].rate == 0.3


def test_block_dropout_stands_in_every_encoder_and_decoder_block():
    model = build_unet(16, 3, SMALL, dropout_rate=0, block_dropout_rate=0.3)
    dropouts = [la for la in model.layers if isinstance(la, layers.Dropout)]
    shapes = [tuple(la.output.shape[1:]) for la in dropouts]
    assert shapes == [(8, 8, 2), (4, 4, 4), (8, 8, 8), (16, 16, 4)]


def test_names_that_other_modules_rely_on():
    model = build_unet(16, 3, SMALL)
    assert model.name == "unet"
    assert model.input.name == "image"
    assert model.layers[-1].name == "probabilities"
    assert model.get_layer("logits").kernel.shape == (1, 1, 2, 3)


def test_a_single_level_is_a_network_without_pooling():
    model = build_unet(7, 3, (2,))
    assert model.output.shape == (None, 7, 7, 3)


def test_the_model_comes_uncompiled():
    assert not build_unet(16, 3, SMALL).compiled
