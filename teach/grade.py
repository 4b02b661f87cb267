"""Grade one assignment of a class: `make grade ASSIGNMENT=2`.

Every file of `teach/class/handins/2` is taken in, run in a sandbox and given its marks.
What was graded before and has not changed is passed over, so a run that was stopped
goes on where it ended.
"""

import argparse
import os
import queue
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil

from teach import sandbox
from teach.apart import Apart
from teach.assignments import read_limits, read_stage
from teach.collect import Submission, take_in
from teach.course import (
    KERNEL,
    ROOT,
    TEACH,
    assignment_name,
    assignment_number,
    check_teaching_packages,
    explain_failure,
    open_nbgrader,
    own_course,
)
from teach.execute import Plan, Run
from teach.gradebook import (
    finish,
    open_gradebook,
    read_marks,
    restore_waiting,
    waiting,
)
from teach.names import find_students
from teach.record import Record, find_elsewhere, known_identifiers
from teach.remarks import hash_answers, remarks_beside, remarks_on_answers
from teach.repair import is_blank, repair
from teach.verdict import put_verdicts
from unetbook.files import write_json

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


def check_places(*places):
    """Stop if a sandbox would show one of these folders to the hand-ins."""
    for place in places:
        seen = sandbox.shown(place)
        if seen:
            sys.exit(
                f"Nothing was graded, since every hand-in could read {place}: sandboxes"
                f" show {seen}, for Python. Move {place} out of it."
            )


class Marks(NamedTuple):
    """What a hand-in got; no points at all if the machine failed."""

    points: float | None
    most: float | None
    note: str

    def __str__(self):
        if self.points is None:
            return "  no marks"
        return f"{self.points:5.1f} of {self.most:g}"


def write_kernel(course):
    """Tell Jupyter how to start a kernel in the sandbox."""
    folder = course.jupyter / "kernels" / KERNEL
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, str(TEACH / "sandbox.py"), "{connection_file}"]
    about = {"argv": words, "display_name": "Sandbox", "language": "python"}
    about["interrupt_mode"] = "message"
    write_json(folder / "kernel.json", about)  # another batch may be reading it
    os.environ["JUPYTER_PATH"] = str(course.jupyter)


def prepare_pets(course):
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
    copy = course.pets / name
    if not copy.exists():
        prepare_drawn_pets(cache_dir())
        unfinished = copy.with_name(f".{name}")
        shutil.copytree(cache_dir() / name, unfinished, dirs_exist_ok=True)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        unfinished.rename(copy)
    return (str(copy),), {"UNETBOOK_CACHE": str(copy.parent)}


def make_plan(course, limits, sandboxed):
    """Return how hand-ins are run, and prepare what that needs."""
    read_only, variables = (), None
    if limits.get("drawn_pets"):
        read_only, variables = prepare_pets(course)
    if sandboxed:
        write_kernel(course)
    return Plan(limits, sandboxed, read_only, variables)


class Outcome(NamedTuple):
    """How far a hand-in came: taken in, run, or stopped by an error."""

    submission: Submission
    notebook: dict | None = None
    run: tuple | None = None
    error: Exception | None = None

    @property
    def unchanged(self):
        """Whether the hand-in has its marks already."""
        return not (self.run or self.error)


class Workers:
    """Takes in and runs hand-ins side by side, one core each.

    Args:
        course: The class.
        record: The `Record` of the assignment.
        plan: A `Plan`.
        again: Run what has not changed, too.
        cores: One for each that runs at a time.
    """

    def __init__(self, course, record, plan, again, cores):
        self.course, self.record, self.again = course, record, again
        self.plan, self.free = plan, queue.Queue()
        self.all = [Apart(core) for core in cores]
        for apart in self.all:
            self.free.put(apart)

    def work(self, student, files):
        """Take in one student's files, and run what counts; never raises."""
        submission, apart = Submission(student, None, ""), self.free.get()
        try:
            submission = take_in(self.course, self.record.name, student, files)
            if self.record.knows(submission) and not self.again:
                return Outcome(submission)
            return self.run(submission, apart)
        except Exception as error:  # whatever one file sets off stops nobody else's
            return Outcome(submission, error=error)
        finally:
            self.free.put(apart)

    def run(self, submission, apart):
        """Repair and run a hand-in, unless there is nothing in it to run."""
        name = self.record.name
        source, release = (
            read_stage(self.course, stage, name) for stage in ("source", "release")
        )
        notebook = nbformat.read(submission.path, as_version=4)
        repair(notebook, release)
        run = Run({}, False, "")
        if not is_blank(notebook, release):
            notebook, run = apart.run(notebook, source, self.plan)
        if run.early:
            submission = submission.with_remark("Python ended early", run.ended)
        submission = submission.with_remark(run.remark)
        if not submission.replaced:
            remarks = remarks_on_answers(notebook, release)
            submission = submission.with_remark(*remarks)
        code = hash_answers(notebook, release, source)
        return Outcome(submission._replace(code=code), notebook, run)

    def over(self, hand_ins):
        """Yield an `Outcome` for every student, in order."""
        try:
            with ThreadPoolExecutor(len(self.all)) as pool:
                pairs = zip(*sorted(hand_ins.items()), strict=True)
                yield from pool.map(self.work, *pairs)
        finally:
            for apart in self.all:
                apart.close()


def free_cores(memory_gb):
    """Return the cores to work on, as far as the memory lasts; None is any core."""
    if not hasattr(os, "sched_getaffinity"):
        return [None]
    cores = sorted(os.sched_getaffinity(0))
    fitting = int(psutil.virtual_memory().available / (memory_gb * 1e9))
    return cores[: max(1, fitting)]


def judge_outcome(course, api, record, outcome):
    """Judge one hand-in that ran, and note it unless the machine failed.

    Returns:
        `Marks`.
    """
    submission, name = outcome.submission, record.name
    if outcome.error:
        log(course, name, submission.student, repr(outcome.error))
        first = (str(outcome.error) or repr(outcome.error)).splitlines()[0]
        return Marks(None, None, f"not graded: {first[:200]}")
    known = record.knows(submission)
    put_verdicts(outcome.notebook, read_stage(course, "source", name), outcome.run)
    target = course.notebook("submitted", name, submission.student)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(outcome.notebook, target)
    marks = record_marks(course, api, name, submission, known)
    if marks.points is not None:
        record.note(submission)
    return marks


def record_marks(course, api, name, submission, unchanged):
    """Let nbgrader keep what a hand-in got.

    Returns:
        `Marks`.
    """
    student = submission.student
    with open_gradebook(course) as gradebook:
        before = waiting(gradebook, name, student) if unchanged else {}
    result = api.autograde(name, student, force=True, create=True)
    log(course, name, student, result.get("log", "") + result.get("error", ""))
    if not result["success"]:
        return Marks(None, None, f"not graded: {explain_failure(result)}")
    with open_gradebook(course) as gradebook:
        restore_waiting(gradebook, name, student, before)
    return sum_marks(course, name, student)


def sum_marks(course, name, student):
    """Return the `Marks` that the gradebook holds, those given by hand among them."""
    with open_gradebook(course) as gradebook:
        marks = read_marks(gradebook, name, student)
    if marks is None:
        return Marks(None, None, "but not in the gradebook: AGAIN=1 grades it anew")
    total = sum(points for points, _, _ in marks.values())
    note = "waits for marks" if any(waits for *_, waits in marks.values()) else ""
    return Marks(total, sum(most for _, most, _ in marks.values()), note)


def log(course, name, student, text):
    """Keep what was reported of one hand-in."""
    with course.log.open("a") as file:
        file.write(f"== {name} {student}\n{text}\n")


def grade_class(course, name, folder, *, sandboxed=True, again=False, limits=None):
    """Grade every hand-in of a folder.

    Args:
        course: The class.
        name: The assignment.
        folder: Where the hand-ins lie, in any of the forms that `read_name` knows.
        sandboxed: False only for trusted students.
        again: Grade what has not changed, too.
        limits: Replace limits of the assignment.

    Returns:
        Dictionary from each student to the points, None where grading failed.
    """
    record, results = Record(course, name), {}
    limits = {**read_limits(course, name), **(limits or {})}
    cores = free_cores(limits["memory_gb"])
    hand_ins = gather(course, record, Path(folder), len(cores))
    plan = make_plan(course, limits, sandboxed)
    workers, api = Workers(course, record, plan, again, cores), open_nbgrader(course)
    try:
        for number, outcome in enumerate(workers.over(hand_ins), 1):
            student = outcome.submission.student
            place = f"{number:3d}/{len(hand_ins)} {student:28s}"
            marks = settle(course, api, record, outcome)
            print(f"{place} {marks}  {marks.note}", flush=True)
            if not outcome.unchanged:
                results[student] = marks
    finally:
        compare(course, record)
        failed = {s: marks.note for s, marks in results.items() if marks.points is None}
        finish(course, name, record.remarks() | failed)
    name_ungraded(failed)
    return {student: marks.points for student, marks in results.items()}


def settle(course, api, record, outcome):
    """Judge what ran, and look up what has its marks.

    Returns:
        `Marks`, with all that is to be said of the hand-in as their note.
    """
    if outcome.unchanged:
        marks = sum_marks(course, record.name, outcome.submission.student)
        return marks._replace(note=f"unchanged, {marks.note or 'marks kept'}")
    marks = judge_safely(course, api, record, outcome)
    return marks._replace(note=outcome.submission.with_remark(marks.note).remark)


def gather(course, record, folder, cores):
    """Find whose files lie in a folder, and say what will be done.

    Returns:
        What `find_students` returns.
    """
    known = known_identifiers(course, record.name)
    hand_ins = find_students(folder, assignment_number(record.name), known)
    print(
        f"Grading {record.name}: {len(hand_ins)} hand-in(s) in {folder}, {cores} at a "
        "time. The first marks may take a minute.",
        flush=True,
    )
    gone = record.see(hand_ins, folder)
    if gone:
        print(
            f"No longer in the folder, so no longer in the marks: {', '.join(gone)}. "
            "With the files their marks come back."
        )
    return hand_ins


def compare(course, record):
    """Note and print what hand-ins say beside those of others."""
    elsewhere = find_elsewhere(course, record.name)
    remarks = remarks_beside(record.graded(), elsewhere)
    record.note_beside(remarks)
    for text in dict.fromkeys(text for texts in remarks.values() for text in texts):
        print(text)


def judge_safely(course, api, record, outcome):
    """Judge one hand-in; what that sets off stops nobody else's."""
    try:
        return judge_outcome(course, api, record, outcome)
    except Exception as error:
        return judge_outcome(course, api, record, outcome._replace(error=error))


def name_ungraded(students):
    """Say at the end of a long batch whom to grade again."""
    if students:
        print(f"Without marks: {', '.join(students)}. Give the same command again.")


def main():
    """Grade what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignment", help="its number, 1 to 4")
    parser.add_argument("--folder", help="where the hand-ins lie")
    parser.add_argument("--again", action="store_true", help="grade unchanged ones too")
    parser.add_argument("--trust", default="", help=f"{TRUST!r}: use no sandbox")
    options = parser.parse_args()
    check_teaching_packages()
    course, name = own_course(), assignment_name(options.assignment)
    sandboxed = check_sandbox(options.trust)
    folder = Path(options.folder or course.handins(name))
    if sandboxed:
        check_places(ROOT, course.folder, course.seed_file, folder)
    known = Record(course, name).graded()
    if not folder.is_dir() or not (known or any(folder.iterdir())):
        sys.exit(
            f"There are no hand-ins in {folder}. Put the files there as they came."
        )
    grade_class(course, name, folder, sandboxed=sandboxed, again=options.again)


if __name__ == "__main__":
    main()
