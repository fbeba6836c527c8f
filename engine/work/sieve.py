"""Which bugs of a source become samples: no copy twice, none that a benchmark will ask for, each shown to the model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from types import TracebackType
from typing import IO, Self

from engine.builders import Funnel
from engine.domain import Bug, Sample
from engine.languages.fingerprint import fingerprints
from engine.plugins import BENCHMARKS
from engine.representations import CannotShow, Representation
from engine.rundir import RunDir


class LeftOut:
    """Counts what was left out after the builder, and writes each one's id and reason to `left_out.jsonl`."""

    def __init__(self, run: RunDir) -> None:
        self.funnel = Funnel()
        self._path = run.artifacts / "left_out.jsonl"
        self._file: IO[str]

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def lose(self, bug_id: str, reason: str, **more: int) -> None:
        """`more`: what else is known of the loss, such as the sample's `n_tokens`."""
        self.funnel.lose(reason, bug_id)
        self._file.write(json.dumps({"bug_id": bug_id, "reason": reason, **more}) + "\n")


def known_to_benchmarks(named: Iterable[object]) -> dict[bytes, str]:
    """Fingerprint of each faulty and each repaired function of these benchmarks -> the benchmark's name."""
    known: dict[bytes, str] = {}
    for each in named:
        benchmark = BENCHMARKS.create(BENCHMARKS.params(each))
        for bug in benchmark.bugs():
            known.update(dict.fromkeys(fingerprints(bug), benchmark.name))
    return known


def shown(
    bugs: Iterable[Bug], representation: Representation, known: dict[bytes, str], left_out: LeftOut
) -> Iterator[tuple[Bug, Sample]]:
    """Stream the bugs that may be learned from, each with its sample; memory grows by 16 bytes a bug and a set."""
    seen: set[bytes] = set()
    for bug in bugs:
        prints = fingerprints(bug)
        pair = blake2b(b"".join(prints), digest_size=16).digest()
        if pair in seen:
            left_out.lose(bug.id, "duplicate")
            continue
        seen.add(pair)
        benchmark = next((known[one] for one in prints if one in known), "")
        if benchmark:
            left_out.lose(bug.id, f"in the benchmark {benchmark}")
            continue
        try:
            yield bug, representation.encode(bug)
        except CannotShow as error:
            left_out.lose(bug.id, str(error))
