"""Several runs: the queue, whose order can be changed, the stages of a group, and runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.rounds import PREFIX as ROUNDS
from engine.control.sweeps import Compared
from engine.control.views import RunView, Standing
from studio.addresses import link
from studio.charts import SERIES
from studio.clickable import pick
from studio.forms.fields import text_of
from studio.html.basics import bar, brief, esc, state
from studio.html.guide import MARKS

MOST_WAITING = 50  # runs of the queue that are listed
MOST_FIGURES = 6  # columns of the table beside the chosen one
DOES = {"benchmark": "write patches", "dataset": "keep what passes", "train": "train"}  # kind of run -> in a round
SHOWN = ("eval_loss", "train_loss", "plausible@1", "plausible@10", "repaired by attempt 10", "tokens_per_s", "seconds")


def waiting(queue: Sequence[Standing]) -> str:
    """The queue in its order, each run with buttons that move it; nothing if no run waits."""
    if not queue:
        return ""
    rows = "".join(_waiting_row(run, place, len(queue)) for place, run in enumerate(queue[:MOST_WAITING], 1))
    others = len(queue) - MOST_WAITING
    more = f'<p class="dim">and {others:,} more</p>' if others > 0 else ""
    return f'<section class="waiting"><h3>Queue</h3><ol>{rows}</ol>{more}</section>'


def _waiting_row(run: Standing, place: int, last: int) -> str:
    buttons = "".join(
        f'<button type="button" class="small" {pick(f"{to}:{run.id}")} title="{title}" '
        f'aria-label="{title}: {esc(run.name)}"{" disabled" if is_there else ""}>{sign}</button>'
        for to, sign, title, is_there in (
            ("first", "first", "Start it first", place == 1),
            ("up", "↑", "One place up", place == 1),
            ("down", "↓", "One place down", place == last),
        )
    )
    return (
        f'<li><span class="num">{place}</span><a href="?run={run.id}">{esc(run.name)}</a>'
        f'<span class="dim">run {run.id}</span><span class="moves">{buttons}</span></li>'
    )


def stages(group: Sequence[RunView], shown: int) -> str:
    """The runs of a group in their order as stages, each a link; `shown`: the number of the one that is shown."""
    if len(group) < 2:
        return ""
    counted = sum(run.state == "done" for run in group)
    steps = "".join(_stage(place, run, is_shown=run.id == shown) for place, run in enumerate(group, 1))
    return (
        f'<section class="group-stages"><h3>{esc(group[0].group)}'
        f'<span class="dim">{counted} of {len(group)} runs done</span></h3><ol class="stages">{steps}</ol></section>'
    )


def _stage(place: int, run: RunView, *, is_shown: bool) -> str:
    said = run.error or run.outcome or run.reached or (run.progress if run.state == "running" else run.state)
    return (
        f'<li class="stage s-{esc(run.state)}{" shown" if is_shown else ""}">'
        f'<a href="?run={run.id}"{" aria-current=true" if is_shown else ""}>'
        f'<i aria-hidden="true">{MARKS.get(run.state, place)}</i><span><b>{esc(_title(place, run))}</b>'
        f'<span class="dim">{esc(brief(said))}</span></span>{bar(run.fraction) if run.is_active else ""}</a></li>'
    )


def _title(place: int, run: RunView) -> str:
    """What a stage of rounds does; of any other group, the name of the run."""
    if not run.group.startswith(ROUNDS) or run.kind not in DOES:
        return run.name
    return f"Round {(place + len(DOES) - 1) // len(DOES)}: {DOES[run.kind]}"


def beside(compared: Compared) -> str:
    """A table: a row for each run in the colour of its curve, the settings that differ, and its figures.

    A click on a figure's name marks the best run by it.
    """
    figures = [name for name in SHOWN if name in compared.figures and name != compared.metric]
    names = [*filter(None, [compared.metric]), *figures[:MOST_FIGURES]]
    heads = [
        *(f'<th scope="col">{esc(path)}</th>' for path in compared.settings),
        *(_figure_head(name, is_metric=name == compared.metric) for name in names),
    ]
    rows = []
    for at, run in enumerate(compared.runs):
        color = f' style="background:{SERIES[at]}"' if at < len(SERIES) else ""
        is_best = run.id == compared.best
        cells = [f"<td>{esc(_shown(values[at]))}</td>" for values in compared.settings.values()]
        cells += [f'<td class="num">{_figure(compared.figures[name][at])}</td>' for name in names]
        rows.append(
            f'<tr{" class=best" if is_best else ""}><th scope="row"><i class="swatch"{color}></i>'
            f'<a href="?run={run.id}">{esc(run.name)}</a> <span class="dim">run {run.id}</span>'
            f"{' <b>best</b>' if is_best else ''}</th>"
            f"<td>{state(run.state)}</td>{''.join(cells)}"
            f'<td><button type="button" class="small" {pick(str(run.id))} aria-label="Remove {esc(run.name)}">✕'
            "</button></td></tr>"
        )
    said = "" if compared.settings else '<p class="dim">They have the same settings.</p>'
    top = f'<tr><th scope="col">run</th><th scope="col">state</th>{"".join(heads)}<th aria-label="remove"></th></tr>'
    table = f'<table class="plain-table several"><thead>{top}</thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<div class="scroll-x" tabindex="0">{table}</div>{said}'


def _figure_head(name: str, *, is_metric: bool) -> str:
    pressed = str(is_metric).lower()
    return (
        f'<th scope="col"><button type="button" class="head" {pick(f"by:{name}")} aria-pressed="{pressed}" '
        f'title="Mark the best run by this figure">{esc(name.replace("_", " "))}</button></th>'
    )


def whole_group(name: str, others: Sequence[int], shown: int) -> str:
    """A link that shows a sweep's runs side by side."""
    address = link(run=shown, **{"with": ",".join(map(str, others))})
    opens = f'<a href="{esc(address)}">Show them side by side</a>'
    return f'<p class="origin">One of {len(others) + 1} runs of {esc(name)}. {opens}</p>'


def _shown(value: object) -> str:
    return "" if value is None else text_of(value)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
