"""Assignments: student versions, wrong answers, leaks, names of files; no kernel."""

import functools
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from teach import by_hand, checks, collect, course
from teach.sandbox import command

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in course.SOURCES.glob("[0-9]*.md"))
SITE = ROOT / "_build" / "stored" / "_build" / "html"
CHAPTERS = sorted((ROOT / "book").glob("0*.ipynb"))
KERAS = ("01", "03", "04")

each_assignment = pytest.mark.parametrize("name", NAMES)
needs_jupytext = pytest.mark.skipif(
    find_spec("jupytext") is None, reason="needs teach/requirements.txt"
)
needs_nbgrader = pytest.mark.skipif(
    find_spec("nbgrader") is None, reason="needs teach/requirements.txt"
)


def student_version(name):
    """Return the student version in the repository."""
    return nbformat.read(course.STUDENT_VERSIONS / f"{name}.ipynb", as_version=4)


def cells_of_source(name):
    """Return the code cells of an instructor source as text."""
    text = (course.SOURCES / f"{name}.md").read_text()
    return re.findall(r"(?ms)^```\{code-cell\}[^\n]*\n(.*?)^```$", text)


def between(text, begin, end):
    """Return the lines between two marks, wherever they stand."""
    parts = re.findall(rf"(?ms)^[^\n]*{begin}[^\n]*\n(.*?)^[^\n]*{end}", text)
    return [line.strip() for part in parts for line in part.splitlines()]


REGIONS = (
    ("BEGIN SOLUTION", "END SOLUTION"),
    ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
)


@functools.cache
def secret_lines():
    """Return every line of a solution or hidden check that says something.

    Lines that stand in the open part of a source, in a chapter or in the package as
    well are no secrets.
    """
    found, public = set(), ""
    for name in NAMES:
        text = (course.SOURCES / f"{name}.md").read_text()
        for begin, end in REGIONS:
            found |= set(between(text, begin, end))
            text = re.sub(rf"(?s){begin}.*?{end}", "", text)
        public += text
    for path in CHAPTERS:
        cells = nbformat.read(path, as_version=4).cells
        public += "\n".join(cell.source for cell in cells) + "\n"
    public += "\n".join(p.read_text() for p in (ROOT / "book/unetbook").glob("*.py"))
    return {line for line in found if len(line) >= 20 and line not in public}


def leaks(lines, text):
    """Return the lines that stand in a text: plain, in JSON, in HTML, or searched."""
    import html

    plain = html.unescape(re.sub(r"<[^>]+>", "", text))
    texts = (text, plain, text.replace('\\"', '"').replace("\\\\", "\\"))
    return [line for line in lines if any(line in form for form in texts)]


def test_there_is_something_to_keep_secret():
    assert len(secret_lines()) >= 40 * len(NAMES)


@each_assignment
def test_student_versions_hold_no_secret(name):
    text = (course.STUDENT_VERSIONS / f"{name}.ipynb").read_text()
    assert not leaks(secret_lines(), text)
    assert "BEGIN" not in text
    assert not re.search(r"CHECK_SEED|### ", text)


def test_a_rendered_solution_would_be_found():
    source = (course.SOURCES / f"{NAMES[0]}.md").read_text()
    page = "<pre>" + source.replace("<", "&lt;").replace("=", "<b>=</b>") + "</pre>"
    assert len(leaks(secret_lines(), page)) >= 40


@pytest.mark.skipif(not SITE.exists(), reason="the site is not rendered")
def test_the_site_holds_no_secret():
    files = [path for path in SITE.rglob("*") if path.is_file()]
    texts = [path for path in files if path.suffix in (".html", ".ipynb", ".md", ".js")]
    texts += [path for path in files if path.suffix in (".txt", ".inv", ".json", ".py")]
    assert any(path.name == "searchindex.js" for path in texts)
    assert any("_sources" in path.parts for path in texts)
    lines = secret_lines()
    found = {p: leaks(lines, p.read_text(errors="ignore")) for p in texts}
    assert not {str(path): lines for path, lines in found.items() if lines}
    assert not [path for path in files if "teach" in path.relative_to(SITE).parts]


@pytest.mark.slow
def test_wheel_and_source_distribution_hold_no_secret(tmp_path):
    for kind in ("wheel", "sdist"):
        code = (
            "import os, sys; sys.argv = ['x']; from setuptools import build_meta;"
            f"build_meta.build_{kind}({str(tmp_path)!r})"
        )
        subprocess.run(
            [sys.executable, "-c", code], cwd=copy_of_tracked(tmp_path), check=True
        )
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    texts = {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        for member in filter(tarfile.TarInfo.isfile, sdist.getmembers()):
            texts[member.name] = sdist.extractfile(member).read()
    assert len(texts) > 40
    lines = secret_lines()
    for name, content in texts.items():
        assert not re.search(r"(^|/)(teach|assignments)/", name), name
        assert not leaks(lines, content.decode(errors="ignore")), name


def copy_of_tracked(tmp_path):
    """Copy what git tracks, as a clone would hold it, and return the folder."""
    folder = tmp_path / "clone"
    if not folder.exists():
        words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((ROOT / name).read_bytes())
    return folder


@each_assignment
def test_every_answer_cell_begins_with_its_task(name):
    answers = [
        cell
        for cell in student_version(name).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    ]
    assert len(answers) >= 4
    for cell in answers:
        task = cell.metadata.nbgrader.grade_id
        first = {"code": f"# task: {task}", "markdown": f"<!-- task: {task} -->"}
        assert cell.source.splitlines()[0] == first[cell.cell_type]


@each_assignment
def test_an_assignment_has_twenty_points(name):
    marks = [cell.metadata.get("nbgrader", {}) for cell in student_version(name).cells]
    assert sum(mark.get("points", 0) for mark in marks) == 20
    text = "".join(cell.source for cell in student_version(name).cells)
    assert re.search(r"20 points, \d+ to \d+ minutes", text)


@each_assignment
def test_points_in_the_headings_are_those_of_the_checks(name):
    promised, given = [], []
    for cell in student_version(name).cells:
        heading = re.match(r"## .*\((\d+) points?\)", cell.source)
        if heading:
            promised.append(int(heading[1]))
            given.append(0)
        points = cell.metadata.get("nbgrader", {}).get("points", 0)
        if points:
            given[-1] += points
        said = re.match(r"# repeated by your teacher .*\((\d+) points?\)$", cell.source)
        if points and cell.cell_type == "code":
            assert said, cell.source
            assert int(said[1]) == points, cell.source
    assert promised == given


@each_assignment
def test_visible_checks_are_asserts_with_messages(name):
    visible = [
        cell.source
        for cell in student_version(name).cells
        if cell.source.startswith("# check of the task:")
    ]
    assert len(visible) >= 3
    for source in visible:
        asserts = re.findall(r"(?ms)^assert .*?(?=^\S|\Z)", source)
        assert asserts
        assert all(re.search(r",\s*\(?\s*f?\"", text) for text in asserts), source


@each_assignment
@needs_jupytext
def test_wrong_answers_cover_every_task_three_times(name):
    from teach.wrong import read_wrong_answers

    tasks = [wrong["task"] for wrong in read_wrong_answers(name)]
    cells = filter(checks.is_answer, student_version(name).cells)
    answers = [cell.metadata.nbgrader.grade_id for cell in cells]
    assert set(answers) == set(tasks)
    assert [task for task in answers if tasks.count(task) < 3] == []


def wrong_cases():
    """Return `(name, number of the wrong answer)` for every assignment."""
    from teach.wrong import read_wrong_answers

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
    from teach.assignments import read_source

    notebook = read_source(course.SOURCES / f"{name}.md", seed)
    return notebook, checks.load_reference(notebook)


@needs_jupytext
@pytest.mark.grading
@pytest.mark.parametrize(("name", "number"), wrong_cases())
def test_a_wrong_answer_loses_the_intended_checks_and_no_others(name, number):
    from teach.wrong import failed_checks, read_wrong_answers

    wrong = read_wrong_answers(name)[number]
    assert wrong["caught"]
    hidden, visible = failed_checks(*read_solved(name, "a seed of the tests"), wrong)
    assert hidden == wrong["caught"]
    assert visible == [f"{wrong['task']}-check"], "the student was not told"


@needs_jupytext
@pytest.mark.grading
@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(n, s, marks=[pytest.mark.slow] if n[:2] in KERAS else [])
        for n in NAMES
        for s in ("one", "another")
    ],
)
def test_the_solution_passes_every_check_with_any_seed(name, seed):
    from teach.wrong import failed_checks

    assert failed_checks(*read_solved(name, seed)) == ([], [])


@needs_jupytext
@pytest.mark.grading
@pytest.mark.parametrize("name", NAMES)
def test_another_class_seed_makes_other_hidden_checks(name):
    from teach.assignments import read_source

    path = course.SOURCES / f"{name}.md"
    one, other = (read_source(path, seed) for seed in ("one", "other"))
    pairs = zip(one.cells, other.cells, strict=True)
    differ = [a.source != b.source for a, b in pairs]
    assert any(differ)
    for cell, differs in zip(one.cells, differ, strict=True):
        if differs:
            assert checks.is_hidden(cell)


@needs_nbgrader
@pytest.mark.grading
def test_trainings_have_more_time_than_answers_and_checks():
    from teach.assignments import read_source
    from teach.hooks import quick_cells

    quick = quick_cells(read_source(course.SOURCES / "04_unet.md", "any"))
    assert {"unet", "unet-check", "unet-output", "train", "train-check"} <= quick
    assert not quick & {"imports", "train-run", None}


@needs_nbgrader
@pytest.mark.grading
@pytest.mark.slow
def test_student_versions_equal_freshly_generated_ones(tmp_path, monkeypatch):
    from teach import assignments

    monkeypatch.setattr(course, "CLASS_FOLDER", tmp_path / "class")
    monkeypatch.setattr(course, "SEED_FILE", tmp_path / "seed")
    assignments.main(tmp_path / "fresh")
    fresh = sorted((tmp_path / "fresh").glob("*.ipynb"))
    stored = sorted(course.STUDENT_VERSIONS.glob("*.ipynb"))
    assert [path.name for path in fresh] == [path.name for path in stored]
    for new, old in zip(fresh, stored, strict=True):
        assert new.read_text() == old.read_text(), f"run: make assignments ({old.name})"


def test_teaching_packages_stay_out_of_what_readers_install():
    for file in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        text = (ROOT / file).read_text()
        assert "nbgrader" not in text.replace('"grading: needs nbgrader', "")
        assert "jupytext==" not in text


@needs_jupytext
def test_the_guide_lists_every_wrong_answer_with_its_checks():
    from teach.wrong import read_wrong_answers

    guide = (ROOT / "book" / "teaching.md").read_text()
    listed = re.findall(r"(?m)^\| (\d) \| `(\w+)` \| (.+?) \| (.+?) \|$", guide)
    expected = [
        (
            str(int(name[:2])),
            wrong["task"],
            wrong["mistake"],
            ", ".join(f"`{check}`" for check in wrong["caught"]),
        )
        for name in NAMES
        for wrong in read_wrong_answers(name)
    ]
    assert listed == expected


def test_the_guide_names_every_assignment_and_only_real_commands():
    guide = (ROOT / "book" / "teaching.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"(assignments/{name}.ipynb)" in guide for name in NAMES)
    targets = set(re.findall(r"make ([a-z]+)(?= ASSIGNMENT|`|\n)", guide))
    assert {"assignments", "grade", "feedback", "formgrader", "slides"} <= targets
    assert all(f"\n{target}:" in makefile for target in targets), targets
    modules = re.findall(r"python -m teach\.(\w+)", guide)
    assert all((course.TEACH / f"{module}.py").exists() for module in modules)


def test_every_slide_has_its_figure():
    from teach.slides import SLIDES, make_deck

    deck = make_deck()
    nbformat.validate(deck)
    assert len(deck.cells) == len(SLIDES) + 1
    for cell in deck.cells[1:]:
        alt = re.search(r"!\[(.+?)\]\(attachment:figure\)", cell.source)
        assert len(alt[1].split()) >= 6
        (picture,) = cell.attachments["figure"].values()
        assert len(picture) > 5000


def test_a_slide_without_a_figure_is_said_with_its_remedy():
    from teach.slides import find_figure

    with pytest.raises(ValueError, match="'no such words'.*teach/slides.py"):
        find_figure("01", "no such words")


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3])
def test_convolution_by_hand_is_that_of_keras(size):
    import keras
    import numpy as np

    draw = np.random.default_rng(0)
    x = draw.normal(size=(5, 4, 2)).astype("float32")
    kernel, bias = draw.normal(size=(size, size, 2, 3)), draw.normal(size=3)
    theirs = keras.ops.conv(x[None], kernel.astype("float32"), padding="same")
    ours = by_hand.convolve(x, kernel, bias)
    assert np.allclose(theirs[0] + bias, ours, atol=1e-5)


@pytest.mark.slow
def test_parameters_counted_by_hand_are_those_of_the_books_network():
    from unetbook.inspection import unet_parameters

    filters = (3, 5, 8, 13)
    kept = (True,) * 3
    assert by_hand.count_unet(filters, kept) == unet_parameters(filters)


def test_pooling_enlarging_and_cutting_by_hand():
    import numpy as np

    x = np.arange(16).reshape(4, 4, 1)
    assert by_hand.pool(x)[..., 0].tolist() == [[5, 7], [13, 15]]
    assert by_hand.cut_middle(x, 2, 2)[..., 0].tolist() == [[5, 6], [9, 10]]
    enlarged = by_hand.enlarge(x[:1, :2])[..., 0]
    assert enlarged.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


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


HIDDEN = """\
# repeated by your teacher
### BEGIN HIDDEN TESTS
number = 3
### ASK
answer = double(number)
### COMPARE
assert same(answer, 2 * number), "twice 3 is 6"
### END HIDDEN TESTS"""


def test_a_check_is_judged_outside_by_what_was_handed_over():
    assert checks.judge(HIDDEN, 6) == ""
    assert checks.judge(HIDDEN, 7) == "twice 3 is 6"
    assert checks.judge(HIDDEN, None) == "twice 3 is 6"


def test_the_question_holds_no_expected_value():
    question = checks.question(HIDDEN)
    assert "answer = double(number)" in question
    assert "number = 3" in question
    assert "same(" not in question
    assert "twice" not in question


def test_a_check_without_its_parts_is_refused():
    with pytest.raises(ValueError, match="### COMPARE"):
        checks.split_check(HIDDEN.replace("### COMPARE\n", ""))


@pytest.mark.parametrize(
    ("given", "expected", "verdict"),
    [
        (1, 1, True),
        (1.0000001, 1, True),
        (1.1, 1, False),
        (True, 1, False),
        (1, True, False),
        ("1", 1, False),
        ([1, 2], (1, 2), True),
        ([1, 2, 3], [1, 2], False),
        (None, None, True),
        (None, 0, False),
        ({"raised": "ValueError"}, {"raised": "ValueError"}, True),
        (float("nan"), 1.0, False),
    ],
)
def test_same_is_strict_about_types_and_kind_about_rounding(given, expected, verdict):
    assert checks.same(given, expected) is verdict


def test_answers_survive_the_way_out_of_the_sandbox():
    import numpy as np

    names = {}
    exec(checks.INSIDE, names)
    value = [np.arange(6.0).reshape(2, 3), {"a": np.int64(3)}, (True, None, "x"), 2.5]
    text = json.dumps(names["to_plain"](value))
    array, entries, mixed, number = checks.read_answer(text)
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (entries, mixed, number) == ({"a": 3}, [True, None, "x"], 2.5)


@pytest.mark.parametrize(
    "text",
    [None, "", "[" * 10**5, '{"array": [1], "shape": [9], "dtype": "i8"}', "x" * 10**8],
)
def test_hostile_answers_are_one_failed_check(text):
    with pytest.raises(ValueError, match="answer"):
        checks.read_answer(text)


def test_the_sandbox_sees_no_repository_and_no_network(tmp_path):
    limits = {"wall_seconds": 9, "memory_gb": 1, "processes": 20}
    words = command(str(tmp_path / "connection.json"), limits)
    assert "--unshare-net" in words
    bound = [words[i + 1] for i, w in enumerate(words) if w in ("--bind", "--ro-bind")]
    assert str(ROOT / "book" / "unetbook") in bound
    above = {str(ROOT), *map(str, ROOT.parents), str(ROOT / "teach"), str(Path.home())}
    assert not above & set(bound)
    writable = [words[i + 1] for i, word in enumerate(words) if word == "--bind"]
    assert writable == [str(tmp_path)]
    assert words[:4] == ["timeout", "--kill-after=2", "--signal=KILL", "9"]
