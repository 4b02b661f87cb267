"""What the command line does: check, train, score, segment."""

import math
from pathlib import Path

import keras

from unetbook.arguments import KEPT, check_run, find_written, list_given, name_written
from unetbook.cutouts import cut_out, write_mask
from unetbook.data import cache_pairs, check_pictures, load_pictures, make_dataset
from unetbook.figures.report import plot_report
from unetbook.model import build_unet
from unetbook.prediction import segment_picture
from unetbook.pretrained import build_pretrained_unet, load_pretrained, replace_head
from unetbook.remedies import look_up
from unetbook.runs import (
    draw_best_and_worst,
    list_scores,
    read_network,
    save_figure,
    score_objects,
    score_split,
    write_run,
    write_scores,
)
from unetbook.training import LOSSES, compile_unet, make_optimizer, train

RATES = {"scratch": 3e-3}  # learning rates; where something was learnt before, 1e-3
AUGMENTATION = ("flip", "colour")
VALIDATION_SHARE = 0.2  # of the training pictures, in a folder that brings no split
FEWEST_STEPS, FEWEST_EPOCHS = 400, 20  # of a training whose epochs are not given
LOW = 0.4  # a mean IoU that says that something is wrong


def check_folder(options):
    """Print and draw what the check of a folder found; 1 if it cannot be loaded."""
    report = check_pictures(options.folder, options.classes)
    for sentence in report.faults:
        print(f"Fault: {sentence}")
    for sentence in report.doubtful:
        print(f"Look at it: {sentence}")
    if report.faults:
        print(look_up("The folder is refused"))
    elif report.doubtful:
        print(look_up("The folder loads with a warning"))
    for name, share in report.shares.items():
        if name or share:
            print(f"{name or 'not annotated'}: {share:.1%} of the pixels")
    save_figure(plot_report(report)[0].figure, Path(options.sheet).expanduser())
    print(
        f"{len(report.pairs)} pairs; faults: {len(report.faults)}; to look at: "
        f"{len(report.doubtful)}. See {options.sheet}."
    )
    return 1 if report.faults else 0


def begin_model(start, image_size, num_classes):
    """Return a network to train, from nothing or from what another one has learnt.

    Args:
        start: `"scratch"`, `"imagenet"`, or the name of a network of the book.
        image_size: Side of its pictures; None is the usual one.
        num_classes: Channels of its output.
    """
    if start == "scratch":
        return build_unet(image_size or 128, num_classes)
    if start == "imagenet":
        return build_pretrained_unet(image_size or 128, num_classes)
    model = load_pretrained(start)
    own = model.input_shape[1]
    if image_size not in (None, own):
        raise ValueError(
            f"--size {image_size}: {start!r} was trained on pictures of {own} pixels. "
            "Leave --size out, or take --start imagenet."
        )
    return replace_head(model, num_classes)


def train_folder(options):
    """Train a network on a folder, score it, and write the folder of the run."""
    pictures = load_splits(options)
    classes, run = pictures.classes, Path(options.run).expanduser()
    keras.utils.set_random_seed(options.seed)
    model = begin_model(options.start, options.size, len(classes.names))
    pairs = [cache_pairs(split, model.input_shape[1]) for split in pictures[:3]]
    settings = list_settings(options, classes)
    options.epochs = options.epochs or count_epochs(len(pairs[0]), options.batch)
    check_run(options)  # once more: the number of epochs may have been open
    steps = math.ceil(len(pairs[0]) / options.batch)
    print(f"{options.epochs} epochs of {steps} steps. The first takes longer.")
    if options.epochs * steps < FEWEST_STEPS:
        enough = count_epochs(len(pairs[0]), options.batch)
        print(f"These are few steps. Without --epochs there are {enough} epochs.")
    history = train_network(model, pairs, options, run, settings)
    write_run(run, model, classes, history)
    known = max(history["mean_iou"])
    finish_run(run, model, pairs, classes, options.batch, known)


def load_splits(options):
    """Return the pictures of a folder, cut by `--seed` where it brings no splits."""
    return load_pictures(
        options.folder,
        options.classes,
        validation_share=VALIDATION_SHARE,
        seed=options.seed,
    )


def count_epochs(pictures, batch_size):
    """Return how many epochs to train: more where few pictures make few steps."""
    steps = math.ceil(pictures / batch_size)
    return max(FEWEST_EPOCHS, math.ceil(FEWEST_STEPS / steps))


def train_network(model, pairs, options, run, settings=None):
    """Train a network, and give it the weights of its best epoch on validation.

    Args:
        model: A network from `begin_model`.
        pairs: What `cache_pairs` returns for train and validation, in this order.
        options: An object with `start`, `epochs`, `batch` and `seed`.
        run: Folder of the run.
        settings: As in `train`.

    Returns:
        The history, as in `train`.
    """
    steps = options.epochs * math.ceil(len(pairs[0]) / options.batch)
    rate = RATES.get(options.start, 1e-3)
    compile_unet(model, make_optimizer(rate, steps), LOSSES["cross-entropy + Dice"])
    how = {"training": True, "augmentation": AUGMENTATION, "seed": options.seed}
    history = train(
        model,
        lambda epoch: make_dataset(pairs[0], options.batch, **how, epoch=epoch),
        make_dataset(pairs[1], options.batch),
        options.epochs,
        run_dir=run,
        settings=settings,
    )
    model.load_weights(run / "best.weights.h5")
    return history


def list_settings(options, classes):
    """Return what makes a run another one, for the comparison at its resume."""
    settings = {name: getattr(options, name) for name in KEPT}
    return settings | {"classes": ", ".join(classes.names)}


def finish_run(run, model, pairs, classes, batch_size, known):
    """Score validation, then test, once; draw the best and the worst; say where."""
    scores = {}
    for name, part in (("validation", pairs[1]), ("test", pairs[2])):
        scores[name] = score_split(model, make_dataset(part, batch_size), classes)
        print("\n".join([f"{name}:", *list_scores(scores[name])]))
    write_scores(run, scores)
    figure = draw_best_and_worst(model, pairs[1], classes, batch_size)
    save_figure(figure, run / "sheet.png")
    if scores["validation"]["mean_iou"] < LOW:
        print(explain_low(known))
    print(
        f"Now look at {run / 'sheet.png'}, the validation pictures from the best to "
        f"the worst. Then try: unetbook segment PICTURE --model {run}\n"
        "To hand the network on, model.keras and classes.csv are enough."
    )


def explain_low(known):
    """Return what to do about a low score; it depends on the one in training."""
    if known < LOW:
        return f"That is low. {look_up('The loss or the score stands still')}"
    return (
        f"That is low, and on the training pictures it is {known:.3f}: the network "
        f"needs more of them. {look_up('Good in training, bad elsewhere')}"
    )


def score_folder(options):
    """Print the scores of a network on a split of a folder."""
    model, classes = read_network(options.model)
    pictures = load_splits(options)
    held, known = pictures.classes, classes.names
    if held.names != known:
        print(explain_merging(held, classes))
    pairs = cache_pairs(getattr(pictures, options.split), model.input_shape[1])
    batches = make_dataset(pairs, options.batch)
    if held.names == known:
        scores = score_split(model, batches, classes)
    else:
        scores = score_objects(model, classes, batches, held.background)
    print("\n".join([f"{options.split}:", *list_scores(scores)]))


def explain_merging(held, known):
    """Say what is scored if the masks hold other classes than the network knows.

    Raises:
        ValueError: If one side has no background, or only the order differs.
    """
    differ = (
        f"The masks hold {', '.join(held.names)}, and the network knows "
        f"{', '.join(known.names)}."
    )
    if {*held.names} == {*known.names} or None in (held.background, known.background):
        raise ValueError(
            f"{differ} Name the same classes in the same order with --classes."
        )
    return f"{differ} So all that is not background counts as one class, object."


def segment_pictures(options):
    """Write the mask of each picture, and its cut-out; 2 if one cannot be read."""
    pictures = list_given(options.pictures)
    model, classes = read_network(options.model)
    if classes.background is None and (options.cut_out or options.look_twice):
        raise ValueError(
            f"The classes {', '.join(classes.names)} have no background, so that "
            "nothing can be cut out or looked at twice. Leave the option out."
        )
    failed = 0
    for path in pictures:
        try:
            print(segment_one(path, model, classes, options))
        except ValueError as error:
            failed += 1
            print(f"{path.name}: {error}")
    return 2 if failed else 0


def segment_one(path, model, classes, options):
    """Segment a picture, write what was asked for, and return what was found."""
    written, there = name_written(path, options), find_written(path, options)
    if there and not options.overwrite:
        raise ValueError(
            f"{there} is there already. Give another --out, or --overwrite."
        )
    mask, probabilities = segment_picture(
        model,
        path,
        tile=options.tile,
        look_twice=options.look_twice,
        flip=options.flip,
        classes=classes,
    )
    written[0].parent.mkdir(parents=True, exist_ok=True)
    write_mask(mask, written[0], classes)
    if options.cut_out:
        cut_out(path, probabilities, classes, written[1])
    shares = [(mask == number).mean() for number in range(len(classes.names))]
    found = [f"{name} {s:.0%}" for name, s in zip(classes.names, shares, strict=True)]
    return f"{path.name}: {', '.join(found)} -> {', '.join(map(str, written))}"
