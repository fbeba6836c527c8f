"""What is said of one run beside its state: what its model is made from, what looks wrong, what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.lineage import Stage
from engine.curve_warnings import CurveWarning
from engine.shard_states import ShardState, in_sight, summary
from studio.addresses import link
from studio.html.basics import copy_link, esc, state

MOST_SHARDS, MOST_CELLS = 8, 1000  # that have a row, and a cell


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


def shards(found: Sequence[ShardState]) -> str:
    """What each of the workers does that share a run: a cell for each, a row for those of which there is more to say.

    Empty for a run that one worker does.
    """
    if not found:
        return ""
    cells = "".join(
        f'<i class="s-{each.state}" style="--part:{each.share:.0%}" title="shard {each.number}: {each.state}, '
        f'{each.share:.0%}"></i>'
        for each in found[:MOST_CELLS]
    )
    rows = "".join(
        f'<tr><th scope="row">shard {each.number}</th><td>{state(each.state)}</td><td>{each.share:.0%}</td>'
        f"<td>{_beside(each)}</td></tr>"
        for each in in_sight(found, MOST_SHARDS)
    )
    table = f'<table class="plain-table groups"><tbody>{rows}</tbody></table>' if rows else ""
    return f'<div class="shards-of"><p>{esc(summary(found))}</p><div class="cells">{cells}</div>{table}</div>'


def _beside(shard: ShardState) -> str:
    again = f"started {shard.starts} times" if shard.starts > 1 else ""
    return esc("; ".join(filter(None, (shard.where, shard.why, again))))
