"""The header: name, machine, a chip for each kind of running or queued runs, guide, light or dark."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.views import RunView, Standing
from engine.specs import KINDS as SPECS
from studio.addresses import link
from studio.html.basics import KINDS, esc

LOADING = "loading the model"  # what a chat says until its model is there


def header(machine: str, active: Sequence[RunView], waiting: Sequence[Standing], trouble: str = "") -> str:
    """The header line, and below it `trouble`: why nothing can be stored now. `waiting`: in the order of the queue."""
    kinds = dict.fromkeys(run.kind for run in active)
    chips = [_chip(kind, [run for run in active if run.kind == kind]) for kind in kinds]
    if waiting:
        next_one = waiting[0]
        chips.append(f'<a class="chip s-queued" href="{esc(link(run=next_one.id))}" title="Next: {esc(next_one.name)}">'
                     f"<i></i>{len(waiting):,} queued</a>")  # fmt: skip
    idle = "" if chips else '<span class="chip s-idle"><i></i>nothing running</span>'
    return (
        '<header class="top"><a class="home" href="?tab=datasets" aria-label="Repair Studio">'
        '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12.5 9.5 18 20 6.5"/></svg></a>'
        f'<h1>Repair Studio</h1><span class="chip machine" title="What runs your models">{esc(machine)}</span>'
        f'<nav aria-label="Runs">{"".join(chips)}{idle}</nav>'
        '<button type="button" class="chip" data-guide title="What this is, and the demo">'
        '<span class="wide">Guide</span><span class="narrow">?</span></button>'
        '<button type="button" class="chip" data-theme-toggle title="Light or dark">'
        '<span class="wide only-light">Dark</span><span class="wide only-dark">Light</span>'
        '<span class="narrow">◐</span></button></header>'
        + (f'<p class="complaint" role="alert">{esc(trouble)}</p>' if trouble else "")
    )


def _models(number: int, doing: str) -> str:
    return f"{number} {'model' if number == 1 else 'models'} {doing}"


def _chip(kind: str, runs: Sequence[RunView]) -> str:
    """A chip for the active runs of one kind; it links to the run, or to the list of them."""
    if kind == "chat":
        loading = sum(run.progress in ("", LOADING) for run in runs)
        loaded = len(runs) - loading
        words = " · ".join(_models(*each) for each in ((loaded, "loaded"), (loading, "loading")) if each[0])
        title = "Keeps memory until it is unloaded: open it and press Unload"
    elif len(runs) == 1:
        done = f" {100 * runs[0].fraction:.0f} %" if runs[0].fraction else ""
        words = f"{KINDS.get(kind, kind)}: {runs[0].name}{done}"
        title = runs[0].progress
    else:
        words, title = f"{len(runs)} {SPECS[kind].many if kind in SPECS else kind}", ", ".join(run.name for run in runs)
    address = link(run=runs[0].id) if len(runs) == 1 else link(tab="monitor", kind=kind)
    return (
        f'<a class="chip s-{esc(runs[0].state)}" href="{esc(address)}" title="{esc(title)}">'
        f"<i></i><span>{esc(words)}</span></a>"
    )
