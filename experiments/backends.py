"""Compare Keras's backends with TensorFlow: `make backends`.

TensorFlow predicts drawn pets with every shipped network, and augments them. JAX and
PyTorch, each in an environment of its own that has no TensorFlow, compute the same from
the same tensors. The largest differences are printed; one above the tolerance ends with
status 1.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.isolated import run_module

NUM_PICTURES = 16
TOLERANCE = 1e-4  # of probabilities, of pictures in [0, 1], and share of mask pixels

# What prediction imports; the package itself would bring TensorFlow along.
SHARED = ("keras", "numpy", "packaging", "pillow", "platformdirs")
PACKAGES = {
    "jax": ("jax==0.10.2",),
    "torch": (  # Linux's other file is for CUDA: gigabytes
        "torch==2.13.0+cpu; sys_platform != 'darwin'",
        "torch==2.13.0; sys_platform == 'darwin'",
    ),
}
LIBRARIES = {"jax": "jaxlib", "torch": "torch"}  # where their tensors are defined


def torch_source():
    """Return uv's options for where PyTorch's CPU files are.

    uv knows their public address; folders of one's own that pip or uv was told of take
    its place.
    """
    folders = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS") or ""
    options = [f"--find-links={folder}" for folder in folders.replace(",", " ").split()]
    return options or ["--torch-backend=cpu"]


def choose_packages(backend):
    """Return uv's options for what a backend's environment holds."""
    options = torch_source() if backend == "torch" else []
    packages = [*SHARED, *PACKAGES[backend]]
    return options + [f"--with={package}" for package in packages]


def make_inputs():
    """Return drawn pets and draws as the arrays that every backend starts from."""
    from unetbook.cards import list_pretrained, read_card
    from unetbook.data import cache_pairs, draw_augmentation, load_pets, make_dataset

    examples = load_pets("drawn").test.take(NUM_PICTURES)

    def load_images(image_size):
        batches = make_dataset(cache_pairs(examples, image_size), NUM_PICTURES)
        return next(batches.as_numpy_iterator())

    inputs = dict(zip(("images", "masks"), load_images(128), strict=True))
    for name in list_pretrained():
        inputs[f"images_{name}"] = load_images(read_card(name)["image_size"])[0]
    kinds = ("flip", "crop", "colour", "sharpness")
    draws = draw_augmentation(NUM_PICTURES, kinds, seed=0, epoch=0, index=0)
    return inputs | {f"draw_{name}": draw.numpy() for name, draw in draws.items()}


def compute_reference(folder):
    """Write the inputs into a folder, and return what TensorFlow makes of them."""
    from unetbook.config import device_name, hold_stderr

    with hold_stderr():
        from experiments.backend_outputs import compute_outputs

        device_name()
    inputs = make_inputs()
    np.savez(folder / "inputs.npz", **inputs)
    return compute_outputs(inputs)


def compute_with(backend, folder):
    """Return what a backend makes of the inputs, in a process of its environment.

    Raises:
        SystemExit: If the process fails.
        RuntimeError: If it was not what it should be.
    """
    files = [str(folder / name) for name in ("inputs.npz", f"{backend}.npz")]
    variables = {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    options = choose_packages(backend)
    run_module("experiments.backend_outputs", options, files, **variables)
    with np.load(files[1], allow_pickle=False) as arrays:
        outputs = dict(arrays)
    check_backend(backend, outputs)
    return outputs


def check_backend(backend, outputs):
    """Raise a `RuntimeError` unless this backend ran alone; drop the proof."""
    found = outputs.pop("backend").item(), outputs.pop("library").item()
    if found != (backend, LIBRARIES[backend]):
        raise RuntimeError(
            f"backend={backend!r}: Keras ran on {found[0]!r} with tensors of "
            f"{found[1]!r}. Look for a KERAS_BACKEND that is set somewhere else."
        )
    if outputs.pop("tensorflow_imported").item():
        raise RuntimeError(
            f"backend={backend!r}: TensorFlow was imported too. Find the import in "
            "unetbook, or the package that brought it along."
        )


def compare(expected, found):
    """Compare the outputs of two backends.

    Args:
        expected: Arrays by name; those of integers are masks.
        found: Arrays of the same names and shapes.

    Returns:
        Differences by name: the largest one between two arrays of floats, NaN if a
        number is; the share of pixels in which masks differ.

    Raises:
        ValueError: If names or shapes differ.
    """
    if expected.keys() != found.keys():
        raise ValueError(f"found has {sorted(found)}, expected {sorted(expected)}.")
    differences = {}
    for name, array in expected.items():
        if array.shape != found[name].shape:
            raise ValueError(
                f"{name} has shape {found[name].shape}, expected {array.shape}."
            )
        if array.dtype.kind == "i":
            differences[name] = float((array != found[name]).mean())
        else:
            differences[name] = float(np.abs(array - found[name]).max())
    return differences


def check_differences(backend, differences):
    """Print one line for each array, and return whether all are within tolerance."""
    for name, difference in differences.items():
        verdict = "ok" if difference <= TOLERANCE else f"above {TOLERANCE:g}"
        print(f"{backend:6} {name:28} {difference:.1e}  {verdict}", flush=True)
    return all(difference <= TOLERANCE for difference in differences.values())


def main(options):
    """Compute on each backend, and compare with TensorFlow."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    print("The first time, packages are fetched: some minutes, up to 1.4 GB.")
    print(f"The largest difference from TensorFlow, {NUM_PICTURES} drawn pets:")
    passed = []
    with tempfile.TemporaryDirectory() as folder:
        expected = compute_reference(Path(folder))
        for backend in PACKAGES:
            began = time.perf_counter()
            found = compute_with(backend, Path(folder))
            passed.append(check_differences(backend, compare(expected, found)))
            seconds = time.perf_counter() - began
            print(f"{backend:6} ran without TensorFlow: {seconds:.0f} s", flush=True)
    if not all(passed):
        sys.exit("The backends do not agree.")
