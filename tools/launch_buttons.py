"""Buttons that open a chapter on Colab, Kaggle or Studio Lab.

A Sphinx extension, named in `_config.yml`. The theme has a button for Colab alone, and
for the branch that the edit button opens; the chapters of a published book lie stamped
on a branch of their own (`tools/share.py`).
"""

import re

# All three open a notebook that lies on GitHub.
HOSTS = (
    ("Colab", "https://colab.research.google.com/github/"),
    ("Kaggle", "https://kaggle.com/kernels/welcome?src=https://github.com/"),
    ("Studio Lab", "https://studiolab.sagemaker.aws/import/github/"),
)


def list_links(url, branch, page):
    """Return `(host, link)` of a notebook; none if the repository is not on GitHub.

    Args:
        url: The repository's address.
        branch: The branch on which the notebook lies.
        page: Its path in the repository, without `.ipynb`.
    """
    found = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)/?", url)
    if not found:
        return []
    path = f"{found[1]}/blob/{branch}/{page}.ipynb"
    return [(host, start + path) for host, start in HOSTS]


def add_buttons(app, pagename, templatename, context, doctree):
    """Add the buttons to the head of a page that is a notebook."""
    if context.get("page_source_suffix") != ".ipynb":
        return
    url = app.config.html_theme_options["repository_url"]
    links = list_links(url, app.config.launch_branch, pagename)
    buttons = [
        {"type": "link", "text": host, "tooltip": f"Open on {host}", "url": link}
        for host, link in links
    ]
    if buttons:
        group = {"type": "group", "label": "launch-buttons", "icon": "fas fa-rocket"}
        group |= {"tooltip": "Run this chapter elsewhere", "buttons": buttons}
        context["header_buttons"].insert(0, group)  # where the theme had its own


def setup(app):
    """Register with Sphinx, after the theme's own buttons, which take 501."""
    app.add_config_value("launch_branch", "main", "html", str)
    app.connect("html-page-context", add_buttons, priority=502)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
