"""A benchmark run as HTML: one strip with its figures, and a table with a row per bug and a cell per patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.attempts import HINT
from engine.control.patches import BugRow, Totals
from engine.domain import Outcome
from engine.exchange.exported import Form
from engine.scoring import Share
from studio.clickable import pick
from studio.html.basics import GLYPHS, empty, esc, glyph, shortened

SOURCES = {"model": "candidate", "known_fix": "known fix", "buggy_code": "buggy code"}
WAITING = '<i class="cell v-waiting" title="no verdict yet"></i>'
TWO_LINES = 620  # pixels of legend that two lines have room for in a window of 1440
PLAUSIBLE = "Plausible means that every test passes; read a patch to know whether it is correct."


def strip(totals: Totals, *, is_over: bool = False) -> str:
    """The bar of verdicts with its legend, and the figures of a run, each with a tooltip; `is_over`: it has ended."""
    if not totals.bugs:
        words = "no verdicts" if is_over else "waiting for the first verdicts"
        return f'<div class="figures-strip"><span class="dim">{words}</span></div>'
    shares = "".join(_share(totals, k) for k in sorted(totals.plausible_at))
    same = _figure(
        f"{totals.known_fixes}", "identical to the known fix",
        f"{totals.known_fixes} of {totals.scored} bugs have a plausible candidate whose text is identical to the known "
        f"fix{_trees(totals)}",
        f"{tree.hits} same tree" if (tree := _all_trees(totals)) else "",
    )  # fmt: skip
    return f'<div class="figures-strip">{verdict_bar(totals)}{shares}{same}{_reviewed(totals)}{_skipped(totals)}</div>'


def _all_trees(totals: Totals) -> Share | None:
    return totals.tree_at[max(totals.tree_at)] if totals.tree_at else None


def _trees(totals: Totals) -> str:
    tree = _all_trees(totals)
    return f"; {tree.hits} one with its syntax tree, so that only comments and layout may differ" if tree else ""


def _share(totals: Totals, k: int) -> str:
    share = totals.plausible_at[k]
    low, high = share.interval
    attempts = f" These are attempts ({totals.strategy}): {HINT}." if totals.strategy else ""
    return _figure(
        f"{share.hits}<small> / {share.total}</small>", totals.at(k),
        f"{share.hits} of {share.total} bugs have a patch among the first {k} that passes every test: "
        f"{share.fraction:.0%}, with 95 % confidence {low:.0%} to {high:.0%}.{attempts} {PLAUSIBLE}",
        f"{low:.0%} to {high:.0%}",
    )  # fmt: skip


def _reviewed(totals: Totals) -> str:
    """How many plausible patches somebody has read; nothing where there is none to read."""
    at = totals.review_totals
    if not at.plausible:
        return ""
    return _figure(
        f"{at.reviewed}<small> / {at.plausible}</small>", "reviewed",
        f"{at.reviewed} of {at.plausible} plausible patches are reviewed, {at.correct} of them correct: somebody "
        f"says so, and nobody says that they are incorrect. Bugs with a correct patch: {at.correct_bugs}",
        f"{at.correct} correct" if at.reviewed else "none yet",
    )  # fmt: skip


def _skipped(totals: Totals) -> str:
    """How many bugs were skipped or are not scored, and why."""
    number = sum(totals.skipped.values())
    reasons = [f"{count}: {reason}" for reason, count in totals.skipped.items()]
    if totals.control_failures:
        reasons.append(f"{totals.control_failures}: the known fix fails its tests here, or the buggy code passes them")
    if totals.sandbox:
        reasons.append(f"patches ran in {totals.sandbox}")
    more = f"; {totals.control_failures} more not scored" if totals.control_failures else ""
    first = next(iter(totals.skipped), "")
    return _figure(f"{number}", f"skipped{more}", "Not counted. " + "; ".join(reasons), first[:40])


def _figure(value: str, what: str, hint: str, more: str = "") -> str:
    """One figure with its label and tooltip; `value` is HTML, the others are text."""
    inner = f"<b>{value}</b><span>{esc(what)}</span>" + (f"<em>{esc(more)}</em>" if more else "")
    return f'<div class="share-figure" title="{esc(hint)}" tabindex="0">{inner}</div>'


def verdict_bar(totals: Totals) -> str:
    """All candidates of a run as one bar in the colours of their verdicts, with a legend of glyphs and counts."""
    outcomes: Mapping[str, int] = totals.outcomes
    total = sum(outcomes.values()) or 1
    known = [(name, words, outcomes[name]) for name, (_, words, _) in GLYPHS.items() if outcomes.get(name)]
    parts = "".join(
        f'<i class="v-{name}" style="flex-grow:{number}" title="{words}: {number:,} of {total:,}"></i>'
        for name, words, number in known
    )
    key = "".join(
        f'<span title="{words}: {number:,} of {total:,} patches"><i class="cell v-{name}">{glyph(name)}</i>'
        f"<span>{words}</span> <b>{number:,}</b></span>"
        for name, words, number in known
    )
    letters = sum(len(f"{words}{number:,}") for _, words, number in known)
    is_long = " long" if 34 * len(known) + 6.5 * letters > TWO_LINES else ""
    return (
        f'<div class="verdicts"><div class="verdict-bar" role="img" aria-label="Verdicts">{parts}</div>'
        f'<div class="legend{is_long}" role="note" aria-label="Legend">{key}</div></div>'
    )


def table(rows: Sequence[BugRow], candidates: int, chosen: str, reviewer: str = "", *, is_over: bool = False) -> str:
    """Known fix, buggy code, then the candidates in rank order; every cell can be clicked.

    A cell that this `reviewer` has reviewed has another mark than one that only others have. Where there is no patch
    the cell waits for one, or is blank if the run `is_over`.
    """
    if not rows:
        return empty("No bugs match", "Clear the search or choose another filter.")
    ranks = "".join(f'<th scope="col">{rank}</th>' for rank in range(1, candidates + 1))
    head = (
        '<tr><th scope="col">Bug</th><th title="the known fix: must pass">fix</th>'
        f'<th class="edge" title="the buggy code: must fail">bug</th>{ranks}'
        '<th title="rank of the first plausible patch">first</th></tr>'
    )
    body = "".join(_row(row, candidates, chosen, reviewer, "" if is_over else WAITING) for row in rows)
    return (
        '<div class="verdict-table" tabindex="0" role="region" aria-label="Verdicts by bug">'
        f"<table><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: BugRow, candidates: int, chosen: str, reviewer: str, nothing: str) -> str:
    """`nothing`: what a cell without a patch shows."""
    short = shortened(row.prompt_tokens, row.whole_tokens)
    facts = " · ".join(filter(None, [row.project, row.cwe, row.kind.replace("_", " "), row.language, short]))
    hint = esc(f"{row.bug_id}: {facts}")
    own = row.bug_id.find("/") + 1  # before it is the name of the benchmark
    called = f"<b><i>{esc(row.bug_id[:own])}</i>{esc(row.bug_id[own:])}</b>"
    name = f'<th scope="row" title="{hint}">{called}<span>{esc(facts)}</span></th>'
    if row.skipped:
        return f'<tr class="skipped">{name}<td colspan="{candidates + 3}">skipped: {esc(row.skipped)}</td></tr>'
    outcomes = dict(row.cells)
    cells = [_cell(row.bug_id, "known_fix", 0, row.known_fix, chosen, nothing)]
    cells.append(_cell(row.bug_id, "buggy_code", 0, row.buggy_code, chosen, nothing, edge=" edge"))
    for rank in range(1, candidates + 1):
        said = row.reviewers.get(rank, ())
        mark = " reviewed" if reviewer in said else " reviewed elsewhere" if said else ""
        cells.append(_cell(row.bug_id, "model", rank, outcomes.get(rank), chosen, nothing, mark=mark))
    return f'<tr>{name}{"".join(cells)}<td class="num">{row.first_plausible or "–"}</td></tr>'


def _cell(
    bug_id: str,
    source: str,
    rank: int,
    outcome: str | None,
    chosen: str,
    nothing: str,
    *,
    edge: str = "",
    mark: str = "",
) -> str:
    if outcome is None:
        return f'<td class="{edge}">{nothing}</td>'
    key = patch_key(bug_id, source, rank)
    words = GLYPHS[Outcome(outcome)][1] if outcome in set(Outcome) else outcome
    what = f"{SOURCES[source]} {rank or ''}".strip()
    mark += " chosen" if key == chosen else ""
    label = esc(f"{what} of {bug_id}: {words}{', reviewed' if 'reviewed' in mark else ''}")
    return (
        f'<td class="{edge}"><button type="button" class="cell v-{esc(outcome)}{mark}" aria-label="{label}"'
        f' title="{label}" {pick(key)}>{glyph(outcome)}</button></td>'
    )


def export_menu(run: int, forms: Sequence[Form]) -> str:
    """A button that opens a list of links, each to the run as a file in one format."""
    links = "".join(
        f'<a href="studio/export/{run}.{esc(form.name)}" download><b>{esc(form.title)}</b>'
        f"<span>{esc(form.what)}</span></a>"
        for form in forms
    )
    return f'<details class="menu"><summary>Export</summary><div>{links}</div></details>'


def patch_key(bug_id: str, source: str, rank: int) -> str:
    """The text by which a click names a patch of a run: its rank, or its source if it is a control, and its bug."""
    return f"{rank if source == 'model' else source}:{bug_id}"


def read_key(key: str) -> tuple[str, str, int] | None:
    """(bug id, source, rank) of a key; None if it is not a key."""
    place, _, bug_id = key.partition(":")
    if not bug_id:
        return None
    if place in SOURCES and place != "model":
        return bug_id, place, 0
    return (bug_id, "model", int(place)) if place.isascii() and place.isdecimal() and len(place) < 6 else None
