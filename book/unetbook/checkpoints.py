"""Save a training whole after every epoch, and go on from there to the same bits.

Keras and NumPy only.
"""

import csv
import dataclasses
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from keras import ops

from unetbook.files import write_json, write_whole
from unetbook.processes import count_processes, process_number, wait_for_processes
from unetbook.remedies import look_up

ANOTHER_FOLDER = (
    "Give another run_dir, or delete this folder to train from the start. "
    + look_up("The folder holds another run")
)
MEMORY = "memory "  # before the names of arrays that are no variables


def describe_run(model, epochs, settings=None):
    """Flatten what makes a run what it is into `{"layer 3 Dropout rate": 0.3, ...}`.

    Args:
        model: A compiled model.
        epochs: Epochs in all.
        settings: A dataclass, a dictionary or None.

    Returns:
        A dictionary of what JSON can hold. Names of layers are left out, since Keras
        counts them on from model to model, and so are dtypes: `precision` says it once.
    """
    if dataclasses.is_dataclass(settings):
        settings = dataclasses.asdict(settings)
    optimizer = find_optimizer(model)
    parts = {
        "epochs": epochs,
        "settings": settings or {},
        "precision": model.dtype_policy.name,
        "processes": count_processes(),
        "optimizer": {"kind": type(optimizer).__name__, **optimizer.get_config()},
        "loss": name_loss(model.loss),
    }
    for number, layer in enumerate(model.layers):
        parts[f"layer {number} {type(layer).__name__}"] = layer.get_config()
    return flatten(json.loads(json.dumps(parts, default=str)))


def find_optimizer(model):
    """Return the optimizer itself, without what scales the loss in 16 bits."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def name_loss(loss):
    """Return the name of what `compile` took as a loss."""
    if isinstance(loss, str):
        return loss
    return getattr(loss, "__name__", type(loss).__name__)


def flatten(value, name=""):
    """Turn nested dictionaries into one whose keys are the joined names."""
    if not isinstance(value, dict):
        return {name: value}
    flat = {}
    for key, inner in value.items():
        if key not in ("name", "registered_name", "build_config", "module", "dtype"):
            flat |= flatten(inner, f"{name} {key}".strip())
    return flat


def open_run(run_dir, model, description, memory=None):
    """Start the run in `run_dir`, or restore the one that is there.

    Args:
        run_dir: A `Path`, or None.
        model: A compiled model; its variables are overwritten if a run is there.
        description: From `describe_run`.
        memory: A dictionary, filled as in `restore_checkpoint`.

    Returns:
        `(epochs_done, history)`.

    Raises:
        ValueError: If the run there is another one, or damaged.
    """
    if run_dir is None:
        return 0, {}
    if run_dir.exists() and not run_dir.is_dir():
        raise ValueError(f"run_dir={str(run_dir)!r} is a file. Give a folder.")
    if process_number() == 0:
        begin_run(run_dir, model, description)
    wait_for_processes()
    if not (run_dir / "checkpoint.npz").exists():
        raise ValueError(
            f"run_dir={str(run_dir)!r} is empty here, though process 0 has written "
            "there. Give a folder that all machines share."
        )
    check_same_run(run_dir, description)
    epoch, history = restore_checkpoint(run_dir / "checkpoint.npz", model, memory)
    if epoch and process_number() == 0:
        write_history(run_dir / "history.csv", history)
    return epoch, history


def begin_run(run_dir, model, description):
    """Make the folder of a run and save its start, unless there is one."""
    run_dir.mkdir(parents=True, exist_ok=True)
    if not (run_dir / "checkpoint.npz").exists():
        tell_of_other_tiers(run_dir, description)
        write_json(run_dir / "run.json", description, indent=1)
        # The start counts as epoch 0: a run killed in its first epoch repeats it too.
        save_checkpoint(run_dir / "checkpoint.npz", model, 0, {})


def tell_of_other_tiers(run_dir, description):
    """Say where a run of another tier lies that was begun on the same data."""
    data, tier = (description.get(f"settings {name}") for name in ("data", "tier"))
    for file in sorted(run_dir.parent.glob("*/run.json")):
        try:
            other = json.loads(file.read_text())
        except (OSError, ValueError):  # it is not the run that was asked for
            continue
        found = other.get("settings tier")
        if data and other.get("settings data") == data and found not in (None, tier):
            print(
                f"{file.parent} holds a run of the tier {found!r}. To go on with it, "
                f"set UNETBOOK_TIER={found} and restart."
            )


def check_same_run(run_dir, description):
    """Raise a `ValueError` that names how `description` differs from `run.json`.

    Entries that only one side knows do not count: another version of Keras or of this
    package may add some. What `tell_of_changes` knows is told, and the run goes on.
    """
    try:
        stored = json.loads((run_dir / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{run_dir / 'run.json'} cannot be read ({error}). {ANOTHER_FOLDER}"
        ) from error
    there, here = (list_facts(facts) for facts in (stored, description))
    differences = [
        f"{name} is {there[name]} there and {here[name]} here"
        for name in there
        if name in here and there[name] != here[name]
    ]
    if differences:
        more = len(differences) - 3
        text = "; ".join(differences[:3]) + (f"; and {more} more" if more > 0 else "")
        raise ValueError(
            f"run_dir={str(run_dir)!r} holds another run: {text}. {ANOTHER_FOLDER}"
        )
    tell_of_changes(stored, description)


def tell_of_changes(stored, description):
    """Say what is new in a run that goes on, if it has to do with rounding alone."""
    now = description["precision"]
    # Version 0.1.0 did not write it down, but how the loss was scaled in 16 bits.
    old = "mixed_float16" if "optimizer dynamic_growth_steps" in stored else now
    before = stored.get("precision", old)
    if before != now:
        print(f"This run was begun in {before}; now: {now}.")
    now = description["processes"]
    before = stored.get("processes", now)
    if before != now:
        print(
            f"This run was begun with processes={before}; now: processes={now}. "
            "The last digits will differ."
        )


def list_facts(description):
    """Return what two descriptions of one run share, whatever `tell_of_changes` knows.

    The kinds of the layers are added as one fact, so that a layer more or fewer shows.
    """
    facts = {
        name: value
        for name, value in description.items()
        if " dtype" not in name
        and name not in ("precision", "processes", "settings mixed_precision")
    }
    kinds = [name.split()[1:3] for name in facts if name.startswith("layer ")]
    facts["the list of layers"] = list(dict(kinds).values())
    return facts


def save_run(run_dir, model, epoch, history, memory=None):
    """Save the checkpoint, the table of epochs and, if this is it, the best weights.

    Of several processes the first one writes, and all wait for it.
    """
    scores = history.get("val_mean_iou")
    if scores and np.argmax(scores) == len(scores) - 1:
        save_weights(run_dir / "best.weights.h5", model)
    if process_number() == 0:
        save_checkpoint(run_dir / "checkpoint.npz", model, epoch, history, memory)
        write_history(run_dir / "history.csv", history)
    wait_for_processes()


def save_weights(path, model):
    """Save weights for `model.load_weights`; of several processes all have to call it.

    On its way Keras asks the optimizer for its rate, which is computed by all together.
    """
    if process_number() == 0:
        write_whole(path, model.save_weights)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model.save_weights(Path(folder, path.name))


def save_checkpoint(path, model, epoch, history, memory=None):
    """Save every variable of the model and its optimizer, or leave the old file.

    Dropout's random state is a variable too, which `model.get_weights()` leaves out.

    Args:
        path: File to write, ending in `.npz`.
        model: A compiled model whose optimizer is built.
        epoch: Number of finished epochs.
        history: Dictionary of lists, kept in the same file.
        memory: Dictionary of arrays, kept in the same file; what `MeanWeights` holds.
    """
    variables = [*model.variables, *model.optimizer.variables]
    arrays = [ops.convert_to_numpy(variable) for variable in variables]
    progress = json.dumps({"epoch": epoch, "history": history})
    kept = {MEMORY + name: array for name, array in (memory or {}).items()}
    write_whole(path, lambda file: np.savez(file, *arrays, progress=progress, **kept))


def restore_checkpoint(path, model, memory=None):
    """Set every variable of the model and its optimizer from a checkpoint.

    Args:
        path: File from `save_checkpoint`.
        model: A model built and compiled in the same way.
        memory: A dictionary that gets the arrays that were kept beside the variables.

    Returns:
        `(epoch, history)` as saved.

    Raises:
        ValueError: If the file is missing, damaged or of another model; the model is
            then as it was.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            contents = dict(file)
        progress = json.loads(str(contents.pop("progress")))
        names = [name for name in contents if name.startswith(MEMORY)]
        kept = {name.removeprefix(MEMORY): contents.pop(name) for name in names}
        arrays = [contents[f"arr_{number}"] for number in range(len(contents))]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"The checkpoint {path} cannot be read ({error}). {ANOTHER_FOLDER}"
        ) from error
    variables, arrays = match_variables(model, arrays)
    shapes = [tuple(variable.shape) for variable in variables]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"The checkpoint {path} holds {len(arrays)} variables of another model or "
            f"optimizer; this one has {len(shapes)}. {ANOTHER_FOLDER}"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    if memory is not None:
        memory.clear()
        memory.update(kept)
    return progress["epoch"], progress["history"]


def match_variables(model, arrays):
    """Return the variables to restore, and the arrays of a checkpoint for them.

    In 16 bits a few variables that scale the loss stand between those of the model and
    those of the optimizer. Where only one side has them, they are left out.
    """
    optimizer = find_optimizer(model)
    first = len(model.variables)
    scaling = len(arrays) - first - len(optimizer.variables)
    if scaling == len(model.optimizer.variables) - len(optimizer.variables):
        return [*model.variables, *model.optimizer.variables], arrays
    kept = arrays[:first] + arrays[first + max(scaling, 0) :]
    return [*model.variables, *optimizer.variables], kept


def write_history(path, history):
    """Write one line of comma-separated values an epoch."""
    rows = zip(*history.values(), strict=True)

    def write(temporary):
        with open(temporary, "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["epoch", *history])
            table.writerows([epoch, *row] for epoch, row in enumerate(rows, start=1))

    write_whole(path, write)
