"""A kernel's folder, and the limits that it is held to."""

import contextlib
import functools
import math
import os
import re
import shutil
import signal
import stat
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from teach.sandbox import NOBODY, WRITABLE

INODE = 1024  # bytes that even an empty file takes
LIBRARIES = 500_000_000  # bytes of memory that a process shares with files
MOST_SHARED = 4  # times its limit; to look closely at more takes seconds
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
RUN_DIR = re.compile(r"grading-(\d{1,9})-\w+")
NETWORK = Path("/proc/sys/net")
ENDED = FileNotFoundError, ProcessLookupError  # what /proc says of such a process
LISTENS, LEFT = "0A", "06"  # states of a connection that hold nothing


def is_ours(folder):
    """Tell whether a grader of this user made a folder: /tmp is everybody's."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    user = os.getuid() if hasattr(os, "getuid") else found.st_uid
    owners = (user,) if user else (user, NOBODY)  # root gives it to the sandbox
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners


def make_run_dir(owner):
    """Make a folder for one kernel, and remove those that killed graders left.

    `owner` is the grader's process.
    """
    for folder in Path(tempfile.gettempdir()).glob("grading-*"):
        grader = RUN_DIR.fullmatch(folder.name)
        dead = grader and not psutil.pid_exists(int(grader[1]))
        if dead and is_ours(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"grading-{owner}-")


def largest(*names):
    """Return the largest number in some of the kernel's settings of the network."""
    texts = [(NETWORK / name).read_text() for name in names]
    return max(int(number) for text in texts for number in text.split())


@functools.cache
def largest_socket():
    """Return the bytes that wait at most in the queues of a socket of Unix.

    The filter of system calls lets nobody ask for more room.
    """
    return 2 * largest("core/wmem_default", "core/rmem_default")


@functools.cache
def largest_connection():
    """Return the bytes that wait at most at one end of a connection of TCP."""
    return largest("ipv4/tcp_rmem") + largest("ipv4/tcp_wmem")


def waiting(listed):
    """Return the bytes that a sandbox's connections of TCP hold at most.

    Args:
        listed: The kernel's list of them.
    """
    try:
        lines = Path(listed).read_text().splitlines()[1:]
    except OSError:
        return 0
    states = [line.split()[3] for line in lines]
    return sum(s not in (LISTENS, LEFT) for s in states) * largest_connection()


class Usage(NamedTuple):
    """What a sandbox takes: seconds of a core, bytes of memory, and processes."""

    seconds: float
    memory: int
    processes: int


def read_status(process):
    """Return the status of a process; of another thread if its first one has ended."""
    status = Path(process, "status").read_bytes()
    if b"VmRSS" not in status:
        for thread in Path(process, "task").iterdir():
            with contextlib.suppress(OSError):  # this one has ended, too
                status = (thread / "status").read_bytes()
                if b"VmRSS" in status:
                    break
    return status


def resident(process, exact):
    """Return the bytes of memory that a process holds.

    Args:
        process: Its folder in /proc.
        exact: Count of a page that several processes share a part only; that is slow.
    """
    kept = []
    if exact:
        with contextlib.suppress(OSError):  # its first thread has ended
            pages = Path(process, "smaps_rollup").read_bytes()
            kept = re.findall(rb"^(?:Pss|SwapPss):\s*(\d+) kB", pages, re.M)
    status = b"" if kept else read_status(process)
    kept += re.findall(rb"^(?:VmRSS|VmSwap):\s*(\d+) kB", status, re.M)
    return 1024 * sum(map(int, kept))


def usage_of(process, exact=False):
    """Return the `Usage` of one process, from its folder in /proc.

    The seconds are its own and those of the children that have ended.

    Raises:
        PermissionError: If the process hides what it has opened.
    """
    words = Path(process, "stat").read_bytes().rpartition(b")")[2].split()
    sockets = 0
    with os.scandir(Path(process, "fd")) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # closed meanwhile
                sockets += stat.S_ISSOCK(os.stat(entry.path).st_mode)
    # A socket holds what was sent and not read, and nothing tells how much.
    memory = resident(process, exact) + sockets * largest_socket()
    return Usage(sum(map(int, words[11:15])) / TICKS, memory, 1)


def written(root, folders):
    """Return the bytes of memory that files take in a sandbox, removed ones too."""
    size = 0
    for folder in folders:
        with contextlib.suppress(OSError):
            found = os.statvfs(f"{root}{folder}")
            size += (found.f_blocks - found.f_bfree) * found.f_frsize
            size += (found.f_files - found.f_ffree) * INODE
    return size


def measure(root, folders, exact=False):
    """Return the `Usage` of everything in a sandbox, as its own /proc lists it.

    Args:
        root: What the sandbox sees as `/`.
        folders: Where in it files can be written; they lie in memory.
        exact: As in `resident`.
    """
    found = []
    for entry in os.listdir(f"{root}/proc"):
        if entry.isdigit():
            with contextlib.suppress(*ENDED):  # meanwhile
                found.append(usage_of(f"{root}/proc/{entry}", exact))
    seconds = sum(usage.seconds for usage in found)
    memory = sum(usage.memory for usage in found)
    memory += written(root, folders) + waiting(f"{root}/proc/1/net/tcp")
    return Usage(seconds, memory, len(found))


class Watch(threading.Thread):
    """Kill a sandbox that takes more time, memory or processes than allowed.

    Args:
        pid: The first process of the sandbox.
        limits: Those of the assignment.
        sockets: The folder of the kernel's sockets.
    """

    def __init__(self, pid, limits, sockets):
        super().__init__(daemon=True)
        self.pid, self.limits, self.folders = pid, limits, (*WRITABLE, sockets)
        self.ended, self.reason = threading.Event(), ""
        self.seconds, self.most, self.deadline = 0, math.inf, math.inf

    def begin(self, seconds, patience):
        """Count from now on: so much of a core, or `patience` times so much clock."""
        self.most = self.seconds + seconds
        self.deadline = time.monotonic() + patience * seconds

    def run(self):
        """Look five times a second."""
        while not self.ended.wait(0.2):
            try:
                usage = self.look()
                self.seconds = max(self.seconds, usage.seconds)
                self.reason = self.too_much(usage)
            except ENDED:
                return
            except Exception:  # whoever cannot be watched is not left alone
                self.reason = "it hid what it took"
            if self.reason:
                with contextlib.suppress(OSError):
                    os.kill(self.pid, signal.SIGKILL)
                return

    def look(self):
        """Return the sandbox's `Usage`; look closely where that decides."""
        root, most = f"/proc/{self.pid}/root", self.most_memory()
        usage = measure(root, self.folders)
        if most < usage.memory < MOST_SHARED * most:
            return measure(root, self.folders, exact=True)
        return usage

    def most_memory(self):
        """Return the bytes that a sandbox may hold."""
        return self.limits["memory_gb"] * 1e9 + LIBRARIES

    def too_much(self, usage):
        """Return what a sandbox has taken too much of, or an empty text."""
        if usage.memory > self.most_memory():
            return "it took too much memory"
        if usage.processes > self.limits["processes"]:
            return "it started too many processes"
        if self.seconds > self.most or time.monotonic() > self.deadline:
            return "it took too much time"
        return ""


def read_log(log):
    """Return the end of what a kernel printed as it started."""
    if log.is_file():
        return log.read_bytes()[-2000:].decode(errors="replace")
    return "no kernel.log"
