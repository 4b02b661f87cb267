"""Write the feedback pages of an assignment: `make feedback ASSIGNMENT=2`."""

import contextlib
import multiprocessing
import re
import sys

from teach.course import (
    assignment_name,
    assignment_number,
    check_teaching_packages,
    explain_failure,
    open_nbgrader,
    own_course,
)
from teach.gradebook import finish, open_gradebook, read_marks
from teach.record import Record
from unetbook.files import write_whole

LARGEST_PAGE = 1_000_000  # bytes
PAGE_SECONDS = 60  # by the clock
LISTED = r'(<a href="#([\w-]+)">)(?:Test cell|Written response)</a>'  # without a name


def count_waiting(course, name, students):
    """Count the hand-ins in which an answer waits for a person's marks."""
    with open_gradebook(course) as gradebook:
        marks = [read_marks(gradebook, name, student) or {} for student in students]
    return sum(any(waits for *_, waits in mark.values()) for mark in marks)


def make_page(course, name, student, tight):
    """Return the text of one student's page.

    Raises:
        RuntimeError: If nbgrader refuses, with its reason.
    """
    api = open_nbgrader(course, tight)
    result = api.generate_feedback(name, student, force=True)
    page = course.page(name, student)
    if not result["success"] or not page.exists():
        raise RuntimeError(explain_failure(result))
    return re.sub(LISTED, r"\1\2</a>", page.read_text(encoding="utf-8"))


class Writer:
    """Makes pages in a process of its own, which ends where one takes too long."""

    def __init__(self):
        self.pool = None

    def close(self):
        """End that process."""
        if self.pool:
            self.pool.terminate()
            self.pool = None

    def make(self, *arguments):
        """Return what `make_page` does.

        Raises:
            TimeoutError: If that takes too long.
        """
        self.pool = self.pool or multiprocessing.Pool(1)
        try:
            return self.pool.apply_async(make_page, arguments).get(PAGE_SECONDS)
        except multiprocessing.TimeoutError:
            self.close()
            raise TimeoutError(f"it took more than {PAGE_SECONDS} s") from None

    def make_small(self, *about):
        """Return a page, and why it had to be shortened, or an empty text.

        Raises:
            TimeoutError: If it takes too long even so.
            ValueError: If it is too large even so.
        """
        try:
            return self.make_bounded(*about, False), ""
        except (TimeoutError, ValueError) as error:
            return self.make_bounded(*about, True), f" shortened: {error}"

    def make_bounded(self, *arguments):
        """Return what `make` does if it is no larger than a page may be."""
        text = self.make(*arguments)
        if len(text.encode()) > LARGEST_PAGE:
            raise ValueError(f"it had more than {LARGEST_PAGE} bytes")
        return text


def write_page(course, writer, name, student):
    """Write one student's page; return what went wrong, or an empty text."""
    target = course.pages(name) / f"{student}.html"
    try:
        text, remark = writer.make_small(course, name, student)
        write_whole(target, lambda path: path.write_text(text, encoding="utf-8"))
    except Exception as error:  # one page must not stop those that follow
        return f"{student}: {error}"
    print(f"{target.name}{remark}", flush=True)
    return ""


def write_pages(course, name):
    """Write one page a student, and return the folder that they lie in.

    Raises:
        SystemExit: If the assignment has not been graded, or pages are missing.
    """
    record = Record(course, name)
    students = list(record.graded())
    if not students:
        number = assignment_number(name)
        sys.exit(f"{name} has no marks yet. Run: make grade ASSIGNMENT={number}")
    course.pages(name).mkdir(parents=True, exist_ok=True)
    for student in record.gone():
        (course.pages(name) / f"{student}.html").unlink(missing_ok=True)
    with contextlib.closing(Writer()) as writer:
        problems = [write_page(course, writer, name, student) for student in students]
    failed = list(filter(None, problems))
    waits = count_waiting(course, name, students)
    if waits:
        print(
            f"{waits} hand-in(s) wait for marks: make formgrader, then feedback again."
        )
    finish(course, name, record.remarks())
    if failed:
        sys.exit("These pages could not be written:\n" + "\n".join(failed))
    return course.pages(name)


if __name__ == "__main__":
    check_teaching_packages()
    if len(sys.argv) != 2:
        sys.exit("Say which assignment: make feedback ASSIGNMENT=2")
    print(f"Pages: {write_pages(own_course(), assignment_name(sys.argv[1]))}")
