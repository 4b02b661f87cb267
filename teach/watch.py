"""A kernel's folder, and the limits that it is held to."""

import contextlib
import math
import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

from teach.sandbox import NOBODY

BLOCK = 4096  # bytes that even an empty file takes
SOCKET = 425_984  # bytes that wait at most in a socket's two queues
DISK = 50_000_000  # bytes that a hand-in may write into its folder
RUN_DIR = re.compile(r"grading-(\d{1,9})-\w+")


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
            remove_run_dir(folder)
    return tempfile.mkdtemp(prefix=f"grading-{owner}-")


def remove_run_dir(folder):
    """Remove a kernel's folder, however deep or unreadable a hand-in has made it."""
    if not shutil.which("rm"):  # Windows, and there only trusted students
        shutil.rmtree(folder, ignore_errors=True)
        return
    for words in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.exists(folder):
            subprocess.run([*words, str(folder)], capture_output=True)


def size_of(folder):
    """Return the bytes in a folder and below it; infinite if it cannot be read.

    It stops counting above DISK.
    """
    size, folders = 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        found = entry.stat(follow_symlinks=False)
                        size += BLOCK + max(found.st_size, found.st_blocks * 512)
                    if size > DISK:
                        return size
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            return math.inf
    return size


def open_files(pid):
    """Yield what `stat` says of everything that a process has open."""
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # closed meanwhile
                yield os.stat(entry.path)


def unseen(pids, folder):
    """Return memory and disk (bytes) that processes hold without a name or an address.

    Sockets hold what was sent and not read, which nothing tells: each counts with the
    most that it can. Removed files that are open count as disk if they lay in the
    folder, else as memory.
    """
    sockets, removed = 0, {}
    for pid in pids:
        for found in open_files(pid):
            if stat.S_ISSOCK(found.st_mode):
                sockets += 1
            elif stat.S_ISREG(found.st_mode) and not found.st_nlink:
                removed[found.st_dev, found.st_ino] = found.st_blocks * 512
    device = os.stat(folder).st_dev
    disk = sum(size for (where, _), size in removed.items() if where == device)
    return sockets * SOCKET + sum(removed.values()) - disk, disk


def measure(process, folder):
    """Return memory (bytes) and number of a process's descendants, and files' size."""
    family = process.children(recursive=True)
    memory, files = unseen([member.pid for member in family], folder)
    for member in family:
        try:
            memory += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return memory, len(family), files + size_of(folder)


class Watch(threading.Thread):
    """Kill a kernel that takes more time, memory, processes or disk than allowed."""

    def __init__(self, pid, limits, folder):
        super().__init__(daemon=True)
        self.process, self.limits, self.folder = psutil.Process(pid), limits, folder
        self.ended, self.reason = threading.Event(), ""
        self.deadline = math.inf

    def run(self):
        """Look five times a second."""
        while not self.ended.wait(0.2):
            try:
                memory, processes, files = measure(self.process, self.folder)
            except psutil.NoSuchProcess:
                return
            if memory > self.limits["memory_gb"] * 1e9:
                self.reason = "it took too much memory"
            elif processes > self.limits["processes"]:
                self.reason = "it started too many processes"
            elif files > DISK:
                self.reason = "it wrote too much to the disk"
            elif time.monotonic() > self.deadline:
                self.reason = "it took too much time"
            if self.reason:
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.process.kill()
                return


def read_log(log):
    """Return the end of a kernel's log; a hand-in can put anything in its place."""
    with contextlib.suppress(OSError):
        if log.is_file() and not log.is_symlink():
            return log.read_bytes()[-2000:].decode(errors="replace")
    return "no kernel.log"
