"""What the site publishes of npm packages is checked, or missing with a sentence."""

import base64
import hashlib
import io
import shutil
import tarfile

import pytest

from tools import browser, npm


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package of one file, which an npm of our own hands over."""
    with tarfile.open(tmp_path / "made.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("package/dist/a.js")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"1"))
    digest = hashlib.sha512((tmp_path / "made.tgz").read_bytes()).digest()
    script = tmp_path / "npm"
    script.write_text(f"#!/bin/sh\ncp {tmp_path}/made.tgz a-1.tgz && echo a-1.tgz\n")
    script.chmod(0o755)
    (tmp_path / "build").mkdir()
    monkeypatch.setattr(npm, "BUILD", tmp_path / "build")
    monkeypatch.setattr(shutil, "which", lambda name: str(script))
    sha512 = base64.b64encode(digest).decode()
    return npm.Package("@scope/a@1", sha512, ("dist/a.js",), tmp_path / "served")


def test_a_package_is_fetched_once_and_only_its_files_are_kept(package, tmp_path):
    assert npm.fetch(package) is None
    assert (tmp_path / "served" / "a@1" / "a.js").read_bytes() == b"1"
    assert not list((tmp_path / "build").iterdir())
    (tmp_path / "made.tgz").unlink()
    assert npm.fetch(package) is None


def test_an_npm_that_fails_is_said_and_keeps_nothing(package, tmp_path):
    (tmp_path / "made.tgz").unlink()
    assert "@scope/a@1 ended with 1. Is the network there?" in npm.fetch(package)
    assert not package.is_kept()


@pytest.fixture
def no_npm(monkeypatch, tmp_path):
    """A machine without npm, on which nothing has been fetched."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(npm, "BUILD", tmp_path)
    monkeypatch.setattr(npm, "SERVED", tmp_path / "served")
    packages = [
        p._replace(folder=tmp_path / "served") for p in (npm.RUNTIME, npm.PLAYER)
    ]
    monkeypatch.setattr(npm, "RUNTIME", packages[0])
    monkeypatch.setattr(npm, "PLAYER", packages[1])


def test_an_npm_package_with_another_hash_is_refused(tmp_path):
    archive = tmp_path / "axe-core.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="axe-core.* has the SHA-512"):
        npm.check_package(archive, browser.AXE_PACKAGE)
    assert not archive.exists()


def test_a_site_to_be_published_is_not_built_without_npm(no_npm):
    with pytest.raises(SystemExit, match="npm is missing; it fetches onnxruntime-web"):
        npm.fetch_served(strict=True)


def test_a_local_book_is_built_without_npm_and_says_so(no_npm, capsys):
    npm.fetch_served(strict=False)
    shown = capsys.readouterr().out
    assert "fetches onnxruntime-web@1.30.0. On Debian: apt install npm." in shown
    assert "fetches @jupyter-widgets/html-manager@1.0.15." in shown


def test_files_of_an_older_version_are_not_published(no_npm):
    for name in ("onnxruntime-web@1.29.0", npm.RUNTIME.folder_name):
        (npm.SERVED / name).mkdir(parents=True)
    npm.fetch_served(strict=False)
    assert [path.name for path in npm.SERVED.iterdir()] == [npm.RUNTIME.folder_name]
