"""Files that are written whole or not at all, and what identifies them."""

import hashlib
import json
import os
import re
from pathlib import Path


def write_whole(path, write):
    """Write a file so that a kill at any moment leaves the old one or the new one.

    Args:
        path: The file.
        write: A function that writes to the path it is given.
    """
    path = Path(path)
    temporary = path.with_name(f"unfinished-{path.name}")
    try:
        write(temporary)
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path, value, indent=2):
    """Write a value as JSON, the whole file or none of it; see `write_whole`."""
    text = json.dumps(value, indent=indent) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text))


def describe_file(file):
    """Return the size and the SHA-256 of a file."""
    content = file.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def shorten(error):
    """Return an exception's type and the start of its message, on one line."""
    text = re.sub(r"\{\{.*?\}\}", "", str(error))  # TensorFlow's names of nodes
    text = " ".join(text.split()).rstrip(".")
    text = text if len(text) <= 300 else text[:300] + " ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def printable(text):
    """Return a text on one line: what cannot be printed stands as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def check_png_path(path):
    """Return where to write a PNG, or raise a `ValueError`."""
    path = Path(path).expanduser()
    if path.suffix.lower() != ".png":
        raise ValueError(
            f"path={str(path)!r}: end it in .png. JPEG knows no transparent pixels and "
            "changes the values of a mask."
        )
    if not path.parent.is_dir():
        raise ValueError(
            f"path={str(path)!r}: there is no folder {path.parent.absolute()}."
        )
    return path
