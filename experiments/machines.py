"""Train one network in two processes, end one of them, go on, and compare.

`python -m experiments machines` trains a small U-Net on drawn pets with JAX: alone, and
in two processes on this machine that share every batch. Then one of two is killed, both
are started again, the other one is killed, and at last one is frozen, as if its machine
could no longer be reached. `measured/machines.json` gets what differs in the end, after
how many seconds the process that was left ended, and what it said; and, on paper, when
a second machine pays.

On two machines, type this on the first, with its address and a folder that both share,
and on the other one the same with `--process 1`:

python -m experiments machines --address 10.0.0.1:9911 --processes 2 --process 0
    --run-dir /shared/two

Beside 9911 and 9912 they take free ports of their own, so that no firewall may stand
between them, and the name of each machine has to stand for the address by which the
other one reaches it (`getent hosts $(hostname)`).
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.backends import choose_packages
from experiments.bandwidth import estimate
from experiments.isolated import ROOT, isolated_python, run_module
from experiments.joined import ENDED_AT, build_model
from experiments.resume import largest_difference
from unetbook.checkpoints import restore_checkpoint
from unetbook.files import write_json
from unetbook.metrics import mean_iou
from unetbook.prediction import evaluate_masks
from unetbook.results import MEASURED_DIR, read_measured

IMAGE_SIZE, BATCH_SIZE, STEPS, EPOCHS, TEST_BATCHES = 32, 16, 6, 4, 4
JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
ENDINGS = {  # which process gets which signal, in which epoch from 0 on
    "process 1 killed": (1, "SIGKILL:1"),
    "process 0 killed": (0, "SIGKILL:2"),
    "process 1 frozen": (1, "SIGSTOP:3"),
}
PATIENCE = 600  # seconds, starting and compiling included, for a process to end


def write_batches(file):
    """Write the batches of drawn pets that all processes read; return test batches."""
    from unetbook.data import cache_pairs, load_pets, make_dataset

    pets = load_pets("drawn")

    def list_batches(examples, batches, **options):
        pairs = cache_pairs(examples.take(batches * BATCH_SIZE), IMAGE_SIZE)
        return list(make_dataset(pairs, BATCH_SIZE, **options).as_numpy_iterator())

    def stack(batches):
        return [np.stack(arrays) for arrays in zip(*batches, strict=True)]

    epochs = [
        stack(list_batches(pets.train, STEPS, training=True, epoch=epoch))
        for epoch in range(EPOCHS)
    ]
    train_images, train_masks = stack(epochs)
    val_images, val_masks = stack(list_batches(pets.validation, 2))
    np.savez(
        file,
        train_images=train_images,
        train_masks=train_masks,
        val_images=val_images,
        val_masks=val_masks,
    )
    return list_batches(pets.test, TEST_BATCHES)


def start(batches, run_dir, *options):
    """Start one process in JAX's environment.

    Returns:
        A `Popen`; what it prints goes to the file `log`.
    """
    command = [*isolated_python(choose_packages("jax")), "-m", "experiments.joined"]
    variables = JAX | {
        "PYTHONPATH": str(ROOT / "book"),
        "JAX_COMPILATION_CACHE_DIR": str(batches.with_name("compiled")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    with tempfile.NamedTemporaryFile(dir=batches.parent, delete=False) as log:
        started = subprocess.Popen(
            [*command, str(batches), str(run_dir), *map(str, options)],
            cwd=ROOT,
            env=os.environ | variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started.log = Path(log.name)
    return started


def start_two(batches, run_dir, *options, endings=((), ())):
    """Start two processes that train together; each may be given its ending."""
    address = ["--address", f"127.0.0.1:{free_port()}", "--processes", 2, *options]
    return [
        start(batches, run_dir, *address, "--process", number, *ending)
        for number, ending in enumerate(endings)
    ]


def free_port():
    """Return a port of this machine that is free, and the next one, too."""
    while True:
        with socket.create_server(("", 0)) as one:
            port = one.getsockname()[1]
            try:
                socket.create_server(("", port + 1)).close()
            except OSError:
                continue
            return port


def finish(*started):
    """Wait for processes that ought to end well.

    Raises:
        SystemExit: If one of them does not; its lines are shown.
    """
    for one in started:
        if one.wait():
            raise SystemExit(f"{one.log.read_text()}\nended with status {one.wait()}.")


def end_one(batches, run_dir, number, ending):
    """Train in two processes and end one of them.

    Returns:
        A dictionary: after how many `seconds` the other one ended, and what it `says`.
    """
    endings = [("--end", ending) if number == one else () for one in range(2)]
    both = start_two(batches, run_dir, endings=endings)
    victim, other = both[number], both[1 - number]
    try:
        other.wait(timeout=PATIENCE)
        now = time.time()
    finally:
        for one in both:  # a frozen one, or all if this process is stopped
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
    began, says = find_line(victim, ENDED_AT), find_line(other, "Process ")
    seconds = now - float(began.removeprefix(ENDED_AT))
    return {"seconds": round(seconds, 1), "says": says}


def find_line(started, beginning):
    """Return the line of a process that begins so.

    Raises:
        SystemExit: If there is none; all of its lines are shown.
    """
    text = started.log.read_text()
    for line in text.splitlines():
        if line.startswith(beginning):
            return line
    raise SystemExit(f"{text}\nhas no line that begins with {beginning!r}.")


def read_history(run_dir):
    """Return the history in a run's checkpoint."""
    with np.load(run_dir / "checkpoint.npz", allow_pickle=False) as file:
        return json.loads(str(file["progress"]))["history"]


def score(run_dir, optimizer, test_batches):
    """Return the test mean IoU of a run, with TensorFlow, from JAX's checkpoint."""
    model = build_model(IMAGE_SIZE, STEPS * EPOCHS, optimizer)
    restore_checkpoint(run_dir / "checkpoint.npz", model)
    return float(mean_iou(evaluate_masks(model, test_batches)))


def compare(one, two, optimizer, test_batches):
    """Compare a run of one process with a run of two.

    Returns:
        A dictionary: losses and test mean IoU of both, and the largest difference of
        any loss, that of validation included.
    """
    histories = [read_history(run_dir) for run_dir in (one, two)]
    differences = [
        np.abs(np.subtract(*(history[name] for history in histories))).max()
        for name in ("loss", "val_loss")
    ]
    scores = [score(run_dir, optimizer, test_batches) for run_dir in (one, two)]
    return {
        "loss": [history["loss"] for history in histories],
        "largest_difference": float(max(differences)),
        "mean_iou": scores,
    }


def train_one_and_two(folder, optimizer, test_batches):
    """Train alone and in two processes, in `folder/OPTIMIZER-1` and `-2`; compare."""
    batches = folder / "batches.npz"
    one, two = (folder / f"{optimizer}-{number}" for number in (1, 2))
    finish(start(batches, one, "--optimizer", optimizer))
    finish(*start_two(batches, two, "--optimizer", optimizer))
    return compare(one, two, optimizer, test_batches)


def end_and_go_on(folder):
    """Go through `ENDINGS` in one run, and finish it; compare it with `SGD-2`.

    Returns:
        A dictionary: what happened at each ending, and the largest difference of any
        variable from the run without a break, if two processes finish it and if one.
    """
    batches, broken = folder / "batches.npz", folder / "broken"
    found = {name: end_one(batches, broken, *end) for name, end in ENDINGS.items()}
    alone = Path(shutil.copytree(broken, folder / "alone"))
    finish(*start_two(batches, broken))
    finish(start(batches, alone))
    differences = {
        name: float(largest_difference(folder / "SGD-2", run_dir)[0])
        for name, run_dir in (("two processes", broken), ("one process", alone))
    }
    return {"ended": found, "largest_difference_resumed_by": differences}


def measure(folder):
    """Train, end, go on and compare in a folder; return what the file gets."""
    test_batches = write_batches(folder / "batches.npz")
    together = {
        optimizer: train_one_and_two(folder, optimizer, test_batches)
        for optimizer in ("SGD", "AdamW")
    }
    return {"one_and_two_processes": together, **end_and_go_on(folder)}


def join(options):
    """Be one process of several, as the command line says."""
    if options.process is None or options.run_dir is None:
        raise SystemExit("Give --process NUMBER and --run-dir FOLDER, too.")
    with tempfile.TemporaryDirectory() as folder:
        batches = Path(folder, "batches.npz")
        write_batches(batches)
        numbers = ["--processes", options.processes, "--process", options.process]
        arguments = [batches, options.run_dir, "--address", options.address, *numbers]
        packages = choose_packages("jax")
        run_module("experiments.joined", packages, map(str, arguments), **JAX)
    expected = read_measured("machines")["one_and_two_processes"]["SGD"]["loss"][0]
    difference = np.abs(np.subtract(read_history(options.run_dir)["loss"], expected))
    print(f"largest difference from one process, as measured: {difference.max():.1e}")


def main(options):
    """Measure and write the file, or be one process of several."""
    if options.address:
        join(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    measured = {
        "made_by": "python -m experiments machines",
        "where": f"two processes on one machine of {os.cpu_count()} CPU cores",
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "pictures": STEPS * BATCH_SIZE,
        **measured,
        "on_paper": estimate(),
    }
    write_json((options.folder or MEASURED_DIR) / "machines.json", measured, indent=1)
    print(json.dumps(measured, indent=1))
