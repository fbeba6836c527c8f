"""What a run took: tokens, time on the machine and its GPUs, and money where its generator or launcher has prices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.control.outcomes import (
    CARDS,
    GPU_SECONDS_BEFORE,
    SECONDS_BEFORE,
    WORKER_SECONDS_BEFORE,
    seconds_worked,
    so_far,
)
from engine.launchers.priced import HOUR_S, Priced, currency_of, is_priced, machine_price, nodes_of
from engine.plugins import LAUNCHERS
from engine.scoring import Costs, money

if TYPE_CHECKING:
    from sqlmodel import Session

    from storage.tables import Run


def costs_of(session: Session, run: Run) -> Costs:
    """From the run's rows and its result; its tokens are also those for bugs that turned out not to be scored.

    Of another program's patches only the tokens may be known: the run that tests or imports them has no time of theirs.
    Its GPU-hours are those of the GPUs that held the model, of a run in shards while these were at work; its price is
    that of all that it had (`machine_costs`), and of the tokens that it paid for.
    """
    from storage import benchmarks

    written, read = benchmarks.tokens(session, run.id or 0)
    seconds = seconds_worked(run) if run.kind == "benchmark" else None
    gpus = run.result.get("gpus")
    generator = run.spec.get("generator") or {}
    prices = generator.get("written_price"), generator.get("prompt_price")
    machine = machine_costs(run) if run.kind == "benchmark" else None
    known = [*([money(written, read, *prices)] if None not in prices else []), *([machine.money] if machine else [])]
    return Costs(
        tokens_written=written,
        tokens_read=read,
        seconds=seconds,
        gpu_hours=None if seconds is None or gpus is None else _gpu_seconds(run, seconds * gpus) / HOUR_S,
        money=None if None in known or not known else sum(each for each in known if each is not None),
        currency=str(generator.get("currency") or (machine.currency if machine else "")),
    )


def _gpu_seconds(run: Run, of_one_worker: float) -> float:
    """Of a run that has ended. The shards of a run begin and end one by one, and so have their GPUs."""
    if run.spec.get("shards", 1) == 1:
        return of_one_worker
    return float(so_far(run, time.time()).get(GPU_SECONDS_BEFORE, of_one_worker))


def machine_costs(run: Run) -> Costs | None:
    """Of the machines and GPUs that a run has had so far; None where its launcher has no price.

    The time that it waits for a machine is not counted, and the time before a resume once. Shards that reserve nodes
    of their own are counted while they have them.
    """
    launcher = run.spec.get("launcher")
    if not is_priced(launcher):
        return None
    worked = so_far(run, time.time())
    seconds = worked[SECONDS_BEFORE]
    reserved = worked.get(WORKER_SECONDS_BEFORE, seconds) if _reserves(launcher) else seconds
    gpu_hours = worked[GPU_SECONDS_BEFORE] / HOUR_S if CARDS in run.result else None
    return Costs(
        seconds=seconds,
        gpu_hours=gpu_hours,
        money=machine_price(launcher, reserved, gpu_hours, nodes_of(launcher)),
        currency=currency_of(launcher),
    )


def _reserves(launcher: object) -> bool:
    """Whether each worker has nodes of its own; false for a launcher that is not installed any more."""
    try:
        params = LAUNCHERS.params(launcher)
    except ValueError:
        return False
    return isinstance(params, Priced) and params.machines() is not None
