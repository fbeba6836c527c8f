"""Has a model repair the bugs of a benchmark and evaluates every patch; continues where a killed run stopped."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from engine import chosen_by
from engine.domain import Bug, Completion, Model
from engine.errors import OutsideFailure, UserError
from engine.events import MODEL, Progress
from engine.generators import Generator, NoAnswer, OnThisMachine
from engine.generators.sharing import Shared, generator_on
from engine.judging import threads_for
from engine.launchers.ray_tests import spread
from engine.plugins import BENCHMARKS, REPRESENTATIONS, STRATEGIES
from engine.representations import Representation
from engine.representations.chat_template import for_model
from engine.run_inputs import Inputs, Part
from engine.rundir import RunDir
from engine.sandboxes.auto import usable
from engine.scoring import counted_reasons
from engine.specs import BenchmarkSpec
from engine.work.conversations import Conversations
from engine.work.encoding import Asked, encode
from engine.work.validation import Proposed, Validation, counts, first_figures, say_bug

log = logging.getLogger(__name__)
Drawn = tuple[int, list[Completion] | NoAnswer]  # a bug's place, and what was written for it


def benchmark(spec: BenchmarkSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Emit every bug, and every patch with its verdict; returns the counts.

    The model writes in this thread while other threads run tests: all candidates of a bug at once, or each attempt
    after the verdict on the one before, as the strategy says. Raises UserError if model and representation do not fit
    together, SandboxUnavailable if no sandbox works.
    """
    if inputs.model is None:
        raise UserError("no model was named", field="model")
    with generator_on(spec.generator, spec.devices) as generator:
        return _repaired(spec, inputs.model, inputs.part, generator, run)


def _repaired(spec: BenchmarkSpec, model: Model, part: Part, generator: Generator, run: RunDir) -> dict[str, Any]:
    started = time.monotonic()
    sandbox = usable(spec.sandbox)
    source = BENCHMARKS.create(spec.benchmark)
    bugs = part.of(source.bugs()[: spec.limit])
    caution = chosen_by.caution(model, bugs)
    if caution:
        log.warning("%s", caution)
    run.emit(Progress(0, text="loading the model"))
    generator.load(model, spec.seed)
    representation = for_model(REPRESENTATIONS.create(spec.representation), model, generator.vocabulary())
    asked, skipped = encode(bugs, source.skipped(), representation, generator, run, shorten=spec.shorten)
    loaded, workers = time.monotonic(), spec.workers or len(os.sched_getaffinity(0))

    repair = _asked_once if spec.asks_once else _in_conversations
    evaluate, at_once = spread(source, spec.benchmark, spec.sandbox, workers)
    pool = ThreadPoolExecutor(threads_for(at_once), thread_name_prefix="validation")
    try:
        validation = Validation(source, sandbox, run, pool, at_once, evaluate)
        validation.total = len(asked) * spec.candidates
        for bug in bugs:
            if bug.id in asked:
                validation.start(bug)
        made = 0
        for done in repair(spec, bugs, asked, generator, validation, run):
            made += done.patches
            if done.skipped:
                skipped[done.bug.id] = done.skipped
                validation.total -= spec.candidates
                say_bug(run, done.bug, done.skipped, asked[done.bug.id].tokens, asked[done.bug.id].whole_tokens)
            validation.progress(done.progress)
        written = time.monotonic()
        controls = validation.wait()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    seconds = time.monotonic() - started
    return {
        "bugs": len(bugs),
        **counts(validation.verdicts, controls, spec.candidates),
        **({} if spec.asks_once else {"strategy": spec.strategy.name}),
        **first_figures(source, validation.verdicts),
        "skipped": counted_reasons(Counter(skipped.values())),
        "shortened": sum(each.whole_tokens is not None for each in asked.values()),
        "seconds": round(seconds, 1),
        "patches_per_s": round(made / seconds, 2),  # of this worker, whoever made the others
        "rates": {
            "loading": round(loaded - started, 2),
            "writing": round(written - loaded, 2),
            "working": round(started + seconds - loaded, 2),
            "made": made,
            "asked_bugs": len(asked),
            "workers": workers,
            **validation.tested,
        },
        "sandbox": sandbox.describe(),
        "caution": caution,
        **({"gpus": generator.gpus()} if isinstance(generator, OnThisMachine) else {}),
        **({"lost_processes": generator.lost()} if isinstance(generator, Shared) and generator.lost() else {}),
    }


@dataclass(frozen=True)
class Done:
    """A bug of which all patches are written; `skipped`: why it has none."""

    bug: Bug
    patches: int  # that this worker has made
    progress: str  # of all bugs, in words
    skipped: str = ""


def _asked_once(
    spec: BenchmarkSpec,
    bugs: Sequence[Bug],
    asked: Mapping[str, Asked],
    generator: Generator,
    validation: Validation,
    run: RunDir,
) -> Iterator[Done]:
    """All candidates of a bug from its one prompt; they are tested while those of the next are written."""
    wanted = range(1, spec.candidates + 1)
    unfinished = [
        bug for bug in bugs if bug.id in asked
        and not all(validation.has_verdict((bug.id, MODEL, rank)) for rank in wanted)
    ]  # fmt: skip
    drawn = generator.generate([asked[bug.id].prompt for bug in unfinished], spec.candidates)
    begun = len(asked) - len(unfinished) + 1
    for count, (index, completions) in enumerate(_with_verdicts(drawn, validation), start=begun):
        bug, progress = unfinished[index], f"{count} of {len(asked)} bugs written"
        if isinstance(completions, NoAnswer):
            yield Done(bug, 0, progress, completions.reason)
        else:
            validation.candidates(bug, _read(completions, bug, asked[bug.id].shown))
            yield Done(bug, len(wanted), progress)


def _in_conversations(
    spec: BenchmarkSpec,
    bugs: Sequence[Bug],
    asked: Mapping[str, Asked],
    generator: Generator,
    validation: Validation,
    run: RunDir,
) -> Iterator[Done]:
    """Attempt after attempt, as the strategy decides; `candidates` of them for each bug at most."""
    held = Conversations(STRATEGIES.create(spec.strategy), generator, validation, run, spec.candidates)
    numbered = {number: bug for number, bug in enumerate(bugs, start=1) if bug.id in asked}
    for count, ended in enumerate(held.hold(numbered, asked), start=1):
        if not ended.skipped:
            validation.total -= spec.candidates - ended.patches
        yield Done(ended.bug, ended.made, f"{count} of {len(asked)} conversations over", ended.skipped)


def _with_verdicts(drawn: Iterator[Drawn], validation: Validation) -> Iterator[Drawn]:
    """As they come; where the generator fails, what it wrote before gets its verdicts, and is not written again."""
    try:
        yield from drawn
    except (OutsideFailure, UserError) as error:
        validation.progress(f"{error}; testing what was written before", always=True)
        validation.wait_for_candidates()
        raise


def _read(completions: Sequence[Completion], bug: Bug, shown: Representation) -> Iterator[Proposed]:
    for rank, completion in enumerate(completions, start=1):
        text = completion.text if completion.is_finished else shown.trim(completion.text, bug)
        yield rank, completion, shown.decode(text, bug)
