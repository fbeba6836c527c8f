"""What is said of one run beside its state: what its model is made from, what looks wrong, what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.lineage import Stage
from engine.curve_warnings import CurveWarning
from studio.addresses import link
from studio.html.basics import copy_link, esc


def made_from(stages: Sequence[Stage]) -> str:
    """What the model of a run was trained or merged from, with links to the runs that made it; empty for any other."""
    if not stages:
        return ""
    named = [
        f'<a href="{link(run=each.run_id)}">{esc(each.words)}</a>' if each.run_id else esc(each.words)
        for each in stages
    ]
    return f'<p class="origin">Made from {" ← ".join(named)}</p>'


def cautions(found: Sequence[CurveWarning]) -> str:
    """What looks wrong in the curves of a training."""
    return "".join(f'<p class="caution" role="note"><b>Step {each.step:,}:</b> {esc(each.text)}</p>' for each in found)


def action_links(found: Sequence[tuple[str, str]]) -> str:
    """The actions of a run as links that look like buttons."""
    links = "".join(f'<a class="button" href="{esc(address)}">{esc(words)}</a>' for words, address in found)
    return f'<p class="after">{links}{copy_link()}</p>'
