"""Runs side by side as HTML: their figures, which bugs each repairs, by kind of bug, and the patches of one bug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.attempts import HINT
from engine.control.compare import Compared, ComparedRun, Group
from engine.control.patches import Detail
from engine.control.side_by_side import ComparedBug
from engine.scoring import Costs
from studio.addresses import link
from studio.clickable import pick
from studio.html.basics import GLYPHS, empty, esc, glyph, verdict
from studio.html.diff import diff
from studio.html.figures import costs

LETTERS = "ABCDEFGH"  # one for each run, as the charts and tables call it
CELLS = 10  # candidates of each run that a row shows


def paper_link(compared: Compared) -> str:
    """A link to the same figures as a table for a paper."""
    runs = ",".join(str(run.run) for run in compared.runs)
    return f'<p class="exports"><a href="studio/comparison/{runs}.tex?k={compared.k}" download>LaTeX table</a></p>'


def patterns(compared: Compared, chosen: str) -> str:
    """How many common bugs each combination of runs repairs; every one can be clicked to show these bugs only.

    `chosen`: the combination that is shown, "10" for the first of two runs; empty for all bugs.
    """
    return _of_two(compared, chosen) if compared.pair else _of_many(compared, chosen)


def _of_two(compared: Compared, chosen: str) -> str:
    pair = compared.pair
    assert pair is not None
    tiles = "".join(
        _pattern(pattern, f"<b>{number}</b><span>{words}</span>", chosen)
        for pattern, number, words in (
            ("11", pair.both, "repaired by both"),
            ("10", pair.only_first, "only by A"),
            ("01", pair.only_second, "only by B"),
            ("00", pair.neither, "by neither"),
        )
    )
    return f'<div class="patterns two">{tiles}</div><p class="p-value">{_significance(compared)}</p>'


def _significance(compared: Compared) -> str:
    pair = compared.pair
    assert pair is not None
    uneven = pair.only_first + pair.only_second
    if not uneven:
        return "Both repair exactly the same bugs."
    p = f"p = {pair.p_value:.3f}" if pair.p_value >= 0.001 else f"p = {pair.p_value:.1e}"
    chance = (
        "the difference is larger than chance usually makes it"
        if pair.p_value < 0.05
        else "a difference of this size can be chance"
    )
    hint = "McNemar's exact test, two-sided, on the bugs that only one of the two repairs"
    return f'<b title="{hint}" tabindex="0">{p}</b> {chance} <span class="dim">({hint})</span>'


def _of_many(compared: Compared, chosen: str) -> str:
    most = max((number for _, number in compared.overlap), default=1)
    rows = "".join(
        _pattern(
            "".join("01"[hit] for hit in hits),
            "".join(
                f'<i class="dot{f" on l-{letter}" if hit else ""}">{letter}</i>'
                for letter, hit in zip(LETTERS, hits, strict=False)
            )
            + f'<i class="length" style="width:{45 * number / most:.1f}%"></i><b>{number}</b>',
            chosen,
        )
        for hits, number in compared.overlap
    )
    return f'<div class="patterns many">{rows}</div>'


def _pattern(pattern: str, inner: str, chosen: str) -> str:
    words = " and ".join(letter for letter, hit in zip(LETTERS, pattern, strict=False) if hit == "1") or "no run"
    pressed = f'aria-pressed="{str(pattern == chosen).lower()}"'
    hint = f"Show only the bugs repaired by {words}" if pattern != chosen else "Show all bugs"
    return (
        f'<button type="button" {pressed} title="{hint}" {pick("" if pattern == chosen else pattern)}>{inner}</button>'
    )


def runs_table(compared: Compared) -> str:
    """The figures of each run over the common bugs."""
    k = compared.k
    attempts = HINT if any(run.strategy for run in compared.runs) else ""
    mixed = f"; in a run with a strategy the first {k} are attempts: {attempts}" if attempts else ""
    undrawn = "; not of attempts, which are no draws from one prompt" if attempts else ""
    head = "".join(
        f'<th scope="col" title="{esc(hint)}">{words}</th>'
        for words, hint in (
            ("Run", "what was tested"),
            (
                f"plausible@{k}",
                f"bugs with a patch among the first {k} that passes every test, and the 95 % interval{mixed}",
            ),
            (
                "pass@1",
                "the chance that one candidate, drawn at random, passes every test; 95 % interval by bootstrap"
                + undrawn,
            ),
            (f"exact@{k}", f"bugs with a plausible patch among the first {k} whose text is the known fix's"),
            (f"tree@{k}", "the same with the known fix's syntax tree: comments and layout may differ"),
            (
                "Took",
                "the whole run, generation and tests; below it the tokens that the model wrote",
            ),
            ("Each fixed", f"what the whole run took, divided by its bugs with a plausible patch among the first {k}"),
        )
    )
    body = "".join(_run_row(run, k, letter) for run, letter in zip(compared.runs, LETTERS, strict=False))
    return _table(f"<tr>{head}</tr>", body, "runs")


def _run_row(run: ComparedRun, k: int, letter: str) -> str:
    share, one = run.plausible_at[k], run.pass_at.get(1)
    low, high = share.interval
    unnamed = [each for each in (run.model, run.benchmark) if each not in run.name]
    most = f"{run.candidates} {'attempts' if run.strategy else 'candidates'}"
    facts = " · ".join(filter(None, (*unnamed, run.representation, run.generator, run.strategy, most)))
    by_attempt = f"<small>by attempt {k}</small>" if run.strategy else ""
    shown = (
        f"<b>{share.hits}</b> of {share.total}<small>{low:.0%} to {high:.0%}</small>{by_attempt}",
        f"<b>{one.value:.1%}</b><small>{one.low:.1%} to {one.high:.1%}</small>" if one else "–",
        *(f"<b>{at[k].hits}</b>" if k in at else "–" for at in (run.exact_at, run.tree_at)),
        _took(run.costs),
        _took(run.costs_of_each),
    )
    cells = "".join(f'<td class="num">{cell}</td>' for cell in shown)
    name = f'<a href="{esc(link(patches=run.run))}">{esc(run.name)}</a><small>{esc(facts)}</small>'
    return f'<tr><th scope="row"><i class="letter l-{letter}">{letter}</i><div>{name}</div></th>{cells}</tr>'


def _took(of: Costs | None) -> str:
    """The time, and in small print all else that is known."""
    known = costs(of) if of else {}
    units = {"tokens written": " tokens", "GPU-hours": " GPU-h", "price": ""}
    more = (f"{known[what]}{unit}" for what, unit in units.items() if what in known and known[what] != "0")
    return esc(known.get("time", "–")) + "".join(f"<small>{esc(each)}</small>" for each in more)


def groups_table(compared: Compared, groups: Sequence[Group]) -> str:
    """How many bugs of each group every run repairs."""
    letters = "".join(
        f'<th scope="col"><i class="letter l-{letter}">{letter}</i></th>' for letter in LETTERS[: len(compared.runs)]
    )
    body = "".join(
        f'<tr><th scope="row">{esc(group.name.replace("_", " "))}</th><td class="num">{group.bugs}</td>'
        + "".join(
            f'<td class="num share"><i style="--part:{hits / group.bugs:.2f}"></i><span>{hits}</span></td>'
            for hits in group.repaired
        )
        + "</tr>"
        for group in groups
    )
    head = f'<tr><th scope="col"></th><th scope="col">bugs</th>{letters}</tr>'
    return _table(head, body, "groups")


def _table(head: str, body: str, kind: str = "") -> str:
    table = f'<table class="plain-table {kind}"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll-x" tabindex="0">{table}</div>'


def bugs_table(
    bugs: Sequence[ComparedBug], cells: Mapping[tuple[int, str], Mapping[int, str]], compared: Compared, chosen: str
) -> str:
    """A row for each bug and in it a line for each run: its first candidates; a click on the name chooses the bug."""
    if not bugs:
        return empty("No bugs match", "Clear the search, or choose another combination of runs above.")
    rows = "".join(_bug_row(bug, cells, compared, is_chosen=bug.bug_id == chosen) for bug in bugs)
    return f'<div class="pairs" tabindex="0" role="region" aria-label="Bugs of the compared runs">{rows}</div>'


def _bug_row(
    bug: ComparedBug, cells: Mapping[tuple[int, str], Mapping[int, str]], compared: Compared, *, is_chosen: bool
) -> str:
    facts = " · ".join(filter(None, (bug.project, bug.cwe, bug.kind.replace("_", " "), bug.language)))
    lines = "".join(
        f'<div><i class="letter l-{letter}">{letter}</i>'
        f"{_cells(run, bug, cells.get((run.run, bug.bug_id), {}), scored, compared.k)}</div>"
        for run, letter, scored in zip(compared.runs, LETTERS, bug.repaired, strict=False)
    )
    mark = ' chosen" aria-pressed="true' if is_chosen else '" aria-pressed="false'
    return (
        f'<div class="pair"><button type="button" class="name{mark}" {pick(bug.bug_id)}><b>{esc(bug.bug_id)}</b>'
        f'<span>{esc(facts)}</span></button><div class="strips">{lines}</div></div>'
    )


def _cells(run: ComparedRun, bug: ComparedBug, outcomes: Mapping[int, str], scored: bool | None, k: int) -> str:
    if scored is None and not outcomes:
        return '<span class="dim">not scored</span>'
    return "".join(_cell(run.run, bug.bug_id, rank, outcomes[rank], k) for rank in sorted(outcomes))


def _cell(run: int, bug_id: str, rank: int, outcome: str, k: int) -> str:
    beyond, more = (" beyond", f"; only the first {k} count here") if rank > k else ("", "")
    return (
        f'<a class="cell v-{esc(outcome)}{beyond}" href="{esc(link(patches=run, bug=bug_id, rank=rank))}" '
        f'title="{esc(f"candidate {rank}: {_words(outcome)}{more}")}">{glyph(outcome)}</a>'
    )


def _words(outcome: str) -> str:
    return next((words for known, (_, words, _) in GLYPHS.items() if known == outcome), outcome)


def side_by_side(patches: Sequence[Detail | None], compared: Compared, bug_id: str) -> str:
    """The first plausible patch of each run for one bug, or its first candidate, as diffs beside each other."""
    columns = "".join(
        f'<section><header><i class="letter l-{letter}">{letter}</i>{_head(patch)}</header>{_diff(patch)}</section>'
        for patch, letter in zip(patches, LETTERS, strict=False)
    )
    known = next((patch for patch in patches if patch), None)
    fix = (
        f"<section><header><b>Known fix</b></header>{diff(known.buggy, known.fixed, known.path)}</section>"
        if known
        else ""
    )
    return (
        f'<article class="beside" data-about="{esc(bug_id)}"><h3>{esc(bug_id)}</h3>'
        f'<div class="columns">{columns}{fix}</div></article>'
    )


def _head(patch: Detail | None) -> str:
    if patch is None:
        return '<span class="dim">no patch yet</span>'
    return f"<b>candidate {patch.rank}</b>{verdict(patch.outcome, patch.reason)}"


def _diff(patch: Detail | None) -> str:
    if patch is None or patch.text is None:
        return '<p class="dim">There is no patch to show.</p>'
    return diff(patch.buggy, patch.text, patch.path)
