"""A picture that tests of several files read."""

import numpy as np


def flag(height, width):
    """Return a picture of three upright stripes: red, green, blue."""
    pixels = np.zeros((height, width, 3), dtype="uint8")
    for channel, columns in enumerate(np.array_split(np.arange(width), 3)):
        pixels[:, columns, channel] = 255
    return pixels
