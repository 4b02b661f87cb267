"""Read nbgrader's gradebook, and write the marks as CSV."""

import csv

from teach.record import Record
from unetbook.files import write_whole


def open_gradebook(course):
    """Return the gradebook, to be used in a `with` statement."""
    from nbgrader.api import Gradebook

    return Gradebook(course.gradebook, "unetbook")


def read_marks(gradebook, name, student):
    """Return what one student got in one assignment.

    Returns:
        A dictionary from each check or free text to `(points, maximum, waits)`;
        `waits` tells that a person has to mark it still. None without a hand-in.
    """
    from nbgrader.api import MissingEntry

    try:
        submission = gradebook.find_submission(name, student)
    except MissingEntry:
        return None
    return {
        grade.name: (grade.score, grade.max_score, grade.needs_manual_grade)
        for notebook in submission.notebooks
        for grade in notebook.grades
    }


def waiting(gradebook, name, student):
    """Return the names of the answers that a person has marked, and of the others."""
    grades = gradebook.find_submission(name, student).notebooks[0].grades
    return {grade.name: grade.needs_manual_grade for grade in grades}


def restore_waiting(gradebook, name, student, before):
    """Keep manual marks settled when an unchanged hand-in was graded again."""
    for grade in gradebook.find_submission(name, student).notebooks[0].grades:
        if grade.manual_score is not None and before.get(grade.name) is False:
            grade.needs_manual_grade = False
    gradebook.db.commit()


def write_rows(path, header, rows):
    """Write a CSV file as a whole or not at all."""

    def write(unfinished):
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])

    write_whole(path, write)


def write_grades(course, name, remarks):
    """Write one assignment's marks, check by check, and everybody's totals.

    Args:
        course: The class.
        name: The assignment.
        remarks: Dictionary from each student to what the grader noted.

    Returns:
        The path of the assignment's CSV file.
    """
    path = course.grades(name)
    rows, header, known = [], [], Record(course, name).students
    with open_gradebook(course) as gradebook:
        for student in sorted(remarks):
            marks, about = read_marks(gradebook, name, student), known.get(student, {})
            platform = [about.get("name", ""), about.get("identifier", "")]
            if not marks:
                rows.append([student, *platform, remarks[student]])
                continue
            header = header or sorted(marks)
            points = [marks[check][0] for check in header]
            total, waits = sum(points), sum(mark[2] for mark in marks.values())
            rows.append([student, total, *points, waits, *platform, remarks[student]])
        write_totals(course, gradebook)
    names = ["student", "total", *header, "to mark", "name", "identifier", "remark"]
    write_rows(path, names, [pad(row, len(names)) for row in rows])
    return path


def finish(course, name, remarks):
    """Write the marks as CSV and say where they are."""
    print(f"Marks: {write_grades(course, name, remarks)} and {course.totals}")


def pad(row, width):
    """Stretch the row of a hand-in without marks to the width of the table."""
    return [row[0], *[""] * (width - len(row)), *row[1:]]


def write_totals(course, gradebook):
    """Write `grades.csv`: one row a student, one column an assignment, and the sum.

    A hand-in whose grading was cut off is in the gradebook with 0: it is left empty.
    """
    names = sorted(assignment.name for assignment in gradebook.assignments)
    records, rows = [Record(course, name) for name in names], []
    graded = [record.graded() for record in records]
    gone = set().union(*(record.gone() for record in records)).difference(*graded)
    for student in sorted({student.id for student in gradebook.students} - gone):
        pairs = zip(names, graded, strict=True)
        known = [name if student in those else None for name, those in pairs]
        marks = [name and read_marks(gradebook, name, student) for name in known]
        points = [sum(m[0] for m in mark.values()) if mark else "" for mark in marks]
        rows.append([student, *points, sum(p for p in points if p != "")])
    write_rows(course.totals, ["student", *names, "sum"], rows)
