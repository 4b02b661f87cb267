"""Drives the page "Try it", and answers for the site where something must fail."""

import io
import json
from functools import cache

import numpy as np
from PIL import Image

from tests.paths import ROOT, SITE
from tools.npm import RUNTIME

PAGE = "book/try.html"
MODELS = json.loads((ROOT / "site" / "try" / "models.json").read_text())
BEST = max(MODELS, key=lambda model: model["meanIou"])
PHONE, DESKTOP = {"width": 360, "height": 800}, {"width": 1280, "height": 800}
TELEPHONE = {"width": 390, "height": 844}
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


@cache
def network(name):
    """The same network in Keras."""
    from unetbook.pretrained import load_pretrained

    return load_pretrained(name)


def look_in_python(content, name="tiny", **options):
    """What Python makes of a file's bytes: the mask, and the probabilities."""
    from unetbook.prediction import segment_picture

    with Image.open(io.BytesIO(content)) as picture:
        return segment_picture(network(name), picture, **options)


def expected_mask(content, name="tiny"):
    """The mask that Python makes of a file's bytes."""
    return look_in_python(content, name)[0]


def encode(pixels, kind="JPEG", **options):
    """Return pixels as the bytes of a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def cat():
    """The page's cat, as bytes."""
    return (SITE / "try" / "chelsea.jpg").read_bytes()


def agreement(ours, theirs):
    """Return the share of pixels on which two masks agree."""
    assert ours.shape == theirs.shape
    return (ours == theirs).mean()


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
        name, pixels = self.fetch(press, "Download the mask")
        return name, pixels.astype(int) - 1

    def fetch(self, press, button):
        """Press a button with a function, and return the file's name and its pixels."""
        with self.page.expect_download(timeout=PATIENCE) as started:
            press(self.button(button))
        with Image.open(started.value.path()) as file:
            return started.value.suggested_filename, np.asarray(file)

    def switch(self, **wanted):
        """Turn the second look and the flip on or off, and wait for the mask."""
        for name, on in wanted.items():
            label = {"look_twice": "Second look", "flip": "Flip"}[name]
            self.page.get_by_role("switch", name=label).set_checked(on)
        self.said("pixels: ")
