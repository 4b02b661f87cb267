"""Five openly licensed photographs of cats, none of them from Oxford-IIIT Pet."""

from pathlib import Path

from skimage import data

from unetbook.pictures import read_picture

CATS = ("chelsea", "tabby", "persian", "siamese", "mau")
FOLDER = Path(__file__).parent / "photographs"  # with CREDITS.md


def load_cat(name):
    """Load one of the photographs that come with the book.

    Args:
        name: One of `CATS`. Chelsea comes with scikit-image.

    Returns:
        uint8 `(height, width, 3)`, of 240 to 451 pixels a side.

    Raises:
        ValueError: If there is no such cat.
    """
    if name not in CATS:
        raise ValueError(f"name={name!r}, expected one of {', '.join(CATS)}.")
    if name == "chelsea":
        return data.chelsea()
    return read_picture(FOLDER / f"{name}.jpg")
