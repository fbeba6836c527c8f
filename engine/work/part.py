"""The part of a dataset that one of several workers builds: what takes long of it, for the build of the whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.builders import Builder, Funnel, Preparing, Splitting
from engine.events import Progress
from engine.models.tokenizer import Tokenizer, tokenizer_print
from engine.run_inputs import Inputs, Part
from engine.rundir import RunDir
from engine.specs import DatasetSpec
from engine.training_set import Row
from engine.work.duplicates import Keys
from engine.work.items import LONGEST_NAME, Made, Showing
from engine.work.overlap import Overlap
from engine.work.prepared import Entry, Prepared, Writer
from engine.work.rows import tokenised
from engine.work.tally import Marks, long_from

_PAUSE_S = 0.2  # between two progress events


def find(builder: Splitting, spec: DatasetSpec, part: Part, run: RunDir) -> dict[str, object]:
    """One part of a builder's own work, which stays in the folder where it keeps it."""
    progress = _Progress(run, builder.total(), part)
    done = 0
    for done in builder.work_on(spec.seed, part):
        progress.say(done, f"{done:,} {builder.makes} found")
    return {"found": done}


def prepare(
    builder: Builder, spec: DatasetSpec, inputs: Inputs, run: RunDir, showing: Showing, tokenizer: Tokenizer
) -> dict[str, object]:
    """Read all that the builder makes, and write what can be known of each item of one part alone."""
    if isinstance(builder, Preparing):
        run.emit(Progress(0, builder.total(), builder.preparing))
    progress = _Progress(run, builder.total(), inputs.part)

    def prepared(block: list[Entry]) -> list[object]:
        made = (Made(each, showing) for each in block if not isinstance(each, tuple))
        found = _prepared(list(made), spec, tokenizer)
        return [each if isinstance(each, tuple) else next(found).to_json(showing.overlap) for each in block]

    writer = Writer(run.artifacts, inputs.part, prepared)
    funnel = Funnel(told=writer.lose)
    for each in builder.stream(spec.seed, funnel):
        writer.make(each)
        progress.say(writer.n_own, f"{writer.n_own:,} {builder.makes} prepared")
    writer.close(about(inputs, run, showing.overlap), funnel)
    return {"prepared": writer.n_own}


def about(inputs: Inputs, run: RunDir, overlap: Overlap) -> dict[str, object]:
    """What the values of an item depend on, besides itself and the spec."""
    version = inputs.code_version.partition("+")[0]  # not the commit: another machine may have no checkout
    return {
        "version": version,
        "tokenizer": tokenizer_print(run.artifacts / "tokenizer"),
        "benchmarks": overlap.about(),
    }


def _prepared(block: Sequence[Made], spec: DatasetSpec, tokenizer: Tokenizer) -> Iterator[Prepared]:
    """Each item of a block; of one that no dataset can have only why."""
    named = [each for each in block if each.longest_name <= LONGEST_NAME]
    rows: Iterator[tuple[Row, Marks]] = iter(
        tokenised([each for each in named if not each.problem], tokenizer, long_from(spec))
    )
    for each in block:
        if each.longest_name > LONGEST_NAME:
            yield Prepared(Keys(each.keys.name[:LONGEST_NAME]), each.longest_name)
            continue
        alone = Prepared(Keys.of(each.keys, spec.duplicates), each.longest_name, each.hits, each.problem)
        if each.problem:
            yield alone
        else:
            row, marks = next(rows)
            yield replace(alone, characters=each.characters, row=row, marks=marks)


class _Progress:
    """Says at intervals how much of a part is done."""

    def __init__(self, run: RunDir, total: int | None, part: Part) -> None:
        self._run, self._total = run, -(-(total or 0) // part.count) or None
        self._said_at = 0.0

    def say(self, done: int, text: str) -> None:
        if time.monotonic() - self._said_at >= _PAUSE_S:
            self._said_at = time.monotonic()
            self._run.emit(Progress(done, self._total, text))
