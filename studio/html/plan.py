"""What a run would take, as HTML: one line for a form, and all of it as a table."""

from __future__ import annotations

from engine.plan import COST, GPU_HOURS, TIME, Line, Plan
from studio.html.basics import copyable, count, duration, esc, price, size


def plan_line(plan: Plan) -> str:
    """The time, the GPU-hours and the price in a line; that the time is not known where no rate is."""
    known = [figure(line) for name in (GPU_HOURS, COST) if (line := plan.line(name)) and line.value is not None]
    time = plan.line(TIME)
    if time is None or time.value is None:
        return '<p class="origin">How long it takes is not known yet: see <i>Plan</i>.</p>'
    said = "".join(f", {words}" for words in known)
    return f'<p class="origin">About <b>{figure(time)}</b>{said}, by {esc(time.source)}.</p>'


def plan_table(plan: Plan) -> str:
    """Each figure with where its rate is from, what it rests on, and which short run to do first."""
    rows = "".join(
        f'<tr><th scope="row">{esc(line.name)}<small>{esc(line.source)}</small></th><td>{figure(line)}</td></tr>'
        for line in plan.lines
    )
    kept = [f"{duration(plan.serial_s or 0.0)} of it remain, however many nodes there are"] if _is_shared(plan) else []
    notes = "".join(f"<li>{esc(note)}</li>" for note in (*kept, *plan.notes))
    first = copyable(plan.first, "A short run, which tells what is not known") if plan.first else ""
    more = f'<ul class="notes">{notes}</ul>' if notes else ""
    return f'<table class="plain-table groups plan"><tbody>{rows}</tbody></table>{more}{first}'


def figure(line: Line) -> str:
    """A figure with its unit, as HTML."""
    if line.value is None:
        return "not known"
    if line.unit == "s":
        return duration(max(1.0, line.value))
    if line.unit == "bytes":
        return size(line.value)
    if line.name == GPU_HOURS:
        return f"{line.value:,.3g} GPU-h"
    return esc(price(line.value, line.unit)) if line.name == COST else f"{count(line.value)} {esc(line.unit)}"


def _is_shared(plan: Plan) -> bool:
    return plan.serial_s is not None and (plan.nodes > 1 or plan.cards > 1)
