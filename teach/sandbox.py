"""Start a Python kernel in a sandbox: `python sandbox.py CONNECTION_FILE`.

The kernel sees the system's libraries, the Python environment and the package
`unetbook`, all read only; an empty home and /tmp; no network, no other process, no
other file; no keyring and no namespace to make. Time, memory, processes and open files
are bounded. Standard library only.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

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


def missing_tools():
    """Return the names of the programs that a sandbox needs and this machine lacks."""
    return [name for name in TOOLS if shutil.which(name) is None]


def isolation(as_root):
    """Return bwrap's options for a world of its own.

    Root drops to nobody inside, with `setpriv`: only so does the limit on processes
    hold. Anyone else needs a user namespace.
    """
    options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    if not as_root:
        options += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    return options


def make_parents(paths):
    """Return bwrap's options for the folders above these paths, open to everybody."""
    parents = {str(parent) for path in paths for parent in Path(path).parents}
    options = []
    for parent in sorted(parents - {"/"}):
        options += ["--perms", "0755", "--dir", parent]
    return options


def folders(read_only, run_dir):
    """Return bwrap's options for what the kernel sees of the disk."""
    room = ["--size", str(200 * MEGABYTE), "--perms", "1777", "--tmpfs"]
    seen = {
        str(path): str(path) for path in (*filter(os.path.exists, SYSTEM), *read_only)
    }
    seen[str(PACKAGE)] = f"{COURSE}/unetbook"
    options = ["--size", str(MEGABYTE), "--tmpfs", "/", *make_parents([HOME])]
    options += ["--proc", "/proc", "--dev", "/dev", *room, "/dev/shm"]
    options += [*room, "/tmp", *room, HOME, *make_parents([*seen.values(), run_dir])]
    for path, inside in seen.items():
        options += ["--ro-bind", path, inside]
    options += ["--bind", run_dir, run_dir]
    return [*options, "--remount-ro", "/", "--chdir", HOME]


def settings(run_dir, extra):
    """Return bwrap's options for the environment variables."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    names = {**SETTINGS, "PATH": path, "JUPYTER_RUNTIME_DIR": run_dir, **extra}
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


def command(connection_file, limits, read_only=(), extra=None, as_root=False, fd=None):
    """Return the whole command that starts the kernel.

    Args:
        connection_file: Jupyter's file about the kernel, in a folder of its own.
        limits: `wall_seconds`, `memory_gb` and `processes`.
        read_only: Further paths that the kernel may read.
        extra: Further environment variables.
        as_root: Whether root starts it.
        fd: An open file with the filter of system calls.

    Returns:
        A list of words for `os.execvp`.
    """
    run_dir = os.path.dirname(os.path.abspath(connection_file))
    seen = dict.fromkeys([sys.base_prefix, sys.prefix, *read_only])
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    drop += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    processes = limits["processes"] + (0 if as_root else count_threads())
    return [
        *("timeout", "--kill-after=2", "--signal=KILL", str(limits["wall_seconds"])),
        *("bwrap", *isolation(as_root), *folders(seen, run_dir)),
        *settings(run_dir, extra or {}),
        *(() if fd is None else ("--seccomp", str(fd))),
        *("--", "prlimit", f"--nproc={processes}", f"--fsize={100 * MEGABYTE}"),
        f"--nofile={MOST_FILES}",
        *(f"--as={address_space(limits)}", "--core=0", "--"),
        *(drop if as_root else ()),
        sys.executable,
        *("-m", "ipykernel_launcher", "-f", connection_file),
    ]


def try_out():
    """Return why no sandbox can be had on this machine, or an empty text."""
    if missing_tools():
        return f"these programs are missing: {', '.join(missing_tools())}"
    words = ["bwrap", *isolation(os.getuid() == 0), "--ro-bind", "/", "/", "true"]
    tried = subprocess.run(words, capture_output=True, text=True)
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
    as_root = os.getuid() == 0
    if as_root:
        for path in (
            os.path.dirname(os.path.abspath(connection_file)),
            connection_file,
        ):
            os.chown(path, NOBODY, NOBODY)
    words = command(
        connection_file,
        plan["limits"],
        plan["read_only"],
        plan["extra"],
        as_root,
        open_filter(),
    )
    log = os.open(Path(connection_file).parent / "kernel.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1])
