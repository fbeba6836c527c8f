"""What becomes of a run whose shards are done: its result, from what all of them have said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine import chosen_by
from engine.domain import Verdict
from engine.events import BUGGY_CODE, KNOWN_FIX, BugEvent
from engine.judging import Control
from engine.plugins import BENCHMARKS
from engine.run_inputs import Part
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
    bugs = source.bugs()[: spec.limit]
    caution = chosen_by.caution(inputs.model, bugs) if inputs.model else ""
    lost = sum(each.get("lost_processes", 0) for each in results)
    return {
        "bugs": len(told),
        **counts(verdicts, controls, spec.candidates),
        **({} if spec.asks_once else {"strategy": spec.strategy.name}),
        **first_figures(source, verdicts),
        "skipped": counted_reasons(Counter(bug.skipped for bug in told.values() if bug.skipped)),
        "shortened": sum(bug.whole_tokens is not None for bug in told.values()),
        "patches_per_s": 0.0,  # `engine.work.lead` knows them, and the GPUs
        **({"gpus": 0} if "gpus" in results[0] else {}),
        "caution": caution,
        "sandbox": _sandboxes(results),
        **({"lost_processes": lost} if lost else {}),
    }


def bugs_of_benchmark(spec: BenchmarkSpec) -> int:
    """How many bugs such a run has: a shard more would have nothing to do. Raises UserError."""
    return len(BENCHMARKS.create(spec.benchmark).bugs()[: spec.limit])


def bugs_of_validation(spec: ValidateSpec) -> int:
    """The same of a validation. Raises UserError."""
    return len(Given.of(spec, BENCHMARKS.create(spec.benchmark), Part()).bugs)


def _sandboxes(results: Results) -> str:
    """Those of all shards, which may have been on several machines."""
    return "; ".join(dict.fromkeys(str(each["sandbox"]) for each in results if each.get("sandbox")))


def validation(spec: ValidateSpec, inputs: Inputs, run: RunDir, results: Results) -> dict[str, Any]:
    """As `engine.work.validate` counts, and the file with all its rows; nothing is run."""
    source = BENCHMARKS.create(spec.benchmark)
    given = Given.of(spec, source, inputs.part)
    verdicts, controls = _verdicts(run, [bug.id for bug in given.bugs])
    counted = answered(given, source, dict(source.skipped()), verdicts, controls, run)
    first = {name: results[0][name] for name in ("gpus", "is_imported") if name in results[0]}
    return {**counted, "patches_per_s": 0.0, "sandbox": _sandboxes(results), **first}


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
