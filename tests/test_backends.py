"""The comparison of backends finds a difference, and is what it says it is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import backends
from experiments.backend_outputs import KERAS_ALONE
from experiments.isolated import isolated_python

ROOT = Path(__file__).parents[1]
PROOF = {"backend": "jax", "library": "jaxlib", "tensorflow_imported": False}


def prove(**changes):
    return {name: np.array(value) for name, value in (PROOF | changes).items()}


# ------------------------------------------------------------------- comparing


def test_the_largest_difference_is_found_whatever_its_sign():
    expected = {"probabilities": np.array([0.25, 0.5, 0.25])}
    found = {"probabilities": np.array([0.375, 0.25, 0.375])}
    assert backends.compare(expected, found) == {"probabilities": 0.25}


def test_masks_are_compared_by_the_share_of_other_pixels():
    masks = np.array([[0, 1], [2, 2]], "int32")
    found = np.array([[0, 1], [2, 0]], "int32")
    assert backends.compare({"masks": masks}, {"masks": found}) == {"masks": 0.25}


@pytest.mark.parametrize("wrong", [0.5 + 2e-4, 0.5 - 2e-4, np.nan, np.inf])
def test_one_wrong_probability_is_reported(wrong, capsys):
    expected, found = np.full((2, 4, 4, 3), 0.5), np.full((2, 4, 4, 3), 0.5)
    found[1, 2, 3, 0] = wrong
    differences = backends.compare({"net": expected}, {"net": found})
    assert not backends.check_differences("jax", differences)
    assert "above 0.0001" in capsys.readouterr().out


def test_what_rounding_does_is_within_the_tolerance(capsys):
    assert backends.check_differences("torch", {"net": 9e-5, "masks": 0.0})
    assert capsys.readouterr().out.count(" ok\n") == 2


def test_a_network_that_was_left_out_is_an_error():
    network = {"probabilities_drawn": np.zeros(3)}
    with pytest.raises(ValueError, match="expected .*probabilities_drawn"):
        backends.compare(network, {})


def test_arrays_of_other_shapes_are_an_error():
    with pytest.raises(ValueError, match=r"net has shape \(1,\), expected \(3,\)"):
        backends.compare({"net": np.zeros(3)}, {"net": np.zeros(1)})


def test_a_backend_that_ran_alone_is_believed():
    outputs = prove() | {"net": np.zeros(1)}
    backends.check_backend("jax", outputs)
    assert list(outputs) == ["net"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backend": "tensorflow"}, "Keras ran on 'tensorflow'"),
        ({"library": "torch"}, "tensors of 'torch'"),
        ({"tensorflow_imported": True}, "TensorFlow was imported too"),
    ],
)
def test_a_backend_that_was_not_what_it_should_be_is_refused(changes, message):
    with pytest.raises(RuntimeError, match=message):
        backends.check_backend("jax", prove(**changes))


@pytest.mark.parametrize("difference", [0.0, 1e-3])
def test_the_status_is_1_if_the_last_backend_differs(monkeypatch, difference):
    reference = {"net": np.zeros(3)}
    found = {"jax": 0.0, "torch": difference}
    monkeypatch.setattr(backends, "compute_reference", lambda folder: reference)
    monkeypatch.setattr(
        backends, "compute_with", lambda name, folder: {"net": np.full(3, found[name])}
    )
    if difference:
        with pytest.raises(SystemExit, match="do not agree"):
            backends.main(None)
    else:
        backends.main(None)


# ---------------------------------------------------------------- environments


def test_an_environment_that_cannot_be_made_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(subprocess, "call", lambda command, cwd, env: 1)
    with pytest.raises(SystemExit, match="ended with status 1.*keras.*jax==0.10.2"):
        backends.compute_with("jax", tmp_path)


def test_pytorch_comes_from_ones_own_folder_or_from_its_index_for_the_cpu(monkeypatch):
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert backends.torch_source() == ["--torch-backend=cpu"]
    monkeypatch.setenv("PIP_FIND_LINKS", "/first /second")
    folders = ["--find-links=/first", "--find-links=/second"]
    assert backends.torch_source() == folders


# -------------------------------------------------------------------- imports


def imported_names(path):
    """The modules that a file imports at its top, with dots."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def outside_packages(path, seen):
    """The packages that a file imports, itself or through the project's modules."""
    if path in seen or not path.is_file():
        return set()
    seen.add(path)
    found = set()
    for name in imported_names(path):
        top = name.split(".")[0]
        if top in ("unetbook", "experiments"):
            folder = ROOT / "book" if top == "unetbook" else ROOT
            own = (folder / name.replace(".", "/")).with_suffix(".py")
            found |= outside_packages(own, seen)
        elif top not in sys.stdlib_module_names:
            found.add({"PIL": "pillow"}.get(top, top))
    return found


def test_the_environments_hold_what_the_comparison_imports():
    seen = set()
    found = outside_packages(ROOT / "experiments" / "backend_outputs.py", seen)
    for module in KERAS_ALONE:
        found |= outside_packages(ROOT / "book" / "unetbook" / f"{module}.py", seen)
    assert found == set(backends.SHARED)
    modules = {path.stem for path in seen}
    assert modules >= {"augmentation", "blocks", "metrics", "model", "prediction"}
    assert "training" in modules
    assert "data" not in modules


def test_packed_runs_need_jax_and_no_more_than_the_comparison_has():
    found = outside_packages(ROOT / "experiments" / "packed.py", set())
    assert found == {*backends.SHARED, "jax"}


def test_the_environment_of_the_models_holds_what_they_import():
    wanted = (ROOT / "requirements-models.txt").read_text()
    names = set(re.findall(r"^\w+", wanted, flags=re.MULTILINE))
    assert outside_packages(ROOT / "experiments" / "models.py", set()) == names


# ------------------------------------------------------------------ the real thing


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    return folder, backends.compute_reference(folder)


def is_cached(backend):
    """Tell whether uv can make a backend's environment without fetching anything."""
    command = isolated_python(["--offline", *backends.choose_packages(backend)])
    return not subprocess.call(
        [*command, "-c", ""], cwd=ROOT, stderr=subprocess.DEVNULL
    )


@pytest.mark.backends
@pytest.mark.parametrize("backend", backends.PACKAGES)
def test_every_network_predicts_alike_on_another_backend(backend, request):
    if not is_cached(backend):
        pytest.skip(f"uv does not have {backend} yet: `make backends` fetches it")
    folder, expected = request.getfixturevalue("reference")
    assert any(name.startswith("probabilities_") for name in expected)
    differences = backends.compare(expected, backends.compute_with(backend, folder))
    assert backends.check_differences(backend, differences)
