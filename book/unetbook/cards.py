"""Which networks there are: those that come with the book, and those of runs.

Nothing here loads TensorFlow, so that a wrong name is told at once.
"""

import json
from pathlib import Path

from unetbook.config import guess_folder
from unetbook.results import OLD_WEIGHTS, check_renamed

MODEL = "model.keras"  # in the folder of a run
WEIGHTS_DIR = Path(__file__).parent / "weights"
CARD_KEYS = (
    "filters",
    "image_size",
    "data",
    "licence",
    "recipe",
    "scores",
    "limits",
)
REMEDY = "Run `make weights` to train them again, or take the file from the repository."


def list_pretrained():
    """Return the names of the weights that come with the book."""
    return sorted(path.stem for path in WEIGHTS_DIR.glob("*.json"))


def read_card(name="drawn"):
    """Read the card of trained weights: network, data, licence, scores and limits.

    Raises:
        ValueError: If there is no such card, or it is damaged.
    """
    check_renamed(name, OLD_WEIGHTS)
    if name not in list_pretrained():
        there = ", ".join(list_pretrained()) or "none"
        raise ValueError(f"name={name!r}: the weights there are: {there}. {REMEDY}")
    file = WEIGHTS_DIR / f"{name}.json"
    try:
        card = json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} cannot be read ({error}). {REMEDY}") from error
    if not isinstance(card, dict) or not {*CARD_KEYS, "sha256"} <= card.keys():
        raise ValueError(f"{file} lacks entries of a card. {REMEDY}")
    return card


def find_network(place):
    """Return the folder of a run, or the name of a network that comes with the book.

    Args:
        place: One of both; a folder goes before a name.

    Returns:
        A `Path`, or a string.

    Raises:
        ValueError: If there is neither.
    """
    folder = Path(place).expanduser()
    if not folder.is_dir() and place in list_pretrained():
        return place
    if not (folder / MODEL).is_file():
        raise ValueError(
            f"{folder.absolute()} holds no {MODEL}.{guess_folder([folder.absolute()])} "
            "Give the folder that `unetbook train` wrote, or one of "
            f"{', '.join(list_pretrained())}, the networks for pets that come with the "
            "book."
        )
    return folder
