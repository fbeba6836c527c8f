"""What becomes of a run whose shards are done: its result, from what all of them have said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.domain import Verdict
from engine.events import BUGGY_CODE, KNOWN_FIX, BugEvent
from engine.judging import Control
from engine.plugins import BENCHMARKS
from engine.rundir import Inputs, RunDir
from engine.scoring import counted_reasons
from engine.specs import BenchmarkSpec, DatasetSpec, ValidateSpec
from engine.work.build import build
from engine.work.validate import Given, answered
from engine.work.validation import Key, counts, first_figures, known_verdicts

Results = Sequence[Mapping[str, Any]]


def benchmark(spec: BenchmarkSpec, inputs: Inputs, run: RunDir, results: Results) -> dict[str, Any]:
    """As `engine.work.benchmark` counts, over the bugs of all shards; nothing is run."""
    source = BENCHMARKS.create(spec.benchmark)
    told = _bugs(run)
    verdicts, controls = _verdicts(run, told)
    first = results[0]
    return {
        "bugs": len(told),
        **counts(verdicts, controls, spec.candidates),
        **({} if spec.asks_once else {"strategy": spec.strategy.name}),
        **first_figures(source, verdicts),
        "skipped": counted_reasons(Counter(bug.skipped for bug in told.values() if bug.skipped)),
        "shortened": sum(bug.whole_tokens is not None for bug in told.values()),
        "patches_per_s": 0.0,  # `engine.work.lead` knows them
        **{name: first[name] for name in ("sandbox", "caution", "gpus") if name in first},
    }


def validation(spec: ValidateSpec, inputs: Inputs, run: RunDir, results: Results) -> dict[str, Any]:
    """As `engine.work.validate` counts, and the file with all its rows; nothing is run."""
    source = BENCHMARKS.create(spec.benchmark)
    given = Given.of(spec, source, inputs.part)
    verdicts, controls = _verdicts(run, [bug.id for bug in given.bugs])
    counted = answered(given, source, dict(source.skipped()), verdicts, controls, run)
    first = {name: results[0][name] for name in ("sandbox", "gpus", "is_imported") if name in results[0]}
    return {**counted, "patches_per_s": 0.0, **first}


def _bugs(run: RunDir) -> dict[str, BugEvent]:
    return {event.payload.id: event.payload for event in run.all_events() if isinstance(event.payload, BugEvent)}


def _verdicts(run: RunDir, bugs: Iterable[str]) -> tuple[dict[Key, Verdict], dict[str, Control]]:
    """All verdicts, and the controls of those bugs that have both."""
    verdicts = {key: known.verdict for key, known in known_verdicts(run).items()}
    controls = {}
    for bug_id in bugs:
        fix, buggy = verdicts.get((bug_id, KNOWN_FIX, 0)), verdicts.get((bug_id, BUGGY_CODE, 0))
        if fix and buggy:
            controls[bug_id] = Control(fix, buggy)
    return verdicts, controls


def dataset(spec: DatasetSpec, inputs: Inputs, run: RunDir, results: Results) -> dict[str, object]:
    """The ordinary build, with what the shards have found out."""
    return build(spec, inputs, run, kept=[run.shard(number).artifacts for number in range(1, spec.shards + 1)])
