"""A repair conversation as HTML: messages, what each answer changes, its verdict, and the answer being written."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.chat_views import ChatEntry, View
from engine.control.turns import ShownTurn
from engine.domain import Bug
from engine.strategies.messages import is_for_people
from studio.clickable import pick
from studio.html import code
from studio.html.basics import empty, esc, verdict, when
from studio.html.diff import diff

WHO = {"user": "You", "assistant": "Model", "tool": "Told to the model"}


def shown(view: View) -> str:
    """All turns, then the one that is being written."""
    turns = "".join(_turn(turn, view) for turn in view.turns)
    if view.waiting:
        turns += f'<div class="turn user"><header><b>You</b></header>{_text(view.waiting)}</div>'
    live = ""
    if view.is_busy:
        text = f"<pre>{esc(view.live_text)}<i class='caret'></i></pre>" if view.live_text else ""
        header = f"<header><b>Model</b><span>{esc(view.status or 'thinking')}</span></header>"
        live = f'<div class="turn assistant live">{header}{text}</div>'
    error = f'<p class="complaint" role="alert">{esc(view.error)}</p>' if view.error else ""
    if not (turns or live or error):
        return empty("No messages yet", "Press Repair: the model proposes a patch, and its tests are run.")
    return f'<div class="turns" aria-live="polite" data-follow>{turns}{live}{error}{_end(view)}</div>'


def _end(view: View) -> str:
    if view.is_busy or not view.turns or not view.outcome:
        return ""
    if view.outcome == "plausible":
        return '<p class="end good">Repaired: every test passes.</p>'
    if view.turns[-1].role == "tool":  # it says why there was no other answer
        return '<p class="end">Not repaired yet. Write a message with a hint, then press Repair.</p>'
    return '<p class="end">Not repaired yet. Press Repair to continue.</p>'


def _turn(turn: ShownTurn, view: View) -> str:
    who = "Studio" if turn.role == "tool" and is_for_people(turn.text) else WHO.get(turn.role, "Model")
    badge = verdict(turn.outcome, turn.reason) if turn.outcome else ""
    if turn.role == "assistant":
        text = _folded(f"text-{turn.number}", "What the model wrote", turn.text) if turn.has_patch else _text(turn.text)
        body = (diff(view.buggy, turn.patch, view.path) if turn.patch is not None and view.buggy else "") + text
        body += _folded(f"log-{turn.number}", "Test log", turn.log) if turn.log else ""
        body += _folded(f"prompt-{turn.number}", "What the model read", turn.prompt) if turn.prompt else ""
    else:
        first, _, rest = turn.text.partition("\n\n") if turn.role == "tool" else (turn.text, "", "")
        body = _text(first) + (_folded(f"rest-{turn.number}", "What else the model is told", rest) if rest else "")
    return (
        f'<div class="turn {esc(turn.role)}"><header><b>{who}</b><span class="num">{turn.number}</span>{badge}</header>'
        f"{body}</div>"
    )


def _text(text: str) -> str:
    return f"<pre>{esc(text)}</pre>"


def _folded(key: str, title: str, text: str) -> str:
    return f'<details data-key="{key}"><summary>{title}</summary>{code.log(text)}</details>'


def chosen_bug(bug: Bug) -> str:
    """The code of a bug with its faulty lines marked, and the tests that fail."""
    facts = " · ".join(filter(None, [bug.language, bug.kind.replace("_", " "), bug.cwe, bug.path]))
    failing = ", ".join(bug.failing)
    tests = f'<p class="dim">Fails: {esc(failing)}</p>' if failing else ""
    return f'<p class="dim">{esc(facts)}</p>{code.numbered(bug.buggy, bug.path, bug.span.start, bug.span.end)}{tests}'


def earlier(conversations: Sequence[ChatEntry], chosen: int) -> str:
    """Conversations as cards, newest first."""
    if not conversations:
        return '<p class="dim">Earlier conversations are listed here.</p>'
    cards = (_card(each, is_chosen=each.id == chosen) for each in conversations)
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(each: ChatEntry, *, is_chosen: bool) -> str:
    messages = "1 message" if each.turns == 1 else f"{each.turns} messages"
    return (
        f'<button type="button" class="card {"chosen" if is_chosen else ""}"'
        f' {pick(str(each.id))}><span class="card-top"><b>{esc(each.bug_id)}</b>'
        f"{verdict(each.outcome) if each.outcome else ''}</span>"
        f'<span class="dim">{esc(each.model)} · {messages} · {when(each.created_at)}</span></button>'
    )
