"""Push the stamped chapters to a branch: `python tools/share.py BRANCH`.

The buttons of a published book open the chapters as they lie there, with the set-up
cells that `tools/address.py` stamped, so that a fork's main needs no stamp. The branch
holds nothing but notebooks and one commit. Needs nothing but Python and git.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # a script finds `tools` no other way

from tools.release import run_git  # noqa: E402

CHAPTERS = ("book/*.ipynb", "book/assignments/*.ipynb")
IDENTITY = ("-c", "user.name=publish", "-c", "user.email=publish@localhost")


def main(branch):
    """Make one commit of the chapters as they are in the folder, and push it."""
    with tempfile.TemporaryDirectory() as folder:
        index = {**os.environ, "GIT_INDEX_FILE": str(Path(folder) / "index")}
        run_git("add", *CHAPTERS, env=index)
        tree = run_git("write-tree", env=index).stdout.strip()
    message = "The chapters as the book is published, stamped with its address"
    commit = run_git(*IDENTITY, "commit-tree", tree, "-m", message).stdout.strip()
    run_git("push", "--force", "origin", f"{commit}:refs/heads/{branch}")
    print(f"The chapters are on the branch {branch}.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Name the branch: python tools/share.py BRANCH")
    main(sys.argv[1])
