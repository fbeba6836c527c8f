"""What a shell shows of runs side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.attempts import HINT, at
from engine.control.compare import Compared, ComparedRun
from engine.scoring import Costs
from engine.shell.follow import printable


def show_comparison(compared: Compared, console: Console, *, as_json: bool) -> None:
    """Figures of each run on the common bugs, and for two runs which bugs only one of them repairs."""
    if as_json:
        print(json.dumps(as_values(compared)))
        return
    last = compared.k
    heads = (f"plausible@{last}", "95 % interval", "pass@1", f"exact@{last}", f"tree@{last}", "each fixed bug took")
    table = Table("run", "model", *heads)
    for run in compared.runs:
        table.add_row(str(run.run), escape(printable(run.model)), *_figures(run, last))
    console.print(table)
    for run in compared.runs:
        if run.strategy:
            words = f"run {run.run} makes attempts ({run.strategy}): {at(last, attempts=True)}, and no pass@k; {HINT}"
            console.print(escape(words), highlight=False, soft_wrap=True)
    console.print(f"{compared.common} bugs are scored by all of them; only these count here", highlight=False)
    if pair := compared.pair:
        first, second = (run.run for run in compared.runs)
        console.print(
            f"repaired by both {pair.both}, only by run {first} {pair.only_first}, only by run {second} "
            f"{pair.only_second}, by neither {pair.neither}; McNemar's exact test: p = {pair.p_value:.3g}",
            highlight=False,
            soft_wrap=True,
        )


def _figures(run: ComparedRun, k: int) -> tuple[str, ...]:
    share = run.plausible_at[k]
    low, high = share.interval
    one = run.pass_at.get(1)
    return (
        f"{share.hits} of {share.total} ({share.fraction:.0%})",
        f"{low:.0%} to {high:.0%}",
        f"{one.value:.1%}" if one else "",
        *(str(at[k].hits) if k in at else "" for at in (run.exact_at, run.tree_at)),
        _took(run.costs_of_each),
    )


def _took(each: Costs | None) -> str:
    """What one of the bugs that a run repaired took, as far as it is known."""
    if each is None:
        return "–"
    parts = (
        "" if each.seconds is None else f"{each.seconds:.1f} s",
        "" if each.tokens_written is None else f"{each.tokens_written:.0f} tokens",
        f"{each.gpu_hours:.3g} GPU-h" if each.gpu_hours else "",
        "" if each.money is None else f"{each.money:.4g} {escape(printable(each.currency))}".strip(),
    )
    return ", ".join(filter(None, parts))


def as_values(compared: Compared) -> dict[str, Any]:
    """A comparison as plain values: the figures of each run, the counts of two, and every bug."""
    pair = compared.pair
    return {
        "k": compared.k,
        "common_bugs": compared.common,
        "runs": [
            asdict(run) | {"seconds": run.seconds, "seconds_for_each": run.seconds_for_each} for run in compared.runs
        ],
        **({**asdict(pair), "p_value": pair.p_value} if pair else {}),
        "bugs": [bug._asdict() for bug in compared.bugs],
    }
