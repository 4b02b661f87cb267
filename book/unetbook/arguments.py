"""What the command line was given, checked before TensorFlow is loaded."""

import json
from pathlib import Path

from unetbook.cards import find_network, list_pretrained
from unetbook.config import find_folder
from unetbook.files import check_png_path
from unetbook.remedies import look_up
from unetbook.sources.layouts import list_picture_files

DIVISOR = 32  # of the pictures' side: the encoder from ImageNet halves it five times
KEPT = ("folder", "start", "size", "batch", "seed")  # what makes a run another one


def check_arguments(options):
    """Raise a `ValueError` for what can be seen to be wrong without a network."""
    if hasattr(options, "folder"):
        find_folder(options.folder)
    if hasattr(options, "sheet"):
        check_png_path(options.sheet)
    if hasattr(options, "model"):
        find_network(options.model)
    if hasattr(options, "run"):
        check_start(options.start, options.size)
        check_run(options)
    if hasattr(options, "pictures"):
        check_masks(list_given(options.pictures), options)


def check_start(start, size):
    """Raise a `ValueError` if there is no such start, or it cannot take the size."""
    names = ("imagenet", "scratch", *list_pretrained())
    if start not in names:
        raise ValueError(f"--start {start}: give one of {', '.join(names)}.")
    if start == "imagenet" and size is not None and size % DIVISOR:
        raise ValueError(f"--size {size}: give a multiple of {DIVISOR}.")


def check_run(options):
    """Raise a `ValueError` if the folder of the run holds one with other options.

    What is damaged there, or differs in another way, is told when the run is opened.
    """
    run = Path(options.run).expanduser()
    try:
        stored = json.loads((run / "run.json").read_text())
        there = {name: stored[f"settings {name}"] for name in KEPT}
        there["epochs"] = stored["epochs"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    given = {name: getattr(options, name) for name in there}
    if given["epochs"] is None:  # as many as the pictures ask for
        del given["epochs"]
    other = [name for name in given if given[name] != there[name]]
    if other:
        told = ", ".join(f"--{name} {there[name]}" for name in other)
        told = told.replace("--folder ", "").replace("--size None", "no --size")
        raise ValueError(
            f"{run} was begun with {told}. Give the same again to go on, or another "
            f"--run to begin anew. {look_up('The folder holds another run')}"
        )


def list_given(places):
    """Return the picture files among files and folders, all of another name."""
    pictures = []
    for place in (Path(place).expanduser() for place in places):
        found = list_picture_files(place) if place.is_dir() else [place]
        if not found:
            raise ValueError(
                f"{place.absolute()} holds no pictures{point_below(place)}"
            )
        if not found[0].is_file():
            raise ValueError(f"There is no file or folder {place.absolute()}.")
        pictures += found
    seen = {}
    for path in pictures:
        other = seen.setdefault(path.stem, path)
        if other != path:
            raise ValueError(
                f"{other} and {path} would both become {path.stem}_mask.png. Rename "
                "one of them, or segment them apart."
            )
    return list(seen.values())


def point_below(folder):
    """Return the end of a sentence: in which folder below pictures lie, if in any."""
    for inside in sorted(path for path in folder.rglob("*") if path.is_dir()):
        if list_picture_files(inside):
            return f" itself. Give the folder that they are in, such as {inside}"
    return "."


def check_masks(pictures, options):
    """Raise a `ValueError` if the mask of every picture is there already."""
    there = [find_written(path, options) for path in pictures]
    if all(there) and not options.overwrite:
        raise ValueError(
            f"{there[0]} is there already. Give another --out, or --overwrite."
        )


def name_written(path, options):
    """Return which files come of a picture: its mask, and its cut-out."""
    out = Path(options.out).expanduser()
    written = [out / f"{path.stem}_mask.png"]
    if options.cut_out:
        written.append(out / f"{path.stem}_cut.png")
    return written


def find_written(path, options):
    """Return the first file of a picture that is there already, or None."""
    return next((file for file in name_written(path, options) if file.exists()), None)
