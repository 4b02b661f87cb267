"""What may fail on the page "Try it" is said in a true sentence of its own."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.opening import open_from_disk
from tests.browser.tool import RUNTIME_ADDRESS, Tool, answer_otherwise, hang
from tests.paths import SITE
from tools.npm import RUNTIME

PAGE = "book/try.html"
SCRIPT, WASM = (f"**/{file.split('/')[-1]}" for file in RUNTIME.files)
# An answer of `WebAssembly.validate` as on a processor without vector instructions.
NO_VECTORS = "WebAssembly.validate = (bytes) => bytes.length === 8"
REFUSE_BITMAPS = """globalThis.createImageBitmap = async () => {
  throw new DOMException('The source image could not be decoded.', 'InvalidStateError');
}"""


def start(page):
    """Ask for the cat, and return the tool."""
    tool = Tool(page)
    tool.button("Use the cat").click()
    return tool


def stop_the_clock(page):
    """Let the page's time go on only where a test says so."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)


def asked_for_wasm(page):
    """Tell whether the page has asked for the megabytes."""
    return any(file.suffix == ".wasm" for file in page.files)


def with_policy(page, policy):
    """Load the page again, under a content policy."""

    def add(route):
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": policy}
        route.fulfill(response=response, headers=headers)

    page.route(f"**/{PAGE}", add)
    page.reload()


# ------------------------------------------------------------------------- no answer


def test_a_failed_connection_is_said_and_it_tries_again(visit):
    page = visit(PAGE)
    page.route(RUNTIME_ADDRESS, lambda route: route.abort())
    tool = start(page)
    tool.alert("could not be fetched: the connection failed. Try again.")
    assert tool.part("progress").is_hidden()
    page.unroute(RUNTIME_ADDRESS)
    tool.button("Use the cat").click()
    tool.said("chelsea.jpg, 451 × 300 pixels")
    assert page.get_by_role("alert").inner_text() == ""


def test_a_device_that_is_offline_is_told_so(visit):
    page = visit(PAGE)
    Tool(page)
    page.context.set_offline(True)
    start(page).alert("chelsea.jpg could not be fetched: this device is offline")


@pytest.mark.parametrize(
    ("held", "name"),
    [(WASM, "ort-wasm-simd"), ("**/tiny.onnx", "tiny.onnx"), ("**/*.jpg", "chelsea")],
)
def test_a_host_that_hangs_is_given_up_after_ten_seconds(visit, held, name):
    page = visit(PAGE)
    tool = Tool(page)
    stop_the_clock(page)
    page.route(held, hang)
    with page.expect_request(held):
        tool.button("Use the cat").click()
    page.clock.run_for(9_900)
    assert page.get_by_role("alert").inner_text() == ""
    page.clock.run_for(200)
    assert name in tool.alert(
        "does not come: this site has sent nothing for 10 seconds"
    )
    assert tool.part("progress").is_hidden()


def test_a_script_that_hangs_when_it_is_imported_is_given_up_too(visit):
    page = visit(PAGE)
    Tool(page)
    stop_the_clock(page)
    asked = []

    def answer_once(route):
        asked.append(route.request.resource_type)
        if route.request.resource_type == "fetch":
            route.fallback()

    page.route(SCRIPT, answer_once)
    tool = start(page)
    page.wait_for_timeout(100)
    for _ in range(100):
        if "script" in asked:
            break
        page.wait_for_timeout(100)
    page.clock.run_for(10_100)
    tool.alert("ort.wasm.bundle.min.mjs does not come")


def test_a_list_of_networks_that_hangs_or_is_missing_is_said(visit):
    page = visit(PAGE)
    stop_the_clock(page)
    page.route("**/models.json", hang)
    with page.expect_request("**/models.json"):
        page.reload()
    page.clock.run_for(10_100)
    alert = page.get_by_role("alert")
    alert.filter(has_text="models.json does not come").wait_for()
    page.unroute("**/models.json")
    page.route("**/models.json", lambda route: route.fulfill(status=404))
    page.reload()
    alert.filter(has_text="does not have models.json (status 404)").wait_for()


# ------------------------------------------------------------------- another file


def test_another_runtime_than_the_chosen_one_is_refused(visit):
    page = visit(PAGE)
    page.route(RUNTIME_ADDRESS, answer_otherwise)
    start(page).alert("its hash differs. It was not run")
    assert page.evaluate("globalThis.foreign") is None


def test_the_browser_itself_refuses_another_script(visit, address):
    page = visit(PAGE)
    Tool(page)
    page.route(SCRIPT, answer_otherwise)
    script = f"{address}/npm/{RUNTIME.folder_name}/ort.wasm.bundle.min.mjs"
    said = page.evaluate("(name) => import(name).catch(({ name }) => name)", script)
    assert said == "TypeError"
    assert page.evaluate("globalThis.foreign") is None
    assert any("integrity" in fault for fault in page.faults)


def test_another_network_than_the_chosen_one_is_refused(visit):
    page = visit(PAGE)
    page.route(RUNTIME_ADDRESS, hang)
    changed = bytearray((SITE / "try" / "tiny.onnx").read_bytes())
    changed[-1] ^= 1
    page.route("**/tiny.onnx", lambda route: route.fulfill(body=bytes(changed)))
    assert "its hash differs" in start(page).alert("tiny.onnx")


# --------------------------------------------- browsers and sites that do not allow it


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("delete globalThis.WebAssembly", "does not run WebAssembly"),
        (NO_VECTORS, "lacks vector instructions (SIMD)"),
    ],
)
def test_a_browser_without_what_the_runtime_needs_fetches_no_megabytes(
    visit, script, sentence
):
    page = visit(PAGE)
    page.add_init_script(script)
    page.reload()
    start(page).alert(sentence)
    assert not asked_for_wasm(page)


def test_a_policy_without_webassembly_is_named_and_nothing_is_fetched(visit):
    page = visit(PAGE)
    with_policy(page, "script-src 'self' 'unsafe-inline'")
    start(page).alert("forbidden on this page, and the network needs it")
    assert not asked_for_wasm(page)


def test_a_policy_against_fetching_is_named(visit):
    page = visit(PAGE)
    with_policy(page, "connect-src 'none'")
    alert = page.get_by_role("alert").filter(has_text="connect-src")
    alert.wait_for()
    assert "models.json could not be fetched: a content policy" in alert.inner_text()


def test_a_strict_policy_lets_the_cat_through(visit):
    page = visit(PAGE)
    with_policy(page, "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'")
    start(page).said("chelsea.jpg, 451 × 300 pixels")


# ----------------------------------------------------------------------------- pictures


def jpeg(size, **options):
    """Return the bytes of a picture with some structure."""
    width, height = size
    pixels = np.zeros((height, width, 3), "uint8")
    pixels[height // 4 : height // 2, width // 4 : width // 2] = (200, 120, 40)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def test_what_createimagebitmap_refuses_goes_through_an_img(visit):
    page = visit(PAGE)
    page.add_init_script(REFUSE_BITMAPS)
    page.reload()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    tool = Tool(page)
    tool.choose("phone.jpg", jpeg((120, 80), exif=exif))
    tool.said("phone.jpg, 80 × 120 pixels")
    assert tool.mask().shape == (120, 80)


def test_the_mask_of_24_megapixels_has_the_pictures_own_size(visit):
    tool = Tool(visit(PAGE))
    tool.choose("camera.jpg", jpeg((6000, 4000)))
    tool.said("camera.jpg, 6000 × 4000 pixels: ")
    name, mask = tool.download(lambda button: button.click())
    assert (name, mask.shape) == ("camera-mask.png", (4000, 6000))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("cut.png", b"\x89PNG\r\n\x1a\n", "begins as a PNG file and cannot be read"),
        (
            "IMG_1.HEIC",
            b"\0\0\0\x18ftypheic",
            "is a HEIC file, which this browser does",
        ),
        ("notes.jpg", b"not a picture", "is no picture that this browser reads"),
    ],
)
def test_an_unreadable_file_is_told_what_is_wrong_with_it(
    visit, name, content, sentence
):
    tool = Tool(visit(PAGE))
    tool.choose(name, content)
    assert name in tool.alert(sentence)


# ------------------------------------------------------------------------ from the disk


def test_a_page_opened_from_the_disk_says_what_it_needs(visit):
    page = visit(PAGE)
    open_from_disk(page, PAGE)
    waiting = page.locator('[data-part="waiting"]')
    assert "http.server" in waiting.inner_text()
    assert waiting.is_visible()
