"""Instructor sources: their checks catch what they should, with any class's numbers."""

import functools

import pytest

from teach import assignments, checks
from teach.assignments import read_source
from teach.course import (
    SOURCES,
    STUDENT_VERSIONS,
    Course,
    open_nbgrader,
    own_course,
    read_seed,
)
from teach.wrong import failed_checks, passes, read_wrong_answers
from tests.teaching.answers import misshapen, right_answer, uniform
from tests.teaching.versions import NAMES

pytestmark = pytest.mark.grading
for package in ("nbgrader", "jupytext"):
    pytest.importorskip(package, reason="needs teach/requirements.txt: make teacher")

KERAS = ("01", "03", "04")


@pytest.fixture
def made_once(name, monkeypatch):
    """Every trial of an answer would draw the same pets and build the same network."""
    from unetbook.sources.drawn import dataset

    monkeypatch.setattr(dataset, "draw_example", functools.cache(dataset.draw_example))
    names = read_solved(name, "one")[1].names
    if "build_unet" in names:
        monkeypatch.setitem(names, "build_unet", functools.cache(names["build_unet"]))


def wrong_cases():
    """Return `(name, number of the wrong answer)` for every assignment."""
    cases = []
    for name in NAMES:
        marks = [pytest.mark.slow] if name[:2] in KERAS else []
        for number, wrong in enumerate(read_wrong_answers(name)):
            label = f"{name[:2]}-{wrong['task']}-{number}"
            cases.append(pytest.param(name, number, id=label, marks=marks))
    return cases


@functools.cache
def read_solved(name, seed):
    """Return an instructor notebook, and its solution's names to compare answers with.

    Comparing calls these functions and changes nothing of them.
    """
    notebook = read_source(SOURCES / f"{name}.md", seed)
    return notebook, checks.load_reference(notebook)


@pytest.mark.parametrize(("name", "number"), wrong_cases())
def test_a_wrong_answer_loses_the_intended_checks_and_no_others(name, number):
    wrong = read_wrong_answers(name)[number]
    assert wrong["caught"]
    hidden, visible = failed_checks(*read_solved(name, "a seed of the tests"), wrong)
    assert hidden == wrong["caught"]
    assert visible == [f"{wrong['task']}-check"], "the student was not told"


FLIPS = {
    "lists": """
def flip_pairs(images, masks, flip):
    new = [image[:, ::-1] if f else image for image, f in zip(images, flip)]
    return new, [mask[:, ::-1] if f else mask for mask, f in zip(masks, flip)]
""",
    "float32": """
def flip_pairs(images, masks, flip):
    flip = flip[:, None, None]
    new = np.where(flip[..., None], images[:, :, ::-1], images).astype("float32")
    return new, np.where(flip, masks[:, :, ::-1], masks)
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("written", FLIPS)
def test_lists_for_arrays_and_other_types_of_numbers_cost_nothing(written):
    notebook, reference = read_solved("01_data_pipeline", "one")
    names = dict(reference.names)
    exec(FLIPS[written], names)
    asked = filter(checks.is_hidden, notebook.cells)
    flips = [c.source for c in asked if c.metadata.nbgrader.grade_id[:4] == "flip"]
    assert len(flips) == 3
    assert all(passes(source, names, reference) for source in flips)


def test_a_turned_kernel_is_caught_in_every_class():
    name = "02_transposed_convolution"  # 1 class in 32 once had a symmetric kernel
    (turned,) = [w for w in read_wrong_answers(name) if "180" in w["mistake"]]
    assert failed_checks(*read_solved(name, "class 966"), turned)[0] == turned["caught"]


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(n, s, marks=[pytest.mark.slow] if n[:2] in KERAS else [])
        for n in NAMES
        for s in ("one", "another")
        if (n[:2], s) != ("04", "another")  # a training; test_solutions.py has it
    ],
)
def test_the_solution_passes_every_check_with_any_seed(name, seed):
    assert failed_checks(*read_solved(name, seed)) == ([], [])


def with_keras(*seeds):
    """Return the assignments, and seeds to go with each; those with Keras are slow."""
    return [
        pytest.param(
            name, *seeds, marks=[pytest.mark.slow] if name[:2] in KERAS else []
        )
        for name in NAMES
    ]


@functools.cache
def judged(name, seed):
    """Return every hidden check of an assignment with its right answer."""
    notebook, reference = read_solved(name, seed)
    return [
        (cell, right_answer(cell.source, reference), reference)
        for cell in filter(checks.is_hidden, notebook.cells)
    ]


@pytest.mark.parametrize("name", with_keras())
def test_no_check_is_passed_by_a_misshapen_answer(name, made_once):
    tried, passed = 0, []
    for cell, answer, reference in judged(name, "one"):
        assert checks.judge(cell.source, answer, reference) == "" or "form = " in (
            checks.split_check(cell.source).compare
        )
        for bad in misshapen(answer):
            tried += 1
            if not checks.judge(cell.source, bad, reference):
                passed.append((cell.metadata.nbgrader.grade_id, bad))
    assert tried > 100
    assert not passed


@pytest.mark.parametrize("name", with_keras())
def test_no_check_is_passed_by_a_constant(name, made_once):
    passed = []
    others = [judged(name, seed) for seed in ("two", "three", "four")]
    for place, (cell, answer, reference) in enumerate(judged(name, "one")):
        of_other_classes = [other[place][1] for other in others]
        for constant in (*uniform(answer), *of_other_classes):
            if not checks.judge(cell.source, constant, reference):
                passed.append((cell.metadata.nbgrader.grade_id, constant))
    assert not passed


@pytest.mark.parametrize("name", NAMES)
def test_another_class_seed_makes_other_hidden_checks(name):
    path = SOURCES / f"{name}.md"
    one, other = (read_source(path, seed) for seed in ("one", "other"))
    pairs = zip(one.cells, other.cells, strict=True)
    differ = [a.source != b.source for a, b in pairs]
    assert any(differ)
    for cell, differs in zip(one.cells, differ, strict=True):
        if differs:
            assert checks.is_hidden(cell)


def test_a_second_class_has_its_own_numbers_and_hands_out_the_same(
    tmp_path, monkeypatch
):
    name, seeds, sources, handed_out = "02_transposed_convolution", [], [], []
    for folder in ("class", "class_b"):
        monkeypatch.setenv("GRADING_CLASS", str(tmp_path / folder))
        own = own_course()
        seeds.append(read_seed(own))
        api = open_nbgrader(own)
        handed_out.append(assignments.make_assignment(own, api, name, seeds[-1]))
        sources.append(own.notebook("source", name).read_text())
    assert handed_out[0] == handed_out[1]
    assert seeds[0] != seeds[1]
    assert sources[0] != sources[1]
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"class", "class_seed", "class_b", "class_b_seed"}
    assert (tmp_path / "class_b" / "gradebook.db").exists()


@pytest.mark.slow
def test_student_versions_equal_freshly_generated_ones(tmp_path):
    assignments.main(Course(tmp_path / "class"), tmp_path / "fresh")
    fresh = sorted((tmp_path / "fresh").glob("*.ipynb"))
    stored = sorted(STUDENT_VERSIONS.glob("*.ipynb"))
    assert [path.name for path in fresh] == [path.name for path in stored]
    for new, old in zip(fresh, stored, strict=True):
        assert new.read_text() == old.read_text(), f"run: make assignments ({old.name})"
