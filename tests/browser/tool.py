"""Drives the page "Try it", and answers for the site where something must fail."""

import numpy as np
from PIL import Image

from tests.paths import SITE
from tools.npm import RUNTIME

RUNTIME_FOLDER = SITE / "npm" / RUNTIME.folder_name
RUNTIME_ADDRESS = f"**/{RUNTIME.folder_name}/*"
PATIENCE = 180_000  # a busy machine compiles 14 MB of WebAssembly in half a minute
PET, BACKGROUND, BORDER = range(3)

READ_CANVAS = """canvas => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  return [width, height, [...data].filter((_, i) => i % 4 === 0)];
}"""


def answer_otherwise(route):
    """Answer a request for the runtime with another script."""
    route.fulfill(body="globalThis.foreign = true;", content_type="text/javascript")


def hang(route):
    """Answer nothing, ever."""


class Tool:
    """Drives the page and reads what it says."""

    def __init__(self, page):
        self.page = page
        self.part("tool").wait_for()

    def part(self, name):
        """Return a part of the tool."""
        return self.page.locator(f'[data-part="{name}"]')

    def button(self, name):
        """Return a button by what a screen reader calls it."""
        return self.page.get_by_role("button", name=name)

    def said(self, text):
        """Wait until the status says this, and return it whole."""
        status = self.page.get_by_role("status").filter(has_text=text)
        status.wait_for(timeout=PATIENCE)
        return status.inner_text()

    def alert(self, text):
        """Wait until the alert says this; nothing else is said then."""
        alert = self.page.get_by_role("alert").filter(has_text=text)
        alert.wait_for(timeout=PATIENCE)
        assert self.page.get_by_role("status").inner_text() == ""
        return alert.inner_text()

    def choose(self, name, content):
        """Choose a file with the button, as a reader would."""
        with self.page.expect_file_chooser() as chooser:
            self.button("Choose a picture").click()
        kind = {"name": name, "mimeType": "image/jpeg", "buffer": content}
        chooser.value.set_files(kind)

    def mask(self):
        """Return the mask on display as class codes."""
        width, height, reds = self.part("mask").evaluate(READ_CANVAS)
        codes = {47: PET, 52: BACKGROUND, 255: BORDER}
        return np.array([codes[red] for red in reds]).reshape(height, width)

    def download(self, press):
        """Press the button with a function, and return the file's class codes."""
        with self.page.expect_download(timeout=PATIENCE) as started:
            press(self.button("Download the mask"))
        with Image.open(started.value.path()) as file:
            return started.value.suggested_filename, np.asarray(file).astype(int) - 1
