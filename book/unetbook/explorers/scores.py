"""The explorer of chapter 8: scores under any threshold and scoring of the border."""

import numpy as np

from unetbook.config import CLASS_NAMES
from unetbook.explorers.addresses import pack_bytes, photo_uri
from unetbook.explorers.cells import explorer
from unetbook.figures.pictures import check_examples
from unetbook.figures.style import CLASS_COLOURS
from unetbook.metrics import check_counts, pack_pixels
from unetbook.pictures import check_image


def explore_scores(images, masks, probabilities, titles, counts=None):
    """Move the threshold and the border's scoring; scores and masks follow.

    Args:
        images: `(B, H, W, 3)`, floats in [0, 1] or uint8; a few pictures.
        masks: Their true masks, integers `(B, H, W)` in {0, 1, 2}.
        probabilities: What a model predicts for them, `(B, H, W, 3)` in [0, 1].
        titles: One text a picture.
        counts: Sum of `count_levels` over a whole data set, or None.

    Returns:
        An `IPython.display.HTML`; it works without a kernel.

    Raises:
        ValueError: If shapes or values do not fit.
    """
    check_examples(images, masks, None, titles)
    codes, levels = pack_pixels(masks, probabilities)
    cases = [
        {
            "title": str(title),
            "image": photo_uri(check_image(image)),
            "codes": pack_bytes(picture_codes),
            "levels": pack_bytes(picture_levels),
        }
        for title, image, picture_codes, picture_levels in zip(
            titles, images, codes, levels, strict=True
        )
    ]
    if counts is not None:
        counts = check_counts(counts)
        pictures = round(np.sum(counts) / codes[0].size)
        title = f"all {pictures:,} pictures"
        cases.append({"title": title, "counts": counts.tolist()})
    classes = list(zip(CLASS_NAMES, CLASS_COLOURS, strict=True))
    settings = {"cases": cases, "classes": classes, "size": codes[0].shape}
    return explorer("scores", settings)
