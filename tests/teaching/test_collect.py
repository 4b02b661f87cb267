"""Files from a learning platform: whose they are, and which one counts."""

from pathlib import Path

import pytest

from teach import collect

FOLDER = Path("/hand-ins")


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("Ada Lovelace_1234_assignsubmission_file_02_transposed.ipynb", "ada-lovelace"),
        ("Ada Lovelace_1234_assignsubmission_file_/whatever.ipynb", "ada-lovelace"),
        ("Évariste Galois_77_assignsubmission_file/a_b.ipynb", "evariste-galois"),
        ("lovelaceada_815_4711_02_transposed_convolution.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_815_4711_02_transposed-2.ipynb", "lovelaceada"),
        ("ada_02_transposed_convolution.ipynb", "ada"),
        ("ada/02_transposed_convolution (1).ipynb", "ada"),
        ("02_transposed_convolution.ipynb", "02-transposed-convolution"),
        ("Copy of 02.ipynb", "copy-of-02"),
        ("李善兰_5_assignsubmission_file_x.ipynb", "李善兰"),
        ("..ipynb", "nameless"),
    ],
)
def test_names_of_files_tell_whose_they_are(file, student):
    assert collect.read_name(FOLDER / file, FOLDER).name == student


def test_the_newest_of_a_students_files_counts(tmp_path):
    for version in ("", "-2", "-10", "-9"):
        (tmp_path / f"ada_1_2_x{version}.ipynb").write_text("{}")
    found = collect.find_hand_ins(tmp_path)
    assert [path.name for path in found["ada"]][0] == "ada_1_2_x-10.ipynb"
    assert len(found["ada"]) == 4


def test_two_people_of_one_name_are_kept_apart(tmp_path):
    for number in (11, 22):
        name = f"Johann Bernoulli_{number}_assignsubmission_file_x.ipynb"
        (tmp_path / name).write_text("{}")
    assert sorted(collect.find_hand_ins(tmp_path)) == [
        "johann-bernoulli-11",
        "johann-bernoulli-22",
    ]


def test_links_and_hidden_files_are_no_hand_ins(tmp_path):
    (tmp_path / "ada_x.ipynb").write_text("{}")
    (tmp_path / "eve_x.ipynb").symlink_to("/etc/passwd")
    (tmp_path / ".DS_Store").write_text("")
    assert list(collect.find_hand_ins(tmp_path)) == ["ada"]
