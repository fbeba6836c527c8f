"""The guide as HTML: what this studio does, the demo's stages, and their results in one line."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.demo import Row, Stage
from engine.machine import Machine
from engine.rundir import ACTIVE
from studio.addresses import link
from studio.html.basics import bar, duration, esc, size

MARKS = {"done": "✓", "failed": "!", "interrupted": "!", "stopped": "–"}
LABELS = ("base model", "your adapter", "shipped adapter")  # of the demo's models, in its order


def about(stages: Sequence[Stage], table: Sequence[Row], machine: Machine, *, under_way: bool) -> str:
    """The introduction before the first demo, later one line about the newest demo."""
    if not stages:
        return _welcome(machine)
    if under_way:
        done = sum(stage.state == "done" for stage in stages)
        is_earlier = bool(table) and table[0].run_id not in {stage.run_id for stage in stages}
        return (
            f'<p class="line"><b>The demo is running</b><span class="dim">{done} of {len(stages)} stages done</span>'
            f"{_figures(table, is_earlier=is_earlier)}</p>"
        )
    figures = _figures(table) or '<span class="dim">The demo ended before it had results.</span>'
    return f'<p class="line"><b>The demo</b>{figures}{_next_steps(table)}</p>'


def _welcome(machine: Machine) -> str:
    checks = "".join(
        f'<li class="{"yes" if check.has else "no"}"><b>{esc(check.what)}</b> <span>{esc(check.detail)}</span></li>'
        for check in machine.checks
    )
    return (
        "<h2>Teach a code model to repair programs</h2><p>Repair Studio turns bug fixes into a fine-tuned code model, "
        "and runs the tests of every patch that the model writes in a sandbox. The demo does it all once, with the "
        "small model and the bugs that are included; it takes about two minutes on two idle cores.</p>"
        f'<details data-key="machine"><summary>This machine: {esc(machine.summary)}, '
        f'{size(machine.free_disk_bytes)} disk free</summary><ul class="checks">{checks}</ul></details>'
    )


def _figures(table: Sequence[Row], *, is_earlier: bool = False) -> str:
    """For how many bugs each model has a plausible patch; `is_earlier`: in the demo before the newest.

    Models are compared on all bugs or not at all: of one that has not tested them all, only how far it is.
    """
    named = [*zip(LABELS, table, strict=False)]
    rows = [(name, row) for name, row in named if row.is_done]
    testing = "".join(
        f'<span class="dim">{name}: {_how_far(row)}</span>' for name, row in named if row.scored and not row.is_done
    )
    if not rows:
        return testing
    shown = '<i aria-hidden="true">→</i>'.join(
        f'<span class="figure" title="{esc(row.model)}: {row.plausible_at_10} of {row.scored} bugs have a patch among '
        f'the first 10 that passes every test; {row.plausible_at_1} with the first{_took(row)}">'
        f"<b>{row.plausible_at_10}</b> {name}</span>"
        for name, row in rows
    )
    scored = {row.scored for _, row in rows}
    of = f"of {scored.pop()} bugs" if len(scored) == 1 else "bugs"
    when = " in the previous demo" if is_earlier else ""
    return (
        f'<span class="figures">{shown}<span class="dim" title="A patch can pass every test and still be wrong; '
        f'read it to be sure.">{of} with a patch that passes all tests, best of 10{when}</span></span>{testing}'
    )


def _how_far(row: Row) -> str:
    return f"{'testing' if row.state in ACTIVE else 'stopped at'} {row.scored} of {row.bugs}"


def _took(row: Row) -> str:
    return f"; {duration(row.seconds)}" if row.seconds else ""


def _next_steps(table: Sequence[Row]) -> str:
    scored = [row for row in table if row.is_done] or [row for row in table if row.scored]
    links = [(link(patches=scored[min(1, len(scored) - 1)].run_id), "See patches")] if scored else []
    if len(scored) > 1:
        links.append((link(compare=",".join(str(row.run_id) for row in scored)), "Compare"))
    best = max((row for row in scored if row.example), key=lambda row: row.plausible_at_10, default=None)
    chat = link(tab="chat", bug=best.example, use=f"model:{best.model}") if best else link(tab="chat")
    links.append((chat, "Try a repair"))
    return "".join(f'<a href="{esc(address)}">{words}</a>' for address, words in links)


def stages(shown: Sequence[Stage]) -> str:
    """The demo's stages in order, each a link to its page."""
    steps = "".join(_stage(number, stage) for number, stage in enumerate(shown, 1))
    return f'<ol class="stages">{steps}</ol>' if steps else ""


def _stage(number: int, stage: Stage) -> str:
    words = {"done": stage.text, "running": stage.text}
    status = stage.error or words.get(stage.state) or stage.state
    address = link(tab=stage.tab, patches=stage.run_id if stage.tab == "patches" else 0, run=_run_of(stage))
    return (
        f'<li class="stage s-{esc(stage.state)}"><a href="{esc(address)}">'
        f'<i aria-hidden="true">{MARKS.get(stage.state, number)}</i><span><b>{esc(stage.title)}</b>'
        f'<span class="dim">{esc(status)}</span></span>'
        f"{bar(stage.fraction) if stage.state in ACTIVE else ''}</a></li>"
    )


def _run_of(stage: Stage) -> int:
    return stage.run_id if stage.tab == "monitor" else 0
