"""The launcher of the Landlock sandbox, a program of its own: fence a child in, wait for it, leave nothing behind.

Run as `python -I -S -B jail.py FD`, where FD holds the orders: names and values in turn, each ended by NUL, a name
once for each of its values. It imports nothing of Repair Studio but `disk`, which lies beside it, and little else, for
half of a sandbox's start is its imports (`_signal` spares the enum classes of `signal`). The parent half stays outside
the fence, adopts whatever the payload leaves running, and ends it: after the payload, on SIGTERM, when the runner dies,
and when the tree has filled the disk. It writes the payload's exit code, or "disk", to the status descriptor; if
that stays empty the payload never started, and the reason is on standard error.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]
import ctypes
import os
import resource
import struct
import sys

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from engine.sandboxes.disk import Disk
else:
    sys.path.append(os.path.dirname(__file__))
    from disk import Disk

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture
READ = 0b1101  # execute, read a file, list a folder
FILE = 0b1100_0000_0000_0111  # of all rights, those that make sense on a file
ALL = 0xFFFF
BOX = ALL & ~(1 << 6 | 1 << 9 | 1 << 11 | 1 << 15)  # no devices, no sockets, no ioctl on devices
SIGNALS = 0b10

LIBC = ctypes.CDLL(None, use_errno=True)


def called(outcome: int, what: str) -> int:
    """`outcome` of a C call; raises OSError naming `what` where it is negative."""
    if outcome < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return outcome


def fence(readable: list[str], devices: list[str], box: str) -> None:
    """Confine this process and its children to these paths; no network, no signals or sockets to the outside."""
    ruleset = created(ALL, 0b11, 0b11)
    rules = [(path, READ) for path in readable] + [(path, 0b110) for path in devices] + [(box, BOX)]
    for path, rights in rules:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        allowed = rights if os.path.isdir(path) else rights & FILE
        rule = struct.pack("<Qi", allowed, place)
        called(LIBC.syscall(LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
        os.close(place)
    restrict(ruleset)


def confine_signals(runner: int) -> None:
    """From here on this process can signal only what it starts and what that starts. Raises OSError where it is not so.

    So one call of `kill(-1)` reaches the whole tree and nobody else, and no fork is quick enough to escape it.
    """
    called(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    restrict(created(0, 0, SIGNALS))
    try:
        os.kill(runner, 0)
    except PermissionError:
        return
    raise OSError("the runner is within reach of signals")


def created(*handled: int) -> int:
    """A new set of rules for rights on files, rights on the network, and scopes."""
    attributes = struct.pack("<QQQ", *handled)
    return called(LIBC.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0), "landlock_create_ruleset")


def restrict(ruleset: int) -> None:
    """Put this process and its children under these rules, for good."""
    called(LIBC.syscall(LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def forbid(program: bytes) -> None:
    """Load the system call filter."""
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    called(LIBC.prctl(PR_SET_SECCOMP, 2, header, 0, 0), "seccomp")


def payload(orders: dict[str, list[str]], parent: int) -> None:
    """Become the payload: drop the user, take the limits, close the fence, execute."""
    box = orders["box"][0]
    os.chdir(box)
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # when the machine runs out of memory, the payload goes before the studio
    for name, value in pairs(orders["rlimit"]).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (int(value), int(value)))
    for uid in map(int, orders.get("uid", [])):
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    called(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    called(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "parent death signal")
    if os.getppid() != parent:
        os._exit(1)
    fence(orders["readable"], orders["device"], box)
    forbid(bytes.fromhex(orders["seccomp"][0]))
    try:
        os.execvpe(orders["argv"][0], orders["argv"], pairs(orders["environment"]))  # noqa: S606 - this is the launcher
    except OSError as trouble:
        os.write(2, f"{orders['argv'][0]}: {trouble.strerror}\n".encode())
        os._exit(127)


def pairs(settings: list[str]) -> dict[str, str]:
    """`NAME=VALUE` as a dictionary."""
    return dict(setting.split("=", 1) for setting in settings)


def send(number: int) -> None:
    """A signal to the whole tree below this process."""
    try:
        os.kill(-1, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left


def sweep() -> None:
    """Kill until no child is left."""
    while True:
        send(signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def follow(runner: int) -> None:
    """Get SIGTERM when the runner dies."""
    called(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "parent death signal")
    if os.getppid() != runner:
        sys.exit(1)


def is_full(disk: Disk, runner: int) -> bool:
    """Whether the payload has used up its disk space; it is stopped while that is counted."""
    if not disk.is_due():
        return False
    send(signal.SIGSTOP)
    is_over = disk.is_over()
    follow(runner)  # counting as another user ended that
    if not is_over:
        send(signal.SIGCONT)
    return is_over


def come_first() -> None:
    """Where the user may ask for it, run before every ordinary process, so that no look at the disk comes late."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        return  # the looks come when the kernel finds time for them


def outcome(pid: int, disk: Disk, runner: int) -> str:
    """Wait for the payload: its exit code, 128 + signal where one ended it, or "disk"; empty when told to end.

    Takes SIGCHLD and SIGTERM, which are blocked, as they come.
    """
    while not is_full(disk, runner):
        got = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, disk.pause_s())
        if got and got.si_signo == signal.SIGTERM:
            return ""
        ended = -1
        while ended:
            ended, how = os.waitpid(-1, os.WNOHANG)
            if ended == pid:
                code = os.waitstatus_to_exitcode(how)
                return str(code if code >= 0 else 128 - code)  # as a shell says it
    return "disk"


def main() -> None:
    """Start the payload, wait for it, sweep up, report."""
    with os.fdopen(int(sys.argv[1]), "rb") as given:
        words = os.fsdecode(given.read()).split("\0")
    orders: dict[str, list[str]] = {}
    for name, value in zip(words[::2], words[1::2], strict=False):  # nothing follows the last NUL
        orders.setdefault(name, []).append(value)
    status, runner = int(orders["status"][0]), int(orders["runner"][0])
    uid = int(orders["uid"][0]) if orders.get("uid") else None
    called(LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "child subreaper")
    follow(runner)
    confine_signals(runner)
    disk = Disk(orders["box"][0], int(orders["most"][0]), uid)
    come_first()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    supervisor = os.getpid()
    trouble_out, trouble_in = os.pipe()  # closed by a successful exec
    pid = os.fork()
    if pid == 0:
        try:
            os.close(trouble_out)
            os.close(status)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            payload(orders, supervisor)
        except BaseException as trouble:
            os.write(trouble_in, str(trouble).encode()[:500] or b"unknown trouble")
        finally:
            os._exit(1)
    os.close(trouble_in)
    try:
        with os.fdopen(trouble_out, "rb") as channel:
            said = channel.read()
        if said:
            os.write(2, said)
        else:
            os.write(status, outcome(pid, disk, runner).encode())
    finally:
        sweep()


if __name__ == "__main__":
    main()
