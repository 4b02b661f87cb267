"""Set-up finds a Python or offers one, and says what is missing before it installs."""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from collections import namedtuple
from pathlib import Path, PurePath
from types import SimpleNamespace

import pytest
from packaging.specifiers import SpecifierSet

from tools import set_up

ROOT = Path(__file__).parents[1]
Usage = namedtuple("Usage", "total used free")
LEFT_OUT = {"site-packages", "dist-packages", "test", "__pycache__", "idlelib"}


@pytest.fixture
def only_a_newer_python(monkeypatch):
    """A machine whose only Python is too new; the commands that set-up runs."""
    commands = []
    system = SimpleNamespace(
        version_info=(3, 99, 0), executable=sys.executable, exit=sys.exit
    )
    monkeypatch.setattr(set_up, "sys", system)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(set_up, "run", lambda ran, remedy: commands.extend(ran))
    monkeypatch.delenv("UNETBOOK_PYTHON", raising=False)
    return commands


def test_a_python_that_is_too_new_is_offered_the_one_of_uv(
    only_a_newer_python, tmp_path
):
    offer = f"needs Python {set_up.NAMED}, and this is Python 3.99.* book PYTHON=uv"
    with pytest.raises(SystemExit, match=offer):
        set_up.create(str(tmp_path / "environment"))
    assert not only_a_newer_python


def test_uv_is_fetched_and_brings_its_python(
    only_a_newer_python, tmp_path, monkeypatch
):
    monkeypatch.setenv("UNETBOOK_PYTHON", "uv")
    environment = str(tmp_path / "environment")
    set_up.create(environment)
    make_helper, fetch, bring, add_pip = only_a_newer_python
    assert make_helper[:3] == [sys.executable, "-m", "venv"]
    helper = f"{make_helper[3]}/bin/python"
    assert fetch == [helper, "-m", "pip", "install", "--quiet", "uv"]
    newest = set_up.NAMES[-1]
    assert bring == [helper, "-m", "uv", "venv", "--python", newest, environment]
    assert add_pip == [f"{environment}/bin/python", "-m", "ensurepip"]
    assert not Path(make_helper[3]).exists()


def test_a_uv_that_is_there_is_used(only_a_newer_python, tmp_path, monkeypatch):
    monkeypatch.setenv("UNETBOOK_PYTHON", "uv")
    monkeypatch.setattr(shutil, "which", {"uv": "/bin/uv"}.get)
    environment = str(tmp_path / "environment")
    set_up.create(environment)
    bring, add_pip = only_a_newer_python
    assert bring == ["uv", "venv", "--python", set_up.NAMES[-1], environment]
    assert add_pip == [f"{environment}/bin/python", "-m", "ensurepip"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [("PYTHON=uv", "uv"), ("PYTHON=python3", "none"), ("UNETBOOK_PYTHON=uv", "uv")],
)
def test_one_word_for_make_is_enough(tmp_path, given, expected):
    fake = tmp_path / "python3"
    fake.write_text('#!/bin/sh\necho "$1 ${UNETBOOK_PYTHON:-none}"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    if given.startswith("UNETBOOK"):
        environment["UNETBOOK_PYTHON"], given = "uv", "PYTHON=python3"
    command = ["make", "-C", ROOT, "--no-print-directory", "setup", given]
    shown = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout
    assert shown == f"tools/set_up.py {expected}\n"


def offer_this_python(folder):
    """Pack this Python as uv's downloads are packed; return uv's list of downloads."""
    major, minor, patch = sys.version_info[:3]

    def leave_out(entry):
        parts = PurePath(entry.name).parts
        unneeded = LEFT_OUT & set(parts) or any("config-" in part for part in parts)
        return None if unneeded else entry

    archive = folder / "python.tar.gz"
    name = f"python{major}.{minor}"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(os.path.realpath(sys.executable), f"python/bin/{name}")
        tar.add(sysconfig.get_path("stdlib"), f"python/lib/{name}", filter=leave_out)
        for library in Path(sys.base_prefix, "lib").glob("libpython*.so*"):
            tar.add(library, f"python/lib/{library.name}")
    machine = platform.machine()
    download = {"name": "cpython", "arch": {"family": machine, "variant": None}}
    download |= {"os": "linux", "libc": "gnu", "prerelease": "", "variant": None}
    download |= {"major": major, "minor": minor, "patch": patch, "build": "1"}
    download |= {"url": archive.as_uri(), "sha256": None}
    downloads = folder / "downloads.json"
    key = f"cpython-{major}.{minor}.{patch}-linux-{machine}-gnu"
    downloads.write_text(json.dumps({key: download}))
    return downloads


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the archive is one for Linux")
def test_a_python_that_uv_downloads_becomes_the_environment(tmp_path, monkeypatch):
    beside = str(Path(sys.executable).parent)
    if not shutil.which("uv", path=beside):
        pytest.skip("uv is not installed beside this Python")
    monkeypatch.setenv("PATH", beside, prepend=os.pathsep)
    monkeypatch.setenv("UNETBOOK_PYTHON", "uv")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(offer_this_python(tmp_path)))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "pythons"))
    monkeypatch.setenv("UV_PYTHON_PREFERENCE", "only-managed")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(set_up, "find_python", lambda: None)
    monkeypatch.setattr(set_up, "NAMES", [".".join(map(str, sys.version_info[:2]))])
    environment = tmp_path / "environment"
    set_up.create(str(environment))
    code = "import pip, sys; print(sys.base_prefix)"
    python = environment / "bin" / "python"
    printed = subprocess.check_output([python, "-c", code], text=True)
    assert printed.startswith(str(tmp_path / "pythons"))


def test_another_supported_python_on_the_machine_is_used(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(shutil, "which", lambda name: sys.executable)
    assert set_up.find_python() == sys.executable


def test_the_versions_that_set_up_takes_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = SpecifierSet(project["requires-python"])
    there = [(3, minor) for minor in range(30) if f"3.{minor}" in allowed]
    assert there == set_up.SUPPORTED


def test_a_machine_without_tensorflow_is_told_before_anything_is_made(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(set_up, "find_obstacle", lambda: "No TensorFlow here.")
    with pytest.raises(SystemExit, match=r"Set-up stopped: No TensorFlow here\."):
        set_up.main(str(tmp_path / "environment"))
    assert not (tmp_path / "environment").exists()


def test_a_full_disk_is_said_before_anything_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9e9, 8e9, 1e9))
    monkeypatch.setattr(set_up, "install", pytest.fail)
    with pytest.raises(SystemExit, match=r"1\.0 GB are free"):
        set_up.main(str(tmp_path / "environment"))
    assert not (tmp_path / "environment").exists()


def test_a_missing_venv_module_is_said_with_its_package(tmp_path):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        set_up.check_venv(str(fake))


def test_a_command_that_fails_is_named_with_what_to_do():
    with pytest.raises(SystemExit, match="this command failed.*: false. Try again."):
        set_up.run([["true"], ["false"], ["exit"]], "Try again.")


@pytest.mark.parametrize("name", ["tools/set_up.py", "book/unetbook/machine.py"])
def test_what_set_up_reads_is_written_for_any_python_3(name):
    source = (ROOT / name).read_text()
    assert "f'" not in source
    assert 'f"' not in source


def test_set_up_again_installs_nothing(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    calls = []
    monkeypatch.setattr(set_up, "install", calls.append)
    set_up.main(str(tmp_path))
    set_up.main(str(tmp_path))
    assert len(calls) == 1
