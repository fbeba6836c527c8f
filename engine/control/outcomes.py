"""The result of a finished run in a few words that fit on a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.specs import KINDS

if TYPE_CHECKING:
    from storage.tables import Run  # slow to import, and the shell's help does not need it

GIB = 1 << 30
SAVING_S = 600.0  # for a run that was asked to stop: to finish its step and to save


def outcome_words(run: Run) -> str:
    """The result in words; empty while the run is not done."""
    return WORDS[run.kind](run.result) if run.state == "done" and run.result else ""


def stopping(run: Run) -> str:
    """What a stopping run still does until it ends; empty in any other state."""
    if run.state != "stopping":
        return ""
    if run.kind not in KINDS or not KINDS[run.kind].saves_when_stopped:
        return "ending"  # its results so far are already in its folder
    if run.stop_now:
        return "ending without saving"
    return f"finishing its step and saving a checkpoint, {SAVING_S / 60:.0f} minutes at most"


def _dataset(result: Mapping[str, Any]) -> str:
    number = result["rows"]["train"] + result["rows"]["valid"]
    return f"{number:,} {'sample' if number == 1 else 'samples'}"


def _train(result: Mapping[str, Any]) -> str:
    losses = [
        f"{name} {result[key]:.2f}"
        for name, key in (("loss", "train_loss"), ("evaluation", "eval_loss"))
        if result.get(key) is not None
    ]
    memory = f"peak {result['peak_memory_bytes'] / GIB:.1f} GiB" if result.get("peak_memory_bytes") else ""
    return ", ".join(filter(None, [*losses, memory]))


def _merge(result: Mapping[str, Any]) -> str:
    same = f"same patches on {result.get('same_patches')} of {result.get('bugs')} bugs"
    if not result["usable"]:
        return f"not usable: {same}"
    return f"with caution: {same}" if result.get("same_patches") != result.get("bugs") else same


def _benchmark(result: Mapping[str, Any]) -> str:
    at = {int(k): count for k, count in result.get("plausible_at", {}).items()}
    if not at:
        return ""
    k = max(at)
    total = result.get("counted_at", {}).get(str(k), result["scored"])  # results of the first versions lack it
    return f"{at[k]} of {total} bugs plausible@{k}"


def _validate(result: Mapping[str, Any]) -> str:
    if result.get("rows"):
        made = "plausible elsewhere" if result.get("is_imported") else "plausible"
        return f"{result['outcomes']['plausible']} of {result['patches']} patches {made}, {result['scored']} bugs"
    return f"{result['usable']} of {result['bugs']} bugs can be scored"


def _chat(result: Mapping[str, Any]) -> str:
    return f"{result.get('turns', 0)} turns in {result.get('conversations', 0)} conversations"


WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "dataset": _dataset,
    "train": _train,
    "merge": _merge,
    "benchmark": _benchmark,
    "validate": _validate,
    "chat": _chat,
}
