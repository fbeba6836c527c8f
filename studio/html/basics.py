"""Engine values as small pieces of HTML: chips, badges, tiles, bars, empty states; every text is escaped here."""

from __future__ import annotations

import html
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from engine import specs
from engine.control.views import RunView
from engine.domain import Outcome
from engine.specs import waits_for_people
from studio.clickable import pick

GLYPHS = {
    Outcome.PLAUSIBLE: ("✓", "plausible", "passed every test"),
    Outcome.TEST_FAILED: ("✗", "test failed", "compiled, but a test failed"),
    Outcome.COMPILE_ERROR: ("C", "compile error", "not a valid program"),
    Outcome.TIMEOUT: ("T", "timeout", "its tests took too long and were stopped"),
    Outcome.NO_PATCH: ("–", "no patch", "what the model wrote contains no usable patch"),
    Outcome.NOT_RUN: ("·", "not run", "its tests could not be run here; never counted against the model"),
}
KINDS = {kind: spec.title for kind, spec in specs.KINDS.items()}  # the label of each kind of run
GIB, MIB = 1 << 30, 1 << 20


def esc(value: object) -> str:
    """Any value as text, escaped for HTML."""
    return html.escape(str(value))


def size(n_bytes: float) -> str:
    """A number of bytes in GiB, MiB or KiB."""
    if n_bytes >= GIB:
        return f"{n_bytes / GIB:.1f} GiB"
    return f"{n_bytes / MIB:.0f} MiB" if n_bytes >= MIB else f"{n_bytes / 1024:.0f} KiB"


def count(number: float) -> str:
    """1234567 as 1.23 M."""
    for limit, unit in ((1e9, "B"), (1e6, "M")):
        if number >= limit:
            return f"{number / limit:.2f} {unit}"
    return f"{number:,.0f}"


def duration(seconds: float) -> str:
    """Seconds as 45 s, 3 min 12 s, 2 h 05 min."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s" if whole < 3600 else f"{whole // 3600} h {whole // 60 % 60:02d} min"


def brief(text: str) -> str:
    """The first 120 characters of a text, for a card; an ellipsis says that there is more."""
    return text if len(text) <= 120 else f"{text[:119].rstrip()}…"


def shortened(prompt_tokens: int | None, whole_tokens: int | None) -> str:
    """How much of a prompt was left out so that it fits the model; empty if nothing was."""
    if whole_tokens is None:
        return ""
    return f"prompt shortened from {whole_tokens:,} to {prompt_tokens or 0:,} tokens"


def when(epoch_seconds: float) -> str:
    """A time of today as hours and minutes, any other with its day."""
    try:
        moment, now = time.localtime(epoch_seconds), time.localtime()
    except (OverflowError, ValueError, OSError):  # no such year
        return "at an unknown time"
    return time.strftime("%H:%M" if moment[:3] == now[:3] else "%d %b %H:%M", moment)


def glyph(outcome: str) -> str:
    """One character for an outcome, readable without colour."""
    return GLYPHS[Outcome(outcome)][0] if outcome in set(Outcome) else "·"


def verdict(outcome: str, reason: str = "") -> str:
    """An outcome as a badge: colour, glyph and words."""
    if outcome not in set(Outcome):
        return ""
    sign, words, meaning = GLYPHS[Outcome(outcome)]
    more = f": {esc(reason)}" if reason else ""
    return f'<span class="verdict v-{esc(outcome)}" title="{meaning}"><b>{sign}</b> {words}{more}</span>'


def state(name: str, doing: str = "") -> str:
    """A run's state as a chip; for a running one, `doing` replaces the word."""
    words = doing if doing and name == "running" else name
    return f'<span class="chip s-{esc(name if words != "ready" else "idle")}"><i></i>{esc(words)}</span>'


def bar(fraction: float | None, *, is_live: bool = True) -> str:
    """A progress bar; without a fraction it is animated while `is_live`."""
    if fraction is None:
        return f'<div class="bar {"unknown" if is_live else ""}"><i></i></div>'
    percent = round(100 * fraction, 1)
    return f'<div class="bar" role="progressbar" aria-valuenow="{percent:.0f}"><i style="width:{percent}%"></i></div>'


def empty(title: str, text: str, *steps: tuple[str, str]) -> str:
    """A placeholder: what will be shown here, and the next `steps`, each as its words and the address that it opens."""
    links = "".join(f'<a class="button" href="{esc(address)}">{esc(words)}</a>' for words, address in steps)
    after = f'<p class="after">{links}</p>' if links else ""
    return f'<div class="empty"><h3>{esc(title)}</h3><p>{esc(text)}</p>{after}</div>'


def complaint(words: str, wrong: Sequence[str] = ()) -> str:
    """What is wrong, in a sentence; `wrong`: the classes of the fields it is about, which the page marks."""
    marks = f' data-wrong="{esc(" ".join(wrong))}"' if wrong else ""
    return f'<p class="complaint" role="alert"{marks}>{esc(words)}</p>'


def heading(title: str, text: str = "") -> str:
    """The title of a part of a page, and one sentence about it."""
    more = f"<p>{esc(text)}</p>" if text else ""
    return f'<div class="heading"><h2>{esc(title)}</h2>{more}</div>'


def tiles(figures: Iterable[tuple[str, str, str]]) -> str:
    """(figure, what it is, one line of help) side by side."""
    made = (
        f'<div class="tile" title="{esc(hint)}"><b>{esc(figure)}</b><span>{esc(what)}</span></div>'
        for figure, what, hint in figures
    )
    return f'<div class="tiles">{"".join(made)}</div>'


def copy_link() -> str:
    """A button that copies the address of what is shown."""
    return '<button type="button" class="small" data-copy-link title="The address of what is shown">Copy link</button>'


def copyable(text: str, label: str) -> str:
    """A block of text with a button that copies it."""
    return (
        f'<div class="copyable"><header><span>{esc(label)}</span><button type="button" data-copy>Copy</button></header>'
        f'<pre tabindex="0">{esc(text)}</pre></div>'
    )


def share_bars(shares: Mapping[str, int]) -> str:
    """Names with counts as horizontal bars, the largest first."""
    most = max(shares.values(), default=1)
    ordered = sorted(shares.items(), key=lambda share: -share[1])
    rows = (
        f'<div><span>{esc(name.replace("_", " "))}</span><i style="width:{100 * number / most:.1f}%"></i>'
        f"<b>{number:,}</b></div>"
        for name, number in ordered
    )
    return f'<div class="shares">{"".join(rows)}</div>'


# -- runs -----------------------------------------------------------------------------------------------------


def clock(since: float) -> str:
    """The time since `since` (seconds since the epoch), as HTML; the page's script counts it."""
    return f'<time data-since="{since:.3f}"></time>'


def took(run: RunView) -> str:
    """How long a run has worked in all, as HTML; while it is running, the page's script counts the seconds."""
    if not run.started_at:
        return ""
    if run.seconds is not None:
        return duration(run.seconds)
    return clock(run.started_at - run.seconds_before)


def doing(run: RunView) -> str:
    """What a run is doing, waits for, or has produced, in a few words."""
    if run.has_ended:
        return run.outcome or run.reached
    return run.waits or run.progress or "loading"


def run_strip(run: RunView, *, is_linked: bool = True, more: str = "") -> str:
    """One run in a line or two: name, state, progress, error; `more`: HTML of its actions."""
    opens = f'<a href="?run={run.id}">open run</a>' if is_linked else ""
    wrong = "".join(f'<p class="complaint" role="alert">{esc(said)}</p>' for said in (run.error, run.unread) if said)
    progress = bar(run.fraction) if _has_bar(run) else ""
    asked = f"; asked {clock(run.stop_asked_at)} ago" if run.state == "stopping" and run.stop_asked_at else ""
    return (
        f'<div class="strip"><div class="strip-line"><b>{esc(run.name)}</b><span class="dim">run {run.id}</span>'
        f'{state(run.state)}<span class="dim grow">{esc(doing(run))}{asked}</span>'
        f'<span class="dim">{esc(run.where)}</span>{spent(run)}<span class="num dim">{took(run)}</span>'
        f"{opens}{more}</div>{note(run)}{progress}{wrong}</div>"
    )


def spent(run: RunView) -> str:
    """GPU-hours and price of a run so far, as HTML; empty where its launcher has no price."""
    if run.costs is None or run.costs.money is None:
        return ""
    hours = f"{run.costs.gpu_hours:,.3g} GPU-h, " if run.costs.gpu_hours else ""
    cost = "" if run.costs.currency else "cost "  # a number alone would not say what it is
    words = f"{hours}{cost}{price(run.costs.money, run.costs.currency)}"
    return f'<span class="num dim" title="so far, without the time in a queue">{esc(words)}</span>'


def price(amount: float, currency: str) -> str:
    """At least two decimals, and as many as a small amount needs."""
    return f"{amount:,.2f} {currency}".strip() if amount >= 1 or not amount else f"{amount:.2g} {currency}".strip()


def note(run: RunView) -> str:
    """What a user wrote about a run, as HTML."""
    return f'<p class="note">{esc(run.note)}</p>' if run.note else ""


def _has_bar(run: RunView) -> bool:
    """Whether a run shows a progress bar; a loaded model waits for questions and has none."""
    return run.state in ("starting", "running", "stopping") and not waits_for_people(run.kind)


def run_list(runs: Iterable[RunView], chosen: int, beside: Collection[int] = ()) -> str:
    """Runs as cards, newest first; a click chooses one, a click on its sign shows it beside the chosen one."""
    cards = "".join(
        f'<div class="card-row">{_run_card(run, is_chosen=run.id == chosen)}{_beside(run, run.id in beside)}</div>'
        if run.id != chosen
        else _run_card(run, is_chosen=True)
        for run in runs
    )
    return f'<div class="cards">{cards}</div>'


def _beside(run: RunView, is_beside: bool) -> str:
    """The sign by which a run is compared with the chosen one."""
    title = "Compare no more" if is_beside else "Compare with the chosen run"
    return (
        f'<button type="button" class="small beside-sign" aria-pressed="{str(is_beside).lower()}" '
        f'{pick(f"with:{run.id}")} title="{title}" aria-label="{title}: {esc(run.name)}">⇄</button>'
    )


def _run_card(run: RunView, *, is_chosen: bool) -> str:
    facts = [
        KINDS.get(run.kind, esc(run.kind)),
        f"run {run.id}",
        esc(run.group),
        when(run.created_at),
        took(run),
        spent(run),
    ]
    words = run.outcome or brief(run.error) or run.reached
    outcome = f'<span class="said">{esc(words)}</span>' if words else ""
    outcome += f'<span class="said noted">{esc(brief(run.note))}</span>' if run.note else ""
    pressed = 'chosen" aria-pressed="true"' if is_chosen else '" aria-pressed="false"'
    return (
        f'<button type="button" class="card {pressed} {pick(str(run.id))}>'
        f'<span class="card-top"><b>{esc(run.name)}</b>{state(run.state)}</span>'
        f'{outcome}<span class="dim">{" · ".join(filter(None, facts))}</span>'
        f"{bar(run.fraction) if _has_bar(run) else ''}</button>"
    )
