"""The story of a repair as HTML: attempts with what each changes and what failed, hints, what the model was told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.control.chat_views import View
from engine.control.turns import LONGEST_COMPARED, ShownTurn
from engine.representations.answers.order import ADDED, HOW, WHERE
from engine.strategies.messages import is_for_people
from studio.clickable import pick
from studio.html import code
from studio.html.basics import esc, verdict
from studio.html.diff import diff

MOST_SHOWN = 20_000  # characters of one text; all of it is in the exported file
LONGEST_HINT = 4000  # characters


@dataclass(frozen=True)
class Attempt:
    """An answer of the model with the one before it in the same branch."""

    turn: ShownTurn
    number: int  # from 1
    before: ShownTurn | None  # the last one that has a patch
    said_before: ShownTurn | None  # the last one at all
    is_last: bool


def attempts(view: View) -> dict[int, Attempt]:
    """Number of a turn -> the attempt; an answer that was stopped, or that failed before it was judged, is none."""
    answers = [turn for turn in view.turns if turn.role == "assistant" and (turn.has_patch or turn.outcome)]
    found, patched, last = {}, None, None
    for number, turn in enumerate(answers, 1):
        found[turn.number] = Attempt(turn, number, patched, last, turn is answers[-1] and not view.is_busy)
        patched, last = turn if turn.has_patch else patched, turn
    return found


def story(view: View) -> Iterator[str]:
    """Each turn of the shown branch."""
    known = attempts(view)
    siblings = {number: group for group in view.branches for number in group}
    for turn in view.turns:
        ways = _ways(turn.number, siblings.get(turn.number, ()), view)
        if turn.number in known:
            yield _switch(known[turn.number]) + _attempt(known[turn.number], view, ways)
        elif turn.role == "user":
            yield _hint(turn, view, ways)
        elif turn.is_explanation:
            yield _explanation(turn, view, ways)
        elif turn.role == "assistant":
            yield _no_answer(turn, view, ways)
        else:
            yield _told(turn, view, ways)


def end(view: View) -> str:
    """How it stands: what was repaired at which attempt, whatever was tried after it, with the whole patch."""
    tried = list(attempts(view).values())
    if view.is_busy or not tried:
        return ""
    last = tried[-1]
    repaired = next((each for each in reversed(tried) if each.turn.outcome == "plausible"), None)
    if repaired is not None:
        later = last.number - repaired.number
        after = f"{later} attempt{'' if later == 1 else 's'} after it did not pass. " if later else ""
        whole = ""
        if last.number > 1:
            changed = _changes(view.buggy, repaired.turn, view.path)
            whole = f"<h4>The whole patch against the buggy code</h4>{changed}" if changed else ""
        return (
            f'<div class="end good"><p>✓ Repaired at attempt {repaired.number}: every test passes.</p>'
            f'<p class="dim">{after}Plausible is not correct: read the patch.</p>{whole}</div>'
        )
    tries = "1 attempt" if last.number == 1 else f"{last.number} attempts"
    if view.turns[-1].role == "tool" and is_for_people(view.turns[-1].text):  # it says why there was no other answer
        return f'<p class="end">Not repaired in {tries}. Write a hint, then press Repair.</p>'
    return f'<p class="end">Not repaired in {tries}. Press Repair to continue.</p>'


def cut(text: str) -> tuple[str, str]:
    """(the beginning of a text, a note about what is not shown)."""
    if len(text) <= MOST_SHOWN:
        return text, ""
    left = len(text) - MOST_SHOWN
    return text[:MOST_SHOWN], f'<p class="dim">{left:,} more characters are in the exported file.</p>'


def _attempt(attempt: Attempt, view: View, ways: str) -> str:
    turn = attempt.turn
    is_good = turn.outcome == "plausible"
    is_open = is_good or attempt.is_last
    key = f"attempt-{turn.number}{'-last' if attempt.is_last else ''}"  # what was folded by hand stays so
    failure = f'<code class="failed">{esc(turn.failure)}</code>' if turn.failure and not is_good else ""
    badge = verdict(turn.outcome) if turn.outcome else ""
    if not turn.has_patch:
        failure = f'<span class="failed">No usable code: {esc(turn.reason or "the answer is empty")}</span>'
    return (
        f'<details class="turn assistant{" good" if is_good else ""}" data-key="{key}"{" open" if is_open else ""}>'
        f"<summary><b>Attempt {attempt.number}</b>{badge}{ways}{failure}</summary>{_patch(attempt, view)}"
        f"{_rule(turn)}<div class='texts'>{_whole(attempt, view)}{_texts(turn)}</div>"
        f"<footer>{_again(turn, view)}{_go_on(turn, view)}</footer></details>"
    )


def _patch(attempt: Attempt, view: View) -> str:
    turn, before = attempt.turn, attempt.before
    if not turn.has_patch:
        text, more = cut(turn.text)
        return f"<pre>{esc(text)}</pre>{more}"
    if not view.buggy:
        return '<p class="dim">The bug is no longer in its benchmark, so its code cannot be compared.</p>'
    if before is None or before.patch is None:
        return f"<h4>What it changes in {esc(view.path)}</h4>{_changes(view.buggy, turn, view.path)}"
    number = next(each.number for each in attempts(view).values() if each.turn is before)
    if before.patch == turn.patch:
        step = f'<p class="dim">The same patch as attempt {number}.</p>'
    else:
        step = _changes(before.patch, turn, view.path)
    again = '<p class="dim">It is the buggy code again.</p>' if turn.patch == view.buggy else ""
    return f"<h4>What it changes against attempt {number}</h4>{again}{step}"


def _whole(attempt: Attempt, view: View) -> str:
    """Against the buggy code, where the story shows what it changes against another attempt."""
    if attempt.before is None or not attempt.turn.has_patch:
        return ""
    whole, key = _changes(view.buggy, attempt.turn, view.path), f'data-key="whole-{attempt.turn.number}"'
    return f"<details {key}><summary>Against the buggy code</summary>{whole}</details>" if whole else ""


def _changes(old: str, turn: ShownTurn, path: str) -> str:
    """A patch against another state of the file, if both are short enough to be compared."""
    if not old or turn.patch is None:
        return ""
    if max(len(old), len(turn.patch)) > LONGEST_COMPARED:
        return f'<p class="dim">A patch of {len(turn.patch):,} characters is not compared here; export it.</p>'
    return diff(old, turn.patch, path)


def _texts(turn: ShownTurn) -> str:
    texts = [("text", "What the model wrote", turn.text if turn.has_patch else "")]
    texts += [("log", "Test log", turn.log), ("prompt", "What the model read", turn.prompt)]
    return "".join(_folded(f"{key}-{turn.number}", title, text) for key, title, text in texts if text)


def _folded(key: str, title: str, text: str) -> str:
    shown, more = cut(text)
    return f'<details data-key="{key}"><summary>{title}</summary>{code.log(shown)}{more}</details>'


def _rule(turn: ShownTurn) -> str:
    words = rule_in_words(turn.rule)
    return f'<p class="dim">Its code was taken from {esc(words)}.</p>' if words and turn.has_patch else ""


def rule_in_words(rule: str) -> str:
    """`fence:function+imports` as words; empty for an answer that is nothing else than code."""
    where, _, how = rule.partition(":")
    how, *added = how.split("+")
    if not where:
        return ""
    with_what = [f"with {ADDED[f'+{each}']}" for each in added if f"+{each}" in ADDED]
    return ", ".join([WHERE.get(where, where), *([f"as {HOW.get(how, how)}"] if how else []), *with_what])


def _hint(turn: ShownTurn, view: View, ways: str) -> str:
    shown, more = cut(turn.text)
    edit = "" if view.is_busy else (
        f'<details data-key="edit-{turn.number}"><summary>Edit</summary><form data-do="hint">'
        f'<input type="hidden" name="turn" value="{turn.number}">'
        f'<textarea name="text" rows="2" maxlength="{LONGEST_HINT}" data-draft="hint-{view.id}-{turn.number}" '
        f'aria-label="The hint">{esc(turn.text[:LONGEST_HINT])}</textarea>'
        '<button class="small">Send again</button><span class="dim">starts another branch; this one stays</span>'
        "</form></details>"
    )  # fmt: skip
    return (
        f'<div class="turn user"><header><b>You</b>{ways}</header><pre>{esc(shown)}</pre>{more}'
        f"<footer>{edit}{_go_on(turn, view)}</footer></div>"
    )


def _explanation(turn: ShownTurn, view: View, ways: str) -> str:
    shown, more = cut(turn.text)
    prompt = _folded(f"prompt-{turn.number}", "What the model read", turn.prompt) if turn.prompt else ""
    return (
        f'<div class="turn assistant"><header><b>What the model takes for the cause</b>{ways}</header>'
        f"<pre>{esc(shown)}</pre>{more}<div class='texts'>{prompt}</div>"
        f"<footer>{_again(turn, view)}{_go_on(turn, view)}</footer></div>"
    )


def _no_answer(turn: ShownTurn, view: View, ways: str) -> str:
    """An answer that was stopped, or could not be asked for: why, and what was written of it."""
    shown, more = cut(turn.text)
    written = f"<pre>{esc(shown)}</pre>{more}" if turn.text else ""
    prompt = _folded(f"prompt-{turn.number}", "What the model read", turn.prompt) if turn.prompt else ""
    return (
        f'<div class="turn tool"><header><b>No answer</b><span>{esc(turn.reason)}</span>{ways}</header>{written}'
        f"<div class='texts'>{prompt}</div><footer>{_go_on(turn, view)}</footer></div>"
    )


def _told(turn: ShownTurn, view: View, ways: str) -> str:
    if is_for_people(turn.text):
        return f'<div class="turn tool"><header><b>Studio</b>{ways}</header><pre>{esc(turn.text)}</pre></div>'
    shown, more = cut(turn.text)
    first = turn.text.partition("\n\n")[0].strip().splitlines()
    return (
        f'<details class="turn tool" data-key="told-{turn.number}"><summary><b>Told to the model</b>{ways}'
        f'<code class="failed">{esc(first[-1][:200] if first else "")}</code></summary><pre>{esc(shown)}</pre>{more}'
        f"</details>"
    )


def _ways(number: int, group: tuple[int, ...], view: View) -> str:
    """The arrows where branches part: `2 of 3`."""
    if number not in group:
        return ""
    at = group.index(number)
    before, after = (group[at - 1] if at else 0), (group[at + 1] if at + 1 < len(group) else 0)
    arrows = [_arrow(before, "‹", "Previous", view), _arrow(after, "›", "Next", view)]
    return f'<span class="ways">{arrows[0]}{at + 1} of {len(group)}{arrows[1]}</span>'


def _arrow(number: int, sign: str, words: str, view: View) -> str:
    """To the newest turn of the branch that begins with turn `number`; 0: there is none."""
    does = pick(f"to:{view.leads_to.get(number, number)}") if number else "disabled"
    return f'<button type="button" {does} aria-label="{words} branch">{sign}</button>'


def _again(turn: ShownTurn, view: View) -> str:
    if view.is_busy:
        return ""
    title = "Ask the same again, as another branch"
    return f'<button type="button" class="small" {pick(f"again:{turn.number}")} title="{title}">Try again</button>'


def _go_on(turn: ShownTurn, view: View) -> str:
    if view.is_busy or turn is view.turns[-1]:
        return ""
    title = "The next message or repair follows this one, as another branch"
    return f'<button type="button" class="small" {pick(f"to:{turn.number}")} title="{title}">Go on from here</button>'


def _switch(attempt: Attempt) -> str:
    """From which model and settings on, where they are not those of the answer before."""
    before, now = attempt.said_before, attempt.turn
    if before is None or not (before.model and now.model):
        return ""
    changed = [f"model {esc(before.model)} → <b>{esc(now.model)}</b>"] if before.model != now.model else []
    old, new = _flat(before.settings), _flat(now.settings)
    for place in dict.fromkeys([*old, *new]):
        if (was := old.get(place, "–")) != (is_now := new.get(place, "–")):
            changed.append(f"{esc(place.rpartition('.')[2].replace('_', ' '))} {esc(was)} → <b>{esc(is_now)}</b>")
    return f'<p class="switch">{", ".join(changed)}</p>' if changed else ""


def _flat(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        here = f"{place}.{key}" if place else key
        found |= _flat(value, here) if isinstance(value, Mapping) else {here: value}
    return found
