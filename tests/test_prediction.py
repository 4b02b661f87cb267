"""Batches and pictures of any size in, masks and counts out."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

from tests.flags import flag
from unetbook.pictures import squeeze_picture
from unetbook.prediction import (
    evaluate_masks,
    evaluate_pictures,
    predict_masks,
    segment_picture,
)


@functools.cache
def colour_model(height=8, width=8):
    """Build a model whose classes are red, green and blue: nothing to train."""
    inputs = keras.Input((height, width, 3))
    return keras.Model(inputs, layers.Softmax()(layers.Rescaling(20.0)(inputs)))


# masks of batches


def test_most_probable_class_wins_in_every_pixel():
    images = np.array([[[[1, 0, 0], [0, 1, 0.5]], [[0, 0, 1], [0.2, 0.3, 0.1]]]])
    model = colour_model(2, 2)
    masks = predict_masks(model, images.astype("float32"))
    assert masks.tolist() == [[[0, 1], [2, 1]]]
    assert masks.dtype == np.int32


def test_more_pictures_than_one_batch_keep_their_order():
    classes = np.arange(37) % 3
    images = np.eye(3, dtype="float32")[classes][:, None, None] * np.ones((1, 8, 8, 1))
    masks = predict_masks(colour_model(), images.astype("float32"))
    assert masks.shape == (37, 8, 8)
    assert (masks == classes[:, None, None]).all()


def test_single_picture_is_refused():
    with pytest.raises(ValueError, match=r"use image\[None\]"):
        predict_masks(colour_model(), np.zeros((8, 8, 3), "float32"))


def test_bytes_are_refused():
    with pytest.raises(ValueError, match="from 0 to 255, expected 0 to 1"):
        predict_masks(colour_model(), flag(8, 8)[None])


def batches():
    """Three pictures in two batches, of one class each, and wrong masks for one."""
    images = np.eye(3, dtype="float32")[:, None, None] * np.ones((1, 8, 8, 1))
    images = images.astype("float32")
    masks = np.stack([np.full((8, 8), c, dtype="int32") for c in (0, 1, 1)])
    return [(images[:2], masks[:2]), (images[2:], masks[2:])]


def test_confusion_matrix_of_a_data_set_by_hand():
    matrix = evaluate_masks(colour_model(), batches())
    assert matrix.tolist() == [[64, 0, 0], [0, 64, 64], [0, 0, 0]]


def test_pixels_that_nobody_annotated_are_left_out_of_a_data_set():
    (images, masks), rest = batches()
    masks[1, :, :3] = -1
    matrix = evaluate_masks(colour_model(), [(images, masks), rest])
    assert matrix.tolist() == [[64, 0, 0], [0, 40, 64], [0, 0, 0]]


def test_each_picture_has_its_own_matrix_in_order():
    matrices = evaluate_pictures(colour_model(), batches())
    assert matrices.shape == (3, 3, 3)
    assert matrices[2].tolist() == [[0, 0, 0], [0, 0, 64], [0, 0, 0]]


def test_data_set_without_batches_is_refused():
    with pytest.raises(ValueError, match="dataset is empty"):
        evaluate_pictures(colour_model(), [])


# one picture of any size


@pytest.mark.parametrize("size", [(8, 8), (30, 45), (60, 24), (1, 3), (3, 100)])
def test_mask_has_the_picture_s_size_and_finds_the_stripes(size):
    mask, probabilities = segment_picture(colour_model(), flag(*size))
    assert mask.shape == size
    assert probabilities.shape == (*size, 3)
    assert (mask.dtype, probabilities.dtype) == (np.int32, np.float32)
    share = (mask == flag(*size).argmax(-1)).mean()
    assert share >= 0.9


def test_probabilities_still_add_up_to_one():
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype="uint8")
    mask, probabilities = segment_picture(colour_model(), noise)
    assert probabilities.sum(-1) == pytest.approx(np.ones((37, 53)), abs=1e-5)
    assert (mask == probabilities.argmax(-1)).all()


def test_picture_of_the_model_s_size_is_predicted_as_it_is():
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype="uint8")
    mask, _ = segment_picture(colour_model(), noise)
    images = noise[None].astype("float32") / 255
    np.testing.assert_array_equal(mask, predict_masks(colour_model(), images)[0])


def test_shrinking_is_the_one_that_training_used():
    from unetbook.data import resize_pair

    noise = np.random.default_rng(0).integers(0, 256, (61, 47, 3), dtype="uint8")
    example = {
        "image": noise,
        "segmentation_mask": np.ones((61, 47, 1), "uint8"),
    }
    ours = np.asarray(squeeze_picture(noise, 16, 16), dtype="int32")
    theirs = np.asarray(resize_pair(example, 16)[0], dtype="int32")
    assert np.abs(ours - theirs).max() <= 1


def test_model_for_wide_pictures_gets_wide_ones():
    mask, _ = segment_picture(colour_model(4, 12), flag(40, 40))
    assert mask.shape == (40, 40)
