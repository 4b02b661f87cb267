"""Grade one assignment of a class: `make grade ASSIGNMENT=2`.

Every file of `teach/class/handins/2` is taken in, run in a sandbox and given its marks.
What was graded before and has not changed is passed over, so a run that was stopped
goes on where it ended.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell

from teach import course, sandbox
from teach.assignments import read_limits
from teach.collect import HandInError, find_hand_ins, read_notebook

TRUST = "I trust these students"


def check_sandbox(trust):
    """Return whether to use a sandbox; stop if there is none and no trust either."""
    if trust:
        if trust != TRUST:
            sys.exit(f"TRUST={trust!r} is not the sentence. It is: TRUST={TRUST!r}")
        print("Without a sandbox: the hand-ins can read and change your files.")
        return False
    problem = sandbox.try_out()
    if problem:
        sys.exit(
            f"Nothing was graded, since this machine gives no sandbox: {problem}. On "
            "Debian or Ubuntu: apt install bubblewrap util-linux. If Ubuntu forbids a "
            "uid map: sysctl kernel.apparmor_restrict_unprivileged_userns=0, as root. "
            "If you trust every student with your files: "
            f"make grade ASSIGNMENT=... TRUST={TRUST!r}"
        )
    return True


def write_kernel():
    """Tell Jupyter how to start a kernel in the sandbox."""
    folder = course.CLASS_FOLDER / "jupyter" / "kernels" / course.KERNEL
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, str(course.TEACH / "sandbox.py"), "{connection_file}"]
    about = {"argv": words, "display_name": "Sandbox", "language": "python"}
    about["interrupt_mode"] = "message"
    (folder / "kernel.json").write_text(json.dumps(about))
    os.environ["JUPYTER_PATH"] = str(course.CLASS_FOLDER / "jupyter")


def prepare_pets():
    """Draw the pets once, and copy them to where every sandbox may read them.

    Returns:
        `(paths, variables)`: what to bind, and the setting that names it.
    """
    from unetbook.config import cache_dir, hold_stderr

    with hold_stderr():  # TensorFlow's lines while it loads
        import tensorflow as tf

        from unetbook.sources.drawn.dataset import hash_drawings, prepare_drawn_pets

        tf.constant(0)
    name = f"drawn_pets-{hash_drawings()}"
    copy = course.CLASS_FOLDER / "pets" / name
    if not copy.exists():
        prepare_drawn_pets(cache_dir())
        unfinished = copy.with_name(f".{name}")
        shutil.copytree(cache_dir() / name, unfinished, dirs_exist_ok=True)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        unfinished.rename(copy)
    return [str(copy)], {"UNETBOOK_CACHE": str(copy.parent)}


def configure(settings, limits, sandboxed):
    """Put the limits of one assignment into nbgrader's configuration."""
    execute = settings.SafeExecute
    execute.timeout = limits["cell_seconds"]
    execute.limits = {k: v for k, v in limits.items() if k != "cell_seconds"}
    execute.sandboxed = sandboxed
    execute.kernel_name = course.KERNEL if sandboxed else "python3"
    if limits.get("drawn_pets"):
        execute.read_only, execute.variables = prepare_pets()
    if sandboxed:
        write_kernel()


def take_in(student, paths, name):
    """Put a student's newest file where nbgrader looks for it.

    What cannot be read is replaced by the untouched assignment with a note, which gets
    no points and a feedback page that says why.

    Returns:
        `(digest, remark)`: a hash of what will be graded, and a note for the teacher.
    """
    release = course.CLASS_FOLDER / "release" / name / f"{name}.ipynb"
    remarks = [f"{len(paths) - 1} older file(s) passed over"] if len(paths) > 1 else []
    try:
        notebook = read_notebook(paths[0])
    except HandInError as error:
        remarks.append(f"{error} ({paths[0].name!r})")  # no formula in a spreadsheet
        notebook = nbformat.read(release, as_version=4)
        notebook.cells.insert(0, new_markdown_cell(f"**Not graded: {error}.**"))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    text = nbformat.writes(notebook)
    target = course.CLASS_FOLDER / "submitted" / student / name / f"{name}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    source = course.CLASS_FOLDER / "source" / name / f"{name}.ipynb"
    digest = hashlib.sha256(text.encode() + source.read_bytes()).hexdigest()
    return digest, "; ".join(remarks)


class Record:
    """What was graded already, in a file beside the gradebook."""

    def __init__(self, name):
        self.path = (
            course.CLASS_FOLDER / f"graded_{course.assignment_number(name)}.json"
        )
        found = self.path.read_text() if self.path.exists() else "{}"
        self.students = json.loads(found)

    def knows(self, student, digest):
        """Tell whether this very hand-in has its marks."""
        return self.students.get(student, {}).get("digest") == digest

    def remarks(self):
        """Map everybody who was graded to the grader's note."""
        return {student: about["remark"] for student, about in self.students.items()}

    def note(self, student, digest, remark):
        """Remember a hand-in; the file is never half written."""
        self.students[student] = {"digest": digest, "remark": remark}
        unfinished = self.path.with_suffix(".part")
        unfinished.write_text(json.dumps(self.students, indent=1))
        os.replace(unfinished, self.path)


def grade_one(api, settings, name, student, unchanged):
    """Let nbgrader grade one hand-in.

    Returns:
        `(points, maximum, remark)`; points are None if the grader itself failed.
    """
    from teach.gradebook import open_gradebook, read_marks, restore_waiting, waiting

    with open_gradebook(settings) as gradebook:
        before = waiting(gradebook, name, student) if unchanged else {}
    result = api.autograde(name, student, force=True, create=True)
    with (course.CLASS_FOLDER / "grading.log").open("a") as log:
        log.write(f"== {name} {student}\n{result.get('log', '')}\n")
        log.write(result.get("error", ""))
    if not result["success"]:
        return None, None, f"not graded: {course.explain_failure(result)}"
    with open_gradebook(settings) as gradebook:
        restore_waiting(gradebook, name, student, before)
        marks = read_marks(gradebook, name, student)
    total = sum(points for points, _, _ in marks.values())
    remark = "waits for marks" if any(waits for *_, waits in marks.values()) else ""
    return total, sum(most for _, most, _ in marks.values()), remark


def ended_early(name, student):
    """Return a note for the teacher if Python did not live to see the last check."""
    from teach.hooks import LATE

    graded = course.CLASS_FOLDER / "autograded" / student / name / f"{name}.ipynb"
    return "Python ended early" if LATE in graded.read_text(encoding="utf-8") else ""


def describe(points, most):
    """Return the marks as the progress line shows them."""
    return "  no marks" if points is None else f"{points:5.1f} of {most:g}"


def grade_class(name, folder, *, sandboxed=True, again=False, limits=None):
    """Grade every hand-in of a folder.

    Args:
        name: The assignment.
        folder: Where the hand-ins lie, in any of the forms that `read_name` knows.
        sandboxed: False only for trusted students.
        again: Grade what has not changed, too.
        limits: Replace limits of the assignment.

    Returns:
        Dictionary from each student to the points, None where grading failed.
    """
    settings, record = course.load_settings(), Record(name)
    configure(settings, {**read_limits(name), **(limits or {})}, sandboxed)
    api = course.open_nbgrader(settings)
    hand_ins = find_hand_ins(folder)
    results, remarks = {}, record.remarks()
    for number, (student, paths) in enumerate(sorted(hand_ins.items()), 1):
        digest, remark = take_in(student, paths, name)
        known, began = record.knows(student, digest), time.time()
        place = f"{number:3d}/{len(hand_ins)} {student:28s}"
        if known and not again:
            print(f"{place} unchanged, marks kept", flush=True)
            continue
        points, most, note = grade_one(api, settings, name, student, known)
        if points is not None:
            remark = "; ".join(filter(None, [remark, ended_early(name, student)]))
            record.note(student, digest, remark)
        remarks[student] = "; ".join(filter(None, [remark, note]))
        results[student] = points
        spent = f"{time.time() - began:4.0f} s"
        print(
            f"{place} {describe(points, most)} {spent}  {remarks[student]}", flush=True
        )
    finish(settings, name, remarks)
    name_ungraded(results)
    return results


def name_ungraded(results):
    """Say at the end of a long batch whom to grade again."""
    ungraded = [student for student, points in results.items() if points is None]
    if ungraded:
        print(f"Without marks: {', '.join(ungraded)}. Give the same command again.")


def finish(settings, name, remarks):
    """Write the marks as CSV and say where they are."""
    from teach.gradebook import write_grades

    path = write_grades(settings, name, remarks)
    print(f"Marks: {path} and {path.with_name('grades.csv')}")


def main():
    """Grade what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignment", help="its number, 1 to 4")
    parser.add_argument("--folder", help="where the hand-ins lie")
    parser.add_argument("--again", action="store_true", help="grade unchanged ones too")
    parser.add_argument("--trust", default="", help=f"{TRUST!r}: use no sandbox")
    options = parser.parse_args()
    course.check_teaching_packages()
    name = course.assignment_name(options.assignment)
    sandboxed = check_sandbox(options.trust)
    default = course.CLASS_FOLDER / "handins" / str(course.assignment_number(name))
    folder = Path(options.folder or default)
    if not folder.is_dir() or not any(folder.iterdir()):
        sys.exit(
            f"There are no hand-ins in {folder}. Put the files there as they came."
        )
    grade_class(name, folder, sandboxed=sandboxed, again=options.again)


if __name__ == "__main__":
    main()
