"""The rooms of the package: who may import whom, and a map that names every module."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "book" / "unetbook"
# From the bottom up; a room imports from itself and from those before it.
ROOMS = (
    {
        "unetbook",
        "classes",
        "config",
        "inline",
        "files",
        "machine",
        "remedies",
        "convolution",
        "blocks",
        "progress",
        "encoders",
        "processes",
        "augmentation",
    },
    {"pictures", "metrics", "model", "checkpoints", "inspection", "gradients"},
    {"sources", "training", "pretrained", "results", "cards"},
    {"data", "prediction", "tiles", "cutouts", "cats"},
    {"figures"},
    {"explorers", "runs", "arguments"},
    {"commands"},
    {"__main__"},
)


def modules():
    """Map the name of every module of the package to the modules that it imports."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        nodes = ast.walk(ast.parse(file.read_text()))
        imports = {
            node.module.removeprefix("unetbook.")
            for node in nodes
            if isinstance(node, ast.ImportFrom) and node.module.startswith("unetbook")
        }
        found[".".join(parts)] = imports
    return found


def room(module):
    """Return how high the room of a module lies."""
    first = module.split(".")[0]
    return next(level for level, names in enumerate(ROOMS) if first in names)


def test_no_two_files_import_each_other():
    TopologicalSorter(modules()).prepare()  # raises for a circle


def test_nothing_imports_upwards():
    upwards = [
        f"{module} imports {other}"
        for module, imports in modules().items()
        if not module.endswith("__init__")
        for other in imports
        if room(other) > room(module)
    ]
    assert not upwards


def test_nothing_is_imported_from_a_folder_and_nothing_re_exported():
    folders = {"unetbook", "sources", "sources.drawn", "figures", "explorers"}
    for module, imports in modules().items():
        assert not imports & (folders - {"unetbook"}), module
        if module.endswith("__init__"):
            assert not imports, module


def test_the_map_for_contributors_names_every_module_and_nothing_else():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = re.search(r"\| in `book/unetbook/` \|.*?\n\n", text, re.DOTALL)[0]
    named = set()
    for row in table.strip().splitlines()[2:]:
        words = re.findall(r"`([a-z_/]+)`", row.split("|")[1])
        folder = words[0].rpartition("/")[0] if words else ""
        for word in words:
            named.add(word if "/" in word or not folder else f"{folder}/{word}")
    folders = {name for name in named if name.endswith("/")}
    there = {name.replace(".", "/") for name in modules() if "__init__" not in name}
    assert named - folders == there
    assert folders == {"measured/", "weights/", "photographs/"}


def test_the_map_in_the_package_names_every_module_and_room():
    text = (PACKAGE / "__init__.py").read_text()
    for name in modules():
        first = name.split(".")[0]
        if first != "__init__":
            assert re.search(rf"^    {first}/? ", text, re.MULTILINE), first
