"""Score what the options of `segment_picture` bring, on the validation photographs.

`python -m experiments looks` writes `measured/looks.json`: the shipped networks plain,
flipped, with a second look and with both; and, for pictures three times as long as the
other way, squeezed, letterboxed and seen in squares.

The networks learnt from copies of 128 pixels, and here they see such copies. The second
look therefore only enlarges what the first has seen; in a picture of a camera it sees
more. The long pictures are made of the same copies: three side by side or on top of
each other, and the middle third of one, whose pet is cut.
"""

import numpy as np

from experiments.faults import SIDE
from unetbook.data import cache_pairs, load_pets
from unetbook.files import write_json
from unetbook.metrics import confusion_matrix, mean_iou, score_border
from unetbook.prediction import segment_picture
from unetbook.pretrained import load_pretrained
from unetbook.results import MEASURED_DIR
from unetbook.tiles import predict_piece, predict_tiles

NETWORKS = ("large", "tiny")
SMALL = 0.2  # pet and border take less of the picture
GREY = 128  # of a letterbox's bars
LOOKS = {
    "plain": {},
    "flip": {"flip": True},
    "look twice": {"look_twice": True},
    "both": {"flip": True, "look_twice": True},
}


def predict_letterboxed(model, pixels):
    """Predict a picture between grey bars that make it square."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.full((side, side, 3), GREY, "uint8")
    window = np.s_[top : top + height, left : left + width]
    square[window] = pixels
    return predict_piece(model, square)[window]


def predict_squares(model, pixels):
    """Predict a picture in overlapping squares along its length."""
    return predict_tiles(model, pixels, min(pixels.shape[:2]))


WAYS = {
    "squeezed": predict_piece,
    "letterboxed": predict_letterboxed,
    "squares": predict_squares,
}


def join_threes(pairs, axis):
    """Join pictures and their masks in threes; one or two at the end are left out."""
    threes = [pairs[i : i + 3] for i in range(0, len(pairs) - 2, 3)]
    return [
        tuple(np.concatenate(parts, axis) for parts in zip(*three, strict=True))
        for three in threes
    ]


def cut_thirds(pairs, axis):
    """Keep the middle third of pictures and masks."""
    return [tuple(np.array_split(part, 3, axis)[1] for part in pair) for pair in pairs]


SHAPES = {
    "three side by side": (join_threes, 1),
    "three on top of each other": (join_threes, 0),
    "middle third, wide": (cut_thirds, 0),
    "middle third, tall": (cut_thirds, 1),
}


def read_validation(count=None):
    """Return validation pictures uint8 `(SIDE, SIDE, 3)` with masks, in a list."""
    pairs = cache_pairs(load_pets("oxford").validation.take(count or -1), SIDE)
    pairs = pairs.as_numpy_iterator()
    return [(image, trimap.astype("int32") - 1) for image, trimap in pairs]


def count_masks(pairs, predict):
    """Count truth against prediction: int64 `(pictures, 3, 3)`.

    Args:
        pairs: A list of pictures with masks.
        predict: A function from a picture to probabilities.
    """
    return np.stack(
        [confusion_matrix(mask, predict(image).argmax(-1)) for image, mask in pairs]
    )


def mean_pet_iou(matrices):
    """Average the pet's IoU over pictures, border merged; None without a pet."""
    scores = [score_border(matrix, "merged")["iou"][0] for matrix in matrices]
    scores = [score for score in scores if not np.isnan(score)]
    return round(float(np.mean(scores)), 5) if scores else None


def describe_counts(matrices):
    """Return the matrix of all pictures, and the mean of their pets' IoU."""
    matrix = matrices.sum(axis=0).tolist()
    return {"matrix": matrix, "pet_iou": mean_pet_iou(matrices)}


def is_small(mask):
    """Tell whether pet and border take less than `SMALL` of a picture."""
    return bool((mask != 1).mean() < SMALL)


def score_looks(model, pairs):
    """Score the options of `segment_picture`, on small pets and on others too."""
    small = np.array([is_small(mask) for _, mask in pairs])
    scores = {}
    for look, options in LOOKS.items():

        def predict(image, options=options):
            return segment_picture(model, image, **options)[1]

        matrices = count_masks(pairs, predict)
        scores[look] = {
            **describe_counts(matrices),
            "pet_iou_small": mean_pet_iou(matrices[small]),
            "pet_iou_others": mean_pet_iou(matrices[~small]),
        }
    return scores


def score_shapes(model, pairs):
    """Score three ways to see pictures that are three times as long."""
    scores = {}
    for shape, (change, axis) in SHAPES.items():
        long_pairs = change(pairs, axis)
        scores[shape] = {
            way: describe_counts(count_masks(long_pairs, lambda x, f=f: f(model, x)))
            for way, f in WAYS.items()
        }
    return scores


def measure_looks(pairs, networks=NETWORKS):
    """Return what `measured/looks.json` holds."""
    measured = {
        "made_by": "python -m experiments looks",
        "split": "validation",
        "pictures": len(pairs),
        "small_below": SMALL,
        "small_pictures": sum(is_small(mask) for _, mask in pairs),
        "networks": {},
    }
    for name in networks:
        model = load_pretrained(name)
        measured["networks"][name] = {
            "looks": score_looks(model, pairs),
            "shapes": score_shapes(model, pairs),
        }
    return measured


def print_scores(measured):
    """Print the mean IoU of every score, and the mean of the pets' IoU."""
    for name, network in measured["networks"].items():
        groups = {"": network["looks"], **network["shapes"]}
        for group, scores in groups.items():
            for way, score in scores.items():
                pets = [v for key, v in score.items() if key != "matrix"]
                pets = "  ".join("     -" if v is None else f"{v:.4f}" for v in pets)
                score = mean_iou(score["matrix"])
                print(f"{name:6} {group:27} {way:12} {score:.4f}  pet {pets}")


def main(options):
    """Score the shipped networks, write the file and say what came out."""
    if options.pictures is not None and options.folder is None:
        raise SystemExit("A few pictures are no measurement: give them a --folder.")
    measured = measure_looks(read_validation(options.pictures))
    write_json((options.folder or MEASURED_DIR) / "looks.json", measured, indent=1)
    print_scores(measured)
