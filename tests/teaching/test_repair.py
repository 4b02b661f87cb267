"""Cells that lost their marks are found, and nothing of a student's is lost."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from teach.repair import count_tasks, grade_id, is_blank, repair
from tests.teaching.versions import student_version

NAME = "02_transposed_convolution"
SIZE = "def final_size(size, layers):\n    return 1"
STAMP = "def stamp(x, kernel, strides):\n    return x"


def repaired(cells, name=NAME):
    """Return a notebook with these cells after its repair, and the release."""
    notebook, release = new_notebook(cells=cells), student_version(name)
    repair(notebook, release)
    return notebook.cells, release


def source_of(cells, name):
    """Return the source of the cell with an id."""
    (found,) = [cell.source for cell in cells if grade_id(cell) == name]
    return found


@pytest.mark.parametrize(
    "head",
    [
        "# task: size",
        "# Task: size",
        "## task: size",
        "#  task: size",
        "#task:size",
        "# task : size",
        "# task 1: size",
        "# TASK - size",
        "#\ttask:\tsize",
        "# Ada Lovelace\n# task: size",
        "import math\n\n# task: size",
        "%%time\n# task: size",
        "\n\n# task: size",
        "# Aufgabe: size",
        "# task:",
        "# my solution",
        "",
    ],
)
def test_an_answer_without_metadata_is_known_in_any_spelling(head):
    cells, _ = repaired([new_code_cell(f"{head}\n{SIZE}")])
    assert source_of(cells, "size") == f"{head}\n{SIZE}"


def test_a_task_line_names_an_answer_that_cannot_be_read_as_code():
    cells, _ = repaired([new_code_cell("# task: size\ndef final_siz(")])
    assert source_of(cells, "size").endswith("final_siz(")


def test_two_answers_in_one_cell_both_count():
    cells, release = repaired([new_code_cell(f"{SIZE}\n\n{STAMP}")])
    order = [grade_id(cell) for cell in cells]
    assert order.index("stamp") < order.index("size"), "the stub would undo the answer"
    assert order.index("size") < order.index("size-check")


def test_a_stub_that_is_left_above_its_check_does_not_undo_an_answer():
    release = student_version(NAME)
    answers = copy.deepcopy(release.cells)
    place = [grade_id(cell) for cell in answers].index("size")
    answers[place].source = f"# task: size\n{SIZE}\n\n{STAMP}"
    cells, _ = repaired(answers)
    order = [grade_id(cell) for cell in cells]
    assert order.index("stamp") < order.index("size") < order.index("matrix")
    assert order.index("coverage") > order.index("size"), "nobody else defines it"


def test_a_stub_that_is_left_behind_an_answer_goes():
    cells = copy.deepcopy(student_version(NAME).cells)
    place = [grade_id(cell) for cell in cells].index("size")
    cells.insert(place, new_code_cell(SIZE))
    found, _ = repaired(cells)
    assert [cell.source for cell in found if "def final_size" in cell.source] == [SIZE]


@pytest.mark.parametrize("stubs_left", [True, False])
def test_checks_follow_an_answer_that_stands_behind_them(stubs_left):
    cells = copy.deepcopy(student_version(NAME).cells)
    if not stubs_left:
        cells = [cell for cell in cells if grade_id(cell) not in ("size", "stamp")]
    found, _ = repaired([*cells, new_code_cell(f"{SIZE}\n\n{STAMP}")])
    order = [grade_id(cell) for cell in found]
    (place,) = [i for i, cell in enumerate(found) if STAMP in cell.source]
    checks = [name for name in order if name and name.startswith(("size-", "stamp-"))]
    assert order[place + 1 : place + 1 + len(checks)] == checks
    assert "matrix-check" in order[:place]


def test_what_the_next_task_needs_stays_in_front_of_it():
    cells = copy.deepcopy(student_version("04_unet").cells)
    late = new_code_cell("def pet_iou(true_masks, pred_masks):\n    return 1")
    found, _ = repaired([*cells, late], "04_unet")
    order = [grade_id(cell) for cell in found]
    assert order.index("train-data") < order.index("train-run")
    assert found.index(late) + 1 == order.index("score-check")


def test_what_stands_in_a_locked_cell_is_kept_in_front_of_it():
    changed = copy.deepcopy(student_version(NAME).cells)
    for cell in changed:
        if grade_id(cell) == "imports":
            cell.source += "\nimport math\n\ndef helper():\n    return 1"
    cells, release = repaired(changed)
    order = [grade_id(cell) for cell in cells]
    restored = order.index("imports")
    assert "def helper" in cells[restored - 1].source
    assert order[restored - 1] is None
    assert cells[restored].source == "import numpy as np"
    assert len(cells) == len(release.cells) + 1


def test_spaces_in_a_locked_cell_are_no_change():
    changed = copy.deepcopy(student_version(NAME).cells)
    for cell in changed:
        cell.source += "\n\n"
    cells, release = repaired(changed)
    assert len(cells) == len(release.cells)


def test_an_answer_that_was_made_text_is_code_again():
    cells, _ = repaired([new_markdown_cell(f"# task: size\n{SIZE}")])
    (cell,) = [cell for cell in cells if grade_id(cell) == "size"]
    assert (cell.cell_type, cell.source.splitlines()[1]) == (
        "code",
        SIZE.splitlines()[0],
    )


def test_prose_that_names_a_task_is_no_answer():
    cells, release = repaired([new_markdown_cell("Task: size. I did not finish it.")])
    stub = [cell.source for cell in release.cells if grade_id(cell) == "size"]
    assert [source_of(cells, "size")] == stub


def test_a_free_text_that_lost_its_marks_is_the_last_text_of_ones_own():
    own = "The network loses tails and whiskers since they are thin. " * 3
    release = student_version("04_unet")
    printed = [new_markdown_cell(c.source) for c in release.cells if not grade_id(c)]
    cells, _ = repaired([*printed, new_markdown_cell(own)], "04_unet")
    assert source_of(cells, "failures") == own


@pytest.mark.parametrize("quotes", ["", '"""'])
def test_a_free_text_in_a_code_cell_is_one(quotes):
    own = f"{quotes}{'The network loses tails since they are thin. ' * 3}{quotes}"
    imports = new_code_cell("from keras import layers\n" * 9)
    release = student_version("04_unet")
    cells, _ = repaired([*release.cells, new_code_cell(own), imports], "04_unet")
    (cell,) = [cell for cell in cells if grade_id(cell) == "failures"]
    assert (cell.cell_type, cell.source) == ("markdown", own)


def test_a_text_below_the_empty_place_for_it_is_the_answer():
    own = "The network loses tails and whiskers since they are thin. " * 3
    release = student_version("04_unet")
    cells, _ = repaired([*release.cells, new_markdown_cell(own)], "04_unet")
    assert source_of(cells, "failures") == own
    other = "A note on what I had for lunch while the network was training. " * 3
    written = student_version("04_unet").cells
    next(c for c in written if grade_id(c) == "failures").source = own
    cells, _ = repaired([*written, new_markdown_cell(other)], "04_unet")
    assert source_of(cells, "failures") == own


def test_a_hand_in_without_code_of_ones_own_is_blank():
    cells, release = repaired([new_markdown_cell("I was ill.")])
    assert is_blank(new_notebook(cells=cells), release)
    for source in (f"# task: size\n{SIZE}", "print(1)"):
        cells, release = repaired([new_code_cell(source)])
        assert not is_blank(new_notebook(cells=cells), release)


def test_tasks_are_counted_by_what_was_written():
    release = student_version(NAME)
    written = new_code_cell(f"{SIZE}\n\n{STAMP}")
    assert count_tasks([written], release) == 2
    assert 0 < count_tasks(release.cells, release) < 1
    assert count_tasks(student_version("03_blocks").cells, release) == 0
