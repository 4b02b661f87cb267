"""Take in the files of a class: whose each one is, and what is in it."""

import hashlib
import json
import re
import unicodedata
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbformat.warnings import DuplicateCellId

from teach.assignments import read_stage

LARGEST_FILE = 50_000_000  # bytes
MOST_CELLS = 1000
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_\w+?_?(?:_.*)?$")
CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.*?(?:-(?P<version>\d+))?$"
)
PLAIN = re.compile(r"(?P<name>[^_\d][^_]*)_.*$")


class HandInError(ValueError):
    """A file that cannot be graded; the message says why."""


class HandIn(NamedTuple):
    """One file, and what its name says."""

    path: Path
    name: str
    number: str
    version: int


class Submission(NamedTuple):
    """One student's hand-in, from collecting to the gradebook.

    `path` is what was taken in, `digest` a hash of all that its marks depend on, and
    `remark` a note for the teacher.
    """

    student: str
    path: Path
    digest: str
    remark: str = ""

    def with_remark(self, *remarks):
        """Return the submission with further remarks."""
        return self._replace(remark="; ".join(filter(None, [self.remark, *remarks])))


def to_id(name):
    """Return a name as small letters, digits, dots and hyphens: good for a folder."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = plain if re.search(r"\w", plain) else name  # a name in another script
    return re.sub(r"[^\w.]+|_", "-", plain.casefold()).strip("-.") or "nameless"


def read_name(path, folder):
    """Tell from Moodle's, Canvas's or a plain file name whose file it is.

    Args:
        path: A file somewhere below `folder`.
        folder: The folder that all hand-ins lie in.

    Returns:
        A `HandIn`. Where no rule fits, the whole name of the file stands for the
        student.
    """
    inside = path.relative_to(folder).parts
    texts = [path.stem] if len(inside) == 1 else [inside[0], path.stem]
    for rule in (MOODLE, CANVAS):
        for text in texts:
            found = rule.match(text)
            if found:
                version = int(found.groupdict().get("version") or 0)
                return HandIn(path, to_id(found["name"]), found["number"], version)
    if len(inside) > 1:
        return HandIn(path, to_id(inside[0]), "", 0)
    found = PLAIN.match(path.stem)
    return HandIn(path, to_id(found["name"] if found else path.stem), "", 0)


def find_hand_ins(folder):
    """Map each student's id to that student's files, the newest first.

    Hidden files and links are passed over. Two people of one name, whom Moodle or
    Canvas gave different numbers, are kept apart by these.
    """
    files = [
        read_name(path, folder)
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]
    numbers = {}
    for file in files:
        numbers.setdefault(file.name, set()).add(file.number)
    found = {}
    for file in files:
        several = len(numbers[file.name]) > 1
        student = f"{file.name}-{file.number}" if several else file.name
        found.setdefault(student.strip("-"), []).append(file)
    for versions in found.values():
        versions.sort(key=lambda file: (file.version, file.path.stat().st_mtime))
        versions.reverse()
    return {student: [f.path for f in files] for student, files in found.items()}


def read_notebook(path):
    """Read a hand-in, and keep only what grading needs of it.

    Args:
        path: Any file at all.

    Returns:
        A clean notebook of format 4: sources and nbgrader's metadata, no outputs.

    Raises:
        HandInError: If the file is too large or no notebook.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise HandInError(
            f"the file has {size / 1e6:.0f} MB, more than {LARGEST_FILE / 1e6:.0f}; "
            "clear its outputs and hand it in again"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DuplicateCellId)
            notebook = nbformat.reads(json.dumps(json.loads(text)), as_version=4)
        cells = [clean_cell(cell) for cell in notebook.cells]
    except Exception as error:  # whatever is wrong with it, it cannot be graded
        raise HandInError("the file is no Jupyter notebook") from error
    if len(cells) > MOST_CELLS:
        raise HandInError(f"the notebook has more than {MOST_CELLS} cells")
    return new_notebook(cells=cells)


def clean_cell(cell):
    """Return a cell with its source and nbgrader's metadata alone."""
    make = new_code_cell if cell["cell_type"] == "code" else new_markdown_cell
    clean = make("".join(cell["source"]))
    marks = cell.get("metadata", {}).get("nbgrader")
    if isinstance(marks, dict) and isinstance(marks.get("grade_id"), str):
        clean.metadata["nbgrader"] = {"grade_id": marks["grade_id"]}
    return clean


def take_in(course, name, student, paths):
    """Keep what grading needs of a student's newest file.

    What cannot be read is replaced by the untouched assignment with a note, which gets
    no points and a feedback page that says why.

    Returns:
        A `Submission`.
    """
    remarks = [f"{len(paths) - 1} older file(s) passed over"] if len(paths) > 1 else []
    try:
        notebook = read_notebook(paths[0])
    except HandInError as error:
        remarks.append(f"{error} ({paths[0].name!r})")  # no formula in a spreadsheet
        notebook = read_stage(course, "release", name)
        notebook.cells.insert(0, new_markdown_cell(f"**Not graded: {error}.**"))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    text = nbformat.writes(notebook)
    target = course.notebook("collected", name, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    source = course.notebook("source", name).read_bytes()
    digest = hashlib.sha256(text.encode() + source).hexdigest()
    return Submission(student, target, digest).with_remark(*remarks)
