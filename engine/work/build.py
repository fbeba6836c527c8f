"""Builds a dataset from a DatasetSpec: bugs streamed from a builder, encoded, tokenised, split, counted.

artifacts/train.parquet, valid.parquet   rows as in `engine.training_set.Row`; no project is in both
artifacts/left_out.jsonl                 one object per bug that was left out here: bug_id, reason
artifacts/tokenizer/                     the files of the tokenizer that was used
artifacts/kept/                          what a builder keeps whose work takes long
artifacts/report.json                    what is in the dataset, and what was left out (`engine.work.tally`)

No torch here, and transformers only for a tokenizer that needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from engine.builders import BuilderOutput, Funnel, Keeping
from engine.domain import Bug, Preference, Sample, as_text
from engine.errors import UserError
from engine.events import Progress
from engine.models.tokenizer import Tokenizer, tokenizer_of
from engine.plugins import BUILDERS, REPRESENTATIONS
from engine.representations.chat_template import ChatTemplate
from engine.rundir import Inputs, RunDir
from engine.specs import DatasetSpec
from engine.training_set import Row, Split
from engine.work.selection import LeftOut, known_to_benchmarks, select, texts_of
from engine.work.tally import Tally

Encoded = tuple[Sample | Preference, Bug | None]  # what is trained on, and the bug that it was made from
_BATCH = 256  # samples tokenised at a time; more is not faster
_CHARACTERS = 1 << 20  # most in a batch: the tokenizer uses about 150 bytes per token
_PAUSE_S = 0.2  # between two progress events


def build(spec: DatasetSpec, inputs: Inputs, run: RunDir) -> dict[str, object]:
    """Write the dataset to the run's folder and return its report.

    The same spec gives the same rows and hash. Memory grows by about 100 bytes per bug, not with its code.
    Raises UserError if the source or the model is unusable, or no sample is left.
    """
    if inputs.model is None:
        raise UserError("no model was named; its tokenizer is needed to count the tokens", field="model")
    run.artifacts.mkdir(exist_ok=True)
    tokenizer = tokenizer_of(Path(inputs.model.weights))
    representation = REPRESENTATIONS.create(spec.representation).for_vocabulary(tokenizer.vocabulary())
    template = ChatTemplate(inputs.model)
    builder = BUILDERS.create(spec.builder)
    if isinstance(builder, Keeping):
        builder.keep_in(run.artifacts / "kept")
    source, tally = Funnel(), Tally(spec.max_tokens)
    progress = _Progress(run, builder.total())
    with LeftOut(run) as left_out:
        known = known_to_benchmarks(spec.exclude)
        split = Split(run.artifacts, spec.seed, spec.valid_fraction)
        made = progress.watch(builder.stream(spec.seed, source), tally)
        selected = select(made, representation, template, known, left_out)
        for row in _tokenised(selected, tokenizer):
            if tally.fits(row):
                split.add(row)
            else:
                left_out.lose(row.bug_id, _too_long(spec), n_tokens=row.n_tokens)
        split.close()
    progress.report(tally, progress.n_read)
    funnel = _steps(source, left_out.funnel)
    if not tally.n_rows:
        raise UserError(_nothing_left(source, left_out.funnel, spec))
    tokenizer.save(run.artifacts / "tokenizer")
    report: dict[str, object] = {
        "rows": {"train": split.train.n_rows, "valid": split.valid.n_rows},
        "funnel": funnel,
        "counts": source.counts,
        **tally.report(),
        "representation": getattr(representation, "params", spec.representation).model_dump(mode="json"),
        "holds": "preferences" if builder.makes == "preferences" else "samples",
        "hash": split.hash(),
    }
    (run.artifacts / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _tokenised(samples: Iterator[Encoded], tokenizer: Tokenizer) -> Iterator[Row]:
    """Rows in the order of the samples; a batch is tokenised, without Python's lock, while the next is encoded."""
    before: Future[list[Row]] | None = None
    with ThreadPoolExecutor(1) as worker:
        while batch := _batch(samples):
            now = worker.submit(_rows, batch, tokenizer)
            if before is not None:
                yield from before.result()
            before = now
        if before is not None:
            yield from before.result()


def _batch(samples: Iterator[Encoded]) -> list[Encoded]:
    batch, characters = [], 0
    for each, bug in islice(samples, _BATCH):
        batch.append((each, bug))
        characters += sum(map(len, texts_of(each)))
        if characters > _CHARACTERS:
            break
    return batch


def _rows(batch: list[Encoded], tokenizer: Tokenizer) -> list[Row]:
    """Tokenise a batch. Segments are tokenised separately, so that no token spans two of them."""
    ids = iter(tokenizer.encode([text for each, _ in batch for text in texts_of(each)]))
    return [_row(each, bug, [next(ids) for _ in texts_of(each)], tokenizer.end) for each, bug in batch]


def _row(each: Sample | Preference, bug: Bug | None, ids: list[list[int]], end: int) -> Row:
    """`ids`: the tokens of each of its texts."""
    if isinstance(each, Preference):
        prompt, chosen, rejected = ids
        tokens, learned = [*prompt, *chosen, end], [len(prompt), len(prompt) + len(chosen) + 1]
        target, worse = each.chosen, [*rejected, end]
    else:
        tokens, learned = _joined(each, ids, end)
        target, worse = each.target, []
    n_prompt = learned[0] if learned else len(tokens)
    return Row(
        each.bug_id, each.kind, each.project, each.language, as_text(each.prompt), target, tokens, n_prompt,
        max(len(tokens), n_prompt + len(worse)), bug.buggy if bug else "", bug.fixed if bug else "", learned,
        each.rejected if isinstance(each, Preference) else "", worse,
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


class _Progress:
    """Reports at intervals how much of the source was read."""

    def __init__(self, run: RunDir, total: int | None) -> None:
        self.n_read = 0
        self._run = run
        self._total = total
        self._reported_at = 0.0

    def watch(self, made: Iterable[BuilderOutput], tally: Tally) -> Iterator[BuilderOutput]:
        for each in made:
            self.n_read += 1
            if time.monotonic() - self._reported_at >= _PAUSE_S:
                self.report(tally, self._total)
            yield each

    def report(self, tally: Tally, total: int | None) -> None:
        self._reported_at = time.monotonic()
        self._run.emit(Progress(self.n_read, total, f"{tally.n_rows} samples kept"))


def _steps(source: Funnel, left_out: Funnel) -> dict[str, object]:
    steps = [
        {"reason": reason, "count": count, "example": funnel.examples.get(reason, "")}
        for funnel in (source, left_out)
        for reason, count in funnel.lost.items()
    ]
    return {"source": source.source, "steps": steps}


def _too_long(spec: DatasetSpec) -> str:
    return f"longer than {spec.max_tokens} tokens"


def _nothing_left(source: Funnel, left_out: Funnel, spec: DatasetSpec) -> str:
    lost = {**source.lost, **left_out.lost}
    where = ", ".join(f"{count} {reason}" for reason, count in lost.items())
    advice = f"; raise max_tokens ({spec.max_tokens})" if _too_long(spec) in lost else ""
    return f"no sample is left of {source.source} read: {where or 'the source is empty'}{advice}"
