"""Take in the files of a class: what is in each, and which one of a student counts."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from teach import reading
from teach.assignments import read_stage
from teach.repair import count_tasks

LONGEST_ANSWER = 20_000_000  # bytes that a reader may print
TOO_MUCH = f"the file was made to be too much to read; {reading.AGAIN}"
FOREIGN = "no task of this assignment is in the notebook; hand in the one that has them"


class Submission(NamedTuple):
    """One student's hand-in, from collecting to the gradebook.

    `path` is what was taken in, `digest` a hash of all that its marks depend on, and
    `remark` a note for the teacher. `code` is a hash of the answers; `replaced` tells
    that the untouched assignment was taken instead of a file that cannot be graded.
    """

    student: str
    path: Path
    digest: str
    remark: str = ""
    code: str = ""
    replaced: bool = False

    def with_remark(self, *remarks):
        """Return the submission with further remarks."""
        return self._replace(remark="; ".join(filter(None, [self.remark, *remarks])))


class Candidate(NamedTuple):
    """One of a student's notebooks, or a file that is none, and why."""

    path: Path
    cells: list | None
    reason: str


def read_file(path):
    """Read a file in a process of its own, which it may end.

    Returns:
        A list of `Candidate`, one for each notebook in it.
    """
    words = [sys.executable, "-I", reading.__file__, str(path)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=2 * reading.SECONDS)
        if done.returncode or len(done.stdout) > LONGEST_ANSWER:
            raise ValueError(f"status {done.returncode}")
        found = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired):
        return [Candidate(path, None, TOO_MUCH)]
    if not found["notebooks"]:
        return [Candidate(path, None, found["reason"])]
    return [Candidate(path, cells, "") for cells in found["notebooks"]]


def make_notebook(cells):
    """Return a notebook of format 4 of what reading.py has left of its cells."""
    made = []
    for cell in cells:
        new = new_code_cell if cell["cell"] == "code" else new_markdown_cell
        one = new(cell["source"])
        if cell["grade_id"] is not None:
            one.metadata["nbgrader"] = {"grade_id": cell["grade_id"]}
        if cell["attachments"] and cell["cell"] == "markdown":
            one["attachments"] = cell["attachments"]
        made.append(one)
    return new_notebook(cells=made)


def choose(files, release):
    """Return the candidate that counts: a notebook, most tasks, then the newest.

    Args:
        files: A student's files, from `find_students`.
        release: The assignment as students got it.
    """
    best, highest = None, None
    for file in sorted(files, key=lambda f: (f.version, f.path.stat().st_mtime)):
        for candidate in read_file(file.path):
            cells = make_notebook(candidate.cells or []).cells
            rank = (candidate.cells is not None, count_tasks(cells, release))
            if highest is None or rank >= highest:
                best, highest = candidate, rank
    return best


def remarks_on(chosen, files):
    """Return what the teacher should know of a student's files, in one line each."""
    others = [file.path.name for file in files if file.path != chosen.path]
    if others:
        names = ", ".join(repr(name[:40]) for name in others[:3])
        yield f"{len(others)} other file(s) passed over: {names}"
    if chosen.reason:  # no formula in a spreadsheet: the name does not come first
        yield f"{chosen.reason} (this was {chosen.path.name[:60]!r})"


def take_in(course, name, student, files):
    """Keep what grading needs of the file of a student that counts.

    What cannot be read is replaced by the untouched assignment with a note, which gets
    no points and a feedback page that says why, and what to do.

    Returns:
        A `Submission`.
    """
    release = read_stage(course, "release", name)
    chosen = choose(files, release)
    notebook = make_notebook(chosen.cells) if chosen.cells is not None else release
    if not chosen.reason and not count_tasks(notebook.cells, release):
        chosen = chosen._replace(reason=FOREIGN)
    if chosen.reason:
        note = f"**Not graded: {chosen.reason}.**"
        notebook.cells.insert(0, new_markdown_cell(note))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    text = nbformat.writes(notebook)
    target = course.notebook("collected", name, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    source = course.notebook("source", name).read_bytes()
    digest = hashlib.sha256(text.encode() + source).hexdigest()
    taken = Submission(student, target, digest, replaced=bool(chosen.reason))
    return taken.with_remark(*remarks_on(chosen, files))
