"""What a training shows while it runs: a line an epoch, and steps in long ones."""

import sys
import time

import keras
import numpy as np
from keras import ops

from unetbook.remedies import look_up

STEP_LINE_AFTER = 20  # seconds; a shorter epoch gets no line of its own steps
STEP_LINE_EVERY = 1  # second
RESTORED = "weights restored, nothing to do"
SHOWN = {"loss": "loss", "val_loss": "val loss", "val_mean_iou": "val mean IoU"}


class Progress(keras.callbacks.Callback):
    """One line an epoch, and in long epochs a line of steps, overwritten in place."""

    def __init__(self, epochs, done):
        super().__init__()
        self.epochs, self.epoch, self.trained = epochs, done, 0
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
        parts.append(f"{history['seconds'][-1]:.1f} s")
        parts.append(self.estimate(history["seconds"]))
        self.screen.write("   ".join(parts))

    def estimate(self, seconds):
        """Return how long the other epochs will take, from the seconds of the last.

        The first epoch after a start also translates the network, and says nothing.
        """
        left = self.epochs - self.epoch - 1
        self.trained += 1
        if not left:
            return "done"
        if self.trained == 1:
            return f"{left} to go"
        return f"{format_time(left * seconds[-1])} left"

    def name_epoch(self):
        """Return `epoch  3/12`, all of one width."""
        return f"epoch {self.epoch + 1:>{len(str(self.epochs))}}/{self.epochs}"


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


def check_finite(logs, epoch, model):
    """Raise a `FloatingPointError` if a loss of this epoch is nan or infinite."""
    for name in ("loss", "val_loss"):
        if not np.isfinite(logs.get(name, 0.0)):
            rate = float(ops.convert_to_numpy(model.optimizer.learning_rate))
            raise FloatingPointError(
                f"{name} is {float(logs[name])} in epoch {epoch + 1}: the weights have "
                f"run away. Lower the learning rate (now {rate:.2g}), check that "
                "images lie in [0, 1] and masks hold classes only, then build the "
                "model again and train it in a new run_dir. "
                + look_up("The loss is nan")
            )
