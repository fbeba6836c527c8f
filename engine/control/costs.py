"""What a run took: tokens, time on the machine and its GPUs, and money where its generator has prices."""

from __future__ import annotations

from sqlmodel import Session

from engine.control.outcomes import seconds_worked
from engine.scoring import Costs, money
from storage import benchmarks
from storage.tables import Run

HOUR_S = 3600


def costs_of(session: Session, run: Run) -> Costs:
    """From the run's rows and its result; its tokens are also those for bugs that turned out not to be scored.

    Of another program's patches only the tokens may be known: the run that tests or imports them has no time of theirs.
    """
    written, read = benchmarks.tokens(session, run.id or 0)
    seconds = seconds_worked(run) if run.kind == "benchmark" else None
    gpus = run.result.get("gpus")
    generator = run.spec.get("generator") or {}
    return Costs(
        tokens_written=written,
        tokens_read=read,
        seconds=seconds,
        gpu_hours=None if seconds is None or gpus is None else seconds * gpus / HOUR_S,
        money=money(written, read, generator.get("written_price"), generator.get("prompt_price")),
        currency=str(generator.get("currency") or ""),
    )
