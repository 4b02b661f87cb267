"""What goes onto feedback pages, and what is kept off them.

`HideHiddenTests` and `safe_markdown` are put in nbgrader's way by nbgrader_config.py.
"""

import html
import re
from pathlib import Path
from urllib.parse import unquote

import bleach
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode

from teach.assignments import read_stage
from teach.checks import hidden_lines, is_hidden, squeeze
from teach.course import Course
from teach.repair import grade_id

LONGEST_RENDERED = 10_000  # characters; some text takes the square of its length
ROOM = 400_000  # characters of all outputs as HTML, pictures too
LONGEST_COLOUR = 150  # characters that one change of colour becomes
LONGEST_SHOWN = 2000  # characters of a cell on a page that had become too large
ATTACHED = re.compile(r"attachment:([^)\s\"'>]+)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
TAGS = {*bleach.ALLOWED_TAGS, "p", "br", "hr", "pre", "div", "span", "del", "img"}
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


def may_stand(tag, name, value):
    """Tell whether HTML may keep an attribute: links, and pictures of the notebook."""
    if tag == "a":
        return name in ("href", "title")
    pasted = name == "src" and re.fullmatch(r"pasted-\d+", value)
    return tag == "img" and (name == "alt" or bool(pasted))


def safe_markdown(source, attachments=None):
    """Return text of a notebook as HTML that runs nothing and fetches nothing.

    nbgrader's own templates, Formgrader's too, put a student's HTML into the page as
    it is: nbconvert's `sanitize_html` does not reach them.

    Args:
        source: Markdown; where it is too long, it is shown as it was written.
        attachments: The cell's pasted pictures, which become part of the page.
    """
    left, pictures = dict(attachments or {}), {}

    def paste(found):
        for kind, data in left.pop(unquote(found[1]), {}).items():
            name = f"pasted-{len(pictures)}"
            pictures[name] = f"data:{kind};base64,{data}"
            return name
        return "missing"

    def show(found):  # each picture once, or a page of one picture grows large
        picture = pictures.pop(found[1], None)
        return f'src="{picture}"' if picture else ""

    if len(source) > LONGEST_RENDERED:
        return f"<pre>{html.escape(source)}</pre>"
    source = ATTACHED.sub(paste, source)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    page = bleach.clean(rendered, tags=TAGS, attributes=may_stand)
    return re.sub(r'src="(pasted-\d+)"', show, page)


@pass_context
def markdown_filter(context, source):
    """Return `safe_markdown` of a cell that a template of nbconvert shows."""
    return safe_markdown(source, context.get("cell", {}).get("attachments"))


class HideHiddenTests(NbGraderPreprocessor):
    """Keep hidden checks off the feedback page; leave what each one found."""

    course = Unicode(help="The folder of the class").tag(config=True)
    tight = Bool(False, help="Leave out the student's own cells").tag(config=True)

    def preprocess(self, nb, resources):
        """Show released sources, and withhold outputs that quote a hidden line."""
        course, name = Course(Path(self.course)), resources["nbgrader"]["assignment"]
        source = read_stage(course, "source", name)
        release = read_stage(course, "release", name)
        shown = {grade_id(cell): cell.source for cell in release.cells}
        hidden = {grade_id(c): c.source for c in source.cells if is_hidden(c)}
        lines = {line for text in hidden.values() for line in hidden_lines(text)}
        for cell in nb.cells:
            if grade_id(cell) in hidden:
                cell.source = shown[grade_id(cell)]
            elif cell.cell_type == "code":
                cell.outputs = [withhold(output, lines) for output in cell.outputs]
        if self.tight:
            shorten_cells(nb)
        fit_outputs(nb)
        return nb, resources


def shorten_cells(notebook):
    """Leave out a student's own cells, all pictures, and the rest of long answers."""
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell)]
    for cell in notebook.cells:
        if len(cell.source) > LONGEST_SHOWN:
            cell.source = cell.source[:LONGEST_SHOWN] + "\n(cut: too long to show)"
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.output_type == "error"]


def fit_outputs(notebook):
    """Replace by a note what would make a page too large."""
    room = ROOM
    for cell in notebook.cells:
        for place, output in enumerate(cell.get("outputs", [])):
            size = sum(map(length_on_page, texts_of(output)))
            if size > room:
                note = "(this output was too long to show)\n"
                cell.outputs[place] = new_output("stream", text=note)
            else:
                room -= size


def length_on_page(text):
    """Return about how long a text is as HTML, which grows with signs and colours."""
    return len(html.escape(text)) + LONGEST_COLOUR * text.count("\x1b")


def texts_of(value):
    """Yield every text in an output."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)


def withhold(output, lines):
    """Replace an output by a note if it quotes one of the lines."""
    text = squeeze(ANSI.sub("", "\n".join(texts_of(output))))
    if any(squeeze(line) in text for line in lines):
        return new_output("stream", text="(this output quoted a hidden check)\n")
    return output
