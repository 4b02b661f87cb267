"""Whose a file is, told from the name that a learning platform gave it."""

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_\w+?_?(?:_.*)?$", re.DOTALL
)
CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.*?(?:-(?P<version>\d+))?$",
    re.DOTALL,
)
# Words of a file's name that tell what it is and not whose.
NO_NAMES = {"assignment", "homework", "hw", "exercise", "ex", "task", "lab", "sheet"}
NO_NAMES |= {"copy of", "copy", "final", "solution", "submission", "notebook", "handin"}
NO_NAMES |= {"data", "pipeline", "transposed", "convolution", "blocks", "unet", "v", ""}
LONGEST_ID = 80  # bytes; a file's name may have 255, and nbgrader adds to it


class File(NamedTuple):
    """One file, and what its name says."""

    path: Path
    name: str  # the student's, as it was written
    number: str
    version: int
    rest: str  # what else stands in a name that no platform made


def to_id(name):
    """Return a name as letters, digits, dots and hyphens: good for a folder.

    Accents and other scripts stay, so that José and Jose are two; the ways to write
    one letter in Unicode become one.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFC", name).casefold())
    short = re.sub(r"[^\w.]+|_", "-", plain).strip("-.")
    digest = hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:8]
    if not short:
        return f"nameless-{digest}" if plain.strip(". ") else "nameless"
    if len(short.encode()) <= LONGEST_ID:
        return short
    start = short.encode()[: LONGEST_ID - 9].decode(errors="ignore")
    return f"{start.strip('-.')}-{digest}"


def is_no_name(word):
    """Tell whether a word of a file's name is about the assignment."""
    return re.sub(r"[\d\W]+", " ", word.casefold()).strip() in NO_NAMES


def split_plain(stem):
    """Return `(name, rest)` of a name that no platform made.

    The first part between underscores that is not about the assignment is the name.
    """
    words = stem.split("_")
    own = [word for word in words if not is_no_name(word)]
    return (own[0], "_".join(own[1:])) if own else (stem, "")


def read_name(path, folder):
    """Tell from Moodle's, Canvas's or a plain file name whose file it is.

    A folder belongs to one student, whatever the files in it are called: so no file
    name takes another student's place.

    Args:
        path: A file somewhere below `folder`.
        folder: The folder that all hand-ins lie in.

    Returns:
        A `File`. Where no rule fits, the whole name of the file stands for the
        student.
    """
    inside = path.relative_to(folder).parts
    text = path.stem if len(inside) == 1 else inside[0]
    for rule in (CANVAS, MOODLE):
        found = rule.match(text)
        if found:
            version = found.groupdict().get("version") or "0"
            version = int(version) if len(version) < 9 else 0
            return File(path, found["name"], found["number"], version, "")
    if len(inside) > 1:
        return File(path, text, "", 0, "")
    name, rest = split_plain(text)
    return File(path, name, "", 0, rest)


def is_wrapper(folder):
    """Tell whether a folder is no student's, but what a platform's zip made."""
    entries = [entry for entry in folder.iterdir() if not is_extra(entry, folder)]
    stems = [entry.name if entry.is_dir() else entry.stem for entry in entries]
    return sum(bool(MOODLE.match(stem) or CANVAS.match(stem)) for stem in stems) > 1


def is_extra(path, folder):
    """Tell whether a file is a link, or hidden, or lies in a hidden folder."""
    parts = path.relative_to(folder).parts
    return path.is_symlink() or any(
        part.startswith(".") or part == "__MACOSX" for part in parts
    )


def find_files(folder):
    """Return a `File` for everything that was handed in below a folder.

    The one folder that a platform's zip made is opened, whatever files lie beside it.
    Beside other folders it may be a student's, and stays closed.
    """
    inside = [entry for entry in folder.iterdir() if not is_extra(entry, folder)]
    folders = [entry for entry in inside if entry.is_dir()]
    wrapper = folders[0] if len(folders) == 1 and is_wrapper(folders[0]) else None
    return [
        read_name(path, wrapper if wrapper in path.parents else folder)
        for path in sorted(list_files(folder))
    ]


def list_files(folder):
    """Yield the files below a folder, however deep a student has nested them."""
    pending = [folder]
    while pending:
        for entry in pending.pop().iterdir():
            if is_extra(entry, folder):
                continue
            if entry.is_dir():
                pending.append(entry)
            elif entry.is_file():
                yield entry


def find_students(folder):
    """Map each student's id to that student's files.

    Two people of one name are kept apart: by the numbers that Moodle or Canvas gave
    them, by what else stands in the names of their files, or by how they are written.
    """
    files = find_files(Path(folder))
    groups, found = {}, {}
    for file in files:
        groups.setdefault(to_id(file.name), []).append(file)
    for student, members in groups.items():
        for file in members:
            found.setdefault(keep_apart(student, file, members), []).append(file)
    return found


def keep_apart(student, file, others):
    """Return a student's id with what tells this file's owner from the others."""
    parts = [student]
    if len({other.number for other in others}) > 1 and file.number:
        parts.append(file.number)
    elif len({other.rest for other in others}) > 1 and file.rest:
        parts.append(file.rest)
    spelling = spell(file)
    if len({spell(other) for other in others}) > 1:
        parts.append(hashlib.sha256(spelling.encode()).hexdigest()[:6])
    return to_id("-".join(parts)) if len(parts) > 1 else student


def spell(file):
    """Return a student's name as it is written, whatever the case and Unicode form."""
    name = unicodedata.normalize("NFKC", file.name.casefold())
    return " ".join(name.encode("utf-8", "replace").decode().split())
