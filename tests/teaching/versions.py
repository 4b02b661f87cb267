"""The assignments, and what students get of them."""

import nbformat
import pytest

from teach import course

NAMES = sorted(path.stem for path in course.SOURCES.glob("[0-9]*.md"))

each_assignment = pytest.mark.parametrize("name", NAMES)


def student_version(name):
    """Return the student version in the repository."""
    return nbformat.read(course.STUDENT_VERSIONS / f"{name}.ipynb", as_version=4)
