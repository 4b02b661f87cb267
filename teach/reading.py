"""Read a file that was handed in: `python reading.py FILE`, in a process of its own.

Whatever the file holds, all that comes out is JSON on standard output: the cells of the
notebooks in it, without outputs and metadata, or a sentence that says what is wrong.
A file that was made to hurt its reader ends this process and nothing else. Standard
library only, so that it starts fast.
"""

import contextlib
import io
import json
import re
import sys
import zipfile
from urllib.parse import unquote

LARGEST_FILE = 50_000_000  # bytes
MOST_CELLS = 1000
LONGEST_TEXT = 2_000_000  # characters in all cells
PICTURES = ("image/png", "image/jpeg", "image/gif")
LARGEST_PICTURES = 600_000  # characters of base64 in a notebook
MOST_NOTEBOOKS = 20  # in a zip
MEMORY = 2_000_000_000
SECONDS = 30
AGAIN = "hand it in again"
OWNER = re.compile(  # as Moodle and as Canvas write it
    r"(?:[^/]+/)?(?:([^/]+?_\d+)_assignsubmission_|([^/_]+)_(?:LATE_)?\d+_\d+_)"
)
INLINE = re.compile(r"data:(image/[\w.+-]{1,40})(?:;[\w=-]{1,40})*,([^)\s\"'<>]*)")


class Unreadable(ValueError):
    """A file that cannot be graded; the message says why, and what to do."""


def check_size(size):
    """Refuse a file that is too large for a notebook."""
    if size > LARGEST_FILE:
        raise Unreadable(
            f"the file has {size / 1e6:.0f} MB, more than {LARGEST_FILE / 1e6:.0f}; "
            f"clear its outputs and {AGAIN}"
        )


def check_owners(names):
    """Refuse the zip of a whole class, told from the names in it."""
    people = {owner.groups() for owner in map(OWNER.match, names) if owner}
    if len(people) > 1:
        raise Unreadable(
            f"the zip holds hand-ins of {len(people)} people; unpack it here, "
            "delete the zip and grade again"
        )


def unpack(data):
    """Yield the notebooks of a zip, or the one that the file is."""
    if not data.startswith(b"PK\x03\x04"):
        yield data
        return
    found = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_owners(archive.namelist())
        for entry in archive.infolist():
            hidden = re.search(r"(^|/)(\.|__MACOSX)", entry.filename)
            if hidden or not entry.filename.lower().endswith((".ipynb", ".json")):
                continue
            found += 1
            if found > MOST_NOTEBOOKS:
                raise Unreadable(f"the zip holds too many notebooks; {AGAIN}")
            with archive.open(entry) as file:
                content = file.read(LARGEST_FILE + 1)  # whatever the header says
            check_size(len(content))
            yield content
    if not found:
        raise Unreadable(f"the zip holds no notebook; put the .ipynb in and {AGAIN}")


def decode(data):
    """Return a file's text: UTF-8, UTF-16 or UTF-32, or else Latin-1."""
    try:
        text = data.decode(json.detect_encoding(data)).removeprefix("\N{BOM}")
        return text.rstrip("\0")  # a file system filled the rest of its block
    except UnicodeDecodeError:
        return data.decode("latin-1")


def plain(text):
    """Return text with Unix line ends, and without what no editor would write.

    Chats and web pages bring blanks that Python takes for none.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\N{BOM}", "").replace("\N{NO-BREAK SPACE}", " ")
    text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair
    return re.sub(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", "", text)


def join(source):
    """Return a cell's source as one text; it may come in lines, ended or not."""
    lines = source if isinstance(source, list) else [source]
    lines = [line for line in lines if isinstance(line, str)]
    ended = any(line.endswith("\n") for line in lines)
    return plain(("" if ended else "\n").join(lines))


def pictures(attachments):
    """Return what of a cell's attachments is a picture, as base64."""
    kept = {}
    for name, forms in (attachments if isinstance(attachments, dict) else {}).items():
        for kind, data in (forms if isinstance(forms, dict) else {}).items():
            data = join(data).replace("\n", "")
            if kind in PICTURES and re.fullmatch(r"[A-Za-z0-9+/]+=*", data):
                kept[plain(name)] = {kind: data}
    return kept


def lift_pictures(source, attachments):
    """Return text and attachments after pictures in the text were attached instead.

    So Colab keeps what is pasted: as hundreds of kB of base64 within the text.
    """
    found = dict(attachments) if isinstance(attachments, dict) else {}

    def lift(picture):
        found[f"in-text-{len(found)}"] = {picture[1]: unquote(picture[2])}
        return f"attachment:in-text-{len(found) - 1}"

    return INLINE.sub(lift, source), found


def clean(pairs):
    """Return an object of JSON; of a cell, only what grading needs."""
    found = dict(pairs)
    if "cell_type" not in found or "grade_id" in found:  # nbgrader's marks have both
        found.pop("cell", None)  # the mark of a cleaned cell
        return found or None
    metadata = found.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    source = join(found.get("source", found.get("input", "")))
    attachments = found.get("attachments")
    if found["cell_type"] != "code":
        source, attachments = lift_pictures(source, attachments)
    if found["cell_type"] == "heading":
        source = f"# {source}"
    return {
        "cell": "code" if found["cell_type"] == "code" else "markdown",
        "source": source,
        "grade_id": plain(name) if isinstance(name, str) else None,
        "attachments": pictures(attachments),
    }


def parse(text):
    """Return what a notebook's JSON holds, cleaned object by object.

    Raises:
        Unreadable: If it is no JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=clean, strict=False)
    except ValueError as error:
        cut = text.lstrip().startswith("{")
        what = "is cut off or damaged" if cut else "is no Jupyter notebook"
        sentence = f"the file {what}; download it as .ipynb and {AGAIN}"
        raise Unreadable(sentence) from error


def read_cells(text):
    """Return the cells of a notebook of any format.

    Raises:
        Unreadable: If it is none, or has too many cells, or too much in them.
    """
    root = parse(text)
    root = root if isinstance(root, dict) else {}
    sheets = root.get("worksheets")  # format 3
    sheets = sheets if isinstance(sheets, list) else [root]
    found = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    listed = [cells for cells in found if isinstance(cells, list)]
    if not listed:
        raise Unreadable(
            f"the file is no Jupyter notebook; download it as .ipynb and {AGAIN}"
        )
    cells = [cell for some in listed for cell in some]
    cells = [cell for cell in cells if isinstance(cell, dict) and "cell" in cell]
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"the notebook has more than {MOST_CELLS} cells; {AGAIN}")
    if sum(len(cell["source"]) for cell in cells) > LONGEST_TEXT:
        raise Unreadable(
            f"the cells hold too much text; delete data in them and {AGAIN}"
        )
    return limit_pictures(cells)


def limit_pictures(cells):
    """Leave out the pictures that would make a feedback page too large."""
    room = LARGEST_PICTURES
    for cell in cells:
        for name, forms in list(cell["attachments"].items()):
            size = sum(map(len, forms.values()))
            if size > room:
                del cell["attachments"][name]
                cell["source"] += "\n\n(a picture is left out: it was too large)"
            else:
                room -= size
    return cells


def read(path):
    """Return the cells of every notebook in a file, or what is wrong with it."""
    notebooks, reasons = [], []
    try:
        with open(path, "rb") as file:
            check_size(file.seek(0, 2))
            file.seek(0)
            data = file.read()
        for content in unpack(data):
            try:
                notebooks.append(read_cells(decode(content)))
            except Unreadable as error:
                reasons.append(str(error))
    except Unreadable as error:
        reasons.append(str(error))
    except RecursionError:
        raise
    except Exception:  # a zip that is damaged, encrypted, or packed in a strange way
        reasons.append(f"the file cannot be opened; {AGAIN}")
    return {"notebooks": notebooks, "reason": "" if notebooks else reasons[0]}


def limit():
    """Bound what this process may take, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def main(path):
    """Read one file under limits and print what is in it."""
    limit()
    try:
        found = read(path)
    except (MemoryError, RecursionError):
        reason = f"the file is no Jupyter notebook, but nested too deep; {AGAIN}"
        found = {"notebooks": [], "reason": reason}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
