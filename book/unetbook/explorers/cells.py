"""An explorer as the output of a cell: it needs no kernel, no network, no ipywidgets.

The scripts and styles are in the folder `page`.
"""

import html
import json
import re
from importlib.resources import files

from IPython.display import HTML

PAGE = files("unetbook") / "explorers" / "page"


def read_script(name):
    """Return an explorer's script with what it imports from `shared.mjs` written in."""
    script = (PAGE / f"{name}.mjs").read_text(encoding="utf-8")
    shared = (PAGE / "shared.mjs").read_text(encoding="utf-8")
    before, after = re.split(r'import \{[^}]*\} from "\./shared\.mjs";\n', script)
    return f"{before}{shared}{after}"


def read_style(name):
    """Return what all explorers share of their style, and an explorer's own."""
    files = (PAGE / f"{stem}.css" for stem in ("shared", name))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def explorer(name, settings):
    """Return one of the package's explorers as the output of a cell.

    Style and script stand in the output itself: outputs in Colab see no other file,
    and a browser loads no module for a page that was opened from the disk.

    Args:
        name: Stem of the files in the folder `page`.
        settings: What the explorer starts with, as JSON can hold it.

    Returns:
        An `IPython.display.HTML`.
    """
    return HTML(
        f'<div data-explorer="{name.replace("_", "-")}"'
        f' data-settings="{html.escape(json.dumps(settings))}">\n'
        "<p>Here the page shows an explorer. It needs a browser with scripts: open the"
        " rendered page, or run this cell.</p>\n</div>\n"
        f"<style>\n{read_style(name)}</style>\n"
        f'<script type="module">\n{read_script(name)}</script>'
    )
