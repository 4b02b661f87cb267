"""Compile and train; go on after any stop as if there had been none.

Keras and NumPy only. For several devices open `strategy.scope()` around `build_unet`
and `compile_unet`, for several machines `join_processes` of `unetbook.processes`.
"""

import inspect
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops

from unetbook.checkpoints import describe_run, open_run, save_run
from unetbook.processes import add_over_devices
from unetbook.progress import Progress, check_finite


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


def make_optimizer(learning_rate, total_steps, *, warmup_share=0.05):
    """Make AdamW whose rate rises for a while and then falls to 0 along a cosine.

    Every step takes a ten-thousandth of each weight off, times the rate (Loshchilov and
    Hutter, 2019). Built in chapter 7.

    Args:
        learning_rate: The highest rate, reached after the warm-up.
        total_steps: Training steps in all, epochs times batches in one epoch.
        warmup_share: Share of the steps in which the rate rises, in [0, 1).

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
    return keras.optimizers.AdamW(schedule, weight_decay=1e-4)


def cross_entropy_and_dice(y_true, y_pred, weights=1):
    """Add one minus the classes' mean Dice coefficient to the cross-entropy.

    The coefficient is taken class by class over all pixels of a batch, so that a rare
    class weighs as much as a common one. After Milletari et al. (2016), who have two
    classes, squares in the denominator and no cross-entropy. Built in chapter 7.

    Args:
        y_true: Integer masks `(batch, height, width)`.
        y_pred: Probabilities `(batch, height, width, num_classes)`.
        weights: 1 for pixels that count in the coefficient and 0 for others, `(batch,
            height, width, 1)`.

    Returns:
        One number a pixel, `(batch, height, width)`. Keras takes their mean, over all
        devices where there are several; of a scalar it would take the sum over them.
    """
    cross_entropy = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
    one_hot = weights * ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
    # 1 - Dice, (C,)
    dice_losses = keras.losses.dice(one_hot, weights * y_pred, axis=(0, 1, 2))
    return cross_entropy + ops.mean(dice_losses)


LOSSES = {
    "cross-entropy": "sparse_categorical_crossentropy",
    "cross-entropy + Dice": cross_entropy_and_dice,
}
# So that `keras.models.load_model` finds it, once this module is imported.
keras.saving.register_keras_serializable("unetbook")(cross_entropy_and_dice)


@keras.saving.register_keras_serializable("unetbook")
class AnnotatedPixels(keras.losses.Loss):
    """Take the mean of a loss over the annotated pixels, whose class is not -1.

    One number divides the sum: that of the annotated pixels in the whole batch, on all
    devices together. Each device dividing by its own would weigh pixels by where they
    were computed. A batch in which nothing is annotated costs 0. Where everything is,
    the weights are exactly 1 and change no bit.

    Args:
        loss: A function that returns one number a pixel, or the name of Keras's own. It
            meets class 0 in place of -1; if it has an argument `weights`, it is given
            1 for annotated pixels and 0 for others, `(batch, height, width, 1)`.
    """

    def __init__(self, loss):
        super().__init__(name="annotated_pixels")
        self.function = keras.losses.get(loss)
        if not inspect.isfunction(self.function):
            raise ValueError(
                f"loss={loss!r}: give a function that returns one number a pixel, or "
                f"its name, such as one of {tuple(LOSSES.values())}."
            )
        self.__name__ = self.function.__name__
        self.takes_weights = "weights" in inspect.signature(self.function).parameters

    def call(self, y_true, y_pred):
        """Return the loss a pixel, so weighted that Keras's mean is the right one."""
        weights = ops.cast(y_true >= 0, y_pred.dtype)
        options = {"weights": weights[..., None]} if self.takes_weights else {}
        # The probabilities stay as they are: Keras looks up which logits they are of.
        values = self.function(ops.maximum(y_true, 0), y_pred, **options)
        counts = ops.stack([ops.sum(ops.ones_like(weights)), ops.sum(weights)])
        pixels, annotated = ops.unstack(add_over_devices(counts), 2)
        return values * (weights * ops.divide_no_nan(pixels, annotated))

    def get_config(self):
        """Return the arguments, as Keras saves them."""
        return {"loss": keras.losses.serialize(self.function)}


@keras.saving.register_keras_serializable("unetbook")
class PixelScores(keras.metrics.MeanIoU):
    """Accuracy and mean IoU, both from the confusion matrix that `MeanIoU` counts."""

    def result(self):
        """Return a dictionary of two numbers in [0, 1]; 0 if nothing was counted."""
        matrix = ops.cast(self.total_cm, "float32")
        right = ops.sum(ops.diagonal(matrix))
        accuracy = ops.divide_no_nan(right, ops.sum(matrix))
        return {"accuracy": accuracy, "mean_iou": super().result()}


def compile_unet(model, optimizer, loss="sparse_categorical_crossentropy"):
    """Give a U-Net its loss and the two scores that training shows.

    Pixels of the class -1, not annotated, count in none of them. Built in chapter 7.

    Args:
        model: A U-Net that ends in a softmax over the classes.
        optimizer: A Keras optimizer, new for this model.
        loss: What `AnnotatedPixels` takes, such as a value of `LOSSES`.

    Returns:
        The same model, compiled, its optimizer's variables made.
    """
    num_classes = model.output_shape[-1]
    scores = PixelScores(num_classes, ignore_class=-1, sparse_y_pred=False)
    model.compile(optimizer=optimizer, loss=AnnotatedPixels(loss), metrics=[scores])
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
            they remember is not in the checkpoint, but for a `MeanWeights`.

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
    means = [callback for callback in callbacks if isinstance(callback, MeanWeights)]
    memory = means[0].memory if means else None
    description = describe_run(model, epochs, settings)
    done, history = open_run(run_dir, model, description, memory)
    progress = Progress(epochs, done)
    hooks = EpochCallbacks([*callbacks, progress], True, model=model, epochs=epochs)
    hooks.begin()
    try:
        for epoch in range(done, epochs):
            train_epoch(model, train_ds(epoch), val_ds, epoch, history, hooks)
            if run_dir is not None:
                save_run(run_dir, model, epoch + 1, history, memory)
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


class MeanWeights(keras.callbacks.Callback):
    """Give the model, at the end of `train`, the mean of its weights over epochs.

    Training itself goes on from the weights of the last epoch, and their scores are in
    the history. Where steps still go back and forth, the mean lies closer to what is
    best (stochastic weight averaging, Izmailov et al., 2018); where the rate has long
    fallen to 0, there is little left to gain. The moving statistics of batch
    normalisation are averaged with the other weights. The paper counts them anew, but
    networks this close to each other have nearly the same ones.

    `train` keeps the mean in its checkpoint. Keras's `use_ema` overwrites the weights
    whenever `fit` ends, which here is after every epoch.

    Args:
        first_epoch: Number of the first epoch, counted from 0, whose end counts. Make a
            new object for each training.
    """

    def __init__(self, first_epoch):
        super().__init__()
        self.first_epoch = first_epoch
        self.memory = {}

    def on_train_begin(self, logs=None):
        """Raise a `ValueError` if another mean was restored than is asked for."""
        first = self.memory.get("first_epoch", self.first_epoch)
        if first != self.first_epoch:
            raise ValueError(
                f"first_epoch={self.first_epoch}: the mean in this run_dir begins with "
                f"epoch {first}. Give MeanWeights({first})."
            )

    def on_epoch_begin(self, epoch, logs=None):
        """Raise a `ValueError` if the mean of the epochs before is missing."""
        if epoch > self.first_epoch and not self.memory:
            raise ValueError(
                f"first_epoch={self.first_epoch}: this run went on to epoch {epoch} "
                f"without a mean. Give MeanWeights({epoch}), or a later epoch."
            )

    def on_epoch_end(self, epoch, logs=None):
        """Move the mean to the weights, by one over the number of epochs in it."""
        count = epoch - self.first_epoch + 1
        if count < 1:
            return
        self.memory["first_epoch"] = np.array(self.first_epoch)
        for number, weights in enumerate(self.model.get_weights()):
            mean = self.memory.get(f"mean {number}", weights)
            self.memory[f"mean {number}"] = mean + (weights - mean) / count

    def on_train_end(self, logs=None):
        """Give the model the mean, if an epoch counted."""
        if self.memory:
            numbers = range(len(self.model.weights))
            self.model.set_weights([self.memory[f"mean {n}"] for n in numbers])
