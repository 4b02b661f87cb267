"""A chapter's buttons open the notebook that was published, on three hosts."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from tools import address, release, share
from tools.launch_buttons import add_buttons, list_links

URL = "https://github.com/class/pets"


def test_each_host_is_given_the_notebook_on_the_branch():
    path = "class/pets/blob/notebooks/book/01_dataset.ipynb"
    assert list_links(URL, "notebooks", "book/01_dataset") == [
        ("Colab", f"https://colab.research.google.com/github/{path}"),
        ("Kaggle", f"https://kaggle.com/kernels/welcome?src=https://github.com/{path}"),
        ("Studio Lab", f"https://studiolab.sagemaker.aws/import/github/{path}"),
    ]


def test_a_repository_elsewhere_has_no_buttons_that_could_not_work():
    assert list_links("https://gitlab.com/class/pets", "main", "book/try") == []


@pytest.mark.parametrize(("suffix", "groups"), [(".ipynb", 1), (".md", 0)])
def test_only_notebooks_have_the_buttons(suffix, groups):
    config = SimpleNamespace(
        html_theme_options={"repository_url": URL}, launch_branch="main"
    )
    context = {"page_source_suffix": suffix, "header_buttons": []}
    app = SimpleNamespace(config=config)
    add_buttons(app, "book/01_dataset", "page.html", context, None)
    assert len(context["header_buttons"]) == groups


def git(folder, *words):
    """Run git in a folder and return what it printed."""
    command = ["git", "-C", folder, *words]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return ended.stdout.strip()


@pytest.fixture
def fork(tmp_path, monkeypatch):
    """A clone of a bare repository with one chapter that bears another address."""
    git(tmp_path, "init", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "clone", "origin.git", "fork")
    folder = tmp_path / "fork"
    (folder / "book" / "assignments").mkdir(parents=True)
    cell = nbformat.v4.new_code_cell(address.setup_cell("https://github.com/a/b"))
    for name in ("01_dataset", "assignments/01_data_pipeline"):
        notebook = nbformat.v4.new_notebook(cells=[cell])
        nbformat.write(notebook, folder / "book" / f"{name}.ipynb")
    config = "  url: https://github.com/a/b\n  branch: main\n    launch_branch: main\n"
    (folder / "_config.yml").write_text(config)
    monkeypatch.setattr(release, "ROOT", folder)
    monkeypatch.setattr(address, "ROOT", folder)
    monkeypatch.setattr(address, "CONFIG", folder / "_config.yml")
    return folder


def test_site_buttons_and_set_up_cells_of_a_fork_agree(fork):
    address.main(URL, "notebooks")
    share.main("notebooks")
    share.main("notebooks")  # a second push replaces the first
    files = git(fork, "ls-tree", "-r", "--name-only", "origin/notebooks").splitlines()
    assert files == ["book/01_dataset.ipynb", "book/assignments/01_data_pipeline.ipynb"]
    config = (fork / "_config.yml").read_text()
    assert "  url: https://github.com/class/pets\n  branch: main\n" in config
    assert "launch_branch: notebooks\n" in config
    for file in files:
        shared = git(fork, "show", f"origin/notebooks:{file}")
        assert f'REPOSITORY = \\"{URL}\\"' in shared
        (_, link), *_ = list_links(URL, "notebooks", file.removesuffix(".ipynb"))
        assert link.endswith(f"class/pets/blob/notebooks/{file}")
    assert git(fork, "rev-list", "--count", "origin/notebooks") == "1"


def test_the_books_own_configuration_has_the_line_that_is_stamped(
    monkeypatch, tmp_path
):
    config = tmp_path / "_config.yml"
    config.write_text((Path(__file__).parents[1] / "_config.yml").read_text())
    monkeypatch.setattr(address, "CONFIG", config)
    address.write_branch("notebooks")
    assert "\n    launch_branch: notebooks #" in config.read_text()
