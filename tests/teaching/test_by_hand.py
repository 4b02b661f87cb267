"""What the checks work out by hand is what Keras and the package compute."""

import numpy as np
import pytest

from teach import by_hand


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3])
def test_convolution_by_hand_is_that_of_keras(size):
    import keras

    draw = np.random.default_rng(0)
    x = draw.normal(size=(5, 4, 2)).astype("float32")
    kernel, bias = draw.normal(size=(size, size, 2, 3)), draw.normal(size=3)
    theirs = keras.ops.conv(x[None], kernel.astype("float32"), padding="same")
    ours = by_hand.convolve(x, kernel, bias)
    assert np.allclose(theirs[0] + bias, ours, atol=1e-5)


@pytest.mark.slow
def test_parameters_counted_by_hand_are_those_of_the_books_network():
    from unetbook.inspection import unet_parameters

    filters = (3, 5, 8, 13)
    kept = (True,) * 3
    up_filters = filters[-2::-1]
    assert by_hand.count_unet(filters, up_filters, kept) == unet_parameters(filters)


def test_probabilities_are_those_of_the_outputs_with_a_softmax_or_without():
    outputs = np.log([[1.0, 2.0, 5.0]]) + 3
    assert np.allclose(by_hand.probabilities(outputs), [[1 / 8, 2 / 8, 5 / 8]])
    done = np.array([[0.5, 0.25, 0.25]])
    assert by_hand.probabilities(done) is done


def test_pooling_enlarging_and_cutting_by_hand():
    x = np.arange(16).reshape(4, 4, 1)
    assert by_hand.pool(x)[..., 0].tolist() == [[5, 7], [13, 15]]
    assert by_hand.cut_middle(x, 2, 2)[..., 0].tolist() == [[5, 6], [9, 10]]
    enlarged = by_hand.enlarge(x[:1, :2])[..., 0]
    assert enlarged.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
