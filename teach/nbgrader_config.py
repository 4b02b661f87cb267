"""nbgrader's settings; teach/course.py and Formgrader read this file."""

import os
import sys
from pathlib import Path

TEACH = Path(os.environ.get("GRADING_TEACH", Path.cwd())).absolute()
if str(TEACH.parent) not in sys.path:
    sys.path.insert(0, str(TEACH.parent))
from teach.course import CLASS_FOLDER  # noqa: E402

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "unetbook"
c.CourseDirectory.root = str(CLASS_FOLDER)
c.CourseDirectory.db_url = f"sqlite:///{CLASS_FOLDER / 'gradebook.db'}"
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# nbgrader's own lists, with ours put in and what they replace left out.
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "teach.hooks.RestoreCells",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "teach.hooks.SafeExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "teach.hooks.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
for hook in ("RestoreCells", "SafeExecute", "HideHiddenTests"):
    c[hook].course = str(CLASS_FOLDER)
c.SafeExecute.raise_on_iopub_timeout = False
c.SafeExecute.startup_timeout = 120
c.OverwriteCells.add_missing_cells = True
c.LimitOutput.max_lines = 200
# A hand-in's HTML runs in nobody's browser, neither on a page nor in Formgrader.
c.HTMLExporter.sanitize_html = True
# What is safe stays as it is: fspath returns its text, and nbconvert's own filter would
# turn the link `files/javascript:...` into `javascript:...`.
c.HTMLExporter.filters = {
    "markdown2html": "teach.hooks.safe_markdown",
    "strip_files_prefix": "os.fspath",
}

# Without this, one line on stderr (a warning of TensorFlow's) makes a right answer 0.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s)."
