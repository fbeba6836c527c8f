"""The parts around the tabs: the header with machine and runs, the first-visit panel and the demo's stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.machine import Machine
from engine.rundir import ACTIVE
from studio.clickable import pick
from studio.html.basics import KINDS, bar, duration, esc, size

MARKS = {"done": "✓", "failed": "!", "interrupted": "!", "stopped": "–"}


def header(machine: str, runs: Sequence[Any], trouble: str = "") -> str:
    """Name, machine, runs at work and waiting, light or dark; below, why nothing can be stored just now."""
    at_work = [run for run in runs if run.state in ACTIVE]
    waiting = [run for run in runs if run.state == "queued"]
    chips = [
        f'<button type="button" class="chip s-{run.state} run-chip" {pick(f"monitor:{run.id}", url=f"?run={run.id}")}>'
        f"<i></i>{KINDS.get(run.kind, '')}: {esc(run.name)}</button>"
        for run in at_work[:3]
    ]
    if len(at_work) > 3:
        chips.append(f'<button type="button" class="chip" {pick("monitor:")}>and {len(at_work) - 3} more</button>')
    if waiting:
        first = f"monitor:{waiting[-1].id}"
        chips.append(f'<button type="button" class="chip s-queued" {pick(first)}><i></i>{len(waiting)} queued</button>')
    idle = "" if chips else '<span class="chip s-idle"><i></i>nothing running</span>'
    return (
        '<header class="top"><h1><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12.5 9.5 18 20 6.5"/></svg>'
        f'Repair Studio</h1><span class="chip machine" title="What runs your models">{esc(machine)}</span>'
        f'<nav aria-label="Runs">{"".join(chips)}{idle}</nav>'
        '<button type="button" class="chip" data-welcome title="What this is, and the demo">'
        '<span class="no-guide">Guide</span><span class="guide">Hide guide</span></button>'
        '<button type="button" class="chip" data-theme-toggle title="Light or dark">'
        '<span class="only-light">Dark</span><span class="only-dark">Light</span></button></header>'
        + (f'<p class="complaint" role="alert">{esc(trouble)}</p>' if trouble else "")
    )


def welcome(machine: Machine) -> str:
    """What this is, and what this machine can do."""
    checks = "".join(
        f'<li class="{"yes" if check.has else "no"}"><b>{esc(check.what)}</b> <span>{esc(check.detail)}</span></li>'
        for check in machine.checks
    )
    return (
        "<h2>Teach a code model to repair programs</h2><p>Repair Studio turns bug fixes into a fine-tuned code model, "
        "and judges every patch that the model writes by running its tests in a sandbox. The demo does it all once, "
        "with the small model and the bugs that come along, and takes a few minutes.</p>"
        f'<details data-key="machine"><summary>This machine: {esc(machine.summary)}, '
        f'{size(machine.free_disk_bytes)} disk free</summary><ul class="checks">{checks}</ul></details>'
    )


def stages(shown: Sequence[Any]) -> str:
    """The demo's stages one after the other, each a link to where it can be seen."""
    steps = "".join(_stage(number, stage) for number, stage in enumerate(shown, 1))
    return f'<ol class="stages">{steps}</ol>' if steps else ""


def _stage(number: int, stage: Any) -> str:
    words = {"done": stage.text, "queued": "waits its turn", "running": stage.text}
    said = stage.error or words.get(stage.state) or stage.state
    return (
        f'<li class="stage s-{esc(stage.state)}"><button type="button" {pick(f"{stage.tab}:{stage.run_id}")}>'
        f'<i aria-hidden="true">{MARKS.get(stage.state, number)}</i><span><b>{esc(stage.title)}</b>'
        f'<span class="dim">{esc(said)}</span></span>'
        f"{bar(stage.fraction) if stage.state in ACTIVE else ''}</button></li>"
    )


def results(table: Sequence[Any], *, is_earlier: bool = False) -> str:
    """The demo's table, one row a model; the bars are shares of the bugs that could be scored.

    `is_earlier`: it is of the demo before the newest, which has judged nothing yet.
    """
    rows = [row for row in table if row.scored]
    if not rows:
        return ""
    body = "".join(
        f"<tr><th>{esc(row.model)}</th><td>{row.plausible_at_1}</td>"
        f'<td class="share"><i style="width:{100 * row.plausible_at_10 / row.scored:.1f}%"></i></td>'
        f"<td><b>{row.plausible_at_10}</b> of {row.scored} bugs</td>"
        f"<td>{duration(row.seconds) if row.seconds else esc(row.state)}</td></tr>"
        for row in rows
    )
    head = '<tr><th>Model</th><th>plausible@1</th><th colspan="2">plausible@10</th><th>time</th></tr>'
    note = "plausible@k: a bug with a patch among the first k that passes every test"
    if is_earlier:
        note += "; of the demo before, until the new one has judged something"
    return f'<table class="plain"><thead>{head}</thead><tbody>{body}</tbody></table><p class="dim">{note}</p>'
