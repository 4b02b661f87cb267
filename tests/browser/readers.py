"""What reads an explorer on a page and checks what it shows, one class an explorer."""

import numpy as np

from tests.explorers.modules import CHAPTERS, read_settings, stored_output, unpack
from unetbook.convolution import overlap_counts, transposed_convolution
from unetbook.metrics import score_border, threshold_matrix
from unetbook.results import read_cuts

ACTIVE = """() => {
  const at = document.activeElement;
  const inside = at.closest('[data-explorer]') !== null;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  return [inside, outlineStyle, parseFloat(outlineWidth)];
}"""
MOST_STOPS = 60


class ExplorerPage:
    """Reads what an explorer shows, and presses keys.

    A subclass says the explorer's name, what is there when it has been drawn, how many
    controls it has, and with `check_start` how it opens.
    """

    name = ready = controls = None

    def __init__(self, page):
        self.page = page
        self.root = page.locator(f'[data-explorer="{self.name.replace("_", "-")}"]')
        self.root.locator(self.ready).first.wait_for()

    @classmethod
    def address(cls):
        """Return where on the site the explorer's chapter is."""
        return f"book/{CHAPTERS[cls.name]}.html"

    @classmethod
    def open(cls, visit, *width, **options):
        """Visit the explorer's chapter."""
        return cls(visit(cls.address(), *width, **options))

    def control(self, role, name, **options):
        """Find a control by what a screen reader calls it."""
        return self.root.get_by_role(role, name=name, **options)

    def status(self):
        """Return the sentence that is announced."""
        return self.root.get_by_role("status").inner_text()

    def press(self, *keys):
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def count_tab_stops(self):
        """Count the stops from the first button on; each shows its focus."""
        self.root.get_by_role("button").first.focus()
        for stops in range(1, MOST_STOPS):
            self.press("Tab")
            inside, style, width = self.page.evaluate(ACTIVE)
            if not inside:
                return stops
            assert style == "solid"
            assert width >= 2
        raise AssertionError(f"{MOST_STOPS} stops, and none of them is the last")


class Convolution(ExplorerPage):
    """The explorer of chapter 2."""

    name, ready = "transposed_convolution", "[data-cell]"
    # examples, sliders, lists, box, Back and Next and Play, slider, grids, +/-
    controls = 4 + 3 + 3 + 1 + 3 + 1 + 3 + 4

    def cells(self, name):
        """Return the cells of a grid."""
        return self.root.locator(f".panel-{name} [data-cell]")

    def square(self, texts):
        """Turn texts into a square of numbers."""
        numbers = [float(text.replace("−", "-")) for text in texts]
        side = round(len(numbers) ** 0.5)
        return np.array(numbers).reshape(side, side)

    def named(self, name):
        """Return the numbers of a grid as a screen reader hears them."""
        read = "cells => cells.map(cell => cell.getAttribute('aria-label'))"
        labels = self.cells(name).evaluate_all(read)
        kept = [label for label in labels if not label.startswith("cut off")]
        return self.square([label.split(": ")[1] for label in kept])

    def shown(self, name):
        """Return the numbers that are written in a grid."""
        return self.square(self.cells(name).all_inner_texts())

    def check(self, size, kernel_size, strides, padding, stamps=None):
        """Compare output and counts with the package's NumPy code."""
        x, kernel = self.named("input"), self.named("kernel")
        assert (x.shape[0], kernel.shape[0]) == (size, kernel_size)
        laid = np.arange(size**2).reshape(size, size) < (stamps or size**2)
        expected = transposed_convolution(x * laid, kernel, strides, padding)
        assert (self.named("output") == expected).all()
        counts = overlap_counts(size, kernel_size, strides, padding)
        assert (self.shown("counts") == counts).all()

    def check_start(self):
        """Check that it opens with the article's layer, half stamped."""
        self.check(3, 3, 2, "same", stamps=5)


class Network(ExplorerPage):
    """The explorer of chapter 6."""

    name, ready = "network", ".block"

    def __init__(self, page):
        super().__init__(page)
        cuts = len(read_cuts()[0]["nets"]) - 1
        self.controls = 10 + cuts + 1 + 1  # blocks, cuts, channel, pet

    def facts(self):
        """Return what is listed about the chosen block."""
        rows = self.root.locator(".facts > div").all_inner_texts()
        return dict(row.split("\n") for row in rows)

    def pressed(self):
        """Return the names of the buttons that are pressed."""
        shown = self.root.locator('[aria-pressed="true"]').all_inner_texts()
        return [text.split("\n")[0] for text in shown]

    def table(self):
        """Return the rows of the table of scores."""
        rows = self.root.locator(".scores tbody tr").all_inner_texts()
        return {row.split("\t")[0]: row.split("\t")[1:] for row in rows}

    def check_start(self):
        """Check that it opens with the first block."""
        assert self.pressed() == ["encoder 1"]
        assert self.facts()["feature maps"] == "128 × 128 × 8"
        assert self.facts()["parameters"] == "856"


class Film(ExplorerPage):
    """The explorer of chapter 7, with what its cell has stored."""

    name, ready = "training", ".pets img"
    controls = 4  # Back, Next, Play, slider

    def __init__(self, page):
        super().__init__(page)
        self.settings = read_settings(stored_output(self.name))
        self.last = len(self.settings["history"]["loss"])

    def masks(self):
        """Return the addresses of the predicted masks that are shown."""
        shown = self.root.get_by_alt_text("its mask after epoch")
        return shown.evaluate_all("all => all.map(one => one.src)")

    def marker(self):
        """Return where the marker stands, as the column of the chart's first curve."""
        centre = (
            "one => { const b = one.getBoundingClientRect(); return b.x + b.width / 2 }"
        )
        now = self.root.locator(".marker .dot.loss").evaluate(centre)
        dots = self.root.locator(".chart > .dot.loss").all()
        places = [dot.evaluate(centre) for dot in dots]
        return 1 + min(range(len(places)), key=lambda i: abs(places[i] - now))

    def check(self, epoch):
        """Compare slider, sentence, masks, scores, losses and marker with the cell."""
        history, pets = self.settings["history"], self.settings["pets"]
        slider = self.control("slider", "epoch")
        assert slider.get_attribute("aria-valuetext") == str(epoch)
        losses = [history[name][epoch - 1] for name in ("loss", "val_loss")]
        sentence = (
            f"After epoch {epoch} of {self.last}: training loss {losses[0]:.3f}, "
            f"validation loss {losses[1]:.3f}, validation mean IoU "
            f"{history['val_mean_iou'][epoch - 1]:.3f}."
        )
        assert self.status() == sentence
        assert self.masks() == [pet["masks"][str(epoch)] for pet in pets]
        scores = self.root.locator(".score").all_inner_texts()
        assert scores == [f"IoU {pet['scores'][str(epoch)]:.2f}" for pet in pets]
        values = self.root.locator(".losses .value").all_inner_texts()
        assert values == [f"{loss:.3f}" for loss in losses]
        assert self.marker() == epoch

    def check_start(self):
        """Check that it opens after the first epoch."""
        self.check(1)


class Scores(ExplorerPage):
    """The explorer of chapter 8, with what its cell has stored."""

    name, ready = "scores", "caption"

    def __init__(self, page):
        super().__init__(page)
        self.settings = read_settings(stored_output(self.name))
        self.cases = self.settings["cases"]
        self.controls = len(self.cases) + 3 + 1 + 1  # border, most probable, slider

    def table(self, number):
        """Return a table's texts, a list a row."""
        read = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
        rows = self.root.locator("table").nth(number).locator("tr")
        return rows.evaluate_all(read)

    def pixels(self, number):
        """Return the colours of a map, `(H, W, 3)`."""
        read = """one => [...one.getContext("2d")
          .getImageData(0, 0, one.width, one.height).data]"""
        values = self.root.locator("canvas").nth(number).evaluate(read)
        return np.array(values).reshape(*self.settings["size"], 4)[..., :3]

    def check(self, chosen, border, percent=None):
        """Compare both tables and the sentence with the package's scores."""
        counts = counts_of(self.cases[chosen])
        matrix = likeliest_matrix(counts)
        if percent is not None:
            matrix = threshold_matrix(counts, percent / 100)
        scores = score_border(matrix, border)
        iou = scores["iou"]
        dice = 2 * iou / (1 + iou)
        rows = self.table(0)[1:]
        for row, name, *pair in zip(
            rows, scores["class_names"], iou, dice, strict=False
        ):
            assert row == [name, *(f"{value:.3f}" for value in pair)]
        mean = [f"{scores['mean_iou']:.3f}", f"{np.nanmean(dice):.3f}"]
        assert rows[-2] == ["mean", *mean]
        assert rows[-1] == ["accuracy", f"{scores['pixel_accuracy']:.3f}"]
        assert f"mean IoU {scores['mean_iou']:.3f}" in self.status()
        self.check_matrix(matrix, border)

    def check_matrix(self, matrix, border):
        """Compare the table of counts with a matrix under a policy."""
        if border == "merged":
            to_pet = np.array([[1, 0], [0, 1], [1, 0]])
            matrix = to_pet.T @ matrix @ to_pet
        if border == "ignored":
            matrix = matrix * np.array([[1], [1], [0]])
        cells = [row[1:] for row in self.table(1)[1:]]
        shown = [[int(c.split()[-1].replace(",", "")) for c in row] for row in cells]
        assert shown == matrix.tolist()

    def check_start(self):
        """Check that it opens with the best picture and the most probable class."""
        self.check(0, "class")


def counts_of(case):
    """Return the counts of a case, those of a picture from its maps."""
    if "counts" in case:
        return np.array(case["counts"])
    places = 256 * unpack(case["codes"]).astype(int) + unpack(case["levels"])
    return np.bincount(places, minlength=18 * 256).reshape(18, 256)


def likeliest_matrix(counts):
    """Count true classes against most probable ones."""
    matrix = np.zeros((3, 3), int)
    for code, by_level in enumerate(counts):
        matrix[code % 3, code // 3 % 3] += by_level.sum()
    return matrix
