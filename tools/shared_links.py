"""What others see of a link to a page: title, description, picture (Open Graph).

A Sphinx extension, named in `_config.yml`. Programs that show links want whole
addresses, so the picture needs to know where the site stands: `html.baseurl` of
`_config.yml` says it, or else the repository's address, from which GitHub and GitLab
make that of its pages.
"""

import re
from html import escape, unescape

from docutils import nodes

PICTURE = "_static/shared.jpg"  # by tools/figures.py
PICTURE_SIZE = (1200, 630)
PICTURE_ALT = "Three photographs of cats, and below each the cat alone, cut out."
LONGEST = 200  # characters of a description; programs show no more
PAGES = {"github.com": "github.io", "gitlab.com": "gitlab.io"}


def find_site(config):
    """Return the address of the published site with a slash at its end, or None."""
    if config.html_baseurl:
        return config.html_baseurl.rstrip("/") + "/"
    address = config.html_theme_options.get("repository_url", "")
    found = re.fullmatch(r"https://([\w.-]+)/([\w.-]+)/([\w.-]+)", address)
    if found is None or found[1] not in PAGES or found[2] == "OWNER":
        return None
    host = f"{found[2]}.{PAGES[found[1]]}".lower()
    return (
        f"https://{host}/"
        if found[3].lower() == host
        else f"https://{host}/{found[3]}/"
    )


def describe(doctree):
    """Return what a page begins with: its first paragraph of words, cut to whole ones.

    A chapter's line on time and needs is emphasised as a whole; it is passed over.
    """
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        whole = len(paragraph) == 1 and isinstance(paragraph[0], nodes.emphasis)
        if text and not whole and not isinstance(paragraph[0], nodes.image):
            return shorten(text)
    return ""


def shorten(text):
    """Cut a text behind its last whole sentence, or else its last whole word."""
    if len(text) <= LONGEST:
        return text
    start = text[: LONGEST - 2]
    sentences = re.match(r".*[.?!](?= )", start)
    return sentences[0] if sentences else f"{start.rpartition(' ')[0]} …"


def list_tags(title, site_name, description, address, site):
    """Return pairs of a property and its content.

    Args:
        title: Title of the page.
        site_name: Title of the book.
        description: A sentence or two; may be empty.
        address: Where the page stands below the site.
        site: Address of the site, or None if nobody knows it.
    """
    tags = [("og:type", "website"), ("og:site_name", site_name), ("og:title", title)]
    if description:
        tags += [("description", description), ("og:description", description)]
    if site:
        width, height = PICTURE_SIZE
        tags += [("og:url", site + address), ("og:image", site + PICTURE)]
        tags += [("og:image:width", width), ("og:image:height", height)]
        tags += [("og:image:alt", PICTURE_ALT), ("twitter:card", "summary_large_image")]
    return tags


def add_tags(app, pagename, templatename, context, doctree):
    """Write the tags into the head of a page."""
    if doctree is None:
        return  # the indexes and the search are no pages to send
    title = unescape(re.sub("<[^>]*>", "", context.get("title", "")))
    target = app.builder.get_target_uri(pagename)
    site_name = app.config.html_title or app.config.project
    for name, content in list_tags(
        title, site_name, describe(doctree), target, find_site(app.config)
    ):
        kind = "property" if name.startswith("og:") else "name"
        context["metatags"] += (
            f'\n<meta {kind}="{name}" content="{escape(str(content))}">'
        )


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", add_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
