"""Segment pictures of your own: check a folder, train on it, score, segment.

  unetbook check leaves            are pictures and masks in order? See check.png
  unetbook train leaves --run net  train, score, and keep all of it in net/
  unetbook score net leaves        how well does it do, class by class?
  unetbook segment new/ --model net --cut-out

A folder holds pictures in images/ and for each of them a mask of the same name in
masks/, or is the export of an annotation tool: CVAT, Label Studio, labelme,
Roboflow, Supervisely, COCO, VOC, YOLO.
`unetbook COMMAND --help` says more. The exit code is 0, 1 if a check found faults, 2 if
something given is wrong, 130 after Ctrl-C.
"""

import argparse
import importlib
import sys
import warnings

from unetbook.arguments import check_arguments
from unetbook.config import hold_stderr, load_tensorflow
from unetbook.remedies import look_up

ACTIONS = {
    "check": ("check_folder", "look at every pair of picture and mask"),
    "train": ("train_folder", "train a network; the same command goes on after a stop"),
    "score": ("score_folder", "score a network, class by class"),
    "segment": ("segment_pictures", "write masks of pictures, and cut-outs"),
}
FULL = (
    "unetbook {}: the memory of the device is full. Give a smaller --batch or --size. "
    + look_up("Out of memory")
)
STOPPED = "Stopped. What was finished is kept, and the same command goes on from there."
CLASSES_HELP = (
    "what the masks hold: names in the order of their values (background,leaf,stem), "
    "names with values (leaf=2,void=255), or some of the names that a file in the "
    "folder lists"
)
START_HELP = (
    "imagenet: an encoder that has seen a million photographs; pretrained: the same "
    "after all pet photographs of the book, better for cats and dogs; tiny, large, "
    "drawn: other networks of the book; scratch: random weights (%(default)s)"
)
SEED_HELP = "another one cuts off other validation pictures, a fifth (%(default)s)"


def main(arguments=None):
    """Do what the command line says, and return the exit code."""
    options = make_parser().parse_args(arguments)
    try:
        check_arguments(options)
        load_tensorflow()
        with hold_stderr():
            commands = importlib.import_module("unetbook.commands")
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            return getattr(commands, ACTIONS[options.command][0])(options) or 0
    except KeyboardInterrupt as stop:
        print(stop if str(stop) else STOPPED, file=sys.stderr)
        return 130
    except (ValueError, OSError, FloatingPointError, ImportError) as error:
        print(f"unetbook {options.command}: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        if type(error).__name__ != "ResourceExhaustedError":  # TensorFlow's
            raise
        print(FULL.format(options.command), file=sys.stderr)
        return 2


def show_warning(message, category, *_):
    """Print a warning of ours as a sentence; others are for programmers."""
    if issubclass(category, UserWarning):
        print(message, file=sys.stderr)


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="unetbook",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {
        name: commands.add_parser(name, help=about, description=about.capitalize())
        for name, (_, about) in ACTIONS.items()
    }
    add_check(parsers["check"])
    add_train(parsers["train"])
    add_score(parsers["score"])
    add_segment(parsers["segment"])
    return parser


def add_check(parser):
    """Add the arguments of `check`."""
    parser.add_argument("folder", help="the folder of pictures and masks")
    parser.add_argument("--classes", type=parse_classes, help=CLASSES_HELP)
    parser.add_argument(
        "--sheet", default="check.png", help="where to draw what it saw"
    )


def add_train(parser):
    """Add the arguments of `train`."""
    parser.add_argument("folder", help="the folder of pictures and masks")
    parser.add_argument("--run", required=True, help="folder for all that comes of it")
    parser.add_argument("--classes", type=parse_classes, help=CLASSES_HELP)
    parser.add_argument("--start", default="imagenet", help=START_HELP)
    size_help = (
        "side in pixels to which pictures are resized, a multiple of 32 (128; the "
        "networks of the book keep their own)"
    )
    parser.add_argument("--size", type=count, help=size_help)
    epochs_help = "passes over the training pictures (20, or as many as make 400 steps)"
    parser.add_argument("--epochs", type=count, help=epochs_help)
    batch_help = "pictures in one step (%(default)s); fewer if memory runs out"
    parser.add_argument("--batch", type=count, default=8, help=batch_help)
    parser.add_argument("--seed", type=int, default=0, help=SEED_HELP)


def add_score(parser):
    """Add the arguments of `score`."""
    parser.add_argument("model", help="the folder of a run, or a network of the book")
    parser.add_argument("folder", help="the folder of pictures and masks")
    parser.add_argument("--classes", type=parse_classes, help=CLASSES_HELP)
    splits = ("train", "validation", "test")
    split_help = "which pictures to score (%(default)s)"
    parser.add_argument(
        "--split", choices=splits, default="validation", help=split_help
    )
    parser.add_argument("--batch", type=count, default=8, help="pictures in one step")
    seed_help = "the one that the training had, or it scores what it was trained on (0)"
    parser.add_argument("--seed", type=int, default=0, help=seed_help)


def add_segment(parser):
    """Add the arguments of `segment`."""
    parser.add_argument("pictures", nargs="+", help="files, or folders of pictures")
    model_help = (
        "the folder of a run, or a network of the book: drawn, tiny, large, pretrained"
    )
    parser.add_argument("--model", required=True, help=model_help)
    out_help = "folder for the masks (%(default)s)"
    parser.add_argument("--out", default="segmented", help=out_help)
    overwrite_help = "write over masks that are there"
    parser.add_argument("--overwrite", action="store_true", help=overwrite_help)
    cut_help = "write what is not background, too, on a transparent background"
    parser.add_argument("--cut-out", action="store_true", help=cut_help)
    tile_help = "see large pictures in squares of so many pixels"
    parser.add_argument("--tile", type=count, help=tile_help)
    twice_help = "look again at what was found, enlarged: better for small objects"
    parser.add_argument("--look-twice", action="store_true", help=twice_help)
    flip_help = "average with the mirrored picture: slower, a little better"
    parser.add_argument("--flip", action="store_true", help=flip_help)


def count(text):
    """Return a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 on")
    return int(text)


def parse_classes(text):
    """Return the names of classes, or a dictionary from names to values."""
    parts = [part.strip() for part in text.split(",")]
    if not any("=" in part for part in parts):
        return tuple(parts)
    pairs = [part.rpartition("=") for part in parts]
    if not all(name and value.strip().isdecimal() for name, _, value in pairs):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give names (background,leaf), or a value for each name "
            "(background=0,leaf=2)"
        )
    return {name.strip(): int(value) for name, _, value in pairs}


if __name__ == "__main__":
    sys.exit(main())
