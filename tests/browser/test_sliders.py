"""A slider widget on a page without a kernel: its player comes from the site itself."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.browser.opening import find_faults
from tests.paths import SITE
from tools.npm import PLAYER

CHAPTER = "book/01_dataset.html"
VIEW = r'(<script type="application/vnd\.jupyter\.widget-view\+json">).*?(</script>)'
SHOWN = """() => [...document.querySelectorAll('img.widget-image')]
  .filter((image) => image.offsetParent).map((image) => image.naturalWidth)"""


def picture(width):
    """Return a PNG file that is told by its width."""
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((20, width, 3), "uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def page_with_slider():
    """Return a chapter as an executed build writes it, with its widgets' state."""
    from ipywidgets.embed import embed_data

    from unetbook.explorers.sliders import step_through

    data = embed_data(views=[step_through([picture(n) for n in (31, 32, 33)], "step")])
    state = json.dumps(data["manager_state"])
    tags = (
        f'<script type="application/vnd.jupyter.widget-state+json">{state}</script>'
        f'<script src="../npm/{PLAYER.folder_name}/embed.js"></script>'
        '<script src="../sliders.js"></script>'
    )
    page = (SITE / CHAPTER).read_text(encoding="utf-8")
    page = page.replace("</head>", f"{tags}</head>", 1)
    view = json.dumps(data["view_specs"][0])
    return re.sub(VIEW, rf"\g<1>{view}\g<2>", page, count=1, flags=re.DOTALL)


@pytest.fixture
def page(visit):
    """A chapter with a slider of three pictures."""
    page, content = visit("book/glossary.html"), page_with_slider()
    page.route(f"**/{CHAPTER}", lambda route: route.fulfill(body=content))
    page.goto(page.url.replace("book/glossary.html", CHAPTER))
    page.get_by_role("slider").wait_for()
    return page


def test_the_slider_steps_through_its_pictures_without_another_host(page):
    assert page.evaluate(SHOWN) == [31]
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"String(({SHOWN})()) === '32'")
    assert not page.outside
    assert not page.faults


def test_the_page_stays_accessible(page):
    page.locator("img.widget-image[alt]").first.wait_for()
    assert not find_faults(page)
