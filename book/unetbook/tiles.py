"""A picture seen in one piece, in overlapping squares, or once more from nearby."""

import math

import numpy as np

from unetbook.pictures import squeeze_picture

OVERLAP = 0.5  # of a window's side with the next one, as nnU-Net does
FAR_FROM_SQUARE = 2  # the long side over the short one
MOST_SQUARES = 8  # that a long strip is as long as; beyond that it is squeezed
MARGIN = 0.15  # around what was found, for the second look
ALMOST_ALL = 0.8  # of the picture: a second look would see the same


def predict_piece(model, pixels, flip=False):
    """Squeeze pixels to the model's square, predict, and stretch what comes out.

    Args:
        model: A model from images to probabilities.
        pixels: uint8 `(height, width, 3)`.
        flip: Average with what the model makes of the mirrored pixels.

    Returns:
        float32 `(height, width, num_classes)`.
    """
    _, model_height, model_width, _ = model.input_shape
    small = squeeze_picture(pixels, model_height, model_width)
    images = small[None].astype("float32") / 255  # (1, H, W, 3)
    if flip:
        images = np.concatenate([images, images[:, :, ::-1]])  # (2, H, W, 3)
    predicted = model.predict_on_batch(images).astype("float32")
    if flip:
        predicted = (predicted[:1] + predicted[1:, :, ::-1]) / 2
    height, width = pixels.shape[:2]
    # One channel after the other: a telephone's picture has 12 million pixels.
    probabilities = np.empty((height, width, predicted.shape[-1]), "float32")
    for channel in range(predicted.shape[-1]):
        stretched = squeeze_picture(predicted[0, ..., channel], height, width)
        probabilities[..., channel] = stretched
    return probabilities


def choose_side(height, width, tile=None):
    """Return the side of the squares to see a picture in, or None for one piece.

    Args:
        height, width: Size of the picture.
        tile: Side that the reader wants, or None.
    """
    short, long = sorted((height, width))
    if tile is not None and tile < long:
        return min(tile, short)
    if long > FAR_FROM_SQUARE * short:
        return max(short, math.ceil(long / MOST_SQUARES))
    return None


def place_windows(length, side):
    """Cover a length with overlapping windows.

    Args:
        length: How many pixels to cover.
        side: Length of a window; one longer than `length` is cut.

    Returns:
        A list of `(start, weights)`, weights float32 `(side,)`: highest in the middle
        of a window. At every pixel the weights of all windows add up to one.
    """
    side = min(side, length)
    count = 1 + math.ceil((length - side) / (side * (1 - OVERLAP)))
    starts = np.unique(np.rint(np.linspace(0, length - side, count)).astype("int64"))
    bump = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    total = np.zeros(length)
    for start in starts:
        total[start : start + side] += bump
    windows = [(start, bump / total[start : start + side]) for start in starts]
    return [(int(start), weights.astype("float32")) for start, weights in windows]


def predict_tiles(model, pixels, side, flip=False):
    """Predict overlapping squares of a picture, and blend them.

    Args:
        model: A model from images to probabilities.
        pixels: uint8 `(height, width, 3)`.
        side: Side of a square in pixels of the picture.
        flip: As in `predict_piece`.

    Returns:
        float32 `(height, width, num_classes)`.
    """
    height, width = pixels.shape[:2]
    probabilities = np.zeros((height, width, model.output_shape[-1]), "float32")
    columns = place_windows(width, side)
    for top, row_weights in place_windows(height, side):
        rows = slice(top, top + len(row_weights))
        for left, column_weights in columns:
            window = rows, slice(left, left + len(column_weights))
            predicted = predict_piece(model, pixels[window], flip)
            predicted *= np.outer(row_weights, column_weights)[..., None]
            probabilities[window] += predicted
    return probabilities


def find_box(found, margin=MARGIN):
    """Return the box around all that is True, wider by a margin, or None.

    Args:
        found: Boolean `(height, width)`.
        margin: Share of the box's side that is added at each of its ends.

    Returns:
        Two slices, of rows and of columns; None if nothing is True.
    """
    if not found.any():
        return None
    box = []
    for axis, length in enumerate(found.shape):
        places = np.flatnonzero(found.any(axis=1 - axis))
        first, last = int(places[0]), int(places[-1]) + 1
        more = round(margin * (last - first))
        box.append(slice(max(0, first - more), min(length, last + more)))
    return tuple(box)


def look_again(model, pixels, probabilities, background, flip=False):
    """Predict the part that is not background once more, enlarged, and average.

    Args:
        model: A model from images to probabilities.
        pixels: uint8 `(height, width, 3)`.
        probabilities: What was predicted for them; changed in place.
        background: Channel of the background.
        flip: As in `predict_piece`.
    """
    box = find_box(probabilities.argmax(axis=-1) != background)
    if box is None:
        return
    part = pixels[box]
    if part.size < ALMOST_ALL * pixels.size:
        probabilities[box] += predict_pixels(model, part, flip=flip)
        probabilities[box] /= 2


def predict_pixels(model, pixels, tile=None, flip=False):
    """Predict a picture in one piece, or in squares if it is far from square.

    `python -m experiments looks` compares the squares with a squeezed and a letterboxed
    picture.

    Args:
        model: A model from images to probabilities.
        pixels: uint8 `(height, width, 3)`.
        tile: Side of the squares to see it in, as `choose_side` takes it.
        flip: As in `predict_piece`.

    Returns:
        float32 `(height, width, num_classes)`.
    """
    side = choose_side(*pixels.shape[:2], tile)
    if side is None:
        return predict_piece(model, pixels, flip)
    return predict_tiles(model, pixels, side, flip)
