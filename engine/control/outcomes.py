"""The result of a finished run in a few words that fit on a card."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine import results
from engine.errors import UserError
from engine.plugins import BUILDERS
from engine.results import (
    BenchmarkResult,
    ChatResult,
    DatasetResult,
    MeasureResult,
    MergeResult,
    TrainResult,
    ValidateResult,
)
from engine.rundir import RESUMABLE
from engine.specs import KINDS

if TYPE_CHECKING:
    from storage.tables import Run  # slow to import, and the shell's help does not need it

GIB = 1 << 30
# In the result of a run that is not done: the optimizer step of its newest checkpoint, and see `seconds_before`.
CHECKPOINT, SECONDS_BEFORE = "checkpoint_step", "seconds_before_resume"
GPU_SECONDS_BEFORE = "gpu_seconds_before_resume"
WORKER_SECONDS_BEFORE = "worker_seconds_before_resume"
UNREAD = "first_unread_event"  # in the result of any run: why the first of its `broken_lines` could not be read
CARDS = "cards"  # in the result of any run: the GPUs that it has, of all its nodes together
WORKERS = "workers"  # in that of a run in shards: how many of these have a machine
CARDS_SINCE = "cards_since"  # when it had them: a run in shards has more or fewer as these begin and end
WHERE = "where"  # in the result of a run whose launcher tells it: where its worker is, or was last
SAVING_S = 600.0  # for a run that was asked to stop: to finish its step and to save


def outcome_words(run: Run) -> str:
    """The result in words; empty while the run is not done."""
    if run.state != "done" or not run.result or run.kind not in WORDS:
        return ""
    try:
        return WORDS[run.kind](results.read(run.kind, run.result))
    except ValueError as error:  # stored by an earlier version, which did not check it
        return f"its result cannot be read: {error}"


def reached(run: Run) -> str:
    """How far a run came that has ended before it was done, and where *Resume* continues; empty for any other."""
    words = REACHED.get(run.kind)
    return words(run) if words and run.state in RESUMABLE else ""


def seconds_before(run: Run) -> float:
    """How long a resumed run had worked before it was resumed, all its parts together."""
    return float(run.result.get(SECONDS_BEFORE, 0.0))


def unread(run: Run) -> str:
    """How many lines of a run's events could not be read, and why the first could not; empty where all could."""
    if not run.broken_lines:
        return ""
    lines = "1 line" if run.broken_lines == 1 else f"{run.broken_lines:,} lines"
    why = f" (the first: {said})" if (said := run.result.get(UNREAD)) else ""
    return f"{lines} of its events could not be read{why}; what they tell is missing here"


def seconds_worked(run: Run) -> float | None:
    """How long a run has worked, the time between a stop and a resume left out; None while it has not ended."""
    if not run.ended_at or not run.started_at:
        return None
    return seconds_before(run) + max(0.0, run.ended_at - run.started_at)


def so_far(run: Run, now: float) -> dict[str, Any]:
    """The time that a run, its GPUs and its shards have worked until `now`, as its result keeps it over a pause."""
    end = now if run.ended_at is None else run.ended_at
    seconds = max(0.0, end - run.started_at) if run.started_at else 0.0
    with_these = seconds
    if run.started_at:
        with_these = max(0.0, end - max(run.started_at, float(run.result.get(CARDS_SINCE, 0.0))))
    of_each = {
        name: float(run.result.get(name, 0.0)) + with_these * run.result[number]
        for number, name in ((CARDS, GPU_SECONDS_BEFORE), (WORKERS, WORKER_SECONDS_BEFORE))
        if run.result.get(number) is not None
    }
    return {SECONDS_BEFORE: seconds_before(run) + seconds, **of_each}


def stopping(run: Run) -> str:
    """What a stopping run still does until it ends; empty in any other state."""
    if run.state != "stopping":
        return ""
    if run.kind not in KINDS or not KINDS[run.kind].saves_when_stopped:
        return "ending"  # its results so far are already in its folder
    if run.stop_now:
        return "ending without saving"
    return f"finishing its step and saving a checkpoint, {SAVING_S / 60:.0f} minutes at most"


def _dataset(result: DatasetResult) -> str:
    number = result.rows.train + result.rows.valid
    return f"{number:,} {'sample' if number == 1 else 'samples'}"


def _train(result: TrainResult) -> str:
    losses = (("loss", result.train_loss), ("evaluation", result.eval_loss))
    shown = [f"{name} {value:.2f}" for name, value in losses if value is not None]
    if result.eval_token_accuracy is not None:
        shown.append(f"{result.eval_token_accuracy:.0%} of tokens right")
    if result.best_step is not None:
        by = result.chosen_by.replace("plausible_at_", "plausible@")
        said = (
            f" by {by} {result.best_value:.0%}" if by.startswith("plausible@") and result.best_value is not None else ""
        )
        shown.append(f"best at step {result.best_step}{said}{', stopped early' if result.stopped_early else ''}")
    if result.trainable_parameters and result.all_parameters:
        shown.append(f"{100 * result.trainable_parameters / result.all_parameters:.3g} % of parameters trained")
    if result.peak_memory_bytes:
        shown.append(f"peak {result.peak_memory_bytes / GIB:.1f} GiB")
    return ", ".join(shown)


def _measure(result: MeasureResult) -> str:
    off = 100 * (result.estimated / result.peak_memory_bytes - 1) if result.peak_memory_bytes else 0
    return f"{result.peak_memory_bytes / GIB:.2f} GiB on {result.device}; the estimate was {off:+.0f} % off"


def _merge(result: MergeResult) -> str:
    same = f"same patches on {result.same_patches} of {result.bugs} bugs"
    if not result.usable:
        return f"not usable: {same}"
    return f"with caution: {same}" if result.same_patches != result.bugs else same


def _benchmark(result: BenchmarkResult) -> str:
    at = {int(k): count for k, count in result.plausible_at.items()}
    if not at:
        return ""
    k = max(at)
    total = result.counted_at.get(str(k), result.scored)  # results of the first versions lack it
    chosen = "; its checkpoint was chosen by some of these bugs" if result.caution else ""
    what = f"repaired by attempt {k} ({result.strategy})" if result.strategy else f"plausible@{k}"
    return f"{at[k]} of {total} bugs {what}{chosen}"


def _validate(result: ValidateResult) -> str:
    if result.rows:
        made = "plausible elsewhere" if result.is_imported else "plausible"
        lost = f"; {unknown_rows(result.unknown_rows)}" if result.unknown_rows else ""
        return f"{result.outcomes.get('plausible', 0)} of {result.patches} patches {made}, {result.scored} bugs{lost}"
    return f"{result.usable} of {result.bugs} bugs can be scored"


def unknown_rows(number: int) -> str:
    """Of a file of patches, that so many of its rows have no verdict."""
    return f"{number:,} {'row is' if number == 1 else 'rows are'} for no bug of this benchmark"


def _chat(result: ChatResult) -> str:
    return f"{result.turns} turns in {result.conversations} conversations"


WORDS: dict[str, Callable[[Any], str]] = {
    "dataset": _dataset,
    "train": _train,
    "measure": _measure,
    "merge": _merge,
    "benchmark": _benchmark,
    "validate": _validate,
    "chat": _chat,
}


def _train_reached(run: Run) -> str:
    saved = run.result.get(CHECKPOINT)
    then = (
        f"a checkpoint was saved at step {saved}, and Resume continues from it"
        if saved
        else "no checkpoint was saved, so Resume starts at the first step"
    )
    return f"{_share(run, 'step {} of {}; ')}{then}"


def _benchmark_reached(run: Run) -> str:
    if run.spec.get("shards", 1) != 1:  # its progress is that of its shards
        done = (
            f"{math.floor(run.progress_done)} of {run.progress_total:.0f} shards done; " if run.progress_total else ""
        )
        return f"{done}Resume continues with the rest"
    return f"{_share(run, '{} of {} patches evaluated; ')}Resume continues with the rest"


def _share(run: Run, words: str) -> str:
    return words.format(f"{run.progress_done:.0f}", f"{run.progress_total:.0f}") if run.progress_total else ""


def _dataset_reached(run: Run) -> str:
    try:
        builder = BUILDERS.plugin(run.spec["builder"]["name"])
        keeps = hasattr(builder, "keep_in") or hasattr(builder, "cache_in")
    except (KeyError, TypeError, UserError):
        keeps = False
    if not keeps and run.spec.get("shards", 1) != 1:
        return "Resume does the shards that are left, one that had begun from its beginning"
    return "Resume continues from what is known so far" if keeps else _from_start(run)


def _from_start(run: Run) -> str:
    return "Resume starts it from the beginning"


REACHED: dict[str, Callable[[Run], str]] = {
    "train": _train_reached,
    "benchmark": _benchmark_reached,
    "validate": _benchmark_reached,
    "dataset": _dataset_reached,
    "measure": _from_start,
    "merge": _from_start,
}
