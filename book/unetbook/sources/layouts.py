"""Which mask belongs to which picture, in the layouts that annotation tools write."""

from pathlib import Path
from typing import NamedTuple

from unetbook.files import printable
from unetbook.remedies import look_up
from unetbook.sources.annotations import find_annotations, normal
from unetbook.sources.class_lists import (
    SPLITS,
    ClassList,
    read_class_list,
    take_one,
)
from unetbook.sources.outlines import ENDINGS

PICTURE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "pictures", "photos")
MASK_FOLDERS = ("masks", "mask", "trimaps", "segmentationclass", "labels", "label")
MASK_FOLDERS += ("segmentations", "masks_machine", "gt", "annotations", "annot")
FOLDERS_DOWN = 2  # where exports lie beside each other
MARKS = ("_mask", "-mask", "_masks", "_trimap", "_label", "_labels", "_seg", "_gt")
MARKS += ("_segmentation",)


class Pair(NamedTuple):
    """A picture and its mask: another file, or a function that draws it."""

    image: Path
    mask: object


class Layout(NamedTuple):
    """What a folder holds.

    Attributes:
        splits: Pairs by the name of their split; all of them in `train` where the
            folder has no splits of its own.
        faults: One sentence for each file that has no partner.
        listing: The `ClassList` of outlines that were drawn, or of the exports that
            lie beside each other, or None.
        notes: Sentences about what is passed over or taken together.
    """

    splits: dict
    faults: list
    listing: object = None
    notes: tuple = ()


def find_layout(folder):
    """Find the pairs of a folder, and those of its split folders.

    Raises:
        ValueError: If there is no picture with a mask or with an outline.
    """
    folder = enter_only_folder(folder)
    found = find_splits(folder) or find_pairs(folder)
    found = found or find_outlines(folder) or find_exports(folder)
    if found is None:
        raise ValueError(describe_contents(folder))
    return found


def find_splits(folder):
    """Return the `Layout` of the folders train, valid and test; None without masks."""
    inner = find_split_folders(folder)
    parts = {
        name: find_pairs(path) or pair_beside(path) for name, path in inner.items()
    }
    notes = [pass_over(inner[name]) for name, part in parts.items() if part is None]
    parts = {name: part for name, part in parts.items() if part is not None}
    if not parts:
        return None
    return Layout(
        {name: part.splits["train"] for name, part in parts.items()},
        [fault for part in parts.values() for fault in part.faults],
        notes=tuple(notes),
    )


def pass_over(folder):
    """Say that a split has pictures alone."""
    return f"{folder.name}/ holds no masks and is passed over"


def pair_beside(folder):
    """Return the `Layout` of pictures whose masks lie in `trainannot` or the like."""
    name = folder.name.lower()
    for other, masks in list_folders(folder.parent).items():
        if other.startswith(name) and other[len(name) :].strip("_- ") in MASK_FOLDERS:
            pictures, files = list_picture_files(folder), list_picture_files(masks)
            if pictures and files:
                return Layout(*pair_files(pictures, files, masks))
    return None


def find_exports(folder, depth=FOLDERS_DOWN):
    """Return the `Layout` of all exports that lie beside each other, or None."""
    splits, faults, notes, lists, names = {}, [], [], {}, []
    for path in list_folders(folder).values() if depth else ():
        part = find_splits(path) or find_pairs(path) or find_exports(path, depth - 1)
        if part is None or path.name.startswith("."):
            continue
        names.append(path.name)
        lists[path] = part.listing or read_class_list(path)
        faults += part.faults
        notes += part.notes
        for split, pairs in part.splits.items():
            splits.setdefault(split, []).extend(pairs)
    if not names:
        return None
    if len(names) > 1:
        shown = f"{', '.join(names[:6])}{', ...' * (len(names) > 6)}"
        note = f"in {folder.name}/, these are taken together: {shown}"
        notes.append(printable(note))
    lists = {path: listed for path, listed in lists.items() if listed is not None}
    listing = read_class_list(folder) or (take_one(lists) if lists else None)
    return Layout(splits, faults, listing, tuple(notes))


def find_outlines(folder):
    """Return the `Layout` of pictures with outlines, or None without any."""
    found = find_annotations(folder)
    if found is None:
        return None
    splits = {}
    for path, draw in found.pairs:
        parts = [part.lower() for part in path.relative_to(folder).parts[:-1]]
        named = [name for name, words in SPLITS.items() if {*words} & {*parts}]
        splits.setdefault((named or ["train"])[0], []).append(Pair(path, draw))
    classes = found.class_list.classes  # what is drawn counts from 1 already
    codes = {number: number for number in range(1, len(classes.names) + 1)}
    return Layout(splits, [], ClassList(classes, {**codes, 0: None}))


def enter_only_folder(folder):
    """Step into a folder that is all there is, as unpacked archives have it."""
    while True:
        seen = [path for path in folder.iterdir() if not path.name.startswith(".")]
        known = (*PICTURE_FOLDERS, *MASK_FOLDERS, *sum(SPLITS.values(), ()))
        if len(seen) != 1 or not seen[0].is_dir() or seen[0].name.lower() in known:
            return folder
        folder = seen[0]


def find_split_folders(folder):
    """Return `{split: path}` for the folders train, valid or val, and test."""
    inner = list_folders(folder)
    found = {
        split: next((inner[name] for name in names if name in inner), None)
        for split, names in SPLITS.items()
    }
    return {split: path for split, path in found.items() if path is not None}


def list_folders(folder):
    """Return `{name in lower case: path}` of the folders in a folder."""
    paths = sorted(path for path in folder.iterdir() if path.is_dir())
    return {path.name.lower(): path for path in paths}


def list_picture_files(folder):
    """Return the picture files of a folder, in order; other files are passed over."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ENDINGS and path.is_file() and path.name[0] != "."
    )


def find_pairs(folder):
    """Return the `Layout` of one folder, all of it in `train`; None without masks."""
    inner = list_folders(folder)
    images = next((inner[name] for name in PICTURE_FOLDERS if name in inner), None)
    masks = find_masks(folder)
    if images is not None and masks is not None:
        return pair_folders(folder, images, masks)
    pictures = list_picture_files(folder)
    if images is None and masks is not None and pictures:
        return Layout(*pair_files(pictures, list_picture_files(masks), masks))
    marked = find_marked(pictures)
    if marked:
        rest = [path for path in pictures if path not in marked]
        return Layout(*pair_files(rest, sorted(marked), folder))
    return None


def find_masks(folder):
    """Return the folder in which masks lie, also two levels down, or None."""
    inner = list_folders(folder)
    for name in MASK_FOLDERS:
        path = inner.get(name)
        if path is None:
            continue
        if list_picture_files(path) or any(
            list_picture_files(split) for split in find_split_folders(path).values()
        ):
            return path
        deeper = find_masks(path)
        if deeper is not None:
            return deeper
    return None


def find_marked(pictures):
    """Return the masks among the files of one folder: `NAME_mask.*`, or PNG by JPEG."""
    stems = {normal(path.stem) for path in pictures}
    names = stems | {normal(path.name) for path in pictures}
    marked = {path for path in pictures if set(list_keys(path)[1:]) & names}
    if marked:
        return marked
    photographs = {
        normal(path.stem)
        for path in pictures
        if path.suffix.lower() in (".jpg", ".jpeg")
    }
    return {
        path
        for path in pictures
        if path.suffix.lower() == ".png" and normal(path.stem) in photographs
    }


def pair_folders(folder, images, masks):
    """Pair a folder of pictures with one of masks, split by split if both have them."""
    inner, inner_masks = find_split_folders(images), find_split_folders(masks)
    if inner and not list_picture_files(images):
        splits, faults = {}, []
        for split, path in inner_masks.items():
            pictures = list_picture_files(inner[split]) if split in inner else []
            paired = pair_files(pictures, list_picture_files(path), path)
            splits[split] = paired[0]["train"]
            faults += paired[1]
        alone = [path for split, path in inner.items() if split not in inner_masks]
        return Layout(splits, faults, notes=tuple(map(pass_over, alone)))
    pictures, files = list_picture_files(images), list_picture_files(masks)
    if images.name.lower() != "jpegimages":
        return Layout(*pair_files(pictures, files, masks))
    # Only some of the pictures of Pascal VOC have a mask.
    keys = {key for file in files for key in list_keys(file)}
    pictures = [path for path in pictures if normal(path.stem) in keys]
    splits, faults = pair_files(pictures, files, masks)
    listed = follow_lists(folder, splits["train"])
    gone = len(splits["train"]) - len({pair for one in listed.values() for pair in one})
    note = f"{gone} pairs stand in no list of ImageSets/Segmentation, and are left out"
    return Layout(listed, faults, notes=(note,) if gone else ())


def follow_lists(folder, pairs):
    """Split pairs by the lists of Pascal VOC, if it has one of train and one of val."""
    lists = folder / "ImageSets" / "Segmentation"
    files = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
    names = {
        split: {normal(line.strip()) for line in read_lines(lists / file)}
        for split, file in files.items()
        if (lists / file).is_file()
    }
    if not names.keys() >= {"train", "validation"}:
        return {"train": pairs}
    return {
        split: [pair for pair in pairs if normal(pair.image.stem) in listed]
        for split, listed in names.items()
    }


def read_lines(file):
    """Return the lines of a text file; bytes that are no UTF-8 stand for no name."""
    return file.read_text("utf-8-sig", "replace").split("\n")


def list_keys(mask):
    """Return the names that the picture of a mask may have, the likeliest first."""
    stem = normal(mask.stem)
    marks = [mark for mark in MARKS if stem.lower().endswith(mark)]
    return [stem, *(stem[: -len(mark)] for mark in marks)]


def pair_files(pictures, masks, mask_folder):
    """Pair pictures with masks by name.

    Args:
        pictures: List of paths.
        masks: Another one.
        mask_folder: Where masks lie, for the messages.

    Returns:
        `({"train": pairs}, faults)`; every file stands in one of both, and once.
    """
    known, any_case = {}, {}
    for path in pictures:
        for key in {normal(path.name), normal(path.stem)}:
            known.setdefault(key, []).append(path)
            any_case.setdefault(key.lower(), []).append(path)
    partners, faults = {}, []
    for mask in masks:
        keys = list_keys(mask)
        found = next((known[key] for key in keys if key in known), [])
        if not found:
            lower = (key.lower() for key in keys)
            found = next((any_case[key] for key in lower if key in any_case), [])
        if not found:
            faults.append(miss_picture(mask, pictures))
        for path in found:
            partners.setdefault(path, []).append((mask, found))
    pairs = []
    for path in pictures:
        problem = find_unpaired(path, partners.get(path, []), mask_folder)
        if problem is None:
            pairs.append(Pair(path, partners[path][0][0]))
        elif problem:
            faults.append(problem)
    return {"train": pairs}, faults


def find_unpaired(path, partners, mask_folder):
    """Return what is wrong with the partners of a picture, once; None if nothing."""
    if not partners:
        return miss_mask(path, mask_folder)
    mask, found = partners[0]
    if len(found) > 1:
        if path != found[0]:
            return ""  # said of the first of them
        return (
            f"{found[0]} and {found[1].name} have one name, and one mask, {mask}: "
            "rename one of them and its mask."
        )
    if len(partners) > 1:
        return (
            f"{path} has two masks, {mask} and {partners[1][0].name}: remove the one "
            "that is not meant."
        )
    return None


def miss_mask(path, mask_folder):
    """Say that a picture has no mask, and which file comes near."""
    expected = mask_folder / f"{path.stem}.png"
    return (
        f"{path} has no mask: expected {expected}, or {path.stem}_mask.png"
        f"{come_near(path, mask_folder)}. Add it, or remove the picture."
    )


def miss_picture(mask, pictures):
    """Say that a mask has no picture, and which file comes near."""
    folder = pictures[0].parent if pictures else mask.parent.parent / "images"
    return (
        f"{mask} has no picture: expected {folder / mask.stem}.jpg or another ending"
        f"{come_near(mask, folder)}. Add it, or remove the mask."
    )


def come_near(path, folder):
    """Name a file that differs from the one expected by its ending."""
    stems = {key.lower() for key in list_keys(path)}
    if folder == path.parent or not folder.is_dir():
        return ""
    for other in sorted(folder.iterdir()):
        if normal(other.stem).lower() in stems:
            return f"; {other.name} there is no picture"
    return ""


def holds_pairs(folder):
    """Return whether a folder itself holds pictures with masks or with outlines."""
    try:
        return bool(find_pairs(folder) or find_outlines(folder))
    except (ValueError, ImportError):  # there are outlines, and the error says more
        return True


def describe_contents(folder):
    """Say that a folder holds no pairs, what it holds, and what is looked for."""
    inner = (*PICTURE_FOLDERS, *MASK_FOLDERS)
    if folder.name.lower() in inner and holds_pairs(folder.parent):
        return printable(
            f"{folder} is only a part: what belongs to it lies beside it. Give "
            f"{folder.parent}."
        )
    held = [f"{len(list_picture_files(folder))} pictures"]
    for path in list(list_folders(folder).values())[:12]:
        held.append(f"{path.name}/ with {len(list_picture_files(path))} pictures")
    return printable(
        f"{folder} holds no pictures with masks: there are {', '.join(held)}. Put the "
        f"pictures into {folder / 'images'} and for each of them a mask of the same "
        f"name, ending in .png, into {folder / 'masks'}; or NAME_mask.png beside "
        f"NAME.jpg. {look_up('The folder is refused')}"
    )
