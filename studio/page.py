"""The parts around the tabs: the header with machine and runs, the first-visit panel and the demo's stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.machine import Machine
from studio.clickable import pick
from studio.show import ENDED, KINDS, bar, duration, esc, size, state

ACTIVE = ("starting", "running", "stopping")


def header(machine: str, runs: Sequence[Any]) -> str:
    """Name, machine, runs at work and waiting, light or dark."""
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
        '<button type="button" class="chip" data-welcome title="What this is, and the demo">Guide</button>'
        '<button type="button" class="chip" data-theme-toggle title="Light or dark">'
        '<span class="only-light">Dark</span><span class="only-dark">Light</span></button></header>'
    )


def welcome(machine: Machine) -> str:
    """What this is, and what this machine can do."""
    checks = "".join(
        f'<li class="{"yes" if check.has else "no"}"><b>{esc(check.what)}</b> <span>{esc(check.detail)}</span></li>'
        for check in machine.checks
    )
    return (
        "<p>Repair Studio turns bug fixes into a fine-tuned code model, and judges every patch that the model writes by"
        " running its tests in a sandbox. It all happens on this machine.</p>"
        f'<details data-key="machine"><summary>What this machine can do: {esc(machine.summary)}, '
        f'{size(machine.free_disk_bytes)} disk free</summary><ul class="checks">{checks}</ul></details>'
    )


def stages(shown: Sequence[Any], table: Sequence[Any]) -> str:
    """The demo's stages one after the other, each a link to where it can be seen, and its table when there is one."""
    if not shown:
        return ""
    steps = "".join(
        f'<li class="stage s-{esc(stage.state)}"><button type="button" {pick(f"{stage.tab}:{stage.run_id}")}>'
        f"<b>{number}. {esc(stage.title)}</b>{state(stage.state)}"
        f"{bar(stage.fraction) if stage.state not in ('queued', *ENDED) else bar(float(stage.state == 'done'))}"
        f'<span class="dim">{esc(stage.error or stage.text or "")}</span></button></li>'
        for number, stage in enumerate(shown, 1)
    )
    judged = [row for row in table if row.scored]
    rows = "".join(
        f"<tr><th>{esc(row.model)}</th><td>{row.plausible_at_1}</td><td>{row.plausible_at_10}</td><td>{row.scored}</td>"
        f"<td>{duration(row.seconds) if row.seconds else esc(row.state)}</td></tr>"
        for row in judged
    )
    head = "<tr><th>Model</th><th>plausible@1</th><th>plausible@10</th><th>bugs</th><th>time</th></tr>"
    results = f'<table class="plain"><thead>{head}</thead><tbody>{rows}</tbody></table>' if judged else ""
    return f'<ol class="stages">{steps}</ol>{results}'
