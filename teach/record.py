"""Which hand-ins have their marks: a file beside the gradebook."""

import json

from unetbook.files import write_json


class Record:
    """What was graded of an assignment already.

    Args:
        course: The class.
        name: The assignment.
    """

    def __init__(self, course, name):
        self.name, self.path = name, course.record(name)
        found = self.path.read_text() if self.path.exists() else "{}"
        self.students = json.loads(found)

    def knows(self, submission):
        """Tell whether this very hand-in has its marks."""
        known = self.students.get(submission.student, {})
        return known.get("digest") == submission.digest

    def remarks(self):
        """Map everybody who was graded to the grader's note."""
        return {student: about["remark"] for student, about in self.students.items()}

    def note(self, submission):
        """Remember a hand-in; the file is never half written."""
        about = {"digest": submission.digest, "remark": submission.remark}
        self.students[submission.student] = about
        write_json(self.path, self.students, indent=1)
