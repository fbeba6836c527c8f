"""Verdicts of earlier runs on the same home: a patch that was judged under the same conditions is not run again.

Each lies in a file named by the hash of all that it depends on: the bug, the version of its benchmark (its tests,
limits and runner), the patched text, and the sandbox's level. What was not run is never kept, and the known fix and the
buggy code are judged anew in every run, for they say whether a bug can be scored here and now.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.domain import Outcome, Verdict
from engine.events import VerdictFields, checked


class VerdictCache:
    """A folder of verdicts. Nothing is raised where it cannot be read or written: then the patch is run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, *conditions: str) -> Verdict | None:
        """The verdict under these conditions."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return checked(VerdictFields, json.loads(self._path(conditions).read_text(encoding="utf-8"))).verdict
        return None

    def put(self, verdict: Verdict, *conditions: str) -> None:
        """Keep a verdict, unless nothing was run."""
        if verdict.outcome is Outcome.NOT_RUN:
            return
        path = self._path(conditions)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not there: another run may read it at the same time.
            with TemporaryDirectory(dir=path.parent) as folder:
                part = Path(folder, path.name)
                part.write_text(json.dumps(asdict(VerdictFields.of(verdict))), encoding="utf-8")
                part.replace(path)

    def _path(self, conditions: tuple[str, ...]) -> Path:
        told = json.dumps(conditions).encode()
        name = blake2b(told, digest_size=16).hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.json"
