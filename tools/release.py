"""Tag the committed version unless it has its tag: `python tools/release.py NOTES`.

The workflow `release` runs it after a push to main. The file NOTES gets the version's
section of the changelog; the tag is printed. Needs nothing but Python and git.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_git(*words, allowed=(0,), env=None):
    """Run git in the repository and return how it ended; stop with its own words."""
    command = ["git", *words]
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if ended.returncode not in allowed:
        raise SystemExit(f"git {' '.join(words)} failed: {ended.stderr.strip()}")
    return ended


def read_committed(name):
    """Return the text of a file as it was committed, which is what a tag holds."""
    return run_git("show", f"HEAD:{name}").stdout


def read_version():
    """Return the version, which package and citation have to agree on."""
    package = read_committed("book/unetbook/__init__.py")
    version = re.search(r'(?m)^__version__ = "(.+)"$', package)[1]
    if f"\nversion: {version}\n" not in read_committed("CITATION.cff"):
        raise SystemExit(
            f"book/unetbook/__init__.py has version {version}, and CITATION.cff has "
            "another. Write the same number into both."
        )
    return version


def read_notes(version):
    """Return the changelog's section about this version."""
    parts = re.split(r"(?m)^## (.+)\n", read_committed("CHANGELOG.md"))
    notes = dict(zip(parts[1::2], parts[2::2], strict=True)).get(version, "").strip()
    if not notes:
        raise SystemExit(
            f"CHANGELOG.md says nothing under `## {version}`. Write there what users "
            "will notice, then push again."
        )
    return notes


def main(notes_path):
    """Check the version, write its notes, and tag the commit if there is no tag yet."""
    version = read_version()
    tag = f"v{version}"
    Path(notes_path).write_text(read_notes(version) + "\n")
    where = f"refs/tags/{tag}"
    # ls-remote ends with 2 if it has looked and found nothing.
    asked = run_git("ls-remote", "--exit-code", "origin", where, allowed=(0, 2))
    if asked.returncode == 0:
        print(f"{tag} is there already; it stays.", file=sys.stderr)
    else:
        run_git("push", "origin", f"HEAD:{where}")
        print(f"{tag} is made.", file=sys.stderr)
    print(tag)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Say where the notes go: python tools/release.py NOTES")
    main(sys.argv[1])
