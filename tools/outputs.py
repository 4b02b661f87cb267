"""Run chapters in place, so that the stored outputs are what nbval will see.

`make outputs` runs every chapter, `python tools/outputs.py book/03_encoder.ipynb` one.
A chapter that fails keeps its old outputs.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
KEPT_METADATA = {"tags", "mystnb"}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def clean(notebook):
    """Drop outputs, cell metadata that other tools add, and widget state."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT_METADATA}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def keep_svg(notebook):
    """Drop the PNG beside an SVG of the same drawing: one of the two is enough."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/svg+xml" in output.get("data", {}):
                output.data.pop("image/png", None)


def execute(path):
    """Execute one notebook and store its outputs in the file."""
    began = time.time()
    notebook = clean(nbformat.read(path, as_version=4))
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,
        record_timing=False,
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],
    )
    client.execute()
    keep_svg(notebook)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)
    print(f"{path.name}: {time.time() - began:.0f} s", flush=True)


def main(names):
    """Execute the named notebooks, or every chapter."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    paths = [Path(name) for name in names] or sorted((ROOT / "book").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as runs:  # none goes on where another ended
        os.environ["UNETBOOK_RUNS"] = runs
        for path in paths:
            print(f"{path.name} ...", flush=True)
            execute(path)


if __name__ == "__main__":
    main(sys.argv[1:])
