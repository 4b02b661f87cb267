"""Fixtures that every test shares."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PHOTOS_DIR = os.environ.get("TFDS_DATA_DIR")


@pytest.fixture(scope="session", autouse=True)
def clean_environment():
    """Unset what would change a result, but not what only says where files lie."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TFDS_DATA_DIR", raising=False)
        for name in list(os.environ):
            places = ("UNETBOOK_CACHE", "UNETBOOK_RUNS")
            if name.startswith("UNETBOOK_") and name not in places:
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def drawn_pets(clean_environment):
    """The drawn pets, drawn once and kept in the user's cache."""
    from unetbook.data import load_pets

    return load_pets("drawn")


@pytest.fixture(scope="session")
def photos(clean_environment):
    """The photographs under the TFDS_DATA_DIR that pytest was started with."""
    from unetbook.config import photos_dir
    from unetbook.data import load_pets
    from unetbook.sources.photographs import find_photos

    if PHOTOS_DIR is None:
        pytest.skip("TFDS_DATA_DIR is not set")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", PHOTOS_DIR)
        if find_photos(photos_dir()) is None:
            pytest.skip(f"TFDS_DATA_DIR={PHOTOS_DIR} holds no oxford_iiit_pet")
        return load_pets("oxford")
