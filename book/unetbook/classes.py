"""What a pixel may be: the names of the classes, their colours, and the background."""

import colorsys
from typing import NamedTuple

MOST_CLASSES = 255  # raw masks are bytes, and 0 means "not annotated"
VOID_COLOUR = (224, 224, 192)  # in palettes, as Pascal VOC has it: not annotated
BACKGROUND_COLOUR = (52, 58, 74)
# Dark, middle, light, and again, so that neighbours stay apart in grey print.
COLOURS = (
    (47, 127, 193),
    (236, 117, 60),
    (255, 203, 46),
    (122, 40, 120),
    (60, 170, 110),
    (150, 220, 250),
    (160, 35, 50),
    (175, 140, 205),
    (190, 230, 120),
    (0, 90, 90),
    (225, 100, 160),
    (250, 200, 190),
)


class Classes(NamedTuple):
    """The classes of a data set, in the order of a model's channels.

    Attributes:
        names: One name for each class.
        colours: One `(red, green, blue)` in 0 to 255 for each class.
        background: Position of the background in `names`, or None if there is none.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    background: int | None


PETS = Classes(
    names=("pet", "background", "border"),
    colours=((47, 127, 193), (52, 58, 74), (255, 203, 46)),
    background=1,
)


def choose_colours(count, background=None):
    """Return a fixed colour for each class, all of them different.

    Args:
        count: Number of classes.
        background: Position of the background, which is dark, or None.
    """
    more = (  # beyond the first twelve: hues far from each other, in three lights
        colorsys.hsv_to_rgb(0.618 * place % 1, 0.7, (0.5, 0.7, 0.95)[place % 3])
        for place in range(count)
    )
    colours = [*COLOURS, *(tuple(round(255 * one) for one in rgb) for rgb in more)]
    if background is not None:
        colours.insert(background, BACKGROUND_COLOUR)
    return tuple(colours[:count])


def colour_by_bits(value):
    """Return the colour that Pascal VOC, and labelme after it, gives a value."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= (value >> (3 * bit + channel) & 1) << (7 - bit)
    return tuple(channels)
