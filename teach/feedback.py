"""Write the feedback pages of an assignment: `make feedback ASSIGNMENT=2`."""

import re
import sys

from teach import course
from teach.grade import Record, finish

LISTED = r'(<a href="#([\w-]+)">)(?:Test cell|Written response)</a>'  # without a name


def count_waiting(settings, name, students):
    """Count the hand-ins in which an answer waits for a person's marks."""
    from teach.gradebook import open_gradebook, read_marks

    with open_gradebook(settings) as gradebook:
        marks = [read_marks(gradebook, name, student) or {} for student in students]
    return sum(any(waits for *_, waits in mark.values()) for mark in marks)


def write_page(api, name, student, pages):
    """Write one student's page; return what went wrong, or an empty text."""
    result = api.generate_feedback(name, student, force=True)
    page = course.CLASS_FOLDER / "feedback" / student / name / f"{name}.html"
    if not result["success"] or not page.exists():
        return f"{student}: {course.explain_failure(result)}"
    text = re.sub(LISTED, r"\1\2</a>", page.read_text(encoding="utf-8"))
    (pages / f"{student}.html").write_text(text, encoding="utf-8")
    print(f"{student}.html", flush=True)
    return ""


def write_pages(name):
    """Write one page a student, and return the folder that they lie in.

    Raises:
        SystemExit: If the assignment has not been graded, or pages are missing.
    """
    settings = course.load_settings()
    students = Record(name).students
    number = course.assignment_number(name)
    if not students:
        sys.exit(f"{name} has no marks yet. Run: make grade ASSIGNMENT={number}")
    api = course.open_nbgrader(settings)
    pages = course.CLASS_FOLDER / "pages" / str(number)
    pages.mkdir(parents=True, exist_ok=True)
    problems = [write_page(api, name, student, pages) for student in sorted(students)]
    failed = list(filter(None, problems))
    waits = count_waiting(settings, name, students)
    if waits:
        print(
            f"{waits} hand-in(s) wait for marks: make formgrader, then feedback again."
        )
    finish(settings, name, Record(name).remarks())
    if failed:
        sys.exit("These pages could not be written:\n" + "\n".join(failed))
    return pages


if __name__ == "__main__":
    course.check_teaching_packages()
    if len(sys.argv) != 2:
        sys.exit("Say which assignment: make feedback ASSIGNMENT=2")
    print(f"Pages: {write_pages(course.assignment_name(sys.argv[1]))}")
