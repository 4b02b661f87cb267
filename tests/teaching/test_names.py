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
        ("nguyen_binh_2.ipynb", "nguyen-binh"),
        ("ada (1).ipynb", "ada"),
        ("Copy of Copy of ada_2 (3) (1).ipynb", "ada"),
        ("ada - Kopie (2).ipynb", "ada"),
        ("ada_2_corrected.ipynb", "ada"),
        ("Final v2 ada-2.ipynb", "ada"),
        ("ada_new_3.ipynb", "ada"),
        ("ada v2.ipynb", "ada"),
        ("ramesh v.ipynb", "ramesh-v"),
        ("03_blocks_ada.ipynb", "ada"),
        ("ada_a2_2026-11-27.ipynb", "ada"),
        ("ada_2_final/x.ipynb", "ada"),
        ("ada_12345678_2.ipynb", "ada-12345678"),
        ("12345678.ipynb", "12345678"),
        ("group_2_2.ipynb", "group-2"),
        ("group_2.ipynb", "group-2"),
        ("group_7_final.ipynb", "group-7"),
        ("mallory2/bob_55_67_hw-9.ipynb", "mallory2"),
        ("mallory2/Bob_7_assignsubmission_file_x.ipynb", "mallory2"),
    ],
)
def test_names_of_files_tell_whose_they_are(file, student):
    assert names.to_id(names.read_name(FOLDER / file, FOLDER, 2).name) == student


def hand_in(folder, *files, number=2, known=None):
    """Make empty files, and return whose they are."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}")
    return names.find_students(folder, number, known or {})


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
        (["group_7.ipynb", "group_8.ipynb"], ["group-7", "group-8"]),
        (["Participant_71_assignsubmission_file_x.ipynb"], ["participant-71"]),
    ],
)
def test_people_are_kept_apart(tmp_path, files, students):
    assert sorted(hand_in(tmp_path, *files)) == students


def test_a_name_stays_the_same_over_assignments_whoever_else_hands_in(tmp_path):
    for number in (3, 4):
        folder = tmp_path / str(number)
        files = [f"nguyen_binh_{number}.ipynb", f"ada_{number}_corrected.ipynb"]
        files += ["nguyen_an_3.ipynb"] * (number == 3)
        found = hand_in(folder, *files, number=number)
        expected = {"ada", "nguyen-binh"} | ({"nguyen-an"} if number == 3 else set())
        assert set(found) == expected


def test_who_was_known_by_a_platforms_number_keeps_the_id(tmp_path):
    files = [f"Johann_{n}_assignsubmission_file_x.ipynb" for n in (11, 22)]
    known = {"Participant 11": "johann"}
    found = hand_in(tmp_path, *files, known=known)
    assert {student: file.number for student, (file,) in found.items()} == {
        "johann": "11",
        "johann-22": "22",
    }


@pytest.mark.parametrize(
    ("files", "doubts"),
    [
        (["anna.ipynb", "anna_smith.ipynb", "bob.ipynb"], [("anna", "anna-smith")]),
        (["ada_2.ipynb", "ada_7.ipynb"], [("ada", "ada-7")]),
        (["smith_anna.ipynb", "anna smith.ipynb"], [("anna-smith", "smith-anna")]),
        (["anna_smith.ipynb", "smith.ipynb"], [("anna-smith", "smith")]),
        (["Évariste.ipynb", "evariste_2.ipynb"], [("evariste", "évariste")]),
        (["berta_2.ipynb"], [("berta", "berta-klein")]),
        (["group_7.ipynb", "group_8.ipynb"], []),
        (["nguyen_binh_2.ipynb", "nguyen_an_2.ipynb"], []),
        (["Anna_1_2_x.ipynb", "Anna Smith_3_4_x.ipynb"], []),
        (["dora.ipynb"], []),
    ],
)
def test_where_two_may_be_one_person_both_are_named(tmp_path, files, doubts):
    elsewhere = {name: (name, "") for name in ("berta-klein", "dora", "dora-klein")}
    found = hand_in(tmp_path, *files)
    people = {own: (file.name, file.identifier) for own, (file,) in found.items()}
    assert list(names.find_doubts(people, elsewhere)) == doubts


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


@pytest.mark.parametrize("form", ["Eve_9_assignsubmission_file_", "eve_9_8_x"])
def test_the_only_students_folder_is_no_platforms(tmp_path, form):
    files = [f"{form}/{name}_8_assignsubmission_file_x.ipynb" for name in ("A", "B")]
    found = hand_in(tmp_path, *files)
    assert {student: len(files) for student, files in found.items()} == {"eve": 2}


def test_a_name_in_a_table_turns_no_writing():
    file = names.File(Path("x"), "=\u202eAda\u2066 \u0646\u200c\u0627", "")
    assert names.show_name(file) == "Ada \u0646\u200c\u0627"


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
        assert [*names.find_students(tmp_path, 2, {})] == ["a"]
    finally:
        sys.setrecursionlimit(limit)
