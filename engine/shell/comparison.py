"""What a shell shows of runs side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.control.compare import Compared, ComparedRun
from engine.shell.follow import printable


def show_comparison(compared: Compared, console: Console, *, as_json: bool) -> None:
    """Figures of each run on the common bugs, and for two runs which bugs only one of them repairs."""
    if as_json:
        print(json.dumps(as_values(compared)))
        return
    last = compared.k
    table = Table("run", "model", f"plausible@{last}", "95 % interval", "pass@1", "seconds for each bug repaired")
    for run in compared.runs:
        table.add_row(str(run.run), escape(printable(run.model)), *_figures(run, last))
    console.print(table)
    console.print(f"{compared.common} bugs are scored by all of them; only these count here", highlight=False)
    if pair := compared.pair:
        first, second = (run.run for run in compared.runs)
        console.print(
            f"repaired by both {pair.both}, only by run {first} {pair.only_first}, only by run {second} "
            f"{pair.only_second}, by neither {pair.neither}; McNemar's exact test: p = {pair.p_value:.3g}",
            highlight=False,
            soft_wrap=True,
        )


def _figures(run: ComparedRun, k: int) -> tuple[str, str, str, str]:
    share = run.plausible_at[k]
    low, high = share.interval
    one, seconds = run.pass_at.get(1), run.seconds_for_each
    return (
        f"{share.hits} of {share.total} ({share.fraction:.0%})",
        f"{low:.0%} to {high:.0%}",
        f"{one.value:.1%}" if one else "",
        f"{seconds:.1f}" if seconds is not None else "",
    )


def as_values(compared: Compared) -> dict[str, Any]:
    """A comparison as plain values: the figures of each run, the counts of two, and every bug."""
    pair = compared.pair
    return {
        "k": compared.k,
        "common_bugs": compared.common,
        "runs": [asdict(run) | {"seconds_for_each": run.seconds_for_each} for run in compared.runs],
        **({**asdict(pair), "p_value": pair.p_value} if pair else {}),
        "bugs": [bug._asdict() for bug in compared.bugs],
    }
