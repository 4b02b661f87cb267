"""Files from a learning platform: what is in them, and which one counts."""

import json
import os
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from teach import collect, reading
from teach.names import find_students
from teach.repair import grade_id, repair
from tests.teaching.versions import each_assignment, student_version

NAME = "02_transposed_convolution"
CELL = {"cell_type": "code", "source": ["# task: size\n", "x = 1"], "metadata": {}}
NOTEBOOK = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def read_bytes(tmp_path, content):
    """Return the candidates in a file with this content."""
    path = tmp_path / "file.ipynb"
    path.write_bytes(content)
    return collect.read_file(path)


def sources(candidates):
    """Return the sources of every candidate's cells."""
    return [[cell["source"] for cell in one.cells] for one in candidates]


OLD = {
    "worksheets": [
        {"cells": [{"cell_type": "code", "input": ["# task: size\nx = 1"]}]}
    ],
    "nbformat": 3,
    "nbformat_minor": 0,
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(NOTEBOOK).encode(),
        b"\xef\xbb\xbf" + json.dumps(NOTEBOOK).encode(),
        json.dumps(NOTEBOOK).encode("utf-16"),
        json.dumps(NOTEBOOK).encode("utf-16-le"),
        json.dumps(NOTEBOOK).encode("utf-32"),
        json.dumps({**NOTEBOOK, "nbformat": 5}).encode(),
        json.dumps(
            {"cells": [{"cell_type": "code", "source": CELL["source"]}]}
        ).encode(),
        json.dumps({"cells": [{**CELL, "source": "# task: size\r\nx = 1"}]}).encode(),
        json.dumps({"cells": [CELL, None, 5, {"x": 1}]}).encode(),
        json.dumps({"cells": [{**CELL, "source": ["# task: size", "x = 1"]}]}).encode(),
        json.dumps(
            {"cells": [{**CELL, "source": "\ufeff# task: size\nx\xa0= 1"}]}
        ).encode(),
        json.dumps(NOTEBOOK).encode() + bytes(512),
        json.dumps(OLD).encode(),
    ],
)
def test_encodings_formats_and_missing_keys_are_understood(tmp_path, content):
    assert sources(read_bytes(tmp_path, content)) == [["# task: size\nx = 1"]]


def test_latin_1_and_half_a_surrogate_pair_are_mended(tmp_path):
    written = json.dumps({"cells": [{**CELL, "source": "# é"}]}, ensure_ascii=False)
    assert sources(read_bytes(tmp_path, written.encode("latin-1"))) == [["# é"]]
    broken = json.dumps({"cells": [{**CELL, "source": "# \ud800\x00"}]}).encode()
    assert sources(read_bytes(tmp_path, broken)) == [["# ?"]]


def test_a_zip_around_notebooks_is_opened(tmp_path):
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("work/mine.ipynb", json.dumps(NOTEBOOK))
        archive.writestr("__MACOSX/._mine.ipynb", "x")
        archive.writestr("photo.png", "x")
    assert sources(collect.read_file(path)) == [["# task: size\nx = 1"]]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.png", "x")
    (candidate,) = collect.read_file(path)
    assert "the zip holds no notebook" in candidate.reason


def zip_up(path, *names):
    """Write a zip that holds one notebook under several names."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, json.dumps(NOTEBOOK))
    return path


@pytest.mark.parametrize("folder", ["", "2-assignment/"])
@pytest.mark.parametrize(
    "names",
    [
        ("Ada_77_assignsubmission_file_/x.ipynb", "Bo_78_assignsubmission_file_/x.zip"),
        ("Jo_77_assignsubmission_file_/x.ipynb", "Jo_78_assignsubmission_file_/x.zip"),
        ("lovelaceada_815_47_x.ipynb", "boolebo_LATE_816_48_x-1.ipynb"),
    ],
)
def test_the_zip_of_a_whole_class_is_nobodys_hand_in(tmp_path, folder, names):
    path = zip_up(tmp_path / "submissions.zip", *(folder + name for name in names))
    (candidate,) = collect.read_file(path)
    assert candidate.cells is None
    assert "the zip holds hand-ins of 2 people; unpack it" in candidate.reason


def test_a_students_zip_with_numbers_in_its_names_is_that_students(tmp_path):
    names = ("task_1_1_x.ipynb", "task_2_1_x.ipynb", "work/task_3_1_x.ipynb")
    assert len(sources(collect.read_file(zip_up(tmp_path / "ada.zip", *names)))) == 3


@pytest.mark.parametrize(
    "content",
    [
        b'{"cells": [' + b"[" * 100_000,
        b'{"cells": [{"cell_type": "code", "outputs": ['
        + b"{}," * 10_000_000
        + b"{}]}]}",
        b'{"cells": [' + b'{"cell_type": "code"},' * 2000 + b"{}]}",
        json.dumps({"cells": [{**CELL, "source": "x" * 3_000_000}]}).encode(),
        json.dumps(NOTEBOOK).encode()[:-9],
        b"%PDF-1.4",
        b"",
    ],
)
def test_what_hurts_or_is_no_notebook_ends_in_a_sentence_with_what_to_do(
    tmp_path, content
):
    (candidate,) = read_bytes(tmp_path, content)
    if candidate.cells is None:
        assert "hand it in again" in candidate.reason
    else:  # outputs are dropped while the file is read
        assert len(json.dumps(candidate.cells)) < 1000


def test_a_reader_that_dies_costs_its_own_file_alone(tmp_path, monkeypatch):
    (tmp_path / "dies.py").write_text("import os; os.abort()")
    monkeypatch.setattr(reading, "__file__", str(tmp_path / "dies.py"))
    (candidate,) = read_bytes(tmp_path, b"{}")
    assert candidate.reason == collect.TOO_MUCH


def test_pasted_pictures_are_kept_and_nothing_else_that_is_attached(tmp_path):
    files = {"a.png": {"image/png": "QUJD\n"}, "b.svg": {"image/svg+xml": "<svg/>"}}
    files["c.png"] = {"image/png": '"><script>'}
    cell = {"cell_type": "markdown", "source": "x", "attachments": files}
    (candidate,) = read_bytes(tmp_path, json.dumps({"cells": [cell]}).encode())
    made = collect.make_notebook(candidate.cells)
    assert made.cells[0].attachments == {"a.png": {"image/png": "QUJD"}}
    nbformat.validate(made)


def texts_with(pictures):
    """Return a cell of text with pictures in it, one a line, as Colab saves them."""
    lines = [f"![]({picture})" for picture in pictures]
    return {"cell_type": "markdown", "source": "\n".join(["What I see", *lines])}


def test_a_picture_within_a_text_is_attached_and_its_weight_costs_nothing(tmp_path):
    small, large = "QUJD" * 90_000, "QUJD" * 900_000
    pasted = [f"data:image/png;base64,{data}" for data in (large, small)]
    pasted.append("data:image/svg+xml;utf8,%3Csvg%3E")
    content = json.dumps({"cells": [CELL, texts_with(pasted)]}).encode()
    (candidate,) = read_bytes(tmp_path, content)
    answer, text = candidate.cells
    assert answer["source"] == "# task: size\nx = 1"
    assert text["attachments"] == {"in-text-1": {"image/png": small}}
    assert "![](attachment:in-text-1)" in text["source"]
    assert "(a picture is left out: it was too large)" in text["source"]
    assert len(text["source"]) < 200


def test_a_html_picture_and_an_attached_one_stay_beside_each_other(tmp_path):
    cell = texts_with(['attachment:a.png)\n<img src="data:image/gif;base64,R0lG">('])
    cell["attachments"] = {"a.png": {"image/png": "QUJD"}}
    (candidate,) = read_bytes(tmp_path, json.dumps({"cells": [cell]}).encode())
    assert candidate.cells[0]["attachments"] == {
        "a.png": {"image/png": "QUJD"},
        "in-text-1": {"image/gif": "R0lG"},
    }
    assert '<img src="attachment:in-text-1">' in candidate.cells[0]["source"]


def write(path, notebook, age):
    """Write a hand-in that is so many seconds old."""
    path.write_text(json.dumps(notebook) if isinstance(notebook, dict) else notebook)
    os.utime(path, (10**9 - age, 10**9 - age))


def test_a_notebook_of_this_assignment_counts_before_what_is_newer(tmp_path):
    right, other = student_version(NAME), student_version("03_blocks")
    folder = tmp_path / "ada"
    folder.mkdir()
    write(folder / "right.ipynb", right, 9)
    write(folder / "other.ipynb", other, 5)
    write(folder / "photo.png", "x", 1)
    write(folder / "onlinetext.html", "<p>", 0)
    files = find_students(tmp_path, 2, {})["ada"]
    chosen = collect.choose(files, right)
    assert chosen.path.name == "right.ipynb"
    (remark,) = collect.remarks_on(chosen, files)
    assert remark.startswith("3 other file(s) passed over: ")


@each_assignment
def test_a_notebook_as_it_was_handed_out_keeps_its_marks_and_needs_no_repair(
    name, tmp_path
):
    release = student_version(name)
    (found,) = read_bytes(tmp_path, nbformat.writes(release).encode())
    notebook = collect.make_notebook(found.cells)
    ids = [grade_id(cell) for cell in release.cells]
    assert [grade_id(cell) for cell in notebook.cells] == ids
    for stripped in (False, True):
        for cell in notebook.cells if stripped else []:
            cell.metadata = {}
        repair(notebook, release)
        assert [grade_id(cell) for cell in notebook.cells] == ids
        assert [c.source for c in notebook.cells] == [c.source for c in release.cells]


def test_of_two_alike_the_newer_counts(tmp_path):
    folder = tmp_path / "ada"
    folder.mkdir()
    for age, name in ((5, "new"), (9, "old")):
        notebook = new_notebook(cells=[new_code_cell("# task: size\n" + name)])
        write(folder / f"{name}.ipynb", notebook, age)
    chosen = collect.choose(
        find_students(tmp_path, 2, {})["ada"], student_version(NAME)
    )
    assert chosen.path.name == "new.ipynb"
