"""Compile and train; go on after any stop as if there had been none.

Keras and NumPy only. Whoever wants several devices opens `strategy.scope()` around
`build_unet` and `compile_unet`.
"""

import csv
import dataclasses
import json
import os
import sys
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

STEP_LINE_AFTER = 20  # seconds; a shorter epoch gets no line of its own steps
STEP_LINE_EVERY = 1  # second


def set_precision(config):
    """Set Keras's dtype policy: 16-bit where the device gains from it, else float32.

    `load_config` leaves `mixed_precision` off without a GPU: a CPU gains little, and
    without oneDNN it is some 20 times slower in 16 bits. `mixed_float16` is what the
    free GPU in Colab (a T4) computes fastest; Keras then scales the loss by itself.

    Args:
        config: A `Config`; only `mixed_precision` is read.

    Returns:
        The name of the policy. It holds for layers that are built afterwards.
    """
    policy = "mixed_float16" if config.mixed_precision else "float32"
    keras.mixed_precision.set_dtype_policy(policy)
    return policy


def make_optimizer(learning_rate, total_steps, *, warmup_share=0.05, weight_decay=1e-4):
    """Make AdamW whose rate rises for a while and then falls to 0 along a cosine.

    Built in chapter 7.

    Args:
        learning_rate: The highest rate, reached after the warm-up.
        total_steps: Training steps in all, epochs times batches in one epoch.
        warmup_share: Share of the steps in which the rate rises, in [0, 1).
        weight_decay: Share of every weight taken off in a step, times the rate
            (Loshchilov and Hutter, 2019).

    Returns:
        A Keras optimizer.
    """
    warmup_steps = max(1, round(warmup_share * total_steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / warmup_steps,
        decay_steps=max(1, total_steps - warmup_steps),
        warmup_target=learning_rate,
        warmup_steps=warmup_steps,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=weight_decay)


def cross_entropy_and_dice(y_true, y_pred):
    """Add one minus the classes' mean Dice coefficient to the cross-entropy.

    The coefficient is taken class by class over all pixels of a batch, so that a rare
    class weighs as much as a common one. After Milletari et al. (2016), who have two
    classes, squares in the denominator and no cross-entropy. Built in chapter 7.

    Args:
        y_true: Integer masks `(batch, height, width)`.
        y_pred: Probabilities `(batch, height, width, num_classes)`.

    Returns:
        One number a pixel, `(batch, height, width)`. Keras takes their mean, over all
        devices where there are several; of a scalar it would take the sum over them.
    """
    cross_entropy = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
    one_hot = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
    dice_losses = keras.losses.dice(one_hot, y_pred, axis=(0, 1, 2))  # 1 - Dice, (C,)
    return cross_entropy + ops.mean(dice_losses)


LOSSES = {
    "cross-entropy": "sparse_categorical_crossentropy",
    "cross-entropy + Dice": cross_entropy_and_dice,
}


def compile_unet(model, optimizer, loss="sparse_categorical_crossentropy"):
    """Give a U-Net its loss and the two scores that training shows.

    Built in chapter 7.

    Args:
        model: A U-Net that ends in a softmax over the classes.
        optimizer: A Keras optimizer, new for this model.
        loss: What Keras takes as a loss, such as a value of `LOSSES`.

    Returns:
        The same model, compiled, its optimizer's variables made.
    """
    num_classes = model.output_shape[-1]
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=[
            "accuracy",
            keras.metrics.MeanIoU(num_classes, sparse_y_pred=False, name="mean_iou"),
        ],
    )
    model.optimizer.build(model.trainable_variables)
    return model


def train(
    model, train_ds, val_ds, epochs, *, run_dir=None, settings=None, callbacks=()
):
    """Train a compiled model; with `run_dir`, keep what it takes to go on later.

    Called again with the same `run_dir` after a crash, a kill or a stop, it goes on
    after the last finished epoch and ends in the same weights as an uninterrupted run.
    The folder then holds `checkpoint.npz`, `history.csv` and `best.weights.h5` (the
    weights of the best validation mean IoU, for `model.load_weights`).

    Args:
        model: A model from `compile_unet`.
        train_ds: A function from the epoch's number, counted from 0, to that epoch's
            batches, so that a resumed run sees the same order and the same draws.
        val_ds: Validation batches, the same after every epoch.
        epochs: Epochs in all, those before a resume included.
        run_dir: Folder of this run's files, made if missing; None keeps nothing.
        settings: A `Config` or a dictionary to compare on resume.
        callbacks: Keras callbacks. They see one training from begin to end; what
            they remember is not in the checkpoint.

    Returns:
        A dictionary of lists, one entry an epoch: `loss`, `accuracy`, `mean_iou`, the
        same with `val_`, `learning_rate` and `seconds`.

    Raises:
        ValueError: If an argument is unfit, or the run in `run_dir` another or damaged.
        FloatingPointError: If the loss is no longer a number.
        KeyboardInterrupt: If stopped by hand; its message says how to go on.
    """
    check_training(model, train_ds, epochs)
    run_dir = None if run_dir is None else Path(run_dir)
    done, history = open_run(run_dir, model, describe_run(model, epochs, settings))
    progress = Progress(epochs, done)
    hooks = EpochCallbacks([*callbacks, progress], True, model=model, epochs=epochs)
    hooks.begin()
    try:
        for epoch in range(done, epochs):
            train_epoch(model, train_ds(epoch), val_ds, epoch, history, hooks)
            if run_dir is not None:
                save_run(run_dir, model, epoch + 1, history)
            done = epoch + 1
            progress.show_epoch(history)
            if model.stop_training:
                break
    except KeyboardInterrupt:
        raise KeyboardInterrupt(explain_stop(run_dir, done, epochs)) from None
    hooks.end()
    return history


def train_epoch(model, batches, val_ds, epoch, history, hooks):
    """Train and validate for one epoch and append its numbers to `history`."""
    began = time.perf_counter()
    hooks.set_params({**hooks.params, "steps": count_batches(batches)})
    try:
        model.fit(
            batches,
            validation_data=val_ds,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,  # the order is what train_ds says
            callbacks=hooks,
            verbose=0,
        )
    finally:
        # After an error `fit` leaves this behind and would validate on it next time.
        if getattr(model, "_eval_epoch_iterator", None) is not None:
            del model._eval_epoch_iterator
    logs = {name: values[-1] for name, values in model.history.history.items()}
    check_finite(logs, epoch, model)
    logs["learning_rate"] = ops.convert_to_numpy(model.optimizer.learning_rate)
    logs["seconds"] = time.perf_counter() - began
    for name, value in logs.items():
        history.setdefault(name, []).append(float(value))


def check_training(model, train_ds, epochs):
    """Raise a `ValueError` for what `train` cannot work with."""
    if not getattr(model, "compiled", False):
        raise ValueError(
            "model is not compiled. Call compile_unet(model, optimizer) first."
        )
    if not callable(train_ds):
        raise ValueError(
            f"train_ds is a {type(train_ds).__name__}, expected a function from the "
            "epoch to its batches. Write: lambda epoch: make_dataset(..., epoch=epoch)."
        )
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs={epochs!r}: give a whole number from 1 on.")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def check_finite(logs, epoch, model):
    """Raise a `FloatingPointError` if a loss of this epoch is nan or infinite."""
    for name in ("loss", "val_loss"):
        if not np.isfinite(logs.get(name, 0.0)):
            rate = float(ops.convert_to_numpy(model.optimizer.learning_rate))
            raise FloatingPointError(
                f"{name} is {float(logs[name])} in epoch {epoch + 1}: the weights have "
                f"run away. Lower the learning rate (now {rate:.2g}), check that "
                "images lie in [0, 1] and masks hold classes only, then build the "
                "model again and train it in a new run_dir."
            )


def count_batches(batches):
    """Return the number of batches, or None if the data set does not know it."""
    try:
        return len(batches)
    except TypeError:
        return None


class EpochCallbacks(keras.callbacks.CallbackList):
    """Callbacks that see one training, although `fit` runs once an epoch."""

    def begin(self):
        """Tell the callbacks that training begins."""
        super().on_train_begin()

    def end(self):
        """Tell the callbacks that training is over."""
        super().on_train_end()

    def on_train_begin(self, logs=None):
        """Ignore that one `fit` begins."""

    def on_train_end(self, logs=None):
        """Ignore that one `fit` ends."""


class Progress(keras.callbacks.Callback):
    """One line an epoch, and in long epochs a line of steps, overwritten in place."""

    def __init__(self, epochs, done):
        super().__init__()
        self.epochs, self.epoch = epochs, done
        self.screen = Screen()
        self.epoch_began = self.shown = 0.0
        if done == epochs:
            self.screen.write(f"All {epochs} epochs were trained before: {RESTORED}.")
        elif done:
            self.screen.write(f"Going on after epoch {done} of {epochs}.")

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock of the epoch."""
        self.epoch, self.shown = epoch, 0.0
        self.epoch_began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Stop at a loss that is no number; show the step at most once a second."""
        check_finite(logs, self.epoch, self.model)
        seconds, steps = time.perf_counter() - self.epoch_began, self.params["steps"]
        left = seconds / (batch + 1) * (steps - batch - 1) if steps else 0.0
        if seconds + left < STEP_LINE_AFTER or seconds - self.shown < STEP_LINE_EVERY:
            return
        self.shown = seconds
        step = f"step {batch + 1}/{steps}" if steps else f"step {batch + 1}"
        line = f"{self.name_epoch()}  {step}  loss {logs['loss']:.3f}"
        self.screen.overwrite(f"{line}  {format_time(left)} left in this epoch")

    def show_epoch(self, history):
        """Show the line of the epoch that has just been saved."""
        parts = [self.name_epoch()]
        for name, words in SHOWN.items():
            if name in history:
                parts.append(f"{words} {history[name][-1]:.3f}")
        seconds = history["seconds"][-1]
        parts.append(f"{seconds:.1f} s")
        left = self.epochs - self.epoch - 1
        parts.append(f"{format_time(left * seconds)} left" if left else "done")
        self.screen.write("   ".join(parts))

    def name_epoch(self):
        """Return `epoch  3/12`, all of one width."""
        return f"epoch {self.epoch + 1:>{len(str(self.epochs))}}/{self.epochs}"


RESTORED = "weights restored, nothing to do"
SHOWN = {"loss": "loss", "val_loss": "val loss", "val_mean_iou": "val mean IoU"}


class Screen:
    """Lines that stay and one that is overwritten, in a notebook or a terminal.

    A notebook gets all of it as one display that is updated, so that the stored
    output holds the lines that stay and nothing else. A log file gets only these, too.
    """

    def __init__(self):
        self.lines, self.handle, self.overwritten = [], None, 0

    def write(self, line):
        """Add a line that stays."""
        self.lines.append(line)
        if not self.update(self.lines):
            print(f"{self.erase()}{line}", flush=True)

    def overwrite(self, line):
        """Show a line that the next one replaces."""
        if not self.update([*self.lines, line]) and sys.stdout.isatty():
            print(f"{self.erase()}{line}", end="", flush=True)
            self.overwritten = len(line)

    def erase(self):
        """Return what blanks the overwritten line of a terminal."""
        blank = f"\r{' ' * self.overwritten}\r" if self.overwritten else ""
        self.overwritten = 0
        return blank

    def update(self, lines):
        """Show the lines in a notebook; return False if this is none."""
        if not in_notebook():
            return False
        from IPython.display import display

        bundle = {"text/plain": "\n".join(lines)}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)
        return True


def in_notebook():
    """Tell whether a notebook shows what this process displays."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def format_time(seconds):
    """Return `1:05` or `2:01:05`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    return f"{minutes}:{seconds:02d}"


def explain_stop(run_dir, done, epochs):
    """Return one sentence: what a stopped run has saved and how to go on."""
    if run_dir is None:
        return (
            f"Stopped in epoch {done + 1} of {epochs}. Nothing is saved, because "
            "run_dir was not given; the model keeps the weights it has now."
        )
    saved = "1 finished epoch is" if done == 1 else f"{done} finished epochs are"
    return (
        f"Stopped in epoch {done + 1} of {epochs}; {saved} saved in {run_dir}. "
        "Run the same call again to go on from there."
    )


def describe_run(model, epochs, settings=None):
    """Flatten what makes a run what it is into `{"layer 3 Dropout rate": 0.3, ...}`.

    Args:
        model: A compiled model.
        epochs: Epochs in all.
        settings: A dataclass, a dictionary or None.

    Returns:
        A dictionary of what JSON can hold. Names of layers are left out, since Keras
        counts them on from model to model.
    """
    if dataclasses.is_dataclass(settings):
        settings = dataclasses.asdict(settings)
    parts = {
        "epochs": epochs,
        "settings": settings or {},
        "optimizer": model.optimizer.get_config(),
        "loss": name_loss(model.loss),
    }
    for number, layer in enumerate(model.layers):
        parts[f"layer {number} {type(layer).__name__}"] = layer.get_config()
    return flatten(json.loads(json.dumps(parts, default=str)))


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
        if key not in ("name", "registered_name", "build_config", "module"):
            flat |= flatten(inner, f"{name} {key}".strip())
    return flat


def open_run(run_dir, model, description):
    """Start the run in `run_dir`, or restore the one that is there.

    Args:
        run_dir: A `Path`, or None.
        model: A compiled model; its variables are overwritten if a run is there.
        description: From `describe_run`.

    Returns:
        `(epochs_done, history)`.

    Raises:
        ValueError: If the run there is another one, or damaged.
    """
    if run_dir is None:
        return 0, {}
    if run_dir.exists() and not run_dir.is_dir():
        raise ValueError(f"run_dir={str(run_dir)!r} is a file. Give a folder.")
    run_dir.mkdir(parents=True, exist_ok=True)
    if not (run_dir / "checkpoint.npz").exists():
        write_json(run_dir / "run.json", description, indent=1)
        # The start counts as epoch 0: a run killed in its first epoch repeats it too.
        save_checkpoint(run_dir / "checkpoint.npz", model, 0, {})
        return 0, {}
    compare_runs(run_dir, description)
    epoch, history = restore_checkpoint(run_dir / "checkpoint.npz", model)
    write_history(run_dir / "history.csv", history)
    return epoch, history


def compare_runs(run_dir, description):
    """Raise a `ValueError` that names how `description` differs from `run.json`."""
    try:
        stored = json.loads((run_dir / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{run_dir / 'run.json'} cannot be read ({error}). {ANOTHER_FOLDER}"
        ) from error
    differences = [
        f"{name} is {stored.get(name, 'absent')} there and "
        f"{description.get(name, 'absent')} here"
        for name in [*stored, *(description.keys() - stored.keys())]
        if stored.get(name, "absent") != description.get(name, "absent")
    ]
    if differences:
        more = len(differences) - 3
        text = "; ".join(differences[:3]) + (f"; and {more} more" if more > 0 else "")
        raise ValueError(
            f"run_dir={str(run_dir)!r} holds another run: {text}. {ANOTHER_FOLDER}"
        )


ANOTHER_FOLDER = "Give another run_dir, or delete this folder to train from the start."


def save_run(run_dir, model, epoch, history):
    """Save the checkpoint, the table of epochs and, if this is it, the best weights."""
    scores = history.get("val_mean_iou")
    if scores and np.argmax(scores) == len(scores) - 1:
        write_whole(run_dir / "best.weights.h5", model.save_weights)
    save_checkpoint(run_dir / "checkpoint.npz", model, epoch, history)
    write_history(run_dir / "history.csv", history)


def save_checkpoint(path, model, epoch, history):
    """Save every variable of the model and its optimizer, or leave the old file.

    Dropout's random state is a variable too, which `model.get_weights()` leaves out.

    Args:
        path: File to write, ending in `.npz`.
        model: A compiled model whose optimizer is built.
        epoch: Number of finished epochs.
        history: Dictionary of lists, kept in the same file.
    """
    variables = [*model.variables, *model.optimizer.variables]
    arrays = [ops.convert_to_numpy(variable) for variable in variables]
    progress = json.dumps({"epoch": epoch, "history": history})
    write_whole(path, lambda file: np.savez(file, *arrays, progress=progress))


def restore_checkpoint(path, model):
    """Set every variable of the model and its optimizer from a checkpoint.

    Args:
        path: File from `save_checkpoint`.
        model: A model built and compiled in the same way.

    Returns:
        `(epoch, history)` as saved.

    Raises:
        ValueError: If the file is missing, damaged or of another model; the model is
            then as it was.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            progress = json.loads(str(file["progress"]))
            arrays = [file[f"arr_{number}"] for number in range(len(file.files) - 1)]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"The checkpoint {path} cannot be read ({error}). {ANOTHER_FOLDER}"
        ) from error
    variables = [*model.variables, *model.optimizer.variables]
    shapes = [tuple(variable.shape) for variable in variables]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"The checkpoint {path} holds {len(arrays)} variables of another model or "
            f"optimizer; this one has {len(shapes)}. {ANOTHER_FOLDER}"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return progress["epoch"], progress["history"]


def write_history(path, history):
    """Write one line of comma-separated values an epoch."""
    rows = zip(*history.values(), strict=True)

    def write(temporary):
        with open(temporary, "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["epoch", *history])
            table.writerows([epoch, *row] for epoch, row in enumerate(rows, start=1))

    write_whole(path, write)


def write_whole(path, write):
    """Write a file so that a kill at any moment leaves the old one or the new one.

    Args:
        path: The file.
        write: A function that writes to the path it is given.
    """
    path = Path(path)
    temporary = path.with_name(f"unfinished-{path.name}")
    try:
        write(temporary)
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path, value, indent=2):
    """Write a value as JSON, the whole file or none of it; see `write_whole`."""
    text = json.dumps(value, indent=indent) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text))
