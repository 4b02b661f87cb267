"""What goes onto feedback pages, and what is kept off them.

`HideHiddenTests` and `safe_markdown` are put in nbgrader's way by nbgrader_config.py.
"""

import html
import json
from pathlib import Path

import bleach
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from teach.assignments import read_stage
from teach.checks import hidden_lines, is_hidden
from teach.course import Course
from teach.repair import grade_id

MOST_TAGS = 2000  # bleach needs the square of the tags that are open at once
TAGS = {*bleach.ALLOWED_TAGS, "p", "br", "hr", "pre", "div", "span", "del"}
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


def safe_markdown(source):
    """Return text of a notebook as HTML that runs nothing and fetches nothing.

    nbgrader's own templates, Formgrader's too, put a student's HTML into the page as
    it is: nbconvert's `sanitize_html` does not reach them.
    """
    if source.count("<") > MOST_TAGS:
        source = html.escape(source)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    return bleach.clean(rendered, tags=TAGS, attributes={"a": ["href", "title"]})


class HideHiddenTests(NbGraderPreprocessor):
    """Keep hidden checks off the feedback page; leave what each one found."""

    course = Unicode(help="The folder of the class").tag(config=True)

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
        return nb, resources


def withhold(output, lines):
    """Replace an output by a note if it quotes one of the lines."""
    text = json.dumps(output, ensure_ascii=False)
    if any(json.dumps(line, ensure_ascii=False)[1:-1] in text for line in lines):
        return new_output("stream", text="(this output quoted a hidden check)\n")
    return output
