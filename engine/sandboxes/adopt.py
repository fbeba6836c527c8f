"""Makes orphans of a sandbox children of this process, since in many containers process 1 does not wait for orphans.

The kernel has one such flag for a whole process, so it is set only while a sandbox is open: an orphan of other code in
this process would become an unexpected child.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37

LIBC = ctypes.CDLL(None, use_errno=True)


class Adoption:
    """How many sandboxes of this process are open, and what its flag was before the first."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._open = 0
        self._before = ctypes.c_int(0)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Adopt orphans until the last of those that are open at the same time is left."""
        with self._changing:
            if self._open == 0:
                LIBC.prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(self._before), 0, 0, 0)
                LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            self._open += 1
        try:
            yield
        finally:
            with self._changing:
                self._open -= 1
                if self._open == 0:
                    LIBC.prctl(PR_SET_CHILD_SUBREAPER, self._before.value, 0, 0, 0)


ADOPTION = Adoption()
