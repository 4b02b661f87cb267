"""What a kernel sends, whatever a hand-in has put into it, as text that can be kept."""

import re
import sys

from nbformat import NotebookNode

from teach.checks import ANSWER, LARGEST_ANSWER

SHOWN_TYPES = ("text/plain", "image/png")
LARGEST_OUTPUT = 100_000  # characters a cell, pictures apart
LARGEST_PICTURE = 3_000_000
F_STRING = (
    "an f-string that this machine's Python {}.{} cannot read; 3.12 may: use other "
    "quotes inside the braces than around them"
)


def plain_text(value, longest):
    """Return a value as text that can be written to a file."""
    return str(value)[:longest].encode("utf-8", "replace").decode()


def is_count(value):
    """Tell whether a value may number a cell."""
    return value is None or (type(value) is int and 0 <= value < 1_000_000)


def plain_content(content):
    """Return a message's content with texts where texts belong, and none too long."""
    kept = {k: v for k, v in content.items() if k != "transient"}
    if not is_count(kept.get("execution_count", 0)):
        kept["execution_count"] = None
    if kept.get("name") not in (None, "stdout", "stderr"):
        kept["name"] = "stdout"
    longest = {"text": LARGEST_OUTPUT + 1, "ename": 200, "evalue": 2000}  # 1: too long
    for name, most in longest.items():
        if name in kept:
            kept[name] = plain_text(kept[name], most)
    if "traceback" in kept:
        kept["traceback"] = [plain_text(line, 2000) for line in kept["traceback"][-20:]]
    if "data" in kept:
        kept["metadata"], kept["data"] = {}, plain_data(kept["data"])
    return kept


def plain_data(data):
    """Return what of a display is text or a picture."""
    longest = {"text/plain": LARGEST_OUTPUT + 1, "image/png": LARGEST_PICTURE}
    found = {k: v for k, v in data.items() if k in longest and isinstance(v, str)}
    picture = found.get("image/png", "")
    if len(picture) > LARGEST_PICTURE or not re.fullmatch(r"[\w+/=\s]*", picture):
        del found["image/png"]
    return {kind: plain_text(value, longest[kind]) for kind, value in found.items()}


def answer_of(reply):
    """Return the text that a cell handed over with its reply, or None.

    What is displayed is no answer, and what comes after the reply counts nothing.
    """
    listed = reply.get("payload")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("source") == ANSWER:
            return plain_text(item.get("text"), LARGEST_ANSWER + 1)
    return None


def add_missing_error(cell, reply):
    """Note an error that the kernel reported but did not show, as a timeout."""
    if reply["status"] != "error":
        return
    shown = [o.ename for o in cell.outputs if o.output_type == "error"]
    reply = plain_content(reply)
    if reply["ename"] not in shown:
        hidden = ["ERROR: An error occurred while showtraceback was disabled"]
        error = {"ename": reply["ename"], "evalue": reply["evalue"]}
        error["traceback"] = reply.get("traceback") or hidden
        cell.outputs.append(NotebookNode(output_type="error", **error))


def harmless(output):
    """Return an output with nothing in it that a browser would run."""
    if output.output_type not in ("display_data", "execute_result"):
        return output
    output.data = {k: v for k, v in output.data.items() if k in SHOWN_TYPES}
    return output if output.data else None


def errors_of(cell):
    """Return the errors among a cell's outputs."""
    return [one for one in cell.get("outputs", []) if one.output_type == "error"]


def unread_f_string(cell):
    """Return a remark on a cell that an older Python could not read, or an empty text.

    Python 3.12 reads f-strings that hold their own quotes, backslashes and comments.
    """
    errors = errors_of(cell)
    words = [error.evalue for error in errors if error.ename == "SyntaxError"]
    old = sys.version_info < (3, 12)
    unread = old and any(text.startswith("f-string") for text in words)
    return F_STRING.format(*sys.version_info[:2]) if unread else ""
