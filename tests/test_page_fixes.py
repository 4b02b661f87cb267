"""Every fix finds what it mends, and changes nothing on a mended page."""

import re

import numpy as np
import pytest
from PIL import Image

from tools.page_fixes import FIXES, lighten, mend, use_webp

HEAD = """<script>
localStorage.getItem("mode") || "";
localStorage.getItem("theme") || "";
</script>
<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>
<script>const THEBE_JS_URL = "a";</script>
<script>togglebutton</script>
<script>const THEBE_JS_URL = "a";</script>
<script async="async" src="../_static/sphinx-thebe.js?v=1"></script>
"""
BODY = """<div id="pst-primary-sidebar" class="bd-sidebar-primary">
<button class="btn search-button-field" title="Search" aria-label="Search" id="b">
<details><summary aria-label="Toggle hidden content">
<p>Show code cell source</p></summary></details>
<table><tr><th class="head"><p></p></th><th class="head"><p>a</p></th></tr></table>
"""


@pytest.mark.parametrize("reason", [reason for reason, _, _ in FIXES])
def test_each_fix_changes_a_page_of_the_theme(reason):
    pattern, replacement = next(fix[1:] for fix in FIXES if fix[0] == reason)
    page = HEAD + BODY
    assert re.sub(pattern, replacement, page, flags=re.DOTALL) != page


def test_a_mended_page():
    page = mend(HEAD + BODY)
    assert "THEBE_JS_URL" not in page
    assert "sphinx-thebe" not in page
    assert "fontawesome" not in page
    assert '|| "auto"' in page
    assert '<td class="head"></td><th class="head"><p>a</p></th>' in page
    assert '<button class="btn search-button-field" id="b">' in page
    assert "<summary>" in page
    assert 'role="region" aria-label="Side bar"' in page


def test_mending_twice_is_mending_once():
    assert mend(mend(HEAD + BODY)) == mend(HEAD + BODY)


def test_figures_become_lighter_without_changing_a_pixel(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 4), "uint8")
    Image.fromarray(pixels).save(tmp_path / "figure.png")
    lighten(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["figure.webp"]
    with Image.open(tmp_path / "figure.webp") as picture:
        again = np.asarray(picture)
    opaque = pixels[:, :, 3] > 0
    assert (again[opaque] == pixels[opaque]).all()
    page = use_webp('src="../_images/figure.png" src="../_images/b.png"', tmp_path)
    assert page == 'src="../_images/figure.webp" src="../_images/b.png"'
