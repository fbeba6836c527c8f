"""Has a model repair the bugs of a benchmark and evaluates every patch; continues where a killed run stopped."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.domain import Bug, Completion, Prompt
from engine.errors import UserError
from engine.events import MODEL, Progress
from engine.generators import Generator, NoAnswer, OnThisMachine
from engine.plugins import BENCHMARKS, GENERATORS, REPRESENTATIONS
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import for_model
from engine.rundir import Inputs, RunDir
from engine.sandboxes.auto import usable
from engine.scoring import counted_reasons
from engine.specs import BenchmarkSpec
from engine.work.validation import Proposed, Validation, counts, first_figures, say_bug


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
    run.emit(Progress(0, text="loading the model"))
    generator = GENERATORS.create(spec.generator)
    generator.load(inputs.model, spec.seed)
    representation = for_model(REPRESENTATIONS.create(spec.representation), inputs.model, generator.vocabulary())
    prompts, skipped = _encode(bugs, dict(source.skipped()), representation, generator, run)

    pool = ThreadPoolExecutor(spec.workers or len(os.sched_getaffinity(0)), thread_name_prefix="validation")
    try:
        validation = Validation(source, sandbox, run, pool)
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
            if isinstance(completions, NoAnswer):
                skipped[bug.id] = completions.reason
                validation.total -= len(wanted)
                say_bug(run, bug, skipped[bug.id])
            else:
                validation.candidates(bug, _read(completions, bug, representation))
            validation.progress(f"{count + len(scored) - len(unfinished)} of {len(scored)} bugs written")
        controls = validation.wait()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    seconds = time.monotonic() - started
    return {
        "bugs": len(bugs),
        **counts(validation.verdicts, controls, spec.candidates),
        **first_figures(source, validation.verdicts),
        "skipped": counted_reasons(Counter(skipped.values())),
        "seconds": round(seconds, 1),
        "patches_per_s": round(validation.total / seconds, 2),
        "sandbox": sandbox.describe(),
        **({"gpus": generator.gpus()} if isinstance(generator, OnThisMachine) else {}),
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
        say_bug(run, bug, skipped.get(bug.id, ""), lengths.get(bug.id))
    return prompts, {bug.id: skipped[bug.id] for bug in bugs if bug.id in skipped}


def _read(completions: Sequence[Completion], bug: Bug, shown: Representation) -> Iterator[Proposed]:
    for rank, completion in enumerate(completions, start=1):
        text = completion.text if completion.is_finished else shown.trim(completion.text, bug)
        yield rank, completion, shown.decode(text, bug)
