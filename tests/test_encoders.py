"""The pretrained encoder, and the U-Net around it."""

import keras
import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

from unetbook import pretrained
from unetbook.encoders import efficientnet_lite0, inverted_residual
from unetbook.pretrained import (
    ENCODER,
    ENCODER_DIR,
    FILTERS,
    build_pretrained_unet,
)


@pytest.fixture(scope="module")
def network():
    """Return the network and its encoder."""
    image = keras.Input((64, 64, 3))
    return build_pretrained_unet(64), keras.Model(image, efficientnet_lite0(image)[0])


def test_the_encoder_has_the_parameters_of_efficientnet_lite0(network):
    # 4,652,008 with the classifier: 320 x 1,280 weights, 2 x 1,280 of the batch
    # normalisation, 1,280 x 1,000 weights and 1,000 biases (Keras counts the moving
    # statistics as well).
    _, encoder = network
    trainable = sum(np.prod(weight.shape) for weight in encoder.trainable_weights)
    assert trainable + 320 * 1280 + 2 * 1280 + 1281 * 1000 == 4_652_008


def test_the_encoder_halves_the_picture_five_times(network):
    model, encoder = network
    assert encoder.output_shape == (None, 2, 2, 320)
    assert model.output_shape == (None, 64, 64, 3)
    assert len(FILTERS) == 6


def test_every_level_of_the_decoder_gets_a_skip(network):
    model, _ = network
    joined = [
        layer.output.shape[1]
        for layer in model.layers
        if isinstance(layer, keras.layers.Concatenate)
    ]
    assert joined == [4, 8, 16, 32, 64]


def test_a_block_adds_its_input_only_where_the_shapes_agree():
    x = keras.Input((8, 8, 16))
    for filters, strides, added in ((16, 1, True), (24, 1, False), (16, 2, False)):
        block = keras.Model(x, inverted_residual(x, filters, 3, strides, 2))
        kinds = [type(layer) for layer in block.layers]
        assert (keras.layers.Add in kinds) is added
        assert block.output_shape == (None, 8 // strides, 8 // strides, filters)


def test_the_shipped_weights_expect_what_photographs_give_them():
    # What a batch normalisation gets from a photograph lies around the mean that it
    # remembers from ImageNet, and varies as much. Pictures in 0 to 255 give means of
    # 52 deviations, weights in another order anything.
    model = build_pretrained_unet(128)
    norms = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization) and layer.epsilon == 1e-3
    ]
    norms = [layer for layer in norms if np.any(layer.moving_mean != 0)]
    assert len(norms) == 48, "three in each of 16 blocks, less one, and the stem's"
    photographs = [data.chelsea(), data.coffee(), data.rocket()]
    small = [resize(photo, (128, 128), anti_aliasing=True) for photo in photographs]
    inputs = keras.Model(model.input, [layer.input for layer in norms])
    for layer, x in zip(norms, inputs.predict(np.stack(small)), strict=True):
        z = (x - layer.moving_mean) / np.sqrt(layer.moving_variance + 1e-3)
        assert abs(np.mean(z)) < 0.3
        assert 0.8 < np.std(z) < 1.6


def test_sides_that_cannot_be_halved_five_times_are_refused():
    with pytest.raises(ValueError, match="image_size=100.*multiples of 32"):
        build_pretrained_unet(100)


def test_changed_weights_of_the_encoder_are_refused(tmp_path, monkeypatch):
    for file in ENCODER_DIR.glob(f"{ENCODER}.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes()[:-1])
    monkeypatch.setattr(pretrained, "ENCODER_DIR", tmp_path)
    with pytest.raises(ValueError, match=f"{ENCODER}.npz.*changed or cut short"):
        build_pretrained_unet(64)


def test_other_classes_have_an_output_channel_each():
    assert build_pretrained_unet(64, 5).output_shape == (None, 64, 64, 5)
