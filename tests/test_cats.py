"""The photographs that come with the book."""

import numpy as np
import pytest

from unetbook.cats import CATS, FOLDER, load_cat


@pytest.mark.parametrize("name", CATS)
def test_a_cat_is_a_small_colour_picture(name):
    cat = load_cat(name)
    assert cat.dtype == np.uint8
    assert cat.ndim == 3
    assert cat.shape[-1] == 3
    assert min(cat.shape[:2]) >= 240
    assert max(cat.shape[:2]) <= 451


def test_every_photograph_has_its_credit_and_its_name():
    files = sorted(path.name for path in FOLDER.glob("*.jpg"))
    assert files == sorted(f"{name}.jpg" for name in CATS if name != "chelsea")
    credits = (FOLDER / "CREDITS.md").read_text()
    assert all(f"`{file}`" in credits for file in files)


def test_a_cat_that_there_is_not_is_named():
    with pytest.raises(ValueError, match="name='tom', expected one of chelsea"):
        load_cat("tom")
