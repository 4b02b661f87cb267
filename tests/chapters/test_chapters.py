"""A chapter shows the code it teaches; every other chapter imports it."""

import ast
import copy
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

import unetbook
from tests.paths import BOOK
from tools.address import read_address, setup_cell

CHAPTERS = sorted(BOOK.glob("[0-9]*.ipynb"))
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)

# nbval-skip hides a cell from the tests, so each one needs its reason here.
SKIPPED_CELLS = {}

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def read(path):
    """Return the notebook at `path`."""
    return nbformat.read(path, as_version=4)


def code_cells(path):
    """Return the code cells of the notebook at `path`."""
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell):
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", ()))


def python(cell):
    """Return the source of a cell with its magics turned into calls."""
    return TransformerManager().transform_cell(cell.source)


def definitions(source):
    """Map each top-level function or class to its syntax tree."""
    tree = ast.parse(source)
    return {node.name: node for node in tree.body if isinstance(node, DEFINITIONS)}


def code_only(node):
    """Return the source of a definition without docstrings and comments."""
    node = copy.deepcopy(node)
    for part in ast.walk(node):
        if isinstance(part, DEFINITIONS) and ast.get_docstring(part):
            part.body = part.body[1:] or [ast.Pass()]
    return ast.unparse(node)


def package_definitions():
    """Return `(name, syntax tree)` of every function and class of the package."""
    modules = sorted((BOOK / "unetbook").rglob("*.py"))
    return [pair for file in modules for pair in definitions(file.read_text()).items()]


PACKAGE = dict(package_definitions())


def test_no_name_stands_twice_in_the_package():
    counts = Counter(name for name, _ in package_definitions())
    assert [name for name, count in counts.items() if count > 1] == []


def test_there_are_twelve_chapters():
    assert [path.stem[:2] for path in CHAPTERS] == [f"{n:02}" for n in range(1, 13)]


@each_chapter
def test_chapter_code_is_the_package_code(path):
    for cell in code_cells(path):
        if "raises-exception" in tags(cell):
            continue
        for name, node in definitions(python(cell)).items():
            if name not in PACKAGE:
                continue
            assert code_only(node) == code_only(PACKAGE[name]), f"{name} differs"
            note = f"Built in chapter {int(path.stem[:2])}."
            docstring = ast.get_docstring(PACKAGE[name]) or ""
            assert note in docstring, f"unetbook's {name} does not say '{note}'"


def test_every_function_that_names_its_chapter_is_built_there():
    built = {
        int(path.stem[:2]): {
            name for cell in code_cells(path) for name in definitions(python(cell))
        }
        for path in CHAPTERS
    }
    notes = {
        name: re.search(r"Built in chapter (\d+)\.", ast.get_docstring(node) or "")
        for name, node in PACKAGE.items()
    }
    wrong = [
        f"{name}: not in chapter {note[1]}"
        for name, note in notes.items()
        if note and name not in built[int(note[1])]
    ]
    assert not wrong


@each_chapter
def test_set_up_cell_is_the_same_everywhere(path):
    first = code_cells(path)[0]
    assert first.source == setup_cell(read_address())
    assert unetbook.__version__ in first.source
    assert tags(first) == {"hide-input"}


@each_chapter
def test_every_code_cell_has_been_run_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@each_chapter
def test_metadata_is_clean(path):
    notebook = read(path)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "mystnb"}, cell.source[:80]


@each_chapter
def test_headings_follow_the_house_order(path):
    text = "\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")
    text = re.sub(r"(?s)```.*?```", "", text)
    headings = re.findall(r"(?m)^(#+) (.+)$", text)
    assert [mark for mark, _ in headings].count("#") == 1
    assert headings[0][0] == "#"
    assert not re.match(r"\d", headings[0][1])
    sections = [title for mark, title in headings if mark == "##"]
    assert sections[:2] == ["What you will learn", "Set-up"]
    end = ["Summary", "Check yourself", "Exercises"]
    if "Check yourself" not in sections:
        end.remove("Check yourself")
    assert sections[-len(end) :] == end
    levels = [len(mark) for mark, _ in headings]
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


@each_chapter
def test_cells_are_short_and_have_no_shell_commands(path):
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        assert len(lines) <= 25, cell.source[:80]
        assert not any(line.lstrip().startswith("!") for line in lines)
        assert not any(line.rstrip().endswith(";") for line in lines)
        assert "filterwarnings" not in cell.source
        assert not re.search(r"""["'](/home|/Users|/tmp|/root|C:\\)""", cell.source)


@each_chapter
def test_every_stored_figure_has_alt_text(path):
    for cell in code_cells(path):
        shown = [o.get("data", {}) for o in cell.outputs]
        images = [
            data for data in shown if {"image/png", "image/svg+xml"} & data.keys()
        ]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not images or len(alt.split()) >= 6, cell.source[-120:]


@each_chapter
def test_outputs_hold_no_log_lines_and_no_local_paths(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            text = str(output.get("text", "")) + str(
                output.get("data", {}).get("text/plain", "")
            )
            assert not re.search(r"oneDNN|absl|cuda_|cudart", text), text[:200]
            assert str(Path.home()) not in text, text[:200]


@each_chapter
def test_a_third_of_the_cells_is_compared_with_stored_outputs(path):
    cells = code_cells(path)
    checked = [cell for cell in cells if "nbval-check-output" in tags(cell)]
    assert len(checked) * 3 >= len(cells), f"{len(checked)} of {len(cells)}"
    assert all(cell.outputs for cell in checked), "a checked cell shows nothing"


@each_chapter
def test_mistakes_shown_on_purpose_do_raise(path):
    for cell in code_cells(path):
        raised = any(output.output_type == "error" for output in cell.outputs)
        assert raised == ("raises-exception" in tags(cell)), cell.source[:80]


@each_chapter
def test_a_skipped_cell_has_its_reason(path):
    for number, cell in enumerate(code_cells(path)):
        if "nbval-skip" in tags(cell):
            assert (path.stem, number) in SKIPPED_CELLS


@each_chapter
def test_only_colon_fences_and_plain_markdown(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert "```{" not in cell.source
            assert not re.search(r"\{(ref|numref|cite|doc|figure)\}", cell.source)
            assert not re.search(r"<(div|img|span|table|br)\b", cell.source)


@each_chapter
def test_exercises_have_folded_solutions_that_run(path):
    cells = read(path).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    exercises = re.findall(r":::\{exercise\} \S[^\n]*\n:label: (\S+)", text)
    solutions = re.findall(r":::\{solution-start\} (\S+)\n:class: dropdown", text)
    assert len(exercises) >= 4
    assert exercises == solutions
    assert len(exercises) == text.count(":::{exercise}")
    kinds = "".join(
        "S"
        if ":::{solution-start}" in cell.source
        else "E"
        if ":::{solution-end}" in cell.source
        else cell.cell_type[0]
        for cell in cells
    )
    assert len(re.findall(r"Sm*c[mc]*E", kinds)) == len(exercises)


@each_chapter
def test_exercises_say_their_minutes_and_the_guide_adds_them_up(path):
    text = "\n".join(cell.source for cell in read(path).cells)
    head = r":::\{exercise\}[^\n]*\n:label: \S+\n\n"
    minutes = re.findall(head + r"\((\d+) minutes\)", text)
    assert len(minutes) == text.count(":::{exercise}")
    guide = (path.parent / "teaching.md").read_text()
    told = re.search(rf"\({path.name}\).* (\d+) min \|\n", guide)
    assert sum(map(int, minutes)) == int(told[1])


def solution_cells(path):
    """Return one list of code cells for each solution of a chapter."""
    solutions, inside = [], False
    for cell in read(path).cells:
        if ":::{solution-start}" in cell.source:
            solutions.append([])
            inside = True
        elif ":::{solution-end}" in cell.source:
            inside = False
        elif inside and cell.cell_type == "code":
            solutions[-1].append(cell)
    return solutions


@each_chapter
def test_solutions_were_run_and_assert_with_messages_that_teach(path):
    for cells in solution_cells(path):
        assert all(cell.execution_count for cell in cells)
        code = ast.parse("\n".join(cell.source for cell in cells))
        asserts = [node for node in ast.walk(code) if isinstance(node, ast.Assert)]
        assert asserts, cells[0].source
        assert all(node.msg for node in asserts), cells[0].source


def test_every_chapter_links_to_the_next():
    for path, following in zip(CHAPTERS, CHAPTERS[1:], strict=False):
        last = read(path).cells[-1]
        assert f"({following.name})" in last.source, path.name
