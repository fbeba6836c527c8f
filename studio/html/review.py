"""The review of one patch as HTML: a button for each verdict, the way to the next, and what others said of it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.reviews import VERDICTS, PatchReviews, Reviewed
from engine.scoring import Agreement
from studio.clickable import pick
from studio.html.basics import esc, when
from studio.html.patch_table import patch_key

SIGNS = {"correct": "✓", "incorrect": "✗", "unsure": "?"}
WITHDRAW = "withdraw"  # what the button of one's own verdict says when it is pressed again
KAPPA = "Cohen's kappa: 1 is complete agreement, 0 is what chance gives"


def verdicts(run: int, key: str, found: PatchReviews) -> str:
    """The buttons below a patch, which `key` names."""
    chosen = found.mine.verdict if found.mine else ""
    buttons = ""
    if found.is_plausible:
        buttons = "".join(_button(run, key, verdict, at, verdict == chosen) for at, verdict in enumerate(VERDICTS, 1))
    return f'<div class="say">{buttons}{_steps(found)}</div>'


def others(key: str, found: PatchReviews) -> str:
    """What others said of it, folded away until one's own verdict is given; and how far reviewers agree in this run."""
    return _others(key, found.others, is_open=bool(found.mine)) + _agreements(found.agreements)


def read_verdict(value: str) -> tuple[str, int, str] | None:
    """(verdict or WITHDRAW, run, key of the patch) of a click on one of the verdicts; None of any other click."""
    verdict, _, rest = value.partition(":")
    run, _, key = rest.partition(":")
    is_one = verdict in (*VERDICTS, WITHDRAW) and run.isascii() and run.isdecimal() and len(run) < 12
    return (verdict, int(run), key) if is_one else None


def _button(run: int, key: str, verdict: str, place: int, is_chosen: bool) -> str:
    """It names the patch that it is drawn below: a key pressed while another one loads is for the one in sight.

    It names what it does as well: a second press that comes before the first is drawn gives the verdict once more.
    """
    does, hint = (WITHDRAW, ", press again to withdraw it") if is_chosen else (verdict, "")
    return (
        f'<button type="button" class="r-{verdict}" aria-pressed="{str(is_chosen).lower()}" data-press="{place}" '
        f'title="{verdict.capitalize()} (key {place}){hint}" {pick(f"{does}:{run}:{key}")}>'
        f"<i>{SIGNS[verdict]}</i>{verdict.capitalize()}<kbd>{place}</kbd></button>"
    )


def _steps(found: PatchReviews) -> str:
    words = f"{found.left} left" if found.left else "all reviewed"
    hint = "Plausible patches of this run that you have not reviewed"
    before = _step(found.before, "ArrowLeft", "Previous unreviewed patch", "←")
    after = _step(found.after, "ArrowRight", "Next unreviewed patch", "→")
    return f'<nav>{before}<span title="{hint}">{words}</span>{after}</nav>'


def _step(place: tuple[str, int] | None, press: str, label: str, sign: str) -> str:
    goes = "disabled" if place is None else pick(patch_key(place[0], "model", place[1]))
    return (
        f'<button type="button" class="small" aria-label="{label}" title="{label} (key {sign})" '
        f'data-press="{press}" {goes}>{sign}</button>'
    )


def _others(key: str, others: Sequence[Reviewed], *, is_open: bool) -> str:
    if not others:
        return ""
    said = "".join(
        f'<li><b class="r-{esc(each.verdict)}">{SIGNS.get(each.verdict, "")} {esc(each.verdict)}</b>'
        f'<span>{esc(each.reviewer)}</span><span class="dim">{when(each.at)}</span>'
        + (f"<p>{esc(each.note)}</p>" if each.note else "")
        + "</li>"
        for each in others
    )
    words = "1 other review" if len(others) == 1 else f"{len(others)} other reviews"
    return (
        f'<details class="others" data-key="others {esc(key)}"{" open" if is_open else ""}>'
        f'<summary title="Shown once you have given yours">{words}</summary><ul>{said}</ul></details>'
    )


def _agreements(found: Sequence[Agreement]) -> str:
    if not found:
        return ""
    pairs = "".join(
        f"<span>{esc(each.first)} and {esc(each.second)}: "
        f"κ {'is not defined' if each.kappa is None else f'= {each.kappa:.2f}'}, "
        f"{each.same} of {each.both} {'patch' if each.both == 1 else 'patches'} alike</span>"
        for each in found
    )
    return f'<p class="agreements" title="{KAPPA}" tabindex="0">{pairs}</p>'
