"""Train one network in several processes, on one machine or on many; Keras on JAX.

Every process runs the same script with another number::

    with join_processes("10.0.0.1:9911", processes=2, process=0):  # there: process=1
        model = compile_unet(build_unet(128), make_optimizer(3e-3, total_steps))
        batches = lambda epoch: ShareOfBatches(list_batches(epoch))
        train(model, batches, ShareOfBatches(val_batches), epochs, run_dir=shared)

10.0.0.1 is the machine of process 0. `run_dir` is a folder that all machines share:
process 0 writes it, all read it. The processes find each other by JAX and talk over
ports of their own, unencrypted: use them in a network that you trust.

JAX's own heartbeat cannot replace the lines between the processes: where one never
comes, or dies between two sums, JAX 0.10.2 aborts the others in C++, and no `except`
can say who is missing and how to go on.
"""

import contextlib
import os
import socket
import sys
import threading
import time
import traceback

import keras

ARRIVAL = 300  # seconds in which all processes have to come
BEAT = 5  # seconds between two signs of life
PATIENCE = 30  # seconds without one, after which a process counts as gone
ALIVE, GOODBYE = b".", b"!"


def count_processes():
    """Return the number of processes that train together, 1 if this one is alone."""
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return jax.process_count()


def process_number():
    """Return this process's number among those that train together, from 0 on."""
    if keras.backend.backend() != "jax":
        return 0
    import jax

    return jax.process_index()


def add_over_devices(numbers):
    """Add numbers up over the devices of a `MirroredStrategy`, which share a batch.

    On JAX nothing is to be done: there an array spans all devices.
    """
    if keras.backend.backend() != "tensorflow":
        return numbers
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return numbers
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, numbers)


def wait_for_processes():
    """Return when all processes that train together have come here."""
    if count_processes() > 1:
        from jax.experimental.multihost_utils import sync_global_devices

        sync_global_devices("unetbook")


class ShareOfBatches(keras.utils.PyDataset):
    """This process's share of the pictures of every batch, as batches for `fit`.

    Args:
        batches: A list of `(images, masks)`, the same one in every process.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, number):
        return tuple(take_share(array) for array in self.batches[number])


def take_share(batch):
    """Return this process's rows of a batch.

    Raises:
        ValueError: If the rows cannot be dealt out evenly.
    """
    processes, process = count_processes(), process_number()
    rows, rest = divmod(len(batch), processes)
    if rest:
        raise ValueError(
            f"batch has {len(batch)} pictures, which {processes} processes cannot "
            f"share evenly. Take a multiple of {processes}, also for the last batch."
        )
    return batch[process * rows : (process + 1) * rows]


@contextlib.contextmanager
def join_processes(address, processes, process):
    """Make what is trained inside the `with` block the work of several processes.

    Open it before Keras computes anything. Each process feeds its own rows of every
    batch (`ShareOfBatches`); gradients, batch normalisation, losses and scores are
    those of the whole batch. All leave the block together. If one ends before, every
    other one says so and ends too, within `PATIENCE` seconds.

    Args:
        address: `"HOST:PORT"` of process 0; the port after it has to be free, too.
        processes: How many there are, 2 or more.
        process: The number of this one, from 0 on.

    Raises:
        ValueError: If an argument is unfit, or Keras does not run on JAX.
        ConnectionError: If the others do not come, or cannot find this machine.
    """
    host, port = check_address(address, processes, process)
    lines = open_lines(host, port + 1, processes, process)
    done = threading.Event()
    watch(lines, done, processes, process)
    import jax

    jax.distributed.initialize(address, processes, process)
    devices = keras.distribution.list_devices()
    data_parallel = keras.distribution.DataParallel(
        devices=devices, auto_shard_dataset=False
    )
    keras.distribution.set_distribution(data_parallel)
    try:
        if jax.default_backend() == "cpu":
            check_host_name(next(iter(lines.values())))
        yield
        wait_for_processes()
    except BaseException:
        time.sleep(1)  # where another process has ended, `listen` says it better
        traceback.print_exc()
        leave()
    done.set()
    send(lines, GOODBYE)
    jax.distributed.shutdown()
    keras.distribution.set_distribution(None)


def check_address(address, processes, process):
    """Return host and port, or raise a `ValueError` that names the unfit argument."""
    if keras.backend.backend() != "jax":
        raise ValueError(
            f"Keras runs on {keras.backend.backend()!r}; several processes need JAX. "
            "Set KERAS_BACKEND=jax before Python starts."
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(
            f"address={address!r}: give host and port of process 0, such as "
            "'10.0.0.1:9911'."
        )
    if processes < 2 or not 0 <= process < processes:
        raise ValueError(
            f"process={process} of processes={processes}: give 2 processes or more, "
            "and number them from 0 on."
        )
    return host, int(port)


def check_host_name(line):
    """Raise a `ConnectionError` if another machine cannot find this one by its name.

    On CPUs JAX sums gradients with gloo, which tells the others the address that the
    machine's own name stands for. Some systems write 127.0.1.1 there.
    """
    name, here = socket.gethostname(), line.getsockname()[0]
    found = socket.gethostbyname(name)
    if found.startswith("127.") and not here.startswith("127."):
        raise ConnectionError(
            f"The name of this machine, {name!r}, stands for {found}, where no other "
            f"machine finds it. Let it stand for {here} in /etc/hosts."
        )


def open_lines(host, port, processes, process):
    """Connect process 0 with every other one.

    Returns:
        Sockets by the number of the process at their other end.

    Raises:
        ConnectionError: If someone has not come after `ARRIVAL` seconds.
    """
    if process:
        return {0: call(host, port, process)}
    lines = {}
    with socket.create_server(("", port)) as server:
        server.settimeout(ARRIVAL)
        while len(lines) < processes - 1:
            try:
                line, _ = server.accept()
            except TimeoutError:
                missing = sorted(set(range(1, processes)) - set(lines))
                raise ConnectionError(
                    f"Of {processes} processes, these have not come in {ARRIVAL} "
                    f"seconds: {missing}. Start all of them, with one address."
                ) from None
            lines[line.recv(1)[0]] = line
    return lines


def call(host, port, process):
    """Return the line to process 0, which may start later than this process."""
    deadline = time.monotonic() + ARRIVAL
    while True:
        try:
            line = socket.create_connection((host, port), timeout=BEAT)
            line.sendall(bytes([process]))
            return line
        except OSError as error:
            if time.monotonic() > deadline:
                raise ConnectionError(
                    f"Process 0 does not answer at {host}:{port} ({error}). Start it "
                    "with the same address, and let the machines reach each other."
                ) from None
            time.sleep(0.2)


def watch(lines, done, processes, process):
    """Give signs of life until `done`, and end with the first line that falls silent.

    Without it, a process that lost another would wait for its gradients, or be aborted
    by JAX without a word of how to go on.
    """
    threading.Thread(target=speak, args=(lines, done), daemon=True).start()
    for other, line in lines.items():
        line.settimeout(PATIENCE)
        says = (
            f"Process {other} of {processes} has ended or cannot be reached, so "
            f"process {process} ends too. Start all {processes} again in the same way: "
            "with a run_dir, they go on after the last finished epoch."
        )
        threading.Thread(target=listen, args=(line, says), daemon=True).start()


def speak(lines, done):
    """Send a sign of life now and then, until `done`."""
    while not done.wait(BEAT):
        send(lines, ALIVE)


def send(lines, message):
    """Send a message on every line that is still open."""
    for line in lines.values():
        with contextlib.suppress(OSError):
            line.sendall(message)


def listen(line, says):
    """Wait for a goodbye; if the line breaks or is silent, say so and end."""
    heard = ALIVE
    while heard and GOODBYE not in heard:
        try:
            heard = line.recv(64)
        except OSError:  # reset, or nothing for `PATIENCE` seconds
            heard = b""
    if not heard:
        print(says, file=sys.stderr)
        leave()


def leave():
    """End this process at once: JAX would wait for those that are gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
