"""Where TensorFlow cannot run, a sentence says so and names what works instead."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from unetbook import config, machine
from unetbook.machine import find_obstacle, has_avx, read_flags


def pretend(monkeypatch, system, processor):
    """Let `platform` report another machine, whose processor has AVX."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    monkeypatch.setattr(machine, "has_avx", lambda *names: True)


@pytest.mark.parametrize(
    ("system", "processor"),
    [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")]
    + [("Windows", "AMD64")],
)
def test_where_tensorflow_is_published_nothing_is_said(monkeypatch, system, processor):
    pretend(monkeypatch, system, processor)
    assert find_obstacle() is None


@pytest.mark.parametrize(
    ("system", "processor", "names", "remedy"),
    [
        ("Darwin", "x86_64", "Intel Macs", "python:3.13 in Docker.* Colab or Kaggle"),
        ("Windows", "ARM64", "Windows on ARM", "WSL2.* Colab or Kaggle"),
        ("Linux", "riscv64", "Linux on riscv64", "Colab or Kaggle"),
    ],
)
def test_other_machines_are_named_with_what_works(
    monkeypatch, system, processor, names, remedy
):
    pretend(monkeypatch, system, processor)
    monkeypatch.setattr(config, "check_versions", pytest.fail)  # it comes later
    with pytest.raises(ImportError, match=f"{names}.*{remedy}"):
        config.start()


def test_a_python_of_32_bits_is_named(monkeypatch):
    pretend(monkeypatch, "Windows", "AMD64")
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert "32 bits" in find_obstacle()


def test_a_processor_without_avx_is_said_instead_of_a_kernel_that_dies(
    monkeypatch, tmp_path
):
    flags = tmp_path / "cpuinfo"
    flags.write_text("processor : 0\nflags\t\t: fpu sse4_2 ssse3\n")
    pretend(monkeypatch, "Linux", "x86_64")
    monkeypatch.setattr(
        machine, "has_avx", lambda *names: "avx" in read_flags(flags, ["avx"])
    )
    assert find_obstacle().startswith("This processor has no AVX instructions")
    flags.write_text("processor : 0\nflags\t\t: fpu avx avx2\n")
    assert find_obstacle() is None


def test_a_processor_that_tells_nothing_is_not_refused(tmp_path):
    assert read_flags(tmp_path / "missing", ["avx"]) == ["avx"]
    assert has_avx("Linux", "aarch64")


def test_the_metal_plugin_is_said_before_it_fails(monkeypatch):
    monkeypatch.setattr(config, "version", lambda package: "1.2.0")
    with pytest.raises(
        ImportError, match="1.2.0 is inst.*pip uninstall tensorflow-metal"
    ):
        config.check_machine()


def test_a_machine_without_the_plugin_passes(monkeypatch):
    def miss(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(config, "version", miss)
    config.check_machine()


def test_the_command_line_ends_with_the_sentence(tmp_path):
    code = (
        "import platform, sys; platform.system = lambda: 'Darwin'\n"
        "platform.machine = lambda: 'x86_64'\n"
        "from unetbook.__main__ import main; sys.exit(main(['check', '.']))"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("unetbook check: TensorFlow is no longer published")
