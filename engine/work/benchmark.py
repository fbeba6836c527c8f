"""Has a model repair the bugs of a benchmark and evaluates every patch; continues where a killed run stopped."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.domain import Bug, Outcome, Prompt
from engine.errors import UserError
from engine.events import MODEL
from engine.generators import Generator
from engine.plugins import BENCHMARKS, GENERATORS, REPRESENTATIONS
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import for_model
from engine.rundir import Inputs, RunDir
from engine.sandboxes.auto import usable
from engine.scoring import BugOutcomes, CandidateSummary, counted_reasons, figures
from engine.specs import BenchmarkSpec
from engine.work.validation import Control, Validation


def benchmark(spec: BenchmarkSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Emit every bug, and every patch with its verdict; returns the counts.

    The model writes in this thread while other threads run tests. Raises UserError if model and representation do not
    fit together, SandboxUnavailable if no sandbox works.
    """
    if inputs.model is None:
        raise UserError("no model was named", field="model")
    started = time.monotonic()
    sandbox = usable(spec.sandbox)
    source = BENCHMARKS.create(spec.benchmark)
    bugs = source.bugs()[: spec.limit]
    run.emit("progress", done=0, total=None, text="loading the model")
    generator = GENERATORS.create(spec.generator)
    generator.load(inputs.model, spec.seed)
    representation = for_model(REPRESENTATIONS.create(spec.representation), inputs.model, generator.vocabulary())
    prompts, skipped = _encode(bugs, dict(source.skipped()), representation, generator, run)

    pool = ThreadPoolExecutor(spec.workers or len(os.sched_getaffinity(0)), thread_name_prefix="validation")
    try:
        validation = Validation(source, representation, sandbox, run, pool)
        wanted = range(1, spec.candidates + 1)
        validation.total = len(prompts) * len(wanted)
        scored = [bug for bug in bugs if bug.id in prompts]
        for bug in scored:
            validation.start(bug)
        unfinished = [
            bug for bug in scored if not all(validation.has_verdict((bug.id, MODEL, rank)) for rank in wanted)
        ]
        drawn = generator.generate([prompts[bug.id] for bug in unfinished], spec.candidates)
        for count, (index, completions) in enumerate(drawn, start=1):
            bug = unfinished[index]
            if completions is None:  # a remote model may not know its limit beforehand
                skipped[bug.id] = "too_long: the generator accepts no prompt of this length"
                validation.total -= len(wanted)
                _say(run, bug, skipped[bug.id], None)
            else:
                validation.candidates(bug, completions)
            validation.progress(f"{count + len(scored) - len(unfinished)} of {len(scored)} bugs written")
        controls = validation.wait()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    seconds = time.monotonic() - started
    return {
        "bugs": len(bugs),
        **_counts(validation, controls, spec.candidates),
        "skipped": counted_reasons(Counter(skipped.values())),
        "seconds": round(seconds, 1),
        "patches_per_s": round(validation.total / seconds, 2),
        "sandbox": sandbox.describe(),
    }


def _encode(
    bugs: list[Bug], skipped: dict[str, str], representation: Representation, generator: Generator, run: RunDir
) -> tuple[dict[str, Prompt], dict[str, str]]:
    """Emit every bug; returns (prompts of the bugs to repair, reasons why the others are skipped), by bug id."""
    prompts: dict[str, Prompt] = {}
    for bug in bugs:
        if bug.id not in skipped:
            try:
                prompts[bug.id] = representation.encode(bug).prompt
            except CannotShow as reason:
                skipped[bug.id] = f"cannot be encoded: {reason}"
    counted, room = generator.count(list(prompts.values())), generator.room()
    lengths = dict(zip(prompts, counted, strict=True)) if counted is not None else {}
    for bug_id, length in lengths.items():
        if room is not None and length > room:
            skipped[bug_id] = f"too_long: {length} tokens"
            del prompts[bug_id]
    for bug in bugs:
        _say(run, bug, skipped.get(bug.id, ""), lengths.get(bug.id))
    return prompts, {bug.id: skipped[bug.id] for bug in bugs if bug.id in skipped}


def _say(run: RunDir, bug: Bug, skipped: str, prompt_tokens: int | None) -> None:
    run.emit(
        "bug",
        id=bug.id,
        language=bug.language,
        path=bug.path,
        kind=bug.kind,
        cwe=bug.cwe,
        start=bug.span.start,
        end=bug.span.end,
        buggy=bug.buggy,
        fixed=bug.fixed,
        skipped=skipped,
        prompt_tokens=prompt_tokens,
    )


def _counts(validation: Validation, controls: dict[str, Control], candidates: int) -> dict[str, Any]:
    """The figures of `engine.scoring`; `counted_at[k]`: bugs that count in plausible@k."""
    outcomes_of: dict[str, dict[int, str]] = {bug_id: {} for bug_id in controls}
    for (bug_id, source, rank), verdict in validation.verdicts.items():
        if source == MODEL and bug_id in controls and rank <= candidates:
            outcomes_of[bug_id][rank] = verdict.outcome.value
    bugs = Counter(
        BugOutcomes(control.known_fix.outcome, control.buggy_code.outcome, CandidateSummary.of(outcomes_of[bug_id]))
        for bug_id, control in controls.items()
    )
    outcomes = Counter(outcome for each in outcomes_of.values() for outcome in each.values())
    found = figures(bugs, candidates)
    return {
        "scored": found.scored,
        "control_failures": found.control_failures,
        "plausible_at": {str(k): share.hits for k, share in found.plausible_at.items()},
        "counted_at": {str(k): share.total for k, share in found.plausible_at.items()},
        "outcomes": {outcome.value: outcomes[outcome.value] for outcome in Outcome},
        "patches": outcomes.total(),
    }
