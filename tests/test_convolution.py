"""Checks unetbook.convolution against numbers worked out by hand and against Keras."""

import itertools

import keras
import numpy as np
import pytest

from unetbook.convolution import (
    convolution_matrix,
    convolution_size,
    overlap_counts,
    transposed_convolution,
    transposed_size,
)

SETTINGS = [
    (kernel_size, strides, padding)
    for kernel_size, strides, padding in itertools.product(
        (1, 2, 3, 4, 5), (1, 2, 3), ("valid", "same")
    )
]


def integers(*shape, seed=0):
    """Return small integers, whose sums float32 holds exactly."""
    return np.random.default_rng(seed).integers(-9, 10, shape)


def as_batch(x):
    """Return `(H, W)` as float32 `(1, H, W, 1)`."""
    return x[None, :, :, None].astype("float32")


def as_kernel(kernel):
    """Return `(h, w)` as float32 `(h, w, 1, 1)`."""
    return kernel[:, :, None, None].astype("float32")


def test_a_row_of_the_matrix_is_the_kernel_laid_over_one_window():
    matrix = convolution_matrix(np.array([[1, 2], [3, 4]]), 3)
    assert matrix.tolist() == [
        [1, 2, 0, 3, 4, 0, 0, 0, 0],
        [0, 1, 2, 0, 3, 4, 0, 0, 0],
        [0, 0, 0, 1, 2, 0, 3, 4, 0],
        [0, 0, 0, 0, 1, 2, 0, 3, 4],
    ]


@pytest.mark.parametrize(("kernel_size", "strides", "padding"), SETTINGS)
@pytest.mark.parametrize("input_size", [5, 6])
def test_the_matrix_does_what_keras_convolution_does(
    input_size, kernel_size, strides, padding
):
    x, kernel = integers(input_size, input_size), integers(kernel_size, kernel_size)
    size, _ = convolution_size(input_size, kernel_size, strides, padding)
    matrix = convolution_matrix(kernel, input_size, strides, padding)
    ours = (matrix @ x.ravel()).reshape(size, size)
    theirs = keras.ops.conv(as_batch(x), as_kernel(kernel), strides, padding)
    np.testing.assert_array_equal(ours, np.asarray(theirs)[0, :, :, 0])


@pytest.mark.parametrize(("kernel_size", "strides", "padding"), SETTINGS)
def test_stamping_does_what_keras_transposed_convolution_does(
    kernel_size, strides, padding
):
    x, kernel = integers(4, 4, seed=1), integers(kernel_size, kernel_size, seed=2)
    ours = transposed_convolution(x, kernel, strides, padding)
    theirs = keras.ops.conv_transpose(as_batch(x), as_kernel(kernel), strides, padding)
    np.testing.assert_array_equal(ours, np.asarray(theirs)[0, :, :, 0])


@pytest.mark.parametrize(("kernel_size", "strides", "padding"), SETTINGS)
def test_stamping_is_multiplying_by_the_transposed_matrix(
    kernel_size, strides, padding
):
    x, kernel = integers(4, 4, seed=3), integers(kernel_size, kernel_size, seed=4)
    size = transposed_size(4, kernel_size, strides, padding)
    matrix = convolution_matrix(kernel, size, strides, padding)
    stamped = transposed_convolution(x, kernel, strides, padding)
    np.testing.assert_array_equal((matrix.T @ x.ravel()).reshape(size, size), stamped)


def test_kernel_3_stride_2_overlaps_unevenly_and_kernel_2_not_at_all():
    assert overlap_counts(2, 3, 2).tolist() == [
        [1, 1, 2, 1, 1],
        [1, 1, 2, 1, 1],
        [2, 2, 4, 2, 2],
        [1, 1, 2, 1, 1],
        [1, 1, 2, 1, 1],
    ]
    assert (overlap_counts(3, 2, 2) == 1).all()
    assert (overlap_counts(4, 4, 2)[2:-2, 2:-2] == 4).all()


def test_a_stride_above_the_kernel_leaves_gaps_of_zero():
    x = np.array([[1, 2], [3, 4]])
    stamped = transposed_convolution(x, np.array([[5]]), strides=2)
    assert stamped.tolist() == [[5, 0, 10, 0], [0, 0, 0, 0], [15, 0, 20, 0], [0] * 4]


def test_another_padding_is_refused_by_name():
    with pytest.raises(ValueError, match="padding='full'.*'valid' or 'same'"):
        transposed_size(4, 3, 2, "full")
    with pytest.raises(ValueError, match="padding='full'"):
        convolution_matrix(np.ones((3, 3)), 4, padding="full")


def test_a_kernel_larger_than_the_input_is_refused():
    with pytest.raises(ValueError, match="kernel_size=5 .* input_size=4"):
        convolution_matrix(np.ones((5, 5)), 4)
