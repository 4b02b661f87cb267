"""What a pixel may be: the names of the classes, their colours, and the background."""

from typing import NamedTuple


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
