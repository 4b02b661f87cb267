"""Draw the pictures of README.md and the introduction again: `make figures`.

Six drawn pets of the test split, their masks, and what the shipped network predicts;
and five photographs, with what the larger network cut out of them. Three of these stand
in the picture that is shown with a link to the site.
"""

import sys
from pathlib import Path

from unetbook.config import start

config = start()

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from unetbook.cats import CATS, load_cat  # noqa: E402
from unetbook.cutouts import cut_out  # noqa: E402
from unetbook.data import cache_pairs, load_pets, make_dataset  # noqa: E402
from unetbook.figures.pictures import plot_cut_outs, plot_mask  # noqa: E402
from unetbook.prediction import predict_masks, segment_picture  # noqa: E402
from unetbook.pretrained import load_pretrained  # noqa: E402

sys.path.insert(
    0, str(Path(__file__).parents[1])
)  # a script finds `tools` no other way

from tools.shared_links import PICTURE, PICTURE_SIZE  # noqa: E402

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "book" / "images"
CHOSEN = (3, 5, 8, 12, 17, 22)  # cats and dogs, near and far, in the open and hidden

SENT = ("tabby", "siamese", "mau")  # with a link
CARD_DPI = 100


def draw_pets(images, masks, pred_masks):
    """Draw one column a pet: picture, truth, prediction."""
    figure, axes = plt.subplots(3, len(images), figsize=(9, 4.8), layout="constrained")
    for column, image in zip(axes.T, images, strict=True):
        column[0].imshow(image)
    for row, some_masks in ((1, masks), (2, pred_masks)):
        for ax, mask in zip(axes[row], some_masks, strict=True):
            plot_mask(mask, ax=ax)
    for ax, name in zip(axes[:, 0], ("picture", "truth", "U-Net"), strict=True):
        ax.set_ylabel(name, fontsize=12)
    for ax in axes.flat:
        ax.set_axis_on()
        ax.set(xticks=[], yticks=[], frame_on=False, title="", xlabel="")
    return figure


def draw_cats(model):
    """Draw the five photographs, and what a network cuts out of each."""
    cats = [load_cat(name) for name in CATS]
    cut_outs = [cut_out(cat, segment_picture(model, cat)[1]) for cat in cats]
    titles = [name.capitalize() for name in CATS]
    return plot_cut_outs(cats, cut_outs, titles)[0, 0].figure


def draw_card(model):
    """Draw three of the photographs and their cut-outs for links, without any text."""
    cats = [load_cat(name) for name in SENT]
    cut_outs = [cut_out(cat, segment_picture(model, cat)[1]) for cat in cats]
    figure = plot_cut_outs(cats, cut_outs)[0, 0].figure
    width, height = PICTURE_SIZE
    figure.set_size_inches(width / CARD_DPI, height / CARD_DPI)
    return figure


def save(figure, name):
    """Write a figure into the book's images."""
    file = IMAGES / name
    figure.savefig(file, dpi=110, metadata={"Software": None})
    print(f"wrote {name}: {file.stat().st_size / 1000:.0f} kB")


def main():
    """Predict on the chosen test pictures and the photographs, and save the figures."""
    pairs = cache_pairs(load_pets("drawn").test, config.image_size)
    images, masks = next(iter(make_dataset(pairs, max(CHOSEN) + 1)))
    images, masks = np.array(images)[list(CHOSEN)], np.array(masks)[list(CHOSEN)]
    model = load_pretrained("drawn")
    save(draw_pets(images, masks, predict_masks(model, images)), "pets.png")
    large = load_pretrained("large")
    save(draw_cats(large), "cats.png")
    draw_card(large).savefig(ROOT / PICTURE, dpi=CARD_DPI)


if __name__ == "__main__":
    main()
