"""Verdicts of earlier runs on the same home: a patch that was judged under the same conditions is not run again.

Each lies in a file named by the hash of all that it depends on: the bug, the version of its benchmark (its tests,
limits and runner, and whether that is warm), the patched text, and the sandbox's level. What was not run is never kept,
and the known fix and the buggy code are judged anew in every run, for they say whether a bug can be scored here.

The hash spreads the files evenly over 256 folders, and each folder is kept to its share of the limit by whoever writes
to it: so nobody reads or locks the whole, and two runs at once need not know of each other.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

from pydantic_core import from_json

from engine.domain import Outcome, Verdict
from engine.events import VerdictFields, checked
from engine.reading import open_regular

LIMIT_BYTES = 1 << 30  # on disk, for all verdicts of a home: 200 patches for each of MBPP's 974 tasks, and more
FOLDERS = 256  # as many as there are first two digits of a hash
MOST_BYTES = 16 << 20  # of one verdict: a log has 4,000 characters, and tests have names
BLOCK_BYTES = 4096  # a file takes up whole blocks, of this size on most file systems


class VerdictCache:
    """A folder of verdicts; beyond `limit_bytes`, those that were not used for longest are removed.

    Nothing is raised where it cannot be read or written: then the patch is run.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._share_bytes = limit_bytes // FOLDERS

    def get(self, *conditions: str) -> Verdict | None:
        """The verdict under these conditions; None where the file is anything but one that `put` wrote."""
        path = self._path(conditions)
        with suppress(OSError, ValueError):
            with open(open_regular(path), "rb") as file:
                text = file.read(MOST_BYTES + 1)
            if len(text) > MOST_BYTES:
                return None
            verdict = checked(VerdictFields, from_json(text)).verdict
            if verdict.outcome is Outcome.NOT_RUN:
                return None
            with suppress(OSError):  # removed just now, or a home that can only be read
                os.utime(path)  # its use; a file's time of access is not kept on most machines
            return verdict
        return None

    def put(self, verdict: Verdict, *conditions: str) -> None:
        """Keep a verdict, unless nothing was run."""
        if verdict.outcome is Outcome.NOT_RUN:
            return
        path = self._path(conditions)
        part = path.with_suffix(f".{uuid4().hex}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:  # Whole or not there: another run may read it at the same time.
                part.write_text(json.dumps(asdict(VerdictFields.of(verdict))), encoding="utf-8")
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._keep_to_share(path.parent)

    def _keep_to_share(self, folder: Path) -> None:
        """Remove what was used first, until the rest fits; what another run removes meanwhile is gone as well."""
        found = []
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    known = entry.stat(follow_symlinks=False)
                    found.append((known.st_mtime_ns, -(-known.st_size // BLOCK_BYTES) * BLOCK_BYTES, entry.path))
        kept_bytes = 0
        for _, size_bytes, path in sorted(found, reverse=True):
            kept_bytes += size_bytes
            if kept_bytes > self._share_bytes:
                with suppress(OSError):  # one that cannot be removed does not keep the others
                    os.unlink(path)

    def _path(self, conditions: tuple[str, ...]) -> Path:
        told = json.dumps(conditions).encode()
        name = blake2b(told, digest_size=16).hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.json"
