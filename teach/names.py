"""Whose a file is, told from the name that a learning platform gave it."""

import hashlib
import re
import unicodedata
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_\w+?_?(?:_.*)?$", re.DOTALL
)
CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.*?(?:-(?P<version>\d+))?$",
    re.DOTALL,
)
COPY = re.compile(
    r"^(?:(?:copy of|kopie von|copie de|copia de)\s)+|(?:\s*\(\d{1,3}\))+$", re.I
)
DATE = re.compile(r"(?<!\d)20\d\d([-_.])[01]?\d\1[0-3]?\d(?!\d)")
# Words of a file's name that tell what it is and not whose.
TITLES = {"data", "pipeline", "transposed", "convolution", "blocks", "unet"}
VERSIONS = {"copy", "final", "new", "corrected", "correction", "fixed", "revised", "v"}
VERSIONS |= {"version", "updated", "late", "kopie", "korrigiert", "neu", "copie"}
NO_NAMES = {"assignment", "homework", "hw", "exercise", "ex", "task", "lab", "sheet"}
NO_NAMES |= {"solution", "submission", "notebook", "handin", *TITLES, *VERSIONS}
# Words that are no name without the number behind them.
NUMBERED = {"group", "team", "student", "participant", "user", "no", "id", "gruppe"}
NUMBERED |= {"teilnehmer", "teilnehmerin"}
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # of writing
LONGEST_ID = 80  # bytes; a file's name may have 255, and nbgrader adds to it


class File(NamedTuple):
    """One file, and what its name says."""

    path: Path
    name: str  # the student's, as it was written
    number: str  # the platform's, of this student or of this hand-in
    version: int = 0
    identifier: str = ""  # what the platform's own table of marks calls the number


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
    """Tell whether a word of a file's name is about the assignment or the version."""
    plain = re.sub(r"[\d\W]+", " ", word.casefold()).strip()
    return plain in NO_NAMES and word.casefold() != "v"  # without a number, an initial


def counts_something(words, place, number):
    """Tell whether a word is the number of an assignment or a version, not of a person.

    So is one behind such a word, and the last that is the assignment's. Longer numbers
    are a student's, and a group is nobody without its number.
    """
    found = re.fullmatch(r"a?(\d{1,2})", words[place].casefold())
    before = words[place - 1].casefold() if place else ""
    if not found or before in NUMBERED:
        return False
    later = words[place + 1 :]
    about = is_no_name(before) or bool(later) and later[0].casefold() in TITLES
    return about or int(found[1]) == number and not any(map(str.isdigit, later))


def own_words(text, number):
    """Return what of a name that no platform made tells whose it is.

    Args:
        text: A file's or a folder's name.
        number: The assignment's.

    Returns:
        Its words without those about the assignment, a version or a browser's copy;
        the whole text if nothing else is in it.
    """
    short = COPY.sub("", text).strip()
    words = [w for w in re.split(r"[\s_()-]+", DATE.sub(" ", short)) if w]
    own = [
        word
        for place, word in enumerate(words)
        if not (is_no_name(word) or counts_something(words, place, number))
    ]
    return (short if own == words else " ".join(own)) if own else text


def read_name(path, folder, number):
    """Tell from Moodle's, Canvas's or a plain file name whose file it is.

    A folder belongs to one student, whatever the files in it are called: so no file
    name takes another student's place.

    Args:
        path: A file somewhere below `folder`.
        folder: The folder that all hand-ins lie in.
        number: The assignment's.

    Returns:
        A `File`. Where no rule fits, the whole name of the file stands for the
        student.
    """
    inside = path.relative_to(folder).parts
    text = path.stem if len(inside) == 1 else inside[0]
    canvas, moodle = CANVAS.match(text), MOODLE.match(text)
    if canvas:
        version = canvas["version"] or "0"
        version = int(version) if len(version) < 9 else 0
        return File(path, canvas["name"], canvas["number"], version, canvas["number"])
    if moodle:
        identifier = f"Participant {moodle['number']}"
        return File(path, moodle["name"], moodle["number"], 0, identifier)
    return File(path, own_words(text, number), "")


def is_wrapper(folder):
    """Tell whether a folder is no student's, but what a platform's zip made."""
    if MOODLE.match(folder.name) or CANVAS.match(folder.name):
        return False
    entries = [entry for entry in folder.iterdir() if not is_extra(entry, folder)]
    stems = [entry.name if entry.is_dir() else entry.stem for entry in entries]
    return sum(bool(MOODLE.match(stem) or CANVAS.match(stem)) for stem in stems) > 1


def is_extra(path, folder):
    """Tell whether a file is a link, or hidden, or lies in a hidden folder."""
    parts = path.relative_to(folder).parts
    return path.is_symlink() or any(
        part.startswith(".") or part == "__MACOSX" for part in parts
    )


def find_files(folder, number):
    """Return a `File` for everything that was handed in below a folder.

    The one folder that a platform's zip made is opened, whatever files lie beside it.
    Beside other folders it may be a student's, and stays closed.
    """
    inside = [entry for entry in folder.iterdir() if not is_extra(entry, folder)]
    folders = [entry for entry in inside if entry.is_dir()]
    wrapper = folders[0] if len(folders) == 1 and is_wrapper(folders[0]) else None
    return [
        read_name(path, wrapper if wrapper in path.parents else folder, number)
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


def find_students(folder, number, known):
    """Map each student's id to that student's files.

    Two people of one name are kept apart: by the numbers that Moodle or Canvas gave
    them, or by how they are written.

    Args:
        folder: The folder that all hand-ins lie in.
        number: The assignment's.
        known: Dictionary from a platform's identifier to the id that it has already.
    """
    groups, found = {}, {}
    for file in find_files(Path(folder), number):
        groups.setdefault(to_id(file.name), []).append(file)
    for student, members in groups.items():
        for file in members:
            own = known.get(file.identifier, "")
            if own != student and not own.startswith(f"{student}-"):
                own = keep_apart(student, file, members, student in known.values())
            found.setdefault(own, []).append(file)
    return found


def keep_apart(student, file, others, taken):
    """Return a student's id with what tells this file's owner from the others.

    `taken` tells that somebody else has this id, by a platform's number.
    """
    parts = [student]
    numbers = {other.number for other in others}
    if file.number and (len(numbers) > 1 or taken or student in NUMBERED):
        parts.append(file.number)
    spelling = spell(file)
    if len({spell(other) for other in others}) > 1:
        parts.append(hashlib.sha256(spelling.encode()).hexdigest()[:6])
    return to_id("-".join(parts)) if len(parts) > 1 else student


def spell(file):
    """Return a student's name as it is written, whatever the case and Unicode form."""
    name = unicodedata.normalize("NFKC", file.name.casefold())
    return " ".join(name.encode("utf-8", "replace").decode().split())


def show_name(file):
    """Return a student's name for a table: one line, no formula, and no turned one."""
    name = file.name.encode("utf-8", "replace").decode()
    name = "".join(s for s in name if unicodedata.bidirectional(s) not in TURNS)
    return " ".join(name.split()).lstrip("=+-@ ")[:100]


def letters(name):
    """Return the words and numbers of a name, without accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return set(re.findall(r"\d+|[^\W\d_]+", plain))


def find_doubts(students, elsewhere):
    """Yield pairs of ids that were kept apart, but may be one person's.

    The words of one name are all in the other, and neither a platform nor another
    assignment tells the two apart.

    Args:
        students: Dictionary from each id to the name and a platform's identifier.
        elsewhere: The same of those who have handed in another assignment.
    """
    people = [
        (s, letters(n), number) for s, (n, number) in (elsewhere | students).items()
    ]
    for (one, own, number), (other, words, second) in combinations(sorted(people), 2):
        nested = own and words and (own <= words or words <= own)
        told_apart = (number and second) or {one, other} <= elsewhere.keys()
        if nested and not told_apart:
            yield one, other
