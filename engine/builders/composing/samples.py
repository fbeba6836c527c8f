"""A sample of a completion file and its composed context: how much of both fits, and which tokens are learned.

The text is that of Long Code Arena: `# {repo}`, the context, a blank line, `# {path}` and the file. As in S3's
preprocessors at least `context` tokens are left for the context, which is cut at its front; the file is cut at its end;
what the file does not need, the context gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import Literal

from engine.builders.composing import Target
from engine.builders.composing.lengths import Lengths
from engine.domain import Segment

Loss = Literal["completion", "file", "everything"]
TOO_LITTLE = "its repository has less context than asked for"
NO_ROOM = "no room is left for the file beside its context"
AFTER = "\n\n"  # the context
_SLACK = 8  # tokens by which the end of a text may differ from as many tokens of the whole


@dataclass(frozen=True)
class Budget:
    """Tokens of a sample."""

    most: int
    context: int  # at least

    @classmethod
    def of(cls, most: int, context: float) -> Budget:
        """`context`: tokens, or below 1 a share of the most."""
        return cls(most, min(most, int(context * most) if context < 1 else int(context)))


@dataclass(frozen=True)
class Blocks:
    """S3's split composer: whole chunks of at most so many tokens, and at most so many with the file itself."""

    most: int
    tokens: int


@dataclass(frozen=True)
class Texts:
    """The parts of a sample; each is tokenised by itself."""

    before: str  # the repository's name
    context: tuple[str, ...]
    completion: str  # with its path

    @property
    def all(self) -> list[str]:
        return [text for text in (self.before, *self.context, self.completion) if text]


def texts_of(target: Target, nearer: Iterator[str], budget: Budget, blocks: Blocks | None = None) -> Texts | str:
    """The parts of a sample of at most `budget.most` tokens, or why there is none.

    `nearer`: the context, the part next to the file first; no more of it is read than fits.
    """
    lengths = target.lengths
    before = lengths.last(f"# {target.repository}\n", budget.most - budget.context)
    left = budget.most - lengths.count(before)
    whole = f"# {target.path}\n{target.text}" + ("" if target.text.endswith("\n") else "\n")
    completion = lengths.first(whole, left - budget.context)
    found: tuple[str, ...] = ()
    text = "" if blocks else _gathered(nearer, left - lengths.count(completion) + _SLACK, lengths)
    for less in range(_SLACK):
        if not completion.partition("\n")[2]:
            return NO_ROOM
        room = left - lengths.count(completion)
        found = _blocks(nearer, room, lengths, blocks) if blocks else _cut(text, room, lengths)
        if (n_tokens := sum(map(lengths.count, found))) >= budget.context:
            return Texts(before, found, completion)
        if blocks or "".join(found) == text or n_tokens < budget.context - _SLACK:
            break
        completion = lengths.first(whole, left - budget.context - less - 1)
    return TOO_LITTLE


def _gathered(nearer: Iterator[str], most: int, lengths: Lengths) -> str:
    """The last `most` tokens of the context or a few more or less, as its parts are counted by themselves."""
    parts, left = [AFTER], most - lengths.count(AFTER)
    while left > 0 and (part := next(nearer, None)) is not None:
        parts.append(lengths.last(part, left))
        left -= lengths.count(parts[-1])
    return "".join(reversed(parts))


def _cut(text: str, most: int, lengths: Lengths) -> tuple[str, ...]:
    """At most the last `most` tokens: where the front is cut off, the rest may have other tokens than it had."""
    wanted, cut = most, text
    while lengths.count(cut) > most:
        cut = lengths.last(text, wanted)
        wanted -= 1
    return (cut,) if cut else ()


def _blocks(nearer: Iterator[str], left: int, lengths: Lengths, blocks: Blocks) -> tuple[str, ...]:
    found: list[str] = []
    for part in nearer:
        if len(found) >= blocks.most - 1:
            break
        block = part.rstrip("\n") + AFTER
        n = lengths.count(block)
        if n > blocks.tokens:
            continue
        if n > left:
            break
        found.append(block)
        left -= n
    return tuple(reversed(found))


def segments_of(texts: Texts, loss: Loss, ratio: float, lengths: Lengths) -> tuple[Segment, ...]:
    """The last `ratio` of the tokens is learned, rounded up: of the completion, or of everything; none for 0."""
    counted = texts.all if loss == "everything" else [texts.completion]
    left = ceil(ratio * sum(map(lengths.count, counted)))
    found: list[Segment] = []
    for text in reversed(texts.all):
        learned = lengths.last(text, left)
        left -= lengths.count(learned)
        if learned:
            found.append(Segment(learned, True))
        if len(learned) < len(text):
            left = 0  # tokens of the parts may be others than those of the whole
            found.append(Segment(text[: len(text) - len(learned)]))
    return tuple(reversed(found))


def placed(lines: Mapping[str, Sequence[int]], texts: Texts) -> dict[str, list[int]]:
    """Category -> its whole lines that are in the sample, counted from 0 in the sample's text."""
    first = sum(text.count("\n") for text in texts.all[:-1]) + 1
    n_lines = texts.completion.count("\n") - 1
    found = {kind: [first + line for line in each if 0 <= line < n_lines] for kind, each in lines.items()}
    return {kind: each for kind, each in found.items() if each}


def learned_from(segments: Sequence[Segment]) -> int:
    """The first line, from 0, of which all is learned."""
    ends = [*accumulate(len(each.text) for each in segments)]
    start = next((end - len(each.text) for each, end in zip(segments, ends, strict=True) if each.is_learned), 0)
    text = "".join(each.text for each in segments)
    return text.count("\n", 0, start) + (start > 0 and text[start - 1] != "\n")
