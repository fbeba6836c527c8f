"""Selects the bugs that become samples: no duplicates, none of a benchmark, only those that can be encoded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from types import TracebackType
from typing import IO, Self

from engine.builders import BuilderOutput, Funnel
from engine.domain import Bug, Preference, Sample
from engine.languages.fingerprint import fingerprints
from engine.plugins import BENCHMARKS
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import ChatTemplate
from engine.rundir import RunDir


class LeftOut:
    """Counts what is left out after the builder, and writes the id and the reason of each to `left_out.jsonl`."""

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
        """Count one bug as left out; `more`: further figures, such as the sample's `n_tokens`."""
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


def select(
    made: Iterable[BuilderOutput],
    representation: Representation,
    template: ChatTemplate,
    known: dict[bytes, str],
    left_out: LeftOut,
) -> Iterator[tuple[Sample | Preference, Bug | None]]:
    """Stream what is trained on: bugs as samples in the representation, samples and preferences unchanged.

    `template` turns all messages into text. Memory grows by 16 bytes for each, plus a set. Only bugs are compared with
    the code of benchmarks.
    """
    seen: set[bytes] = set()

    def is_new(name: str, content: bytes) -> bool:
        digest = blake2b(content, digest_size=16).digest()
        if digest in seen:
            left_out.lose(name, "duplicate")
            return False
        seen.add(digest)
        return True

    for each in made:
        try:
            if isinstance(each, Bug):
                prints = fingerprints(each)
                if not is_new(each.id, b"".join(prints)):
                    continue
                benchmark = next((known[one] for one in prints if one in known), "")
                if benchmark:
                    left_out.lose(each.id, f"in the benchmark {benchmark}")
                    continue
                yield template.in_text(representation.encode(each, each.notes)), each
            elif is_new(each.bug_id, b"\0".join(text.encode() for text in texts_of(each))):
                yield (template.in_text(each) if isinstance(each, Sample) else each), None
        except CannotShow as error:
            left_out.lose(each.id if isinstance(each, Bug) else each.bug_id, str(error))


def texts_of(each: Sample | Preference) -> tuple[str, ...]:
    """The texts that are tokenised, in order."""
    if isinstance(each, Preference):
        return each.prompt, each.chosen, each.rejected
    return tuple(segment.text for segment in each.segments)
