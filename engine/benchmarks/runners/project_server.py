"""Runs inside the sandbox and stays: Python and pytest are loaded once, and each job on a project gets a child.

`python3 project_server.py TOOLS PROJECT`, with a socket as standard input. As `python_server`, except that nothing of
the project is loaded before the child is forked: what the child tests is laid out and loaded there.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from engine.benchmarks.runners import project_harness, python_server
else:
    if __name__ == "__main__":
        sys.path[:0] = [sys.argv[1]]  # our own programs and pytest: the interpreter adds nothing
    import project_harness
    import python_server


def main() -> None:
    """Serve until the other end of the socket is closed. Only children come to the end."""
    project = sys.argv[2]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.argv[:] = ["pytest"]
    os.closerange(3, 64)
    sys.path.append(os.getcwd())
    python_server.warm_up("test_warm_up")
    sys.path.remove(os.getcwd())
    hides = python_server.is_readable("/proc/self/stat")
    channel = socket.socket(fileno=os.dup(0))
    descriptors = python_server.forked(channel, hides)
    code = 1
    try:
        if hides:
            python_server.LIBC.prctl(python_server.PR_SET_DUMPABLE, 1, 0, 0, 0)
        python_server.take(channel, descriptors)
        told, report, _ = python_server.job()
        project_harness.perform(told, project, report)
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
