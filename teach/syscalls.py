"""What a hand-in may not ask the kernel for, as a filter that bubblewrap installs.

Forbidden is what leaves the sandbox (keyrings that all of a user's processes
share, namespaces and mounts, other cores) and what nobody could count: memory as memfd,
System V, maps that are shared without a file, and most families of sockets; and the
seconds of children whose end a process ignores. The filter is a program of
classic BPF; see seccomp(2). Standard library only.
"""

import platform
import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
AND = 0x54
NUMBER, ARCHITECTURE = 0, 4  # places in `struct seccomp_data`
FIRST_ARGUMENT, SECOND_ARGUMENT, THIRD_ARGUMENT, FOURTH_ARGUMENT = 16, 24, 32, 40
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, MISSING = 0x00050001, 0x00050026  # errors EPERM and ENOSYS
NO_FAMILY = 0x00050061  # EAFNOSUPPORT: libraries know it
INTERNET, NETLINK = 2, 16  # ipykernel needs these families of sockets, and Unix (1)
SHARED_NOWHERE = 0x21  # mmap's MAP_SHARED and MAP_ANONYMOUS
CHILD_ENDED = 17  # SIGCHLD
ROOM = (7, 8)  # SO_SNDBUF and SO_RCVBUF: sockets that hold more than is counted
NAMESPACES = 0x7E020080  # clone's flags that make new ones
X32 = 0x40000000  # the same calls under other numbers
# Since 5.1 the numbers are the same everywhere: io_uring, mounts, secret memory.
NEW = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 447)
CALLS = {
    "x86_64": {
        "architecture": 0xC000003E,
        "clone": 56,
        "mmap": 9,
        "sockets": (41, 53),  # and pairs of them
        "setsockopt": 54,
        # add_key, request_key, keyctl, mount, umount2, pivot_root, unshare, setns
        "refused": (248, 249, 250, 165, 166, 155, 272, 308)
        # memfd_create, shmget, msgget, semget
        + (319, 29, 68, 64)
        # ptrace, process_vm_*, bpf, perf, userfaultfd
        + (101, 310, 311, 321, 298, 323)
        + (203,),  # sched_setaffinity
        "sigaction": 13,
    },
    "aarch64": {
        "architecture": 0xC00000B7,
        "clone": 220,
        "mmap": 222,
        "sockets": (198, 199),
        "setsockopt": 208,
        "refused": (217, 218, 219, 40, 39, 41, 97, 268)
        + (279, 194, 186, 190)
        + (117, 270, 271, 280, 241, 282)
        + (122,),
        "sigaction": 134,
    },
}
CLONE3 = 435  # its flags cannot be seen from here; the C library then takes clone


def step(code, value, jump=0, otherwise=0):
    """Return one instruction: the jumps count the instructions to leave out."""
    return struct.pack("HBBI", code, jump, otherwise, value)


def keep_children_counted(sigaction):
    """Return the instructions that let nobody say what happens when a child ends.

    To ask for it, without a second argument, is allowed.
    """
    return [
        *(step(JUMP_EQUAL, sigaction, 0, 8), step(LOAD, FIRST_ARGUMENT)),
        *(step(JUMP_EQUAL, CHILD_ENDED, 0, 5), step(LOAD, SECOND_ARGUMENT)),
        *(step(JUMP_EQUAL, 0, 0, 2), step(LOAD, SECOND_ARGUMENT + 4)),
        *(step(JUMP_EQUAL, 0, 1), step(RETURN, REFUSE), step(RETURN, ALLOW)),
    ]


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
    program += [step(JUMP_EQUAL, calls["clone"], 0, 4), step(LOAD, FIRST_ARGUMENT)]
    program += [step(JUMP_SET, NAMESPACES, 0, 1), step(RETURN, REFUSE)]
    program += [step(RETURN, ALLOW), step(JUMP_EQUAL, calls["mmap"], 0, 5)]
    program += [step(LOAD, FOURTH_ARGUMENT), step(AND, SHARED_NOWHERE)]
    program += [step(JUMP_EQUAL, SHARED_NOWHERE, 0, 1), step(RETURN, REFUSE)]
    program += [step(RETURN, ALLOW)]
    program += [step(JUMP_EQUAL, calls["setsockopt"], 0, 5)]
    program += [step(LOAD, THIRD_ARGUMENT), step(JUMP_EQUAL, ROOM[0], 1)]
    program += [step(JUMP_EQUAL, ROOM[1], 0, 1), step(RETURN, REFUSE)]
    program += [step(RETURN, ALLOW)]
    program += keep_children_counted(calls["sigaction"])
    one, pair = calls["sockets"]
    program += [step(JUMP_EQUAL, one, 1), step(JUMP_EQUAL, pair, 0, 4)]
    program += [step(LOAD, FIRST_ARGUMENT), step(JUMP_EQUAL, NETLINK, 2)]
    program += [step(JUMP_AT_LEAST, INTERNET + 1, 0, 1)]
    return b"".join([*program, step(RETURN, NO_FAMILY), step(RETURN, ALLOW)])
