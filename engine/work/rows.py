"""Tokenises what is trained on, a batch of samples at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from engine.domain import Bug, Preference, Sample, as_text, lines_of
from engine.models.tokenizer import Tokenizer
from engine.representations.published import FILL_ME
from engine.training_set import Row, messages_json
from engine.work.duplicates import texts_of
from engine.work.items import Item, Made
from engine.work.tally import Marks

BATCH = 256  # samples tokenised at a time; more is not faster
CHARACTERS = 1 << 20  # most in a batch: the tokenizer uses about 150 bytes per token

Tokenised = tuple[Row, Marks]
T = TypeVar("T", bound=Item)


def in_batches(
    selected: Iterator[T], rows_of: Callable[[Sequence[T]], Sequence[Tokenised]]
) -> Iterator[tuple[T, Row, Marks]]:
    """Each item with its row, in order; `rows_of` works on a batch, in a thread, while the next one is selected."""
    before: Future[list[tuple[T, Row, Marks]]] | None = None
    with ThreadPoolExecutor(1) as worker:
        while batch := _batch(selected):
            now = worker.submit(_together, batch, rows_of)
            if before is not None:
                yield from before.result()
            before = now
        if before is not None:
            yield from before.result()


def _together(batch: list[T], rows_of: Callable[[Sequence[T]], Sequence[Tokenised]]) -> list[tuple[T, Row, Marks]]:
    return [(each, row, marks) for each, (row, marks) in zip(batch, rows_of(batch), strict=True)]


def _batch(selected: Iterator[T]) -> list[T]:
    batch, characters = [], 0
    for each in islice(selected, BATCH):
        batch.append(each)
        characters += each.characters
        if characters > CHARACTERS:
            break
    return batch


def tokenised(batch: Sequence[Made], tokenizer: Tokenizer, long: int) -> list[Tokenised]:
    """The row of each item, and in rows of more than `long` tokens its marks.

    Segments are tokenised separately, so that no token spans two of them; Python's lock is not held meanwhile.
    """
    texts = [texts_of(each.encoded) for each in batch]
    ids = iter(tokenizer.encode([text for of_one in texts for text in of_one]))
    rows = [
        _row(each.encoded, each.keys.bug, [next(ids) for _ in of_one], tokenizer.end)
        for each, of_one in zip(batch, texts, strict=True)
    ]
    return [
        (row, _marks(row, each.keys.bug, tokenizer) if row.n_tokens > long else Marks())
        for row, each in zip(rows, batch, strict=True)
    ]


def _marks(row: Row, bug: Bug | None, tokenizer: Tokenizer) -> Marks:
    """Where a bug's hole and its faulty lines end in a prompt.

    The last of a prompt's fill-in-the-middle tokens ends it, and without that one it is none for the model; a hole that
    is written out ends where it stands.
    """
    if bug is None:
        return Marks()
    last = next((line.strip() for line in reversed(lines_of(bug.buggy_lines)) if line.strip()), "")
    at, hole = row.prompt.rfind(last) if last else -1, row.prompt.find(FILL_ME)
    ends = [at + len(last) if at >= 0 else 0, hole + len(FILL_ME) if hole >= 0 else 0]
    faulty, written = map(len, tokenizer.encode([row.prompt[:end] for end in ends]))
    return Marks(written or row.n_prompt, faulty or None)


def _row(each: Sample | Preference, bug: Bug | None, ids: list[list[int]], end: int) -> Row:
    """`ids`: the tokens of each of its texts."""
    if isinstance(each, Preference):
        prompt, chosen, rejected = ids
        ending = [] if each.is_ended else [end]
        tokens = [*prompt, *chosen, *ending]
        learned = [len(prompt), len(tokens)]
        target, worse = each.chosen, [*rejected, *ending]
    else:
        tokens, learned = _joined(each, ids, end)
        target, worse = each.target, []
    n_prompt = learned[0] if learned else len(tokens)
    return Row(
        each.bug_id, each.kind, each.project, each.language, as_text(each.prompt), target, tokens, n_prompt,
        max(len(tokens), n_prompt + len(worse)), bug.buggy if bug else "", bug.fixed if bug else "", learned,
        each.rejected if isinstance(each, Preference) else "", worse, bug.cwe if bug else "", bug.date if bug else "",
        bug is not None and bug.is_function,
        json.dumps(dict(each.lines)) if isinstance(each, Sample) and each.lines else "",
        messages_json(each.messages), isinstance(each, Sample) and each.is_wrong,
    )  # fmt: skip


def _joined(sample: Sample, ids: list[list[int]], end: int) -> tuple[list[int], list[int]]:
    """A sample's tokens, and where they are learned.

    The end of the text, which is added where the sample does not spell what ends it, is learned where the last segment
    is.
    """
    tokens: list[int] = []
    learned: list[int] = []
    for segment, own in zip(sample.segments, ids, strict=True):
        if segment.is_learned and learned and learned[-1] == len(tokens):
            learned.pop()
        elif segment.is_learned:
            learned.append(len(tokens))
        tokens += own
        if segment.is_learned:
            learned.append(len(tokens))
    if sample.is_ended:
        return tokens, learned
    is_open = bool(sample.segments) and sample.segments[-1].is_learned
    return [*tokens, end], [*learned[:-1], len(tokens) + 1] if is_open else learned
