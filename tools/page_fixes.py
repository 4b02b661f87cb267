"""What Jupyter Book's theme gets wrong in every page, put right after rendering.

A Sphinx extension, named in `_config.yml`. The browser tests notice when a newer theme
no longer needs one of these, or needs another.
"""

import re
from pathlib import Path

from PIL import Image

# What is wrong, the pattern that finds it, and what stands there instead.
FIXES = (
    (
        "543 kB of script draw icons that the theme's own fonts draw already",
        r'\s*<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>',
        "",
    ),
    (
        "Thebe would come from another host, and nothing on a page starts it",
        r"<script>const THEBE_JS_URL[^<]*</script>|<script [^>]*sphinx-thebe\.js[^>]*>"
        r'</script>|<script type="text/x-thebe-config">.*?</script>',
        "",
    ),
    (
        "an empty mode is reported as invalid in the console",
        r'localStorage\.getItem\("mode"\) \|\| ""',
        'localStorage.getItem("mode") || "auto"',
    ),
    (
        "without a theme the page flashes in light colours before it turns dark",
        r'localStorage\.getItem\("theme"\) \|\| ""',
        'localStorage.getItem("theme") || '
        '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
    (
        "the search button is announced by another name than it shows",
        r'(<button class="[^"]*search-button-field[^"]*") title="Search"'
        r' aria-label="Search"',
        r"\1",
    ),
    (
        "a folded cell is announced by another name than it shows",
        r'<summary aria-label="Toggle hidden content">',
        "<summary>",
    ),
    (
        "the logo stands outside every landmark",
        r'<div id="pst-primary-sidebar" class="',
        '<div id="pst-primary-sidebar" role="region" aria-label="Side bar" class="',
    ),
    (
        "the empty corner of a table is announced as a header",
        r'<th class="(head[^"]*)">(?:<p></p>)?</th>',
        r'<td class="\1"></td>',
    ),
)


def mend(page):
    """Return the text of a page with every fix applied."""
    for _, pattern, replacement in FIXES:
        page = re.sub(pattern, replacement, page, flags=re.DOTALL)
    return page


def use_webp(page, images):
    """Point a page to the pictures that `lighten` wrote."""

    def choose(found):
        name = f"{found[1]}.webp"
        return f"_images/{name}" if (images / name).exists() else found[0]

    return re.sub(r"_images/([\w.-]+)\.png", choose, page)


def lighten(folder):
    """Turn figures from PNG into lossless WebP, which takes about half the bytes."""
    for path in folder.glob("*.png"):
        lighter = path.with_suffix(".webp")
        hashed = re.fullmatch("[0-9a-f]{64}", path.stem)  # then the name is the content
        if not (hashed and lighter.exists()):
            with Image.open(path) as picture:
                picture.save(lighter, lossless=True, quality=50, method=3)
        path.unlink()


def rewrite_pages(folder, change):
    """Write again every rendered page whose text a function changes."""
    for path in Path(folder).rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        changed = change(page)
        if changed != page:
            path.write_text(changed, encoding="utf-8")


def mend_pages(app, exception):
    """Apply the fixes to every rendered page, and lighten its figures."""
    if exception is not None or app.builder.name != "html":
        return
    images = Path(app.outdir) / "_images"
    lighten(images)
    rewrite_pages(app.outdir, lambda page: use_webp(mend(page), images))


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
