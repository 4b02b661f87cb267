"""What the sandbox is told to show and to forbid; no kernel is started."""

import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from teach import syscalls
from teach.sandbox import (
    WRITABLE,
    Open,
    command,
    folders,
    isolation,
    make_users,
    open_filter,
    sockets_of,
    try_out,
)
from tests.paths import BOOK, ROOT


def test_the_sandbox_sees_no_repository_and_no_network(tmp_path):
    limits = {"clock_seconds": 9, "memory_gb": 1, "processes": 20}
    file = str(tmp_path / "connection.json")
    words = command(file, limits)
    assert "--unshare-net" in words
    bound = [words[i + 1] for i, w in enumerate(words) if w in ("--bind", "--ro-bind")]
    assert str(BOOK / "unetbook") in bound
    above = {str(ROOT), *map(str, ROOT.parents), str(ROOT / "teach"), str(Path.home())}
    assert not above & set(bound)
    assert "--bind" not in words, "what is written would reach the disk"
    rooms = [words[i - 4 : i + 2] for i, word in enumerate(words) if word == "--tmpfs"]
    assert rooms[0][-2:] == ["--tmpfs", "/"]
    folders = ["/tmp", "/dev/shm", "/home/student", sockets_of(file)]
    assert [room[-1] for room in rooms[1:]] == folders
    assert all(room[0] == "--size" and int(room[1]) <= 2e8 for room in rooms[1:])
    closed = [words[i + 1] for i, word in enumerate(words) if word == "--remount-ro"]
    assert closed == ["/dev", "/"]
    assert words[:4] == ["timeout", "--kill-after=2", "--signal=KILL", "9"]


def answer(program, number, architecture=0xC000003E, argument=0, second=0):
    """Return what a filter answers to a system call, by the rules of classic BPF.

    The arguments that it looks at are the same, but for the second.
    """
    arguments = (argument, second, argument, argument)
    data = struct.pack("IIQ4Q", number, architecture, 0, *arguments)
    steps, place, value = list(struct.iter_unpack("HBBI", program)), 0, 0
    while True:
        code, jump, otherwise, operand = steps[place]
        place += 1
        if code == syscalls.RETURN:
            return operand
        if code == syscalls.LOAD:
            (value,) = struct.unpack_from("I", data, operand)
            continue
        if code == syscalls.AND:
            value &= operand
            continue
        holds = {
            syscalls.JUMP_EQUAL: value == operand,
            syscalls.JUMP_AT_LEAST: value >= operand,
            syscalls.JUMP_SET: bool(value & operand),
        }
        place += jump if holds[code] else otherwise


@pytest.mark.parametrize(
    ("number", "argument", "expected"),
    [
        (0, 0, syscalls.ALLOW),  # read
        (59, 0, syscalls.ALLOW),  # execve
        (250, 0, syscalls.REFUSE),  # keyctl
        (319, 0, syscalls.REFUSE),  # memfd_create
        (64, 0, syscalls.REFUSE),  # semget
        (165, 0, syscalls.REFUSE),  # mount
        (56, 0x11, syscalls.ALLOW),  # clone as fork does it
        (56, 0x10000000, syscalls.REFUSE),  # clone with a new user namespace
        (435, 0, syscalls.MISSING),  # clone3
        (203, 0, syscalls.REFUSE),  # sched_setaffinity
        (204, 0, syscalls.ALLOW),  # sched_getaffinity
        (41, 1, syscalls.ALLOW),  # socket of Unix
        (53, 1, syscalls.ALLOW),  # socketpair
        (41, 2, syscalls.ALLOW),  # socket of TCP
        (41, 16, syscalls.ALLOW),  # socket of netlink
        (41, 38, syscalls.NO_FAMILY),  # socket of the kernel's ciphers
        (53, 30, syscalls.NO_FAMILY),  # socketpair of TIPC
        (54, 7, syscalls.REFUSE),  # setsockopt: room to send
        (54, 8, syscalls.REFUSE),  # room to receive
        (54, 2, syscalls.ALLOW),  # SO_REUSEADDR
        (9, 0x22, syscalls.ALLOW),  # mmap, private
        (9, 0x01, syscalls.ALLOW),  # mmap of a file, shared
        (9, 0x21, syscalls.REFUSE),  # mmap, shared and without a file
        (9, 0x4023, syscalls.REFUSE),
        (0x40000000 + 319, 0, syscalls.KILL),  # memfd_create of x32
    ],
)
def test_the_filter_refuses_keyrings_namespaces_and_memory_of_nobody(
    number, argument, expected
):
    program = syscalls.make_filter("x86_64")
    assert answer(program, number, argument=argument) == expected
    assert answer(program, number, architecture=0x40000003) == syscalls.KILL  # i386


@pytest.mark.parametrize(
    ("signal", "action", "expected"),
    [
        (17, 0, syscalls.ALLOW),  # asks what happens when a child ends
        (17, 0x7FFF, syscalls.REFUSE),  # would have its children vanish uncounted
        (17, 0x100000000, syscalls.REFUSE),
        (2, 0x7FFF, syscalls.ALLOW),
    ],
)
def test_nobody_says_that_children_end_uncounted(signal, action, expected):
    program = syscalls.make_filter("x86_64")
    assert answer(program, 13, argument=signal, second=action) == expected


def test_a_machine_whose_calls_are_not_known_has_no_filter():
    assert syscalls.make_filter("vax") is None


TRY = """
import ctypes, mmap, os, signal, socket, subprocess
try:
    os.sched_setaffinity(0, os.sched_getaffinity(0))
except PermissionError:
    print("no other core")
try:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
except PermissionError:
    print("no child uncounted")
for shell in ("sh", "bash"):
    words = [shell, "-c", "(sleep 0; echo $(echo a)); wait; echo b"]
    assert subprocess.check_output(words) == b"a\\nb\\n"
try:
    os.memfd_create("x")
except PermissionError:
    print("no memfd")
keyctl = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
print("no keyring" if libc.syscall(keyctl, 0, -3, 0) == -1 else "keyring")
mmap.mmap(-1, 1000, mmap.MAP_PRIVATE)
try:
    mmap.mmap(-1, 1000)
except PermissionError:
    print("no shared memory")
socket.socketpair()
try:
    socket.socket(socket.AF_ALG)
except OSError as error:
    print("no ciphers" if error.errno == 97 else error, flush=True)
print(os.fork() >= 0)
"""


def run_inside(options, *words):
    """Run a command in a sandbox with these of bubblewrap's options."""
    if try_out():
        pytest.skip(f"no sandbox: {try_out()}")
    files = Open(open_filter(), make_users() if os.getuid() == 0 else None)
    given = [number for number in files if number is not None]
    whole = ["bwrap", *isolation(files.users), *options]
    whole += [] if files.filter is None else ["--seccomp", str(files.filter)]
    return subprocess.run(
        [*whole, *words], capture_output=True, text=True, pass_fds=given
    )


@pytest.mark.grading
@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
def test_a_sandbox_has_users_of_its_own_and_there_is_only_one():
    words = ["sh", "-c", "readlink /proc/self/ns/user; cat /proc/self/uid_map"]
    users, listed = run_inside(["--ro-bind", "/", "/"], *words).stdout.split("\n", 1)
    assert users.startswith("user:[")
    assert users != os.readlink("/proc/self/ns/user")
    assert [line.split()[0::2] for line in listed.splitlines()] == [["65534", "1"]]


@pytest.mark.grading
@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
def test_what_a_sandbox_can_write_lies_in_memory_and_has_a_size(tmp_path):
    file = tmp_path / "connection.json"
    file.write_text("{}")
    (tmp_path / "pets").mkdir(mode=0o755)
    (tmp_path / "pets" / "cat").write_text("a cat")
    places = [*WRITABLE, sockets_of(file), "/", "/dev", str(tmp_path), "/usr"]
    code = f"""
import os
for place in {places!r}:
    size = os.statvfs(place).f_blocks * os.statvfs(place).f_frsize
    print(place, os.access(place, os.W_OK), size < 201_000_000)
print(os.path.exists("/dev/zero") and open("/dev/zero").read(1) == "")
print(open({str(tmp_path / "pets" / "cat")!r}).read())
"""
    shown = [sys.base_prefix, sys.prefix, str(tmp_path / "pets")]
    options = folders(shown, str(file))
    drop = ["setpriv", "--reuid=65534"] if os.getuid() == 0 else []
    done = run_inside(options, *drop, sys.executable, "-c", code)
    lines = done.stdout.splitlines()
    assert lines[:4] == [f"{place} True True" for place in places[:4]], done.stderr
    assert [line.split()[1] for line in lines[4:-2]] == ["False"] * 4
    assert lines[-2:] == ["True", "a cat"]


@pytest.mark.grading
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in syscalls.CALLS,
    reason="the filter is for Linux on x86_64 and aarch64",
)
def test_bubblewrap_installs_the_filter():
    done = run_inside(["--ro-bind", "/", "/"], sys.executable, "-c", TRY)
    assert done.stdout.splitlines()[:6] == [
        "no other core",
        "no child uncounted",
        "no memfd",
        "no keyring",
        "no shared memory",
        "no ciphers",
    ], done.stderr
    assert done.stdout.count("True") == 2
