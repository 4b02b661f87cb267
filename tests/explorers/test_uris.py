"""Pictures travel inside the page, unchanged."""

import numpy as np

from tests.explorers.modules import open_uri
from unetbook.explorers.addresses import mask_uri, png_uri
from unetbook.figures.style import CLASS_COLOURS, VOID


def test_pictures_travel_inside_the_page():
    pixels = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    uri = png_uri(pixels)
    assert uri.startswith("data:image/png;base64,")
    assert (np.asarray(open_uri(uri)) == pixels).all()


def test_a_mask_keeps_its_codes_and_gets_the_colours_of_the_classes():
    uri = mask_uri([[0, 1, 2]])
    assert uri.startswith("data:image/png;base64,")
    image = open_uri(uri)
    assert np.asarray(image).tolist() == [[0, 1, 2]]
    shown = np.asarray(image.convert("RGB"))[0]
    assert [f"#{bytes(colour).hex()}" for colour in shown] == list(CLASS_COLOURS)


def test_what_nobody_annotated_gets_a_colour_of_its_own():
    image = open_uri(mask_uri([[-1, 2]]))
    shown = np.asarray(image.convert("RGB"))[0]
    expected = [VOID.colour, CLASS_COLOURS[2]]
    assert [f"#{bytes(colour).hex()}" for colour in shown] == expected
