"""A training set from a DatasetSpec: bugs streamed from a builder, shown, tokenised, split, counted.

artifacts/train.parquet, valid.parquet   rows as in `engine.training_set.Row`; no project is in both
artifacts/left_out.jsonl                 one object a bug that was left out here: bug_id, reason
artifacts/tokenizer/                     the files of the tokenizer that counted
artifacts/report.json                    what is in the set and where the rest went (`engine.work.tally`)

No torch here, and transformers only for a tokenizer that needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from engine.builders import Funnel
from engine.domain import Bug, Sample
from engine.errors import UserError
from engine.models.tokenizer import Tokenizer, tokenizer_of
from engine.plugins import BUILDERS, REPRESENTATIONS
from engine.rundir import Inputs, RunDir
from engine.specs import DatasetSpec
from engine.training_set import Row, Split
from engine.work.sieve import LeftOut, known_to_benchmarks, shown
from engine.work.tally import Tally

Shown = list[tuple[Bug, Sample]]
_BATCH = 256  # samples tokenised at a time; more gains nothing
_CHARACTERS = 1 << 20  # after which a batch is full too: the tokenizer takes some 150 bytes a token
_PAUSE_S = 0.2  # between two words of progress


def build(spec: DatasetSpec, inputs: Inputs, run: RunDir) -> dict[str, object]:
    """Build the set into the run's folder and return its report.

    The same spec gives the same rows and hash. Memory grows by some 100 bytes a bug, not with the code.
    Raises UserError where the source or the model is unusable, or no sample is left.
    """
    if inputs.model is None:
        raise UserError("no model is named whose tokenizer could count the tokens", field="model")
    run.artifacts.mkdir(exist_ok=True)
    tokenizer = tokenizer_of(Path(inputs.model.weights))
    representation = REPRESENTATIONS.create(spec.representation).for_vocabulary(tokenizer.vocabulary())
    builder = BUILDERS.create(spec.builder)
    source, tally = Funnel(), Tally(spec.max_tokens)
    progress = _Progress(run, builder.total())
    with LeftOut(run) as left_out:
        known = known_to_benchmarks(spec.exclude)
        split = Split(run.artifacts, spec.seed, spec.valid_fraction)
        bugs = progress.watch(builder.bugs(spec.seed, source), tally)
        for row in _tokenised(shown(bugs, representation, known, left_out), tokenizer):
            if tally.fits(row):
                split.add(row)
            else:
                left_out.lose(row.bug_id, _too_long(spec), n_tokens=row.n_tokens)
        split.close()
    progress.say(tally, progress.n_read)
    funnel = _steps(source, left_out.funnel)
    if not tally.n_rows:
        raise UserError(_nothing_left(source, left_out.funnel, spec))
    tokenizer.save(run.artifacts / "tokenizer")
    report: dict[str, object] = {
        "rows": {"train": split.train.n_rows, "valid": split.valid.n_rows},
        "funnel": funnel,
        **tally.report(),
        "representation": getattr(representation, "params", spec.representation).model_dump(mode="json"),
        "hash": split.hash(),
    }
    (run.artifacts / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _tokenised(samples: Iterator[tuple[Bug, Sample]], tokenizer: Tokenizer) -> Iterator[Row]:
    """Rows in the order of the samples; one batch is tokenised, outside Python's lock, while the next is shown."""
    before: Future[list[Row]] | None = None
    with ThreadPoolExecutor(1) as worker:
        while batch := _batch(samples):
            now = worker.submit(_rows, batch, tokenizer)
            if before is not None:
                yield from before.result()
            before = now
        if before is not None:
            yield from before.result()


def _batch(samples: Iterator[tuple[Bug, Sample]]) -> Shown:
    batch, characters = [], 0
    for bug, sample in islice(samples, _BATCH):
        batch.append((bug, sample))
        characters += len(sample.prompt) + len(sample.target)
        if characters > _CHARACTERS:
            break
    return batch


def _rows(batch: Shown, tokenizer: Tokenizer) -> list[Row]:
    """Prompt and target are tokenised apart, or their border could lie inside a token."""
    ids = tokenizer.encode([text for _, sample in batch for text in (sample.prompt, sample.target)])
    rows = []
    for (bug, sample), prompt, target in zip(batch, ids[::2], ids[1::2], strict=True):
        tokens = [*prompt, *target, tokenizer.end]
        rows.append(
            Row(
                bug.id, sample.kind, bug.project, bug.language, sample.prompt, sample.target, tokens, len(prompt),
                len(tokens), bug.buggy, bug.fixed,
            )
        )  # fmt: skip
    return rows


class _Progress:
    """Says now and then how far the source was read."""

    def __init__(self, run: RunDir, total: int | None) -> None:
        self.n_read = 0
        self._run = run
        self._total = total
        self._said = 0.0

    def watch(self, bugs: Iterable[Bug], tally: Tally) -> Iterator[Bug]:
        for bug in bugs:
            self.n_read += 1
            if time.monotonic() - self._said >= _PAUSE_S:
                self.say(tally, self._total)
            yield bug

    def say(self, tally: Tally, total: int | None) -> None:
        self._said = time.monotonic()
        self._run.emit("progress", done=self.n_read, total=total, text=f"{tally.n_rows} samples kept")


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
