"""All figures of a benchmark run behind one button, as HTML: by k, by the order of candidates, what the run took."""

from __future__ import annotations

from collections.abc import Sequence

from engine.attempts import HINT
from engine.control.patches import Totals
from engine.ranking import ORDERS
from engine.scoring import Costs, Mean, Share
from studio.html.basics import count, duration, esc, price

GENERATED = "generated"
WHAT = {
    "plausible": "bugs with a patch among the first k that passes every test",
    "pass": "the chance that one of k candidates drawn at random passes every test, 95 % interval by bootstrap; "
    "only of bugs that have k candidates with a verdict",
    "exact": "bugs with a plausible patch among the first k whose text is the known fix's",
    "tree": "the same with the known fix's syntax tree: comments and layout may differ",
}


def figures_menu(totals: Totals) -> str:
    """A button that opens three small tables; nothing before the first verdicts."""
    if not totals.scored and totals.costs_of_each is None:
        return ""
    return (
        '<details class="menu all-figures"><summary>Figures</summary><div class="tables">'
        f"{_by_k(totals)}{_by_order(totals)}{_costs(totals)}</div></details>"
    )


def _by_k(totals: Totals) -> str:
    without = {*(() if totals.tree_at else ("tree",)), *(("pass",) if totals.strategy else ())}
    names = [name for name in WHAT if name not in without]
    head = [("k", "")] + [(f"{name}@k", WHAT[name]) for name in names]
    if totals.strategy:  # no pass@k: attempts are no draws from one prompt
        head[:2] = [("attempt", HINT), ("repaired by then", WHAT["plausible"])]
    rows = []
    for k in sorted(totals.plausible_at):
        cells = {
            "plausible": _share(totals.plausible_at[k]),
            "pass": _mean(totals.pass_at.get(k)),
            "exact": _share(totals.exact_at.get(k)),
            "tree": _share(totals.tree_at.get(k)),
        }
        rows.append([str(k), *(cells[name] for name in names)])
    return _table("Bugs by attempt" if totals.strategy else "Bugs by k", head, rows)


def _by_order(totals: Totals) -> str:
    words = {GENERATED: "as generated", **ORDERS}
    rows = [[esc(words[order]), _share(share)] for order, share in totals.orders.items()]
    hint = "bugs of which the candidate that comes first in this order passes every test"
    return _table("Ranking", [("first is the", ""), ("plausible@1", hint)], rows) if rows else ""


def _costs(totals: Totals) -> str:
    shown, each = costs(totals.costs), costs(totals.costs_of_each or Costs())
    rows = [[esc(what), esc(value), esc(each.get(what, "–"))] for what, value in shown.items()]
    hint = "divided by the bugs that have a plausible patch"
    return _table("What it took", [("", ""), ("run", ""), ("each fixed bug", hint)], rows) if rows else ""


def costs(of: Costs) -> dict[str, str]:
    """What is known of it, in words."""
    found = {
        "tokens written": None if of.tokens_written is None else count(of.tokens_written),
        "prompt tokens": None if of.tokens_read is None else count(of.tokens_read),
        "time": None if of.seconds is None else seconds(of.seconds),
        "GPU-hours": None if of.gpu_hours is None else f"{of.gpu_hours:.2g}",
        "price": None if of.money is None else price(of.money, of.currency),
    }
    return {what: words for what, words in found.items() if words is not None}


def seconds(number: float) -> str:
    """A duration; with a decimal where it is short."""
    return duration(number) if number >= 10 else f"{number:.1f} s"


def _share(share: Share | None) -> str:
    if share is None or not share.total:
        return "–"
    low, high = share.interval
    return f"<b>{share.hits}</b> of {share.total}<small>{low:.0%} to {high:.0%}</small>"


def _mean(mean: Mean | None) -> str:
    if mean is None:
        return "–"
    return f"<b>{mean.value:.1%}</b> of {mean.bugs}<small>{mean.low:.1%} to {mean.high:.1%}</small>"


def _table(caption: str, head: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    """`head`: (words, hint); the cells of `rows` are HTML, the first of each is its name."""
    top = "".join(f'<th scope="col" title="{esc(hint)}">{esc(words)}</th>' for words, hint in head)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, *cells in rows
    )
    return (
        f'<table class="plain-table groups"><caption>{esc(caption)}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
