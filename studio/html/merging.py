"""A merge as HTML: what was merged into what, and how closely the result answers like the adapter."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine import results
from engine.control.views import RunView
from engine.results import MergeResult
from studio.addresses import link
from studio.html.basics import esc, run_strip


@dataclass(frozen=True)
class Parity:
    """How closely the merged model's answers match the adapter's."""

    usable: bool
    largest_difference: float  # of any output number of the two
    tolerance: float
    same_patches: int
    bugs: int

    @classmethod
    def of(cls, run: RunView) -> Parity | None:
        """None if the merge is not done."""
        if run.state != "done" or not run.result:
            return None
        try:
            found: MergeResult = results.read("merge", run.result)
        except ValueError:
            return None
        numbers = (found.max_logit_difference, found.tolerance)
        difference, tolerance = (math.nan if number is None else number for number in numbers)
        return cls(found.usable, difference, tolerance, found.same_patches, found.bugs)


def parity_check(parity: Parity) -> str:
    """The result of a finished merge's check, in two large lines."""
    if not parity.usable:
        look, words = "bad", "It does not answer like the adapter, so it cannot be chosen on other pages."
    elif parity.same_patches != parity.bugs:
        look = "caution"
        words = (
            "Caution: the numbers agree up to rounding, but not all patches are the same. It can be chosen on other "
            "pages; benchmark it before you rely on it."
        )
    else:
        look, words = "good", "It answers like the adapter and can be chosen on other pages."
    return (
        f'<div class="parity {look}">'
        f'<p><b class="num">{parity.largest_difference:.1e}</b> <span>largest difference of any output '
        f"number (logit) between the two; up to {parity.tolerance:.1e} is rounding</span></p>"
        f'<p><b class="num">{esc(parity.same_patches)} of {esc(parity.bugs)}</b> '
        f'<span>bugs get the same patch from both</span></p><p class="dim">{words}</p></div>'
    )


def lineage(run: RunView) -> str:
    """What was merged into what."""
    return (
        f'<p class="lineage"><span>{esc(run.spec.get("adapter", ""))}</span><i>into its base model, in '
        f"{esc(run.spec.get('dtype', ''))} →</i><b>{esc(run.name)}</b></p>"
    )


def section(run: RunView) -> str:
    """One merge: its progress, what was merged, the check, and links to use the result."""
    parity = Parity.of(run)
    if parity is None:
        return f"<section>{run_strip(run)}{lineage(run)}</section>"
    after = "".join(
        f'<a class="button" href="{esc(address)}">{words}</a>'
        for address, words in (
            (link(tab="patches", use=f"model:{run.name}"), "Benchmark it"),
            (link(tab="chat", use=f"model:{run.name}"), "Chat with it"),
        )
    )
    more = f'<p class="after">{after}</p>' if parity.usable else ""
    return f"<section>{run_strip(run)}{lineage(run)}{parity_check(parity)}{more}</section>"
