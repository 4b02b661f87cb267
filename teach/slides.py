"""Make the slides of one lecture from the chapters' figures: `make slides`.

The figures are taken from the outputs stored in the chapters, so slides and book show
the same. A slide names its figure by words of the figure's alt text.
"""

import base64
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

ROOT = Path(__file__).absolute().parents[1]
FOLDER = ROOT / "_build" / "slides"
TITLE = """\
# Pets, pixel by pixel

From pictures to a U-Net, in one lecture

<style>
.reveal section .jp-RenderedHTMLCommon { font-size: 26px; text-align: center; }
.reveal section img { display: block; height: 440px; margin: 0 auto; }
.reveal section img { max-width: 100%; object-fit: contain; }
.reveal section p { text-align: center !important; }
.reveal section ul { display: inline-block; text-align: left; }
.reveal section .jp-InputPrompt, .reveal section .jp-Collapser { display: none; }
</style>
"""


class Slide(NamedTuple):
    """A heading, the chapter and words of the figure's alt text, and what to say."""

    title: str
    chapter: str
    figure: str
    lines: tuple[str, ...]


SLIDES = (
    Slide(
        "A class for every pixel",
        "01",
        "Four training pictures",
        (
            "Pet, background, border: three answers a pixel.",
            "No box, no outline: a mask.",
        ),
    ),
    Slide(
        "The trimap, proven on a picture",
        "01",
        "three black and white panels",
        ("1 is pet, 2 background, 3 border.", "Famous tutorials have 2 and 3 swapped."),
    ),
    Slide(
        "Image and mask move together",
        "01",
        "laid over them",
        ("Above: two random flips, one for each.", "Below: one flip for the pair."),
    ),
    Slide(
        "How common is each class?",
        "01",
        "Three bars for the shares",
        ("Background everywhere is right for more than half of the pixels.",),
    ),
    Slide(
        "A convolution is a matrix",
        "02",
        "A matrix of 4 rows",
        ("Each output pixel is one row.", "What does its transpose do?"),
    ),
    Slide(
        "Its transpose stamps the kernel",
        "02",
        "four 4 by 4 pictures",
        ("Once for every input pixel, scaled by it.", "Where stamps meet they add up."),
    ),
    Slide(
        "Where the checkerboard comes from",
        "02",
        "Three tables of counts",
        ("Kernel 3 with stride 2: one, two or four stamps a pixel.",),
    ),
    Slide(
        "How far a value sees",
        "03",
        "four nested squares",
        ("The receptive field, counted and measured.",),
    ),
    Slide(
        "What is left at 8 by 8",
        "04",
        "8 by 8 cells",
        ("Enough to know that there is a pet.", "Not enough to draw its ear."),
    ),
    Slide(
        "With and without skips",
        "05",
        "network with skips",
        ("Same data, same training.", "The skips bring the fine detail back."),
    ),
    Slide(
        "The U-Net",
        "06",
        "drawn as a U",
        ("Down to see the whole, up to draw it.", "Dashed: the skips carry detail."),
    ),
    Slide(
        "Can it learn four pictures by heart?",
        "06",
        "Four pets, their true masks",
        ("A check before any long training.",),
    ),
    Slide(
        "Training",
        "07",
        "training and validation loss",
        ("Validation pictures are never trained on.", "The test split is used once."),
    ),
    Slide(
        "Test pictures",
        "08",
        "Four test pictures in a row",
        ("Picture, truth, prediction.",),
    ),
    Slide(
        "Which class is mistaken for which",
        "08",
        "confusion matrix",
        ("Every score of the book comes from these nine numbers.",),
    ),
    Slide(
        "One network, three scores",
        "08",
        "as a class, ignored and merged",
        ("The border as a class, ignored, or merged into the pet.",),
    ),
)


def find_figure(chapter, words):
    """Return `(alt, data)` of the figure in whose alt text these words stand.

    Returns:
        The alt text, and a dictionary from the figure's type to its bytes as base64.

    Raises:
        ValueError: If there is no such figure.
    """
    path = next((ROOT / "book").glob(f"{chapter}_*.ipynb"))
    for cell in nbformat.read(path, as_version=4).cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if words in alt and "image/png" in data:
                return alt, {"image/png": data["image/png"].replace("\n", "")}
            if words in alt and "image/svg+xml" in data:
                text = data["image/svg+xml"].encode()
                return alt, {"image/svg+xml": base64.b64encode(text).decode()}
    raise ValueError(
        f"No figure of chapter {chapter} has {words!r} in its alt text. Take other "
        "words for this slide in teach/slides.py."
    )


def make_cell(slide):
    """Return the cell of one slide: heading, figure and lines."""
    alt, data = find_figure(slide.chapter, slide.figure)
    lines = "\n".join(f"- {line}" for line in slide.lines)
    alt = alt.replace("[", "(").replace("]", ")")
    text = f"## {slide.title}\n\n![{alt}](attachment:figure)\n\n{lines}"
    cell = new_markdown_cell(text)
    cell["attachments"] = {"figure": data}
    cell.metadata["slideshow"] = {"slide_type": "slide"}
    return cell


def make_deck():
    """Return the notebook of the lecture."""
    cells = [new_markdown_cell(TITLE, metadata={"slideshow": {"slide_type": "slide"}})]
    cells += [make_cell(slide) for slide in SLIDES]
    for number, cell in enumerate(cells):
        cell["id"] = f"slide-{number:02d}"
    return new_notebook(cells=cells)


def main():
    """Write the notebook and convert it to slides."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "lecture.ipynb"
    nbformat.write(make_deck(), path)
    words = ["-m", "jupyter", "nbconvert", "--to", "slides", str(path)]
    status = subprocess.call([sys.executable, *words])
    if status:
        sys.exit(f"The slides were not made: nbconvert ended with {status}.")
    print(f"Slides: {(FOLDER / 'lecture.slides.html').as_uri()}")


if __name__ == "__main__":
    main()
