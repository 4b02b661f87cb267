"""Start a Python kernel in a sandbox: `python sandbox.py CONNECTION_FILE`.

The kernel sees the system's libraries, the Python environment and the package
`unetbook`, all read only; an empty home and /tmp; no network, no other process, no
other file; no keyring and no namespace to make. Time, memory, processes and open files
are bounded. Nothing that it writes reaches the disk: its folders lie in memory, each
with a size, and the grader finds the sockets in them through /proc. Standard library
only.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).absolute().parents[1]))
from teach.syscalls import make_filter  # noqa: E402

PACKAGE = Path(__file__).absolute().parents[1] / "book" / "unetbook"
TOOLS = ("bwrap", "prlimit", "timeout", "setpriv")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime")
SYSTEM += ("/etc/alternatives", "/etc/fonts", "/etc/ssl/openssl.cnf")
NOBODY = 65534
MOST_FILES = 512  # open at once in a process; sockets hold memory
MEGABYTE = 1_000_000
HOME = "/home/student"
WRITABLE = ("/tmp", "/dev/shm", HOME)
NEW_USERS = 0x10000000  # CLONE_NEWUSER
COURSE = "/course"  # where the kernel finds the package
SETTINGS = {
    "HOME": HOME,
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",  # each sandbox has one core
    "TF_NUM_INTRAOP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": COURSE,
    "UNETBOOK_DATA": "drawn",
}


def sockets_of(connection_file):
    """Return the folder of a kernel's sockets, which lies in memory like the others."""
    return os.path.join(os.path.dirname(os.path.abspath(connection_file)), "sockets")


def missing_tools():
    """Return the names of the programs that a sandbox needs and this machine lacks."""
    return [name for name in TOOLS if shutil.which(name) is None]


def shown(place):
    """Return the folder through which every sandbox would show a place, or None."""
    place = Path(place).resolve()
    for seen in (*SYSTEM, sys.base_prefix, sys.prefix):
        if place.is_relative_to(Path(seen).resolve()):
            return seen
    return None


def make_users():
    """Return an open user namespace in which there is nobody but nobody.

    Root hands it to bwrap: without one, two sandboxes side by side would share one
    limit on processes.
    """
    (told, tell), (free, let_go) = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(let_go)
        made = ctypes.CDLL(None).unshare(NEW_USERS)
        os.write(tell, b"n" if made else b"y")
        os.read(free, 1)
        os._exit(0)
    try:
        if os.read(told, 1) != b"y":
            return None
        for kind in ("uid", "gid"):
            Path(f"/proc/{child}/{kind}_map").write_text(f"{NOBODY} {NOBODY} 1")
        users = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
        os.set_inheritable(users, True)
        return users
    finally:
        for end in (told, tell, free, let_go):
            os.close(end)
        os.waitpid(child, 0)


def isolation(users=None):
    """Return bwrap's options for a world of its own.

    Root gives `users`, a user namespace, and drops to nobody inside with `setpriv`.
    For anyone else bwrap makes one.
    """
    options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    if users is None:
        options += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
        return options
    for name in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        options += ["--cap-add", name]
    return [*options, "--userns2", str(users)]


def make_parents(paths):
    """Return bwrap's options for the folders above these paths, open to everybody."""
    parents = {str(parent) for path in paths for parent in Path(path).parents}
    options = []
    for parent in sorted(parents - {"/"}):
        options += ["--perms", "0755", "--dir", parent]
    return options


def folders(read_only, connection_file):
    """Return bwrap's options for what the kernel sees of the disk."""
    room = ["--size", str(200 * MEGABYTE), "--perms", "1777", "--tmpfs"]
    seen = {
        str(path): str(path) for path in (*filter(os.path.exists, SYSTEM), *read_only)
    }
    seen[str(PACKAGE)] = f"{COURSE}/unetbook"
    options = ["--size", str(MEGABYTE), "--tmpfs", "/", *make_parents([HOME])]
    options += ["--proc", "/proc", "--dev", "/dev"]
    options += ["--dev-bind", "/dev/null", "/dev/zero"]  # mapped, it is hidden memory
    for folder in WRITABLE:
        options += [*room, folder]
    options += make_parents([*seen.values(), connection_file])
    options += [*room, sockets_of(connection_file)]
    for path, inside in seen.items():
        options += ["--ro-bind", path, inside]
    options += ["--ro-bind", connection_file, connection_file]
    for closed in ("/dev", "/"):
        options += ["--remount-ro", closed]
    return [*options, "--chdir", HOME]


def settings(sockets, extra):
    """Return bwrap's options for the environment variables."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    names = {**SETTINGS, "PATH": path, "JUPYTER_RUNTIME_DIR": sockets, **extra}
    options = ["--clearenv"]
    for name, value in names.items():
        options += ["--setenv", name, value]
    return options


def address_space(limits):
    """Return the bound on addresses; far more is mapped than used, above all by TF."""
    return int(limits["memory_gb"] * 1.5e9) + 1_000_000_000


def count_threads():
    """Return how many threads this user runs: the limit counts them on old kernels."""
    listed = subprocess.run(
        ["ps", "-L", "--no-headers", "-u", str(os.getuid())], capture_output=True
    )
    return listed.stdout.count(b"\n")


class Open(NamedTuple):
    """Open files that bubblewrap reads or writes, as numbers; None where not needed.

    `filter` holds the filter of system calls, `users` is root's user namespace, and
    `about` is told the first process of the sandbox.
    """

    filter: int | None = None
    users: int | None = None
    about: int | None = None


def command(connection_file, limits, read_only=(), extra=None, files=None):
    """Return the whole command that starts the kernel.

    Args:
        connection_file: Jupyter's file about the kernel, in a folder of its own.
        limits: `clock_seconds`, `memory_gb` and `processes`.
        read_only: Further paths that the kernel may read.
        extra: Further environment variables.
        files: An `Open`.

    Returns:
        A list of words for `os.execvp`.
    """
    files, connection_file = files or Open(), os.path.abspath(connection_file)
    seen = dict.fromkeys([sys.base_prefix, sys.prefix, *read_only])
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    drop += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    as_root = files.users is not None
    processes = limits["processes"] + (0 if as_root else count_threads())
    return [
        *("timeout", "--kill-after=2", "--signal=KILL", str(limits["clock_seconds"])),
        *("bwrap", *isolation(files.users), *folders(seen, connection_file)),
        *settings(sockets_of(connection_file), extra or {}),
        *(() if files.filter is None else ("--seccomp", str(files.filter))),
        *(() if files.about is None else ("--info-fd", str(files.about))),
        *("--", "prlimit", f"--nproc={processes}", f"--fsize={100 * MEGABYTE}"),
        f"--nofile={MOST_FILES}",
        # What asks for more is told so at once, before the watch would have to end it.
        f"--data={int(limits['memory_gb'] * 1e9)}",
        *(f"--as={address_space(limits)}", "--core=0", "--"),
        *(drop if as_root else ()),
        sys.executable,
        *("-m", "ipykernel_launcher", "-f", connection_file),
    ]


def try_out():
    """Return why no sandbox can be had on this machine, or an empty text."""
    if missing_tools():
        return f"these programs are missing: {', '.join(missing_tools())}"
    users = make_users() if os.getuid() == 0 else None
    words = ["bwrap", *isolation(users), "--ro-bind", "/", "/", "true"]
    tried = subprocess.run(
        words, capture_output=True, text=True, pass_fds=[users] if users else []
    )
    if users:
        os.close(users)
    return tried.stderr.strip() if tried.returncode else ""


def open_filter():
    """Return an open file that holds the filter, for bubblewrap to read, or None."""
    program = make_filter()
    if program is None:
        return None
    reading, writing = os.pipe()
    os.write(writing, program)
    os.close(writing)
    os.set_inheritable(reading, True)
    return reading


def main(connection_file):
    """Become the kernel; end when the grader ends, even if that is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    plan = json.loads(os.environ["GRADING_SANDBOX"])
    folder = Path(connection_file).parent
    about = os.open(folder / "bwrap.json", os.O_WRONLY | os.O_CREAT)
    os.set_inheritable(about, True)
    users = None
    if os.getuid() == 0:
        os.chown(connection_file, NOBODY, NOBODY)
        users = make_users()
    files = Open(open_filter(), users, about)
    words = command(
        connection_file, plan["limits"], plan["read_only"], plan["extra"], files
    )
    log = os.open(folder / "kernel.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # What stays in front of the sandbox keeps its environment, which the sandbox can
    # read where the teacher is not root.
    os.execvpe(words[0], words, {"PATH": os.environ["PATH"]})


if __name__ == "__main__":
    main(sys.argv[1])
