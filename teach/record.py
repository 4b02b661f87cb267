"""Which hand-ins have their marks: a file beside the gradebook."""

import json

from teach.course import SOURCES
from teach.names import show_name
from unetbook.files import write_json


class Record:
    """What was graded of an assignment already, and where it lay.

    Whose file is gone keeps the marks, out of sight, until it comes back.

    Args:
        course: The class.
        name: The assignment.
    """

    def __init__(self, course, name):
        self.name, self.path = name, course.record(name)
        found = self.path.read_text() if self.path.exists() else "{}"
        self.students = json.loads(found)

    def graded(self):
        """Map those who have marks, and whose file is still there, to what is known."""
        return {
            student: about
            for student, about in sorted(self.students.items())
            if "digest" in about and not about.get("gone")
        }

    def gone(self):
        """Return the ids of those whose file is there no longer."""
        return {s for s, about in self.students.items() if about.get("gone")}

    def knows(self, submission):
        """Tell whether this very hand-in has its marks."""
        known = self.students.get(submission.student, {})
        return known.get("digest") == submission.digest

    def remarks(self):
        """Map everybody who was graded to the grader's note."""
        return {
            student: "; ".join(
                filter(None, [about["remark"], *about.get("beside", [])])
            )
            for student, about in self.graded().items()
        }

    def note(self, submission):
        """Remember a hand-in; the file is never half written."""
        about = self.students.setdefault(submission.student, {})
        about |= {"digest": submission.digest, "remark": submission.remark}
        about["code"] = submission.code
        self.write()

    def see(self, hand_ins, folder):
        """Note whose files lie in a folder.

        Args:
            hand_ins: What `find_students` returns.
            folder: Where they lie. What was graded from elsewhere stays as it is.

        Returns:
            The ids of those with marks whose files are no longer in it.
        """
        place, before = str(folder.resolve()), self.gone()
        for student, about in self.students.items():
            if about.get("folder") == place:
                about["gone"] = student not in hand_ins
        for student, files in hand_ins.items():
            about = self.students.setdefault(student, {})
            first = max(files, key=lambda file: bool(file.identifier))
            about |= {"folder": place, "gone": False}
            if first.identifier or not about.get("identifier"):
                about["name"] = show_name(first)
                about["identifier"] = first.identifier
        self.write()
        return sorted(self.gone() - before)

    def note_beside(self, remarks):
        """Replace what everybody's files say beside those of others.

        `remarks` maps students to lists of sentences.
        """
        for student, about in self.students.items():
            about["beside"] = remarks.get(student, [])
        self.write()

    def write(self):
        """Write the file as a whole or not at all."""
        write_json(self.path, self.students, indent=1)


def other_records(course, name):
    """Return the records of a class's other assignments."""
    names = sorted(path.stem for path in SOURCES.glob("[0-9]*.md"))
    return [Record(course, other) for other in names if other != name]


def find_elsewhere(course, name):
    """Map those with marks in another assignment to their names and identifiers.

    Moodle's identifiers say nothing beyond their assignment, and are left out.
    """
    found = {}
    for record in other_records(course, name):
        for student, about in record.graded().items():
            identifier = about.get("identifier", "")
            lasting = identifier if identifier.isdecimal() else ""
            found[student] = about.get("name", student), lasting
    return found


def known_identifiers(course, name):
    """Map what platforms call students to the ids that they have in this class.

    Canvas's number is a student's own, Moodle's another one in every assignment.
    """
    own, found = Record(course, name), {}
    for record in (*other_records(course, name), own):
        for student, about in record.students.items():
            identifier = about.get("identifier", "")
            if identifier and (record is own or identifier.isdecimal()):
                found[identifier] = student
    return found
