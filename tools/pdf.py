"""Print the rendered book as one PDF beside its pages, for `make pdf`.

A script makes one document of all pages (Sphinx's builder for that gives two headings
of the same name one id, and renders everything again). Chromium prints it with tags,
alt texts and an outline: once to learn the numbers of the pages, and once with them in
the contents. qpdf packs the result.
"""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.browser import find_browser, install_playwright
from unetbook import __version__

ROOT = Path(__file__).parents[1]
NAME = "pets-pixel-by-pixel.pdf"
MOST_MEGABYTES = 20
# What the introduction has where the link to the file belongs.
PLACE = "<a data-whole-book>"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def serve(folder, handler=Quiet):
    """Serve a folder on this machine alone, and give its address."""
    handler = functools.partial(handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def read_tool(ending):
    """Return the script or the style of the printed book."""
    return (ROOT / "tools" / f"whole_book.{ending}").read_text(encoding="utf-8")


def read_numbers(path):
    """Return the number of the page of each name that a link of a PDF leads to."""
    from pypdf import PdfReader

    book = PdfReader(path)
    places = book.named_destinations.items()
    return {
        name.removeprefix("/"): book.get_destination_page_number(place) + 1
        for name, place in places
    }


@contextmanager
def open_browser(*arguments):
    """Start the Chromium of this machine, with arguments of its command line."""
    from playwright.sync_api import sync_playwright

    arguments = ("--no-sandbox", "--disable-gpu", *arguments)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=find_browser(), args=arguments)


def print_pages(browser, address, target):
    """Print the book that is served at an address into a file."""
    options = {"path": target, "prefer_css_page_size": True, "print_background": True}
    options |= {"tagged": True, "outline": True}

    page = browser.new_page(color_scheme="light", reduced_motion="reduce")
    page.set_default_timeout(0)  # a busy machine takes minutes
    page.goto(f"{address}/book/intro.html")
    page.add_style_tag(content=read_tool("css"))
    page.add_script_tag(content=read_tool("mjs"))
    page.evaluate("(edition) => assemble(edition)", f"Version {__version__}")
    page.pdf(**options)
    page.evaluate("(pages) => numberContents(pages)", read_numbers(target))
    page.pdf(**options)
    page.close()


def pack(source, target):
    """Compress what Chromium leaves as it is, the tags above all."""
    command = ("qpdf", "--object-streams=generate", str(source), str(target))
    subprocess.run(command, check=True)


def link(site):
    """Let the introduction lead to the file."""
    path = site / "book" / "intro.html"
    page = path.read_text(encoding="utf-8")
    linked = PLACE.replace(">", f' href="../{NAME}">')
    path.write_text(page.replace(PLACE, linked), encoding="utf-8")


def check_printer():
    """Stop if there is nothing to print with, before minutes have gone by."""
    install_playwright()
    if find_browser() is None:
        sys.exit("There is no Chromium to print with. On Debian: apt install chromium.")
    if shutil.which("qpdf") is None:
        sys.exit("There is no qpdf to pack the PDF with. On Debian: apt install qpdf.")


def write_pdf(site):
    """Write the PDF into the folder of a rendered site, and return its path."""
    target = site / NAME
    print("Printing the book: a minute or two.", flush=True)
    with TemporaryDirectory(dir=site) as folder, serve(site) as address:
        printed, packed = (Path(folder) / name for name in ("printed.pdf", NAME))
        with open_browser() as browser:
            print_pages(browser, address, printed)
        pack(printed, packed)
        size = packed.stat().st_size / 1e6
        if size > MOST_MEGABYTES:
            sys.exit(f"{NAME} has {size:.1f} MB, more than {MOST_MEGABYTES}.")
        packed.replace(target)
    link(site)
    return target
