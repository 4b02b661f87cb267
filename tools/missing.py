"""What a page says in place of a file that the site should serve and does not have.

A site that is published has all of them: `make site` stops without. A book built on a
machine without npm says on its pages what they lack. A Sphinx extension, named in
`_config.yml`.
"""

import re

from tools.npm import PLAYER, RUNTIME
from tools.page_fixes import rewrite_pages

NEEDS = (
    "Install npm (on Debian: <code>apt install npm</code>) and build the book again."
)
# A package, the patterns that find what needs it, and what stands there instead.
WITHOUT = (
    (
        RUNTIME,
        (
            (r'<script type="module" src="[^"]*/try\.mjs"></script>', ""),
            (
                r'(<p data-part="waiting">).*?</p>',
                r"\1<strong>Here the tool is missing.</strong> It runs on ONNX Runtime "
                f"Web, which npm fetches, and this book was built without. {NEEDS}</p>",
            ),
        ),
    ),
    (
        PLAYER,
        (
            (r'<script src="[^"]*/html-manager@[^"]*"></script>', ""),
            (
                r'<script type="application/vnd\.jupyter\.widget-view\+json">'
                r".*?</script>",
                "<p>Here a slider is missing. It needs a player that npm fetches, and "
                f"this book was built without. {NEEDS}</p>",
            ),
        ),
    ),
)


def say_missing(page, kept):
    """Return the text of a page, changed where it needs a package that is not kept."""
    for package, changes in WITHOUT:
        if package.name not in kept:
            for pattern, replacement in changes:
                page = re.sub(pattern, replacement, page, flags=re.DOTALL)
    return page


def change_pages(app, exception):
    """Change every page that needs a missing file."""
    if exception is not None or app.builder.name != "html":
        return
    kept = app.config.kept_packages
    rewrite_pages(app.outdir, lambda page: say_missing(page, kept))


def setup(app):
    """Register with Sphinx, which renders all pages again when a package has come."""
    kept = [package.name for package, _ in WITHOUT if package.is_kept()]
    app.add_config_value("kept_packages", kept, "html")
    app.connect("build-finished", change_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
