"""Several processes train as one, and none is left waiting for one that is gone."""

import socket
import threading
import types
from contextlib import nullcontext

import keras
import numpy as np
import pytest

from experiments import machines
from experiments.__main__ import main
from experiments.bandwidth import exchange_seconds, speed_up, worthwhile_step
from experiments.machines import free_port
from tests.test_backends import is_cached
from unetbook import checkpoints, processes, training
from unetbook.checkpoints import describe_run, open_run
from unetbook.model import build_unet
from unetbook.processes import ShareOfBatches, check_address, listen, open_lines
from unetbook.results import read_measured
from unetbook.training import compile_unet, train

PAIRS = [(np.arange(4), np.arange(4) + 10), (np.arange(2), np.arange(2) + 10)]


def be_process(monkeypatch, number, count=2):
    monkeypatch.setattr(processes, "process_number", lambda: number)
    monkeypatch.setattr(processes, "count_processes", lambda: count)


# --------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    ("number", "first", "second"), [(0, [0, 1], [0]), (1, [2, 3], [1])]
)
def test_each_process_has_its_rows_of_every_batch(monkeypatch, number, first, second):
    be_process(monkeypatch, number)
    batches = ShareOfBatches(PAIRS)
    assert len(batches) == 2
    for batch, rows in zip((batches[0], batches[1]), (first, second), strict=True):
        np.testing.assert_array_equal(batch[0], rows)
        np.testing.assert_array_equal(batch[1], np.add(rows, 10))


def test_a_process_alone_has_all_rows():
    np.testing.assert_array_equal(ShareOfBatches(PAIRS)[0][0], PAIRS[0][0])


def test_a_batch_that_cannot_be_shared_evenly_is_named(monkeypatch):
    be_process(monkeypatch, 0, count=4)
    with pytest.raises(ValueError, match="2 pictures.*multiple of 4"):
        ShareOfBatches(PAIRS)[1]


# -------------------------------------------------------------------- arguments


def test_other_backends_than_jax_are_refused():
    with pytest.raises(ValueError, match="'tensorflow'.*KERAS_BACKEND=jax"):
        check_address("127.0.0.1:9911", 2, 0)


@pytest.mark.parametrize("address", ["10.0.0.1", ":9911", "10.0.0.1:port"])
def test_an_address_without_host_or_port_is_named(monkeypatch, address):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=f"address='{address}'.*10.0.0.1:9911"):
        check_address(address, 2, 0)


@pytest.mark.parametrize(("count", "number"), [(1, 0), (2, 2), (2, -1)])
def test_numbers_that_no_process_can_have_are_named(monkeypatch, count, number):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=f"process={number} of processes={count}"):
        check_address("10.0.0.1:9911", count, number)


def test_an_address_alone_is_not_enough():
    with pytest.raises(SystemExit, match="--process NUMBER and --run-dir FOLDER"):
        main(["machines", "--address", "10.0.0.1:9911"])


# ------------------------------------------------------------------------ lines


@pytest.fixture
def lines():
    """The line from process 0 to process 1, and the same from 1 to 0."""
    port, opened = free_port(), {}
    wait = threading.Thread(
        target=lambda: opened.update(open_lines("127.0.0.1", port, 2, 0))
    )
    wait.start()
    there = open_lines("127.0.0.1", port, 2, 1)[0]
    wait.join()
    yield opened[1], there
    opened[1].close()
    there.close()


@pytest.fixture
def left(monkeypatch):
    """A list that says whether this process was told to leave."""
    calls = []
    monkeypatch.setattr(processes, "leave", lambda: calls.append("left"))
    return calls


def test_a_process_that_dies_ends_the_others_with_a_sentence(lines, left, capsys):
    here, there = lines
    there.sendall(processes.ALIVE)
    there.close()
    listen(here, "Process 1 of 2 has ended.")
    assert left == ["left"]
    assert capsys.readouterr().err == "Process 1 of 2 has ended.\n"


def test_a_process_that_falls_silent_ends_the_others_too(lines, left):
    lines[0].settimeout(0.1)
    listen(lines[0], "")
    assert left == ["left"]


def test_a_process_that_ends_well_ends_no_other(lines, left):
    here, there = lines
    there.sendall(processes.ALIVE + processes.GOODBYE)
    there.close()
    listen(here, "")
    assert not left


def test_signs_of_life_are_given_until_all_is_done(lines, monkeypatch):
    monkeypatch.setattr(processes, "BEAT", 0.01)
    here, there = lines
    done = threading.Event()
    speaking = threading.Thread(target=processes.speak, args=({1: here}, done))
    speaking.start()
    assert there.recv(1) == there.recv(1) == processes.ALIVE
    done.set()
    speaking.join(timeout=10)
    assert not speaking.is_alive()


def test_processes_that_do_not_come_are_named(monkeypatch):
    monkeypatch.setattr(processes, "ARRIVAL", 0.1)
    with pytest.raises(ConnectionError, match=r"Of 3 processes.*\[1, 2\]"):
        open_lines("", free_port(), 3, 0)


def test_a_process_0_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(processes, "ARRIVAL", 0.0)
    with pytest.raises(ConnectionError, match="Process 0 does not answer at 127.0.0"):
        open_lines("127.0.0.1", free_port(), 2, 1)


@pytest.mark.parametrize(
    ("here", "found", "message"),
    [
        ("10.0.0.1", "127.0.1.1", "'pc', stands for 127.0.1.1.*stand for 10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", None),
        ("127.0.0.1", "127.0.1.1", None),  # all processes on one machine
    ],
)
def test_a_name_by_which_no_other_machine_finds_this_one_is_named(
    monkeypatch, here, found, message
):
    monkeypatch.setattr(socket, "gethostname", lambda: "pc")
    monkeypatch.setattr(socket, "gethostbyname", lambda name: found)
    line = types.SimpleNamespace(getsockname=lambda: (here, 9912))
    with pytest.raises(ConnectionError, match=message) if message else nullcontext():
        processes.check_host_name(line)


# ------------------------------------------------------------------ run folder


def train_in(run_dir):
    images, masks = np.zeros((2, 8, 8, 3), "float32"), np.zeros((2, 8, 8), "int32")
    model = compile_unet(build_unet(8, filters=(2, 2)), keras.optimizers.SGD(0.1))
    batches = ShareOfBatches([(images, masks)])
    return train(model, lambda epoch: batches, batches, 1, run_dir=run_dir)


def test_the_first_process_alone_writes(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(training, "save_run", lambda *arguments: None)
        train_in(tmp_path)  # as far as the start, which process 0 saves
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    monkeypatch.setattr(checkpoints, "process_number", lambda: 1)
    train_in(tmp_path)
    after = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert after == before
    assert set(before) == {"checkpoint.npz", "run.json"}


def test_a_folder_that_is_not_shared_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "process_number", lambda: 1)
    with pytest.raises(ValueError, match="empty here.*that all machines share"):
        train_in(tmp_path / "run")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (2, ""),
        (
            1,
            "This run was begun with processes=2; now: processes=1. "
            "The last digits will differ.\n",
        ),
    ],
)
def test_a_run_goes_on_with_another_number_of_processes_and_says_so(
    monkeypatch, tmp_path, capsys, now, told
):
    model = compile_unet(build_unet(8, filters=(2, 2)), keras.optimizers.SGD(0.1))
    model.optimizer.build(model.trainable_variables)
    for count in (2, now):
        monkeypatch.setattr(checkpoints, "count_processes", lambda count=count: count)
        assert open_run(tmp_path, model, describe_run(model, 1)) == (0, {})
    assert capsys.readouterr().out == told


def test_nothing_is_said_of_a_run_that_did_not_write_its_processes_down(capsys):
    checkpoints.tell_of_changes({}, {"precision": "float32", "processes": 2})
    assert capsys.readouterr().out == ""


# --------------------------------------------------------------------- on paper


def test_two_machines_send_every_gradient_once():
    # 31,250,000 gradients of 4 bytes are 1 Gbit.
    assert exchange_seconds(31_250_000, gigabits=1) == pytest.approx(1)
    assert exchange_seconds(31_250_000, gigabits=10) == pytest.approx(0.1)


def test_four_machines_send_every_gradient_one_and_a_half_times():
    assert exchange_seconds(31_250_000, gigabits=1, machines=4) == pytest.approx(1.5)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_the_step_from_which_on_machines_pay_is_as_fast_on_one(count):
    step = worthwhile_step(31_250_000, 1, count)
    assert speed_up(step, 31_250_000, 1, count) == pytest.approx(1)
    assert speed_up(2 * step, 31_250_000, 1, count) > 1


def test_a_second_machine_halves_a_step_but_for_the_exchange():
    # 4 s on one machine: 2 s and 1 s of exchange on two.
    assert speed_up(4, 31_250_000, gigabits=1) == pytest.approx(4 / 3)
    assert worthwhile_step(31_250_000, gigabits=1) == pytest.approx(2)


# -------------------------------------------------------------------- measured


def check_together(measured):
    assert measured["largest_difference"] <= 1e-4
    one, two = measured["mean_iou"]
    assert one == pytest.approx(two, abs=5e-4)
    losses = measured["loss"][0]
    assert losses[-1] < losses[0] - 0.1  # else equal losses would say nothing


def check_ended(measured):
    assert measured["ended"].keys() == machines.ENDINGS.keys()
    for name, ended in measured["ended"].items():
        number = machines.ENDINGS[name][0]
        assert ended["seconds"] < 60
        assert ended["says"] == (
            f"Process {number} of 2 has ended or cannot be reached, so process "
            f"{1 - number} ends too. Start all 2 again in the same way: with a "
            "run_dir, they go on after the last finished epoch."
        )
    differences = measured["largest_difference_resumed_by"]
    assert differences["two processes"] == 0
    assert 0 < differences["one process"] < 1e-3


def test_the_stored_results_say_what_the_book_says():
    measured = read_measured("machines")
    check_together(measured["one_and_two_processes"]["SGD"])
    check_ended(measured)


@pytest.mark.backends
def test_two_processes_train_as_one_and_go_on_after_every_ending(tmp_path):
    if not is_cached("jax"):
        pytest.skip("uv does not have jax yet: `make backends` fetches it")
    test_batches = machines.write_batches(tmp_path / "batches.npz")
    check_together(machines.train_one_and_two(tmp_path, "SGD", test_batches))
    check_ended(machines.end_and_go_on(tmp_path))
