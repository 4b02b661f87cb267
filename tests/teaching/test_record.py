"""What is known of a class's hand-ins, and which are no longer there."""

from pathlib import Path

import pytest

from teach.collect import Submission
from teach.course import Course
from teach.names import find_students, read_name, show_name
from teach.record import Record, find_elsewhere, known_identifiers
from teach.remarks import remarks_beside

NAME = "02_transposed_convolution"


@pytest.fixture
def course(tmp_path):
    """An empty class."""
    (tmp_path / "class").mkdir()
    return Course(tmp_path / "class")


def grade(course, folder, *files, name=NAME):
    """Note a folder with these files as graded; return the record and who is gone."""
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file).write_text("{}")
    record = Record(course, name)
    found = find_students(folder, int(name[:2]), known_identifiers(course, name))
    gone = record.see(found, folder)
    for student in found:
        record.note(Submission(student, None, "digest", "a remark"))
    return Record(course, name), gone


def test_whose_file_is_gone_is_graded_no_longer_until_it_is_back(course, tmp_path):
    folder = tmp_path / "files"
    assert grade(course, folder, "ada.ipynb", "bob.ipynb")[1] == []
    (folder / "bob.ipynb").unlink()
    record, gone = grade(course, folder)
    assert (list(record.graded()), list(record.remarks()), gone) == (
        ["ada"],
        ["ada"],
        ["bob"],
    )
    assert grade(course, folder)[1] == [], "it is said once"
    record, _ = grade(course, folder, "bob.ipynb")
    assert list(record.graded()) == ["ada", "bob"]
    assert record.knows(Submission("bob", None, "digest"))


def test_another_folder_takes_nobody_out_of_the_tables(course, tmp_path):
    grade(course, tmp_path / "files", "ada.ipynb", "bob.ipynb")
    record, gone = grade(course, tmp_path / "late", "bob.ipynb")
    assert gone == []
    assert list(record.graded()) == ["ada", "bob"]


def test_a_late_file_with_a_plain_name_keeps_what_the_platform_said(course, tmp_path):
    grade(course, tmp_path / "files", "Ada_11_assignsubmission_file_x.ipynb")
    record, _ = grade(course, tmp_path / "late", "ada.ipynb")
    assert record.students["ada"]["identifier"] == "Participant 11"
    assert record.students["ada"]["name"] == "Ada"


def test_a_second_one_of_a_name_takes_no_marks_from_the_first(course, tmp_path):
    folder = tmp_path / "files"
    grade(course, folder, "Johann_11_assignsubmission_file_x.ipynb")
    second = "Johann_22_assignsubmission_file_x.ipynb"
    record, gone = grade(course, folder, second)
    assert (list(record.graded()), gone) == (["johann", "johann-22"], [])


def test_canvas_tells_two_of_a_name_apart_in_every_assignment(course, tmp_path):
    both = ["johann_11_1_x.ipynb", "johann_22_2_x.ipynb"]
    grade(course, tmp_path / "2", *both)
    record, _ = grade(course, tmp_path / "3", "johann_22_9_y.ipynb", name="03_blocks")
    assert list(record.graded()) == ["johann-22"]
    assert record.students["johann-22"]["identifier"] == "22"
    record, _ = grade(course, tmp_path / "4", "johann_33_8_y.ipynb", name="04_unet")
    assert list(record.graded()) == ["johann"], "nobody's yet"


def test_one_who_has_the_name_of_another_takes_nobodys_place(course, tmp_path):
    grade(course, tmp_path / "2", "johann_11_1_x.ipynb")
    record, _ = grade(course, tmp_path / "3", "johann_22_9_y.ipynb", name="03_blocks")
    assert list(record.graded()) == ["johann-22"]
    assert remarks_beside(record.graded(), find_elsewhere(course, "03_blocks")) == {}


def test_moodles_numbers_do_not_tell_people_of_two_assignments_apart(course, tmp_path):
    files = [f"Jo_{n}_assignsubmission_file_x.ipynb" for n in (1, 2)]
    grade(course, tmp_path / "2", *files)
    file = "Jo_7_assignsubmission_file_x.ipynb"
    record, _ = grade(course, tmp_path / "3", file, name="03_blocks")
    doubts = remarks_beside(record.graded(), find_elsewhere(course, "03_blocks"))["jo"]
    assert [text[:24] for text in doubts] == [
        "'jo' and 'jo-1' were kep",
        "'jo' and 'jo-2' were kep",
    ]


def test_a_remark_that_comes_from_other_files_goes_with_them(course, tmp_path):
    record, _ = grade(course, tmp_path / "files", "ada.ipynb")
    record.note_beside({"ada": ["like bob"]})
    assert record.remarks() == {"ada": "a remark; like bob"}
    record.note_beside({})
    assert Record(course, NAME).remarks() == {"ada": "a remark"}


def test_a_name_is_shown_in_one_line_and_never_as_a_formula():
    for name, shown in {
        "=1+1 Ada": "1+1 Ada",
        "Ada\nKing": "Ada King",
        "Ada\udcff": "Ada?",
        "x" * 200: "x" * 100,
    }.items():
        file = Path(f"/f/{name}_12_assignsubmission_file_x.ipynb")
        assert show_name(read_name(file, file.parent, 2)) == shown
