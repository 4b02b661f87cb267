"""What a message or a forum shows of a link to a page: title, first sentences, picture.

A Sphinx extension, named in `_config.yml`. The names are those of Open Graph,
https://ogp.me; a picture needs its whole address, which follows from the repository's.
"""

import re
import textwrap
from html import escape

from docutils import nodes

PICTURE = "cats.png"  # which `html_extra_path` publishes
PICTURE_ALT = (
    "Five cats, and below each the cat alone, cut out by the course's network."
)
PASSED_OVER = (nodes.emphasis, nodes.image)
LONGEST = 200  # characters that are shown of a description


def find_site(url):
    """Return where GitHub Pages publishes a repository, or None if it is elsewhere."""
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)/?", url)
    if not found:
        return None
    host = f"{found[1]}.github.io"
    return f"https://{host}/" + ("" if found[2].lower() == host else f"{found[2]}/")


def describe(doctree):
    """Return the first sentences of a page, past pictures and a line in italics."""
    for paragraph in doctree.findall(nodes.paragraph):
        passed = all(isinstance(part, PASSED_OVER) for part in paragraph)
        text = " ".join(paragraph.astext().split())
        if text and not passed:
            return textwrap.shorten(text, LONGEST, placeholder=" ...")
    return ""


def make_tags(title, description, book, site, page):
    """Return the tags of a page as HTML."""
    tags = {"og:type": "article", "og:site_name": book, "og:title": title}
    if description:
        tags["og:description"] = description
    if site:
        tags["og:url"] = f"{site}{page}.html"
        tags["og:image"] = f"{site}{PICTURE}"
        tags["og:image:alt"] = PICTURE_ALT
    lines = [f'<meta property="{n}" content="{escape(v)}" />' for n, v in tags.items()]
    lines.append('<meta name="twitter:card" content="summary_large_image" />')
    if description:
        lines.append(f'<meta name="description" content="{escape(description)}" />')
    return "\n".join(lines)


def add_tags(app, pagename, templatename, context, doctree):
    """Add the tags to the head of a page that has a text."""
    if doctree is None:
        return
    title = re.sub(r"<[^>]+>", "", context["title"])
    site = find_site(app.config.html_theme_options["repository_url"])
    book = app.config.html_title
    tags = make_tags(title, describe(doctree), book, site, pagename)
    context["metatags"] = context.get("metatags", "") + tags


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", add_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
