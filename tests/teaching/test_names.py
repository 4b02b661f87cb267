"""Whose a file is, told from its name: nobody takes another's place."""

import inspect
import sys
import unicodedata
from pathlib import Path

import pytest

from teach import names

FOLDER = Path("/hand-ins")


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("Ada Lovelace_1234_assignsubmission_file_02_transposed.ipynb", "ada-lovelace"),
        ("Ada Lovelace_1234_assignsubmission_file_/whatever.ipynb", "ada-lovelace"),
        ("Ada_L_1234_assignsubmission_onlinetext_/onlinetext.html", "ada-l"),
        ("Évariste Galois_77_assignsubmission_file/a_b.ipynb", "évariste-galois"),
        ("lovelaceada_815_4711_02_transposed_convolution.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_815_4711_02_transposed-2.ipynb", "lovelaceada"),
        ("ada_02_transposed_convolution.ipynb", "ada"),
        ("ada/02_transposed_convolution (1).ipynb", "ada"),
        ("assignment_2_ada.ipynb", "ada"),
        ("HW2_ada_final.ipynb", "ada"),
        ("02_transposed_convolution.ipynb", "02-transposed-convolution"),
        ("Copy of 02.ipynb", "copy-of-02"),
        ("李善兰_5_assignsubmission_file_x.ipynb", "李善兰"),
        ("王伟 (B)_5_assignsubmission_file_x.ipynb", "王伟-b"),
        ("..ipynb", "nameless"),
        ("mallory2/bob_55_67_hw-9.ipynb", "mallory2"),
        ("mallory2/Bob_7_assignsubmission_file_x.ipynb", "mallory2"),
    ],
)
def test_names_of_files_tell_whose_they_are(file, student):
    assert names.to_id(names.read_name(FOLDER / file, FOLDER).name) == student


def hand_in(folder, *files):
    """Make empty files, and return whose they are."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}")
    return names.find_students(folder)


def test_a_platform_counts_versions(tmp_path):
    files = [f"ada_1_2_x{version}.ipynb" for version in ("", "-2", "-10", "-9")]
    found = hand_in(tmp_path, *files)["ada"]
    assert max(found, key=lambda file: file.version).path.name == "ada_1_2_x-10.ipynb"
    assert len(found) == 4


@pytest.mark.parametrize(
    ("files", "students"),
    [
        (
            [f"Johann_{n}_assignsubmission_file_x.ipynb" for n in (11, 22)],
            ["johann-11", "johann-22"],
        ),
        (["anna_smith.ipynb", "anna_jones.ipynb"], ["anna-jones", "anna-smith"]),
        (["assignment_2_anna.ipynb", "assignment_2_bob.ipynb"], ["anna", "bob"]),
        (["José_2.ipynb", "Jose_2.ipynb"], ["jose", "josé"]),
        (["李娜 (B).ipynb", "王伟 (B).ipynb"], ["李娜-b", "王伟-b"]),
        (["bob_55_67_hw.ipynb", "mallory/bob_55_67_hw-9.ipynb"], ["bob", "mallory"]),
    ],
)
def test_people_are_kept_apart(tmp_path, files, students):
    assert sorted(hand_in(tmp_path, *files)) == students


def test_names_that_differ_in_signs_alone_are_kept_apart(tmp_path):
    found = hand_in(tmp_path, "O'Neil.ipynb", "O Neil.ipynb", "🦊.ipynb", "🐼.ipynb")
    assert len(found) == 4


def test_one_name_in_two_unicode_forms_is_one_person(tmp_path):
    forms = [unicodedata.normalize(form, "José") for form in ("NFC", "NFD")]
    found = hand_in(tmp_path, *(f"{form}/{n}.ipynb" for n, form in enumerate(forms)))
    assert {student: len(files) for student, files in found.items()} == {"josé": 2}


def test_long_names_become_short_and_stay_apart():
    long = [names.to_id("\u0390" * 124 + end) for end in ("a", "b")]
    assert len(set(long)) == 2
    assert max(len(one.encode()) for one in long) <= names.LONGEST_ID


def test_links_hidden_files_and_check_points_are_no_hand_ins(tmp_path):
    (tmp_path / "eve_x.ipynb").symlink_to("/etc/passwd")
    extras = (".DS_Store", "ada/.ipynb_checkpoints/x.ipynb", "__MACOSX/ada_x.ipynb")
    found = hand_in(tmp_path, "ada/x.ipynb", ".ipynb_checkpoints/y.ipynb", *extras)
    assert {student: len(files) for student, files in found.items()} == {"ada": 1}


def test_a_folder_around_what_a_platform_exports_is_no_student(tmp_path):
    files = [f"export/{name}_1_2_x.ipynb" for name in ("ada", "bob")]
    assert sorted(hand_in(tmp_path, *files)) == ["ada", "bob"]


def test_late_files_and_extras_beside_what_a_platform_exports_merge_nobody(tmp_path):
    files = [f"export/{name}_1_2_x.ipynb" for name in ("ada", "bob")]
    found = hand_in(tmp_path, *files, "export/readme.txt", "eve.ipynb")
    assert sorted(found) == ["ada", "bob", "eve", "readme"]


def test_a_students_folder_beside_others_takes_nobodys_place(tmp_path):
    files = [f"mallory/{name}_1_2_x.ipynb" for name in ("ada", "bob")]
    found = hand_in(tmp_path, *files, "ada/x.ipynb", "bob/x.ipynb")
    assert {student: len(files) for student, files in found.items()} == {
        "ada": 1,
        "bob": 1,
        "mallory": 2,
    }


def test_folders_in_folders_are_read_however_deep(tmp_path):
    folder = tmp_path
    for _ in range(200):
        folder /= "a"
        folder.mkdir()
    (folder / "x.ipynb").touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert [*names.find_students(tmp_path)] == ["a"]
    finally:
        sys.setrecursionlimit(limit)
