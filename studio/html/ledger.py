"""A benchmark run as HTML: its figures, a row a bug with a cell a candidate, and one patch in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.clickable import pick
from studio.html import code
from studio.html.basics import GLYPHS, count, duration, empty, esc, glyph, tiles, verdict

SOURCES = {"model": "candidate", "known_fix": "known fix", "buggy_code": "buggy code"}


def figures(totals: Any) -> str:
    """Counts of bugs, with what each means."""
    scored = totals.scored

    shown = [
        (
            f"{share.hits} of {share.total}",
            f"plausible@{k}",
            f"bugs with a patch that passes every test among the first {k}",
        )
        for k, share in sorted(totals.plausible_at.items())
    ]
    outcomes = totals.outcomes
    shown += [
        (f"{totals.known_fixes} of {scored}", "the known fix", "bugs with a candidate that is the known fix itself"),
        (count(sum(outcomes.values())), "patches judged", "candidates with a verdict"),
        (count(outcomes.get("compile_error", 0)), "compile errors", "candidates that are not valid programs"),
        (count(sum(totals.skipped.values())), "bugs set aside", "cannot be judged on this machine; not counted"),
    ]
    notes = "".join(f"<li>{esc(number)} set aside: {esc(reason)}</li>" for reason, number in totals.skipped.items())
    broken = totals.control_failures
    if broken:
        notes += f"<li><b>{esc(broken)} bugs do not hold:</b> their known fix fails or their buggy code passes.</li>"
    sandbox = f"<li>Patches ran in {esc(totals.sandbox)}.</li>" if totals.sandbox else ""
    notes += "<li>Plausible means that every test passes; whether a patch is right takes a reader.</li>"
    return f'{tiles(shown)}{verdict_bar(outcomes)}<ul class="notes">{notes}{sandbox}</ul>'


def verdict_bar(outcomes: Mapping[str, int]) -> str:
    """All candidates of a run as one bar in the colours of their verdicts."""
    total = sum(outcomes.values()) or 1
    known = [(name, words, outcomes[name]) for name, (_, words, _) in GLYPHS.items() if outcomes.get(name)]
    parts = "".join(
        f'<i class="v-{name}" style="flex-grow:{number}" title="{words}: {number:,} of {total:,}"></i>'
        for name, words, number in known
    )
    key = "".join(f'<span><i class="cell v-{name}">{glyph(name)}</i>{words} <b>{number:,}</b></span>'
                  for name, words, number in known)  # fmt: skip
    return f'<div class="verdict-bar" role="img" aria-label="Verdicts">{parts}</div><div class="legend">{key}</div>'


def table(rows: Sequence[Any], candidates: int, run_id: int, chosen: str) -> str:
    """The ledger: known fix, buggy code, then the candidates in rank order; every cell can be clicked."""
    if not rows:
        return empty("No bugs match", "Clear the search or choose another filter.")
    ranks = "".join(f"<th>{rank}</th>" for rank in range(1, candidates + 1))
    head = (
        '<tr><th scope="col">Bug</th><th title="must pass">known fix</th><th title="must fail">buggy code</th>'
        f"{ranks}<th>first</th></tr>"
    )
    body = "".join(_row(row, candidates, run_id, chosen) for row in rows)
    return (
        '<div class="ledger" tabindex="0" role="region" aria-label="Verdicts by bug">'
        f"<table><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Any, candidates: int, run_id: int, chosen: str) -> str:
    facts = " · ".join(filter(None, [row.language, row.kind.replace("_", " "), row.cwe]))
    name = f'<th scope="row"><b>{esc(row.bug_id)}</b><span>{esc(facts)}</span></th>'
    if row.skipped:
        return f'<tr class="skipped">{name}<td colspan="{candidates + 3}">set aside: {esc(row.skipped)}</td></tr>'
    outcomes = dict(row.cells)
    cells = [_cell(row.bug_id, "known_fix", 0, row.known_fix, run_id, chosen)]
    cells.append(_cell(row.bug_id, "buggy_code", 0, row.buggy_code, run_id, chosen, edge=" edge"))
    cells += [_cell(row.bug_id, "model", rank, outcomes.get(rank), run_id, chosen) for rank in range(1, candidates + 1)]
    return f'<tr>{name}{"".join(cells)}<td class="num">{row.first_plausible or "–"}</td></tr>'


def _cell(bug_id: str, source: str, rank: int, outcome: str | None, run_id: int, chosen: str, edge: str = "") -> str:
    if outcome is None:
        return f'<td class="{edge}"><i class="cell v-waiting" title="not judged yet"></i></td>'
    key = patch_key(bug_id, source, rank)
    words = GLYPHS[outcome][1] if outcome in GLYPHS else outcome
    what = f"{SOURCES[source]} {rank or ''}".strip()
    mark = " chosen" if key == chosen else ""
    label = esc(f"{what} of {bug_id}: {words}")
    return (
        f'<td class="{edge}"><button type="button" class="cell v-{esc(outcome)}{mark}" aria-label="{label}"'
        f' title="{label}" {pick(key, url=f"?patches={run_id}")}>{glyph(outcome)}</button></td>'
    )


def patch_key(bug_id: str, source: str, rank: int) -> str:
    """One patch of a run as text, as a click sends it."""
    return f"{source}:{rank}:{bug_id}"


def read_key(key: str) -> tuple[str, str, int] | None:
    """(bug id, source, rank) of a key, or None of anything else."""
    source, _, rest = key.partition(":")
    rank, _, bug_id = rest.partition(":")
    return (bug_id, source, int(rank)) if source in SOURCES and rank.isdecimal() and len(rank) < 6 else None


def detail(patch: Any) -> str:
    """One patch: verdict, diff, what the model wrote, the tests' log, the known fix."""
    here = (patch.source, patch.rank)
    place = patch.neighbours.index(here) if here in patch.neighbours else 0
    name = f"{SOURCES[patch.source]} {patch.rank or ''}".strip()
    facts = {
        "score": f"{patch.score:.3f}" if patch.score is not None else "",
        "judged in": duration(patch.duration_s) if patch.duration_s >= 1 else f"{1000 * patch.duration_s:.0f} ms",
        "sandbox": patch.sandbox,
        "same as": f"candidate {patch.same_as}" if patch.same_as else "",
        "lines": f"{patch.start} to {patch.end}" if patch.end >= patch.start else f"before {patch.start}",
        "failed tests": ", ".join(patch.failed),
        "the known fix": "yes, to the letter" if patch.is_known_fix and patch.source == "model" else "",
    }
    shown = "".join(f"<div><dt>{what}</dt><dd>{esc(value)}</dd></div>" for what, value in facts.items() if value)
    diff = code.diff(patch.diff) if patch.text is not None else '<p class="dim">There is no patch to show.</p>'
    return (
        f'<article class="patch"><header><div><h3>{esc(name)}</h3><span class="dim">{esc(patch.bug_id)}</span></div>'
        f"<nav>{_step(patch, place - 1, 'Previous')}{_step(patch, place + 1, 'Next')}</nav></header>"
        f'<p>{verdict(patch.outcome, patch.reason)}</p><dl class="facts">{shown}</dl>'
        f"<h4>What it changes in {esc(patch.path)}</h4>{diff}"
        f'<details data-key="log" open><summary>Test log</summary>{code.log(patch.log)}</details>'
        f'<details data-key="completion"><summary>What the model wrote</summary>{code.log(patch.completion)}</details>'
        f'<details data-key="known"><summary>The known fix</summary>{code.diff(patch.known_fix_diff)}</details>'
        f'<details data-key="buggy"><summary>The buggy file</summary>'
        f"{code.numbered(patch.buggy, patch.start, patch.end)}</details></article>"
    )


def _step(patch: Any, place: int, label: str) -> str:
    if not 0 <= place < len(patch.neighbours):
        return f'<button type="button" class="small" disabled>{label}</button>'
    key = patch_key(patch.bug_id, *patch.neighbours[place])
    return f'<button type="button" class="small" {pick(key)}>{label}</button>'
