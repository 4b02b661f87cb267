"""nbgrader's settings; teach/course.py and Formgrader read this file."""

import sys
from pathlib import Path

TEACH = Path(__file__).absolute().parent
if str(TEACH.parent) not in sys.path:
    sys.path.insert(0, str(TEACH.parent))
from teach.course import own_course, place  # noqa: E402

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "unetbook"
place(c, own_course())
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# nbgrader runs nothing: what it finds was repaired, run and judged by teach/grade.py.
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "teach.publish.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.LimitOutput.max_lines = 200
# A hand-in's HTML runs in nobody's browser, neither on a page nor in Formgrader.
c.HTMLExporter.sanitize_html = True
# What is safe stays as it is: fspath returns its text, and nbconvert's own filter would
# turn the link `files/javascript:...` into `javascript:...`.
c.HTMLExporter.filters = {
    "markdown2html": "teach.publish.markdown_filter",
    "strip_files_prefix": "os.fspath",
}

# Without this, one line on stderr (a warning of TensorFlow's) makes a right answer 0.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s)."
