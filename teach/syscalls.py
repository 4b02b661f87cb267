"""What a hand-in may not ask the kernel for, as a filter that bubblewrap installs.

Forbidden is what leaves the sandbox (keyrings that all of a user's processes
share, namespaces and mounts) and memory that belongs to no process's own (memfd, System
V). The filter is a program of classic BPF; see seccomp(2). Standard library only.
"""

import platform
import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # places in `struct seccomp_data`
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, MISSING = 0x00050001, 0x00050026  # errors EPERM and ENOSYS
NAMESPACES = 0x7E020080  # clone's flags that make new ones
X32 = 0x40000000  # the same calls under other numbers
# Since 5.1 the numbers are the same everywhere: io_uring, mounts, secret memory.
NEW = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 447)
CALLS = {
    "x86_64": {
        "architecture": 0xC000003E,
        "clone": 56,
        # add_key, request_key, keyctl, mount, umount2, pivot_root, unshare, setns
        "refused": (248, 249, 250, 165, 166, 155, 272, 308)
        # memfd_create, shmget, msgget, ptrace, process_vm_*, bpf, perf, userfaultfd
        + (319, 29, 68, 101, 310, 311, 321, 298, 323),
    },
    "aarch64": {
        "architecture": 0xC00000B7,
        "clone": 220,
        "refused": (217, 218, 219, 40, 39, 41, 97, 268)
        + (279, 194, 186, 117, 270, 271, 280, 241, 282),
    },
}
CLONE3 = 435  # its flags cannot be seen from here; the C library then takes clone


def step(code, value, jump=0, otherwise=0):
    """Return one instruction: the jumps count the instructions to leave out."""
    return struct.pack("HBBI", code, jump, otherwise, value)


def make_filter(machine=None):
    """Return the program for a machine, or None where its calls are not known."""
    calls = CALLS.get(machine or platform.machine())
    if calls is None:
        return None
    program = [step(LOAD, ARCHITECTURE), step(JUMP_EQUAL, calls["architecture"], 1)]
    program += [step(RETURN, KILL), step(LOAD, NUMBER)]
    program += [step(JUMP_AT_LEAST, X32, 0, 1), step(RETURN, KILL)]
    for number in (*calls["refused"], *NEW):
        program += [step(JUMP_EQUAL, number, 0, 1), step(RETURN, REFUSE)]
    program += [step(JUMP_EQUAL, CLONE3, 0, 1), step(RETURN, MISSING)]
    program += [step(JUMP_EQUAL, calls["clone"], 0, 3), step(LOAD, FIRST_ARGUMENT)]
    program += [step(JUMP_SET, NAMESPACES, 0, 1), step(RETURN, REFUSE)]
    return b"".join([*program, step(RETURN, ALLOW)])
