"""Training, stopping and going on: the same numbers as without a stop."""

import csv
import functools
import gc
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest

from experiments.__main__ import main
from experiments.backends import choose_packages
from experiments.isolated import isolated_python
from tests import void_run
from tests.test_backends import is_cached
from unetbook import files, progress
from unetbook.checkpoints import describe_run, restore_checkpoint, save_checkpoint
from unetbook.config import TIERS, Config
from unetbook.files import write_whole
from unetbook.model import build_unet
from unetbook.progress import format_time
from unetbook.results import read_measured
from unetbook.training import (
    LOSSES,
    AnnotatedPixels,
    MeanWeights,
    PixelScores,
    compile_unet,
    cross_entropy_and_dice,
    make_optimizer,
    set_precision,
    train,
)

ROOT = Path(__file__).parents[1]
EPOCHS, BATCHES = 3, 2


class Batches(keras.utils.PyDataset):
    """Two batches of random pictures, a function of the epoch alone."""

    def __init__(self, epoch):
        super().__init__()
        rng = np.random.default_rng(epoch)
        self.images = rng.random((BATCHES, 2, 8, 8, 3), dtype="float32")
        self.masks = rng.integers(0, 3, (BATCHES, 2, 8, 8), dtype="int32")

    def __len__(self):
        return BATCHES

    def __getitem__(self, number):
        return self.images[number], self.masks[number]


class Stop(keras.callbacks.Callback):
    """Raise an error in the second batch of an epoch."""

    def __init__(self, epoch, error=KeyboardInterrupt):
        super().__init__()
        self.stop_epoch, self.error = epoch, error

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (self.stop_epoch, 1):
            raise self.error


def make_model(
    filters=(2, 3),
    dropout_rate=0.3,
    total_steps=EPOCHS * BATCHES,
    loss="cross-entropy",
    seed=0,
):
    """Build and compile the smallest U-Net that has everything."""
    keras.utils.set_random_seed(seed)
    model = build_unet(8, filters=filters, dropout_rate=dropout_rate)
    return compile_unet(model, make_optimizer(0.01, total_steps), LOSSES[loss])


@functools.cache
def traced_model():
    """Return one model, which all tests share, and its values before training.

    TensorFlow traces a compiled model for seconds; `fresh` makes it new in no time.
    """
    model = make_model()
    return model, values(model)


def fresh():
    """Return the shared model as it was before any training."""
    model, start = traced_model()
    set_values(model, start)
    return model


def spoilt():
    """Return the shared model with other weights and other random states."""
    model, start = traced_model()
    set_values(model, [array + 1 for array in start])
    return model


def set_values(model, arrays):
    """Set every variable of the model and its optimizer."""
    variables = [*model.variables, *model.optimizer.variables]
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def run(model, run_dir=None, epochs=EPOCHS, **options):
    """Train on the random batches."""
    return train(model, Batches, Batches(99), epochs, run_dir=run_dir, **options)


def values(model):
    """Return a copy of every variable of the model and its optimizer."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assert_same(one, other):
    """Fail unless two lists of arrays hold the same bits."""
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def without_seconds(history):
    """Drop the one entry of a history that no two runs share."""
    return {name: values for name, values in history.items() if name != "seconds"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One uninterrupted run: its last values, history and folder."""
    model, run_dir = fresh(), tmp_path_factory.mktemp("run")
    history = run(model, run_dir)
    return values(model), history, run_dir


# the optimizer and the loss


def rates(optimizer, steps):
    """Return the learning rate at each of these steps."""
    schedule = optimizer._learning_rate
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


def test_rate_climbs_in_equal_steps_to_its_top_and_ends_at_zero():
    optimizer = make_optimizer(0.1, 100, warmup_share=0.05)
    climb = rates(optimizer, [0, 1, 5, 100])
    assert climb == pytest.approx([0.02, 0.036, 0.1, 0.0], abs=1e-7)


def test_rate_has_halved_half_way_between_top_and_end():
    assert rates(make_optimizer(0.1, 40, warmup_share=0.5), [30]) == pytest.approx(
        [0.05]
    )


@pytest.mark.parametrize("total_steps", [1, 2, 3])
def test_shortest_trainings_have_a_rate(total_steps):
    steps = rates(make_optimizer(0.1, total_steps), range(total_steps))
    assert steps[0] == pytest.approx(0.1)
    assert all(rate >= 0 for rate in steps)


def test_loss_and_scores_of_an_untrained_net_are_those_of_keras_by_hand():
    model, batches = make_model(), Batches(0)
    images, masks = batches[0]
    loss, accuracy, mean_iou = model.test_on_batch(images, masks)
    probabilities = keras.ops.convert_to_numpy(model(images))
    of_truth = np.take_along_axis(probabilities, masks[..., None], axis=-1)
    assert loss == pytest.approx(-np.log(of_truth).mean(), abs=1e-5)
    pred_masks = probabilities.argmax(-1)
    assert accuracy == pytest.approx((pred_masks == masks).mean())
    iou = [
        ((masks == c) & (pred_masks == c)).sum()
        / ((masks == c) | (pred_masks == c)).sum()
        for c in range(3)
    ]
    assert mean_iou == pytest.approx(np.mean(iou), abs=1e-6)


def test_dice_of_a_perfect_prediction_is_free_and_of_a_missed_class_costs_a_third():
    masks = np.array([[[0, 1, 2, 2]]])
    perfect = np.eye(3, dtype="float32")[masks]
    assert cross_entropy_and_dice(masks, perfect).shape == masks.shape
    np.testing.assert_allclose(cross_entropy_and_dice(masks, perfect), 0, atol=1e-5)
    # Dice 0, 1 and 4/5: class 0 is taken for class 2.
    wrong = np.eye(3, dtype="float32")[[[[2, 1, 2, 2]]]]
    plain = keras.losses.sparse_categorical_crossentropy(masks, wrong)
    added = cross_entropy_and_dice(masks, wrong) - plain
    np.testing.assert_allclose(added, (1 + 0 + 1 / 5) / 3, atol=1e-4)


# pixels that nobody annotated


def plain_cross_entropy_and_dice(y_true, y_pred):
    """The loss as it was before any pixel could be left out."""
    cross_entropy = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
    one_hot = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), y_pred.shape[-1])
    dice_losses = keras.losses.dice(one_hot, y_pred, axis=(0, 1, 2))
    return cross_entropy + keras.ops.mean(dice_losses)


PLAIN = {
    "cross-entropy": "sparse_categorical_crossentropy",
    "cross-entropy + Dice": plain_cross_entropy_and_dice,
}


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_where_all_is_annotated_every_bit_is_that_of_keras_s_own_loss_and_scores(loss):
    ends = []
    for plain in (False, True):
        model = make_model(loss=loss)
        if plain:
            iou = keras.metrics.MeanIoU(3, sparse_y_pred=False, name="mean_iou")
            options = {"loss": PLAIN[loss], "metrics": ["accuracy", iou]}
            model.compile(optimizer=make_optimizer(0.01, EPOCHS * BATCHES), **options)
            model.optimizer.build(model.trainable_variables)
        history = run(model)
        ends.append((without_seconds(history), values(model)))
    (history, variables), (expected, plain_variables) = ends
    assert history == expected
    assert_same(variables, plain_variables)


TRUTH = np.array([[[0, -1], [1, -1]]])
PROBABILITIES = np.array(
    [[[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]], [[0.5, 0.25, 0.25], [0.9, 0.1, 0]]]],
    "float32",
)


def test_the_loss_is_the_mean_over_annotated_pixels():
    loss = AnnotatedPixels("sparse_categorical_crossentropy")
    # The truth is given 1/2 and 1/4: logarithms of 2 and 4, by two pixels.
    expected = (np.log(2) + np.log(4)) / 2
    assert float(loss(TRUTH, PROBABILITIES)) == pytest.approx(expected)


def test_dice_is_taken_over_annotated_pixels():
    loss = AnnotatedPixels(cross_entropy_and_dice)
    whole = loss(TRUTH[:, :, :1], PROBABILITIES[:, :, :1])
    assert float(loss(TRUTH, PROBABILITIES)) == pytest.approx(float(whole))


@pytest.mark.parametrize("loss", LOSSES)
def test_pixels_that_nobody_annotated_pull_at_no_probability(loss):
    import tensorflow as tf

    probabilities = tf.Variable(PROBABILITIES)
    with tf.GradientTape() as tape:
        value = AnnotatedPixels(LOSSES[loss])(TRUTH, probabilities)
    gradient = tape.gradient(value, probabilities).numpy()
    assert (gradient[:, :, 1] == 0).all()
    assert (gradient[:, :, 0] != 0).any()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_in_which_nothing_is_annotated_costs_nothing(loss):
    nothing = np.full_like(TRUTH, -1)
    assert float(AnnotatedPixels(LOSSES[loss])(nothing, PROBABILITIES)) == 0


def test_scores_leave_out_what_nobody_annotated():
    scores = PixelScores(3, ignore_class=-1, sparse_y_pred=False)
    scores.update_state(TRUTH, PROBABILITIES)  # the prediction is 0 in both
    found = {name: float(value) for name, value in scores.result().items()}
    # Accuracy 1 of 2; IoU 1/2 and 0/1; class 2 does not occur.
    assert found == pytest.approx({"accuracy": 1 / 2, "mean_iou": 1 / 4})


def test_scores_of_nothing_are_0_as_keras_s_own_are():
    scores = PixelScores(3, ignore_class=-1, sparse_y_pred=False)
    scores.update_state(np.full_like(TRUTH, -1), PROBABILITIES)
    assert {float(value) for value in scores.result().values()} == {0}


def test_a_loss_that_takes_the_mean_itself_is_refused():
    with pytest.raises(ValueError, match="one number a pixel"):
        AnnotatedPixels(keras.losses.SparseCategoricalCrossentropy())


def test_every_tier_names_a_loss():
    assert {tier.loss for tier in TIERS.values()} == set(LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_saved_model_is_loaded_as_chapter_8_loads_it(tmp_path, loss):
    model = make_model(loss=loss)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert_same(model.get_weights(), loaded.get_weights())
    chapter = (ROOT / "book" / "08_prediction.ipynb").read_text(encoding="utf-8")
    assert "load_model(own, compile=False)" in chapter


def test_compiled_optimizer_has_its_variables_already():
    model = make_model()
    assert model.optimizer.built
    assert len(model.optimizer.variables) >= 2 * len(model.trainable_variables)


@pytest.mark.parametrize(
    ("mixed", "policy"), [(True, "mixed_float16"), (False, "float32")]
)
def test_precision_follows_the_config(mixed, policy):
    try:
        assert set_precision(Config("quick", mixed_precision=mixed)) == policy
        assert keras.mixed_precision.dtype_policy().name == policy
    finally:
        keras.mixed_precision.set_dtype_policy("float32")


# what train returns and writes


def test_history_has_one_entry_an_epoch(finished):
    _, history, _ = finished
    scores = {"loss", "accuracy", "mean_iou"}
    names = scores | {f"val_{name}" for name in scores} | {"learning_rate", "seconds"}
    assert history.keys() == names
    assert all(len(numbers) == EPOCHS for numbers in history.values())
    assert all(isinstance(n, float) for numbers in history.values() for n in numbers)


def test_history_is_that_of_one_plain_fit_an_epoch(finished):
    _, history, _ = finished
    model = fresh()
    for epoch in range(EPOCHS):
        logs = model.fit(Batches(epoch), shuffle=False, verbose=0).history
        val_logs = model.evaluate(Batches(99), verbose=0, return_dict=True)
        assert history["loss"][epoch] == logs["loss"][0]
        assert history["val_mean_iou"][epoch] == val_logs["mean_iou"]


def test_run_dir_changes_no_weight(finished):
    model = fresh()
    run(model)
    assert_same(values(model), finished[0])


def test_table_on_disk_is_the_history(finished):
    _, history, run_dir = finished
    with open(run_dir / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for name, numbers in history.items():
        assert [float(row[name]) for row in rows] == numbers


def test_best_weights_are_those_of_the_best_validation_mean_iou(finished):
    _, history, run_dir = finished
    model = spoilt()
    model.load_weights(run_dir / "best.weights.h5")
    logs = model.evaluate(Batches(99), verbose=0, return_dict=True)
    assert logs["mean_iou"] == pytest.approx(max(history["val_mean_iou"]), abs=1e-6)


def test_folder_holds_four_files_and_nothing_unfinished(finished):
    names = {path.name for path in finished[2].iterdir()}
    assert names == {"run.json", "checkpoint.npz", "history.csv", "best.weights.h5"}


def test_callbacks_see_one_training():
    calls = []
    spy = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: calls.append("begin"),
        on_epoch_end=lambda epoch, logs: calls.append((epoch, "val_loss" in logs)),
        on_train_end=lambda logs: calls.append("end"),
    )
    run(fresh(), callbacks=[spy])
    assert calls == ["begin", (0, True), (1, True), (2, True), "end"]


def test_early_stopping_counts_over_epochs():
    patient = keras.callbacks.EarlyStopping("loss", min_delta=100, patience=1)
    assert len(run(fresh(), callbacks=[patient])["loss"]) == 2


def test_recording_predictions_changes_no_bit_of_a_run_or_its_resume(
    finished, tmp_path
):
    model, recorded = fresh(), {}

    def record(epoch, logs=None):
        recorded[epoch + 1] = model.predict(Batches(0).images[0], verbose=0)

    watch = keras.callbacks.LambdaCallback(on_epoch_end=record)
    with pytest.raises(KeyboardInterrupt):
        run(model, tmp_path, callbacks=[watch, Stop(1)])
    assert set(recorded) == {1}
    run(spoilt(), tmp_path, callbacks=[watch])  # the same model, other weights
    assert set(recorded) == {1, 2, 3}
    assert_same(values(model), finished[0])


def test_tensorboard_gets_every_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    run(fresh(), callbacks=[board])
    from tensorboard.backend.event_processing import event_accumulator

    events = event_accumulator.EventAccumulator(str(tmp_path / "validation")).Reload()
    assert "epoch_mean_iou" in events.Tags()["tensors"]
    assert [event.step for event in events.Tensors("epoch_mean_iou")] == [0, 1, 2]


# going on


@pytest.mark.parametrize("epoch", range(EPOCHS))
def test_stopped_and_resumed_run_ends_in_the_same_bits(finished, tmp_path, epoch):
    with pytest.raises(KeyboardInterrupt):
        run(fresh(), tmp_path, callbacks=[Stop(epoch)])
    model = spoilt()  # other weights, other random states
    history = run(model, tmp_path)
    assert_same(values(model), finished[0])
    assert without_seconds(history) == without_seconds(finished[1])
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "1", "2", "3"]


def test_the_same_model_goes_on_after_a_stop_too(finished, tmp_path):
    model = fresh()
    with pytest.raises(KeyboardInterrupt):
        run(model, tmp_path, callbacks=[Stop(1)])
    run(model, tmp_path)
    assert_same(values(model), finished[0])


def test_finished_run_is_restored_and_not_trained_again(finished):
    model = spoilt()
    assert run(model, finished[2]) == finished[1]
    assert_same(values(model), finished[0])


def test_kill_while_the_checkpoint_is_written_keeps_the_one_before(
    finished, tmp_path, monkeypatch
):
    def killed(source, target):
        if target.name == "checkpoint.npz" and len(written) == 2:
            raise SystemExit("killed")
        written.append(target)
        replace(source, target)

    replace, written = files.os.replace, []
    with pytest.raises(KeyboardInterrupt):
        run(fresh(), tmp_path, callbacks=[Stop(1)])
    monkeypatch.setattr(files.os, "replace", killed)
    with pytest.raises(SystemExit):
        run(fresh(), tmp_path)
    monkeypatch.undo()
    model = spoilt()
    run(model, tmp_path)
    assert_same(values(model), finished[0])


@pytest.mark.slow
def test_mixed_precision_resumes_exactly(tmp_path):
    set_precision(Config("quick", mixed_precision=True))
    try:
        model = make_model()  # one for all three runs, as in `traced_model`
        assert type(model.optimizer).__name__ == "LossScaleOptimizer"
        start = values(model)
        run(model, tmp_path / "whole")
        whole = values(model)
        set_values(model, start)
        with pytest.raises(KeyboardInterrupt):
            run(model, tmp_path / "killed", callbacks=[Stop(1)])
        set_values(model, [array + 1 for array in start])
        run(model, tmp_path / "killed")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert model.variables[0].dtype == "float32"
    assert_same(values(model), whole)


def test_checkpoint_holds_the_random_states_of_dropout(tmp_path):
    model = fresh()
    assert len(model.variables) == len(model.weights) + 1, "one dropout, one state"
    before = values(model)
    save_checkpoint(tmp_path / "one.npz", model, 7, {"loss": [0.1]})
    model(Batches(0)[0][0], training=True)
    assert restore_checkpoint(tmp_path / "one.npz", model) == (7, {"loss": [0.1]})
    assert_same(values(model), before)


def test_unfinished_file_leaves_the_old_one(tmp_path):
    def fail(path):
        path.write_text("half")
        raise OSError("disk full")

    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a.txt", fail)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


# the mean of weights over epochs


class Collect(keras.callbacks.Callback):
    """Keep the weights at the end of every epoch."""

    def on_train_begin(self, logs=None):
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """One uninterrupted run, averaged over its last two epochs: weights and folder."""
    model, run_dir = fresh(), tmp_path_factory.mktemp("averaged")
    history = run(model, run_dir, callbacks=[MeanWeights(1)])
    return model.get_weights(), history, run_dir


def test_the_mean_is_that_of_the_weights_at_the_ends_of_the_epochs():
    model, collect = fresh(), Collect()
    run(model, callbacks=[collect, MeanWeights(1)])
    _, second, third = collect.weights
    for mean, one, other in zip(model.get_weights(), second, third, strict=True):
        np.testing.assert_allclose(mean, (one + other) / 2, rtol=1e-5, atol=1e-7)
    assert not np.array_equal(second[0], third[0])


def test_training_goes_on_from_weights_that_are_no_mean(finished, averaged):
    assert without_seconds(averaged[1]) == without_seconds(finished[1])
    model = spoilt()  # a checkpoint with a mean is read without one, too
    restore_checkpoint(averaged[2] / "checkpoint.npz", model)
    assert_same(values(model), finished[0])


@pytest.mark.parametrize("epoch", range(EPOCHS))
def test_a_stopped_and_resumed_mean_has_the_same_bits(averaged, tmp_path, epoch):
    with pytest.raises(KeyboardInterrupt):
        run(fresh(), tmp_path, callbacks=[MeanWeights(1), Stop(epoch)])
    model = spoilt()
    run(model, tmp_path, callbacks=[MeanWeights(1)])
    assert_same(model.get_weights(), averaged[0])


def test_a_finished_run_gives_its_mean_again(averaged):
    model = spoilt()
    assert run(model, averaged[2], callbacks=[MeanWeights(1)]) == averaged[1]
    assert_same(model.get_weights(), averaged[0])


def test_a_run_that_ends_before_its_first_epoch_keeps_its_weights(finished):
    model = fresh()
    run(model, callbacks=[MeanWeights(EPOCHS)])
    assert_same(values(model), finished[0])


def test_a_run_begun_without_a_mean_takes_one_of_epochs_to_come(averaged, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(fresh(), tmp_path, callbacks=[Stop(1)])
    with pytest.raises(ValueError, match=r"without a mean\. Give MeanWeights\(1\)"):
        run(spoilt(), tmp_path, callbacks=[MeanWeights(0)])
    model = spoilt()
    run(model, tmp_path, callbacks=[MeanWeights(1)])
    assert_same(model.get_weights(), averaged[0])


def test_another_mean_in_run_dir_is_named(averaged):
    with pytest.raises(ValueError, match=r"epoch 1\. Give MeanWeights\(1\)"):
        run(spoilt(), averaged[2], callbacks=[MeanWeights(2)])


# what a reader is told


def test_stop_says_what_is_saved_and_how_to_go_on(tmp_path):
    with pytest.raises(KeyboardInterrupt) as stop:
        run(fresh(), tmp_path / "my run", callbacks=[Stop(1)])
    assert "Stopped in epoch 2 of 3; 1 finished epoch is saved in" in str(stop.value)
    assert "my run" in str(stop.value)
    assert "Run the same call again" in str(stop.value)


def test_stop_without_run_dir_says_that_nothing_is_saved():
    with pytest.raises(KeyboardInterrupt, match="Nothing is saved, because run_dir"):
        run(fresh(), callbacks=[Stop(0)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filters": (2, 4)}, r"filters is 3 there and 4 here"),
        ({"dropout_rate": 0.5}, r"layer \d+ Dropout rate is 0.3 there and 0.5 here"),
        ({"total_steps": 60}, r"decay_steps is \d+ there and \d+ here"),
        (
            {"loss": "cross-entropy + Dice"},
            "loss is sparse_categorical_crossentropy there and cross_entropy_and_dice",
        ),
    ],
)
def test_another_model_in_run_dir_is_named(finished, change, message):
    model = make_model(**change)
    before = values(model)
    with pytest.raises(ValueError, match=message) as error:
        run(model, finished[2])
    assert "delete this folder" in str(error.value)
    assert_same(values(model), before)


def test_other_epochs_in_run_dir_are_named(finished):
    with pytest.raises(ValueError, match="epochs is 3 there and 4 here"):
        run(fresh(), finished[2], epochs=4)


def test_another_config_in_run_dir_is_named(tmp_path):
    run(fresh(), tmp_path, settings=Config("quick"))
    run(fresh(), tmp_path, settings=Config("quick"))
    with pytest.raises(ValueError, match="settings seed is 0 there and 1 here"):
        run(fresh(), tmp_path, settings=Config("quick", seed=1))


def edit_description(run_dir, change):
    """Change what `run.json` says of a run."""
    file = run_dir / "run.json"
    description = json.loads(file.read_text())
    change(description)
    file.write_text(json.dumps(description))


@pytest.mark.parametrize(
    "change",
    [
        lambda known: known.pop("layer 2 BatchNormalization axis"),  # an older Keras
        lambda known: known.update({"layer 1 Conv2D output_axes": 3}),  # a newer one
        lambda known: known.pop("precision"),  # version 0.1.0
    ],
)
def test_keys_that_only_one_side_knows_do_not_count(finished, tmp_path, change):
    with pytest.raises(KeyboardInterrupt):
        run(fresh(), tmp_path, callbacks=[Stop(1)])
    edit_description(tmp_path, change)
    model = spoilt()
    run(model, tmp_path)
    assert_same(values(model), finished[0])


def test_a_layer_more_is_another_run(finished, tmp_path):
    run(fresh(), tmp_path)
    edit_description(
        tmp_path, lambda known: known.update({"layer 99 Dropout rate": 0.1})
    )
    with pytest.raises(ValueError, match="list of layers is .*Dropout.* there"):
        run(fresh(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_run_goes_on_in_another_precision_and_says_so(tmp_path, capsys, first):
    try:
        set_precision(Config("quick", mixed_precision=first))
        with pytest.raises(KeyboardInterrupt):
            run(make_model(), tmp_path, callbacks=[Stop(1)])
        set_precision(Config("quick", mixed_precision=not first))
        history = run(make_model(), tmp_path)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert len(history["loss"]) == EPOCHS
    before, now = ("mixed_float16", "float32")[:: 1 if first else -1]
    assert f"begun in {before}; now: {now}." in capsys.readouterr().out


def test_a_run_of_another_tier_is_named(tmp_path, capsys):
    run(fresh(), tmp_path / "standard", settings=Config("standard", data="oxford"))
    capsys.readouterr()
    run(fresh(), tmp_path / "drawn", settings=Config("quick"))
    assert "holds a run" not in capsys.readouterr().out
    run(fresh(), tmp_path / "quick", settings=Config("quick", data="oxford"))
    told = capsys.readouterr().out
    assert f"{tmp_path / 'standard'} holds a run of the tier 'standard'" in told
    assert "UNETBOOK_TIER=standard" in told


def test_a_model_saved_whole_is_loaded_without_naming_its_loss(tmp_path):
    model = make_model(loss="cross-entropy + Dice")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss.__name__ == "cross_entropy_and_dice"


def cut(path):
    path.write_bytes(path.read_bytes()[:3000])


def flip_bytes(path):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    # A hundred: a single one may be a date in the zip file's headers, which matters
    # to nobody and is covered by no checksum.
    content[middle : middle + 100] = bytes(
        byte ^ 255 for byte in content[middle : middle + 100]
    )
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def replace_by_text(path):
    path.write_text("not a checkpoint")


@pytest.mark.parametrize("damage", [cut, flip_bytes, empty, replace_by_text])
def test_damaged_checkpoint_is_named_and_changes_nothing(tmp_path, damage):
    with pytest.raises(KeyboardInterrupt):
        run(fresh(), tmp_path, callbacks=[Stop(1)])
    damage(tmp_path / "checkpoint.npz")
    model = spoilt()
    before = values(model)
    with pytest.raises(ValueError, match=r"checkpoint\.npz cannot be read") as error:
        run(model, tmp_path)
    assert "delete this folder" in str(error.value)
    assert_same(values(model), before)


def test_checkpoint_of_another_model_is_refused(tmp_path):
    save_checkpoint(tmp_path / "one.npz", make_model(), 1, {})
    with pytest.raises(ValueError, match="variables of another model"):
        restore_checkpoint(tmp_path / "one.npz", make_model(filters=(2, 4)))


def test_damaged_description_is_named(tmp_path):
    run(fresh(), tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(ValueError, match=r"run\.json cannot be read"):
        run(fresh(), tmp_path)


def test_run_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file. Give a folder"):
        run(fresh(), tmp_path / "file")


def test_loss_that_is_no_number_stops_at_once(tmp_path):
    keras.utils.set_random_seed(0)
    model = build_unet(8, filters=(2, 3), batch_normalization=False)
    compile_unet(model, keras.optimizers.SGD(1e20))
    with pytest.raises(FloatingPointError, match="Lower the learning rate") as error:
        run(model, tmp_path)
    assert "in epoch 1" in str(error.value)
    assert "1e+20" in str(error.value)


def test_uncompiled_model_is_refused():
    with pytest.raises(ValueError, match="Call compile_unet"):
        run(build_unet(8, filters=(2, 3)))


def test_data_set_in_place_of_a_function_is_refused():
    with pytest.raises(ValueError, match="train_ds is a Batches, expected a function"):
        train(fresh(), Batches(0), Batches(99), 1)


@pytest.mark.parametrize("epochs", [0, -1, 2.5, None])
def test_epochs_must_be_a_whole_number(epochs):
    with pytest.raises(ValueError, match="epochs="):
        train(fresh(), Batches, Batches(99), epochs)


def test_description_does_not_count_models_in_a_process():
    assert describe_run(make_model(), 3) == describe_run(make_model(), 3)
    json.dumps(describe_run(make_model(), 3, Config("quick")))


# the display


def test_a_line_an_epoch_and_no_carriage_return(capsys):
    run(fresh())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == EPOCHS
    assert lines[0].startswith("epoch 1/3   loss ")
    assert "val mean IoU" in lines[0]
    assert lines[0].endswith(" s   2 to go")  # it also translated the network
    assert lines[1].endswith(" left")
    assert lines[-1].endswith(" done")
    assert not any("\r" in line for line in lines)


def test_a_resumed_run_says_so(finished, capsys):
    run(fresh(), finished[2])
    assert capsys.readouterr().out == (
        "All 3 epochs were trained before: weights restored, nothing to do.\n"
    )


def test_steps_of_a_long_epoch_are_shown_in_a_notebook_and_not_kept(monkeypatch):
    shown = []
    handle = types.SimpleNamespace(update=lambda b, raw: shown.append(b["text/plain"]))

    def display(bundle, raw, display_id):
        shown.append(bundle["text/plain"])
        return handle

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "STEP_LINE_AFTER", 0)
    monkeypatch.setattr(progress, "STEP_LINE_EVERY", 0)
    monkeypatch.setattr("IPython.display.display", display)
    run(fresh())
    assert any("step 1/2  loss" in text for text in shown)
    assert "step" not in shown[-1]
    assert len(shown[-1].splitlines()) == EPOCHS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (65.4, "1:05"), (59.6, "1:00"), (7265, "2:01:05")],
)
def test_time_is_written_as_on_a_clock(seconds, text):
    assert format_time(seconds) == text


# several processes


COMPARE_DEVICES = """
import sys

from experiments.__main__ import main
from experiments.devices import compare_devices

main(["devices", "--folder", sys.argv[1]])
print("RESULT", compare_devices({"adamw": True}))
"""


@pytest.fixture(scope="module")
def device_differences(tmp_path_factory):
    """What `experiments.devices` measures, and the same with the chapters' optimizer.

    In one process of its own, since TensorFlow makes devices only before it is used.
    """
    # What trainings left behind waits for its `tf.data` tuner when it is collected, and
    # the longer the older it is: up to a minute after this.
    gc.collect()
    folder = tmp_path_factory.mktemp("devices")
    command = [sys.executable, "-c", COMPARE_DEVICES, str(folder)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert finished.returncode == 0, finished.stderr[-2000:]
    measured = read_measured("devices", folder)["largest_difference"]
    return measured, float(finished.stdout.split("RESULT ")[1])


@pytest.mark.slow
def test_two_devices_train_as_one_but_for_what_chapter_10_names(device_differences):
    differences, _ = device_differences
    assert differences.keys() == read_measured("devices")["largest_difference"].keys()
    alike = ("no batch normalisation, no dropout", "synchronised batch normalisation")
    for name, difference in differences.items():
        # A loss that was added up over the devices would be off by more than 1.
        assert difference < 1e-5 if name in alike else 1e-4 < difference < 0.1, name


@pytest.mark.slow
def test_two_devices_train_as_one_with_the_optimizer_of_the_chapters(
    device_differences,
):
    assert device_differences[1] < 1e-5


def trained_with_void(folder, loss, command, **environment):
    """Return the history of one device here, and of two in a process of their own."""
    model = void_run.build(loss)
    np.savez(folder / "weights.npz", *model.get_weights())
    history = void_run.fit(model)
    command = [*command, "-m", "tests.void_run", str(folder / "weights.npz"), loss]
    variables = os.environ | {"PYTHONPATH": str(ROOT / "book")} | environment
    options = {"capture_output": True, "text": True, "cwd": ROOT, "env": variables}
    finished = subprocess.run(command, **options)
    assert finished.returncode == 0, finished.stderr[-2000:]
    return history, json.loads(finished.stdout.split("RESULT ")[1])


def assert_alike(history, other):
    """Fail unless two histories agree but for rounding, and something was learnt."""
    assert history["loss"][-1] < history["loss"][0] - 1e-3
    assert other.keys() == history.keys()
    for name, numbers in history.items():
        np.testing.assert_allclose(other[name], numbers, atol=2e-6, err_msg=name)


@pytest.mark.slow
def test_two_devices_with_unequal_void_train_as_one(tmp_path):
    command = [sys.executable]
    assert_alike(*trained_with_void(tmp_path, "cross-entropy", command))


@pytest.mark.backends
@pytest.mark.parametrize("loss", LOSSES)
def test_two_devices_on_jax_with_unequal_void_train_as_one_on_tensorflow(
    tmp_path, loss
):
    if not is_cached("jax"):
        pytest.skip("uv does not have jax yet: `make backends` fetches it")
    flags = "--xla_force_host_platform_device_count=2"
    command = isolated_python(choose_packages("jax"))
    environment = {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
    assert_alike(*trained_with_void(tmp_path, loss, command, **environment))


@pytest.mark.slow
def test_run_killed_by_the_system_and_resumed_ends_in_the_same_bits(capsys):
    main(["resume"])
    assert capsys.readouterr().out.strip().endswith("variables: 0.0")
