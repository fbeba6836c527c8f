"""The system calls that no payload may make, as a BPF program for the kernel.

What Landlock and namespaces leave open: talking to sockets, holding memory that belongs to no process (memfd, System V
segments), looking into other processes, new namespaces, and the kernel's rarely used, rarely tested corners.
"""

from __future__ import annotations

import errno
import platform
import struct
from typing import NamedTuple

from engine.errors import MissingDependency


class Machine(NamedTuple):
    """One processor architecture: the kernel's audit number and its system call numbers."""

    audit: int
    refused: tuple[int, ...]  # EPERM
    absent: tuple[int, ...]  # ENOSYS, so that libraries fall back to the older call
    ignored: tuple[int, ...]  # success that changes nothing: owners, modes and times of files outside the box
    clone: int
    prlimit: int
    socketpair: int
    fallocate: int
    ioctl: int


# The same number everywhere: pidfd_getfd, io_uring, the mount calls, process_madvise, quotactl_fd, new ones.
NEW_REFUSED = (438, 425, 426, 427, 428, 429, 430, 431, 432, 433, 440, 442, 443, 467)
NEW_ABSENT = (435, 447)  # clone3 hides its flags in memory; memfd_secret
NEW_IGNORED = (452, 463, 466)  # fchmodat2, setxattrat, removexattrat

X86_64 = Machine(
    audit=0xC000003E,
    refused=(
        *(41, 42, 49, 50),  # socket, connect, bind, listen
        *(29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220, 240, 241),  # System V and POSIX queues and memory
        *(101, 310, 311, 312),  # ptrace, process_vm_readv, process_vm_writev, kcmp
        *(103, 135, 155, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 179),
        *(141, 142, 144, 203, 251, 314),  # priorities and processors, of the studio too
        *(212, 227, 237, 238, 246, 248, 249, 250, 256, 272, 279, 298, 300, 303, 304, 305, 308, 313, 320, 321, 323),
        *NEW_REFUSED,
    ),
    absent=(319, *NEW_ABSENT),  # memfd_create
    ignored=(90, 91, 92, 93, 94, 132, 188, 189, 190, 197, 198, 199, 235, 260, 261, 268, 280, *NEW_IGNORED),
    clone=56,
    prlimit=302,
    socketpair=53,
    fallocate=285,
    ioctl=16,
)
AARCH64 = Machine(
    audit=0xC00000B7,
    refused=(
        *(198, 200, 201, 203),
        *(180, 181, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196),
        *(117, 270, 271, 272),
        *(39, 40, 41, 60, 89, 92, 104, 105, 106, 112, 116, 142, 161, 162, 170, 224, 225),
        *(30, 118, 119, 122, 140, 274),
        *(18, 97, 217, 218, 219, 235, 237, 238, 239, 241, 262, 264, 265, 266, 268, 273, 280, 282, 294),
        *NEW_REFUSED,
    ),
    absent=(279, *NEW_ABSENT),
    ignored=(5, 6, 7, 14, 15, 16, 52, 53, 54, 55, 88, *NEW_IGNORED),
    clone=220,
    prlimit=261,
    socketpair=199,
    fallocate=47,
    ioctl=29,
)
MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}

RESERVE = (0x40305828, 0x4030582A, 0x40305839)  # FS_IOC_RESVSP, FS_IOC_RESVSP64, FS_IOC_ZERO_RANGE
NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
LOAD, EQUAL, AT_LEAST, ANY_BIT, MASK, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data; both machines are little-endian


def program(*, lends_user: bool, on_disk: bool) -> bytes:
    """The filter for this machine. `lends_user`: the payload is a user who owns files outside; it may change no modes.

    `on_disk`: the working folder is on a disk of the host, where a call that reserves space without writing it would
    take gigabytes in a millisecond; libraries then write zeros instead.

    Raises MissingDependency on a processor whose system call numbers are not listed here.
    """
    name = platform.machine()
    if name not in MACHINES:
        raise MissingDependency(f"the system call filter knows {' and '.join(MACHINES)}, not {name}")
    machine = MACHINES[name]
    code = [
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, machine.audit, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
        _step(AT_LEAST, 0x40000000, 0, 1),  # the x32 numbers of x86_64
        _step(RETURN, ERRNO | errno.ENOSYS),
    ]
    for numbers, code_number in ((machine.refused, errno.EPERM), (machine.absent, errno.ENOSYS)):
        code += [step for number in numbers for step in _refuse(number, code_number)]
    if on_disk:
        code += _refuse(machine.fallocate, errno.EOPNOTSUPP)
        code += [
            _step(EQUAL, machine.ioctl, 0, 3 + len(RESERVE)),
            _step(LOAD, SECOND),
            *(_step(EQUAL, request, len(RESERVE) - place, 0) for place, request in enumerate(RESERVE)),
            _step(RETURN, ALLOW),
            _step(RETURN, ERRNO | errno.EOPNOTSUPP),
        ]
    if lends_user:
        code += [step for number in machine.ignored for step in _refuse(number, 0)]
    code += [
        _step(EQUAL, machine.clone, 0, 4),
        _step(LOAD, FIRST),
        _step(ANY_BIT, NAMESPACES, 0, 1),
        _step(RETURN, ERRNO | errno.EPERM),
        _step(RETURN, ALLOW),
        _step(EQUAL, machine.prlimit, 0, 4),
        _step(LOAD, FIRST),
        _step(EQUAL, 0, 1, 0),  # its own limits only, never another process's
        _step(RETURN, ERRNO | errno.EPERM),
        _step(RETURN, ALLOW),
        _step(EQUAL, machine.socketpair, 0, 5),
        _step(LOAD, SECOND),
        _step(MASK, 0xF),
        _step(EQUAL, 1, 1, 0),  # streams: a datagram pair could still send to a named socket
        _step(RETURN, ERRNO | errno.EPERM),
        _step(RETURN, ALLOW),
        _step(RETURN, ALLOW),
    ]
    return b"".join(code)


def _step(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", operation, if_true, if_false, operand)


def _refuse(number: int, code_number: int) -> tuple[bytes, bytes]:
    return _step(EQUAL, number, 0, 1), _step(RETURN, ERRNO | code_number)
