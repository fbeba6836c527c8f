"""A repair conversation as HTML: what it is about and what can be done with it, its story, and the list of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.control.chat_exports import FORMATS
from engine.control.chat_views import ChatEntry, View
from engine.control.chats import LONGEST_TITLE
from engine.domain import Bug
from studio.clickable import pick
from studio.html import code
from studio.html.basics import copy_link, empty, esc, state, verdict, when
from studio.html.story import cut, end, story

LEFT_OUT = (
    "Rows about a bug of a benchmark are left out unless Exclude, under More settings, no longer names it; patches "
    "judged beside their tests only count where that is ticked there."
)


def shown(view: View) -> str:
    """All turns, then the one that is being written, whose text the page's script fills in."""
    turns = "".join(story(view))
    if view.waiting:
        text, more = cut(view.waiting)
        turns += f'<div class="turn user"><header><b>You</b></header><pre>{esc(text)}</pre>{more}</div>'
    live = ""
    if view.is_busy:
        key = f"{view.id}:{view.asked}"
        live = (
            f'<div class="turn assistant live" data-live="{key}"><header><b>Model</b>'
            f'<span data-doing>{esc(view.status or "waiting for the model")}</span><span data-clock></span></header>'
            '<pre data-said></pre></div>'
        )  # fmt: skip
    error = f'<p class="complaint" role="alert">{esc(view.error)}</p>' if view.error else ""
    if not (turns or live or error):
        return empty("No messages yet", "Press Repair: the model proposes a patch, and its tests are run.")
    follow = f'aria-live="polite" data-follow="{view.id}:{view.asked}"'  # each question shows the end of the story
    return f'<div class="turns" {follow}>{turns}{live}{error}{end(view)}{_behind(view)}</div>'


def _behind(view: View) -> str:
    """That the branch goes on, where it is shown up to an earlier turn."""
    last = view.turns[-1].number if view.turns else 0
    newest = view.leads_to.get(last, last)
    if view.is_busy or newest == last:
        return ""
    return (
        '<p class="end">Your next message follows here, as another branch. '
        f'<button type="button" class="small" {pick(f"to:{newest}")}>Show what followed</button></p>'
    )


def strip(view: View, *, others: Sequence[str] = (), learning: Mapping[str, str] | None = None) -> str:
    """What a conversation is about, how it stands, and what can be done with it.

    `others`: models that can be shown beside it. `learning`: words -> the address of the form that makes rows of it.
    """
    name = f"<b>{esc(view.title)}</b>" if view.title else ""
    about = f'{name}<span class="{"dim" if name else "about"}">{esc(view.bug_id)}</span>'
    line = (
        f'<p class="strip-line">{about}<span class="dim grow">with {esc(view.model)}</span>'
        f"{state(view.state, view.status)}{_best(view)}</p>"
    )
    files = "".join(
        f'<a href="studio/chat/{view.id}.{form}{_to(view)}" download><b>{words}</b><span>{meaning}</span></a>'
        for form, words, meaning in (
            ("markdown", "Markdown", "the branch that is shown, for people"),
            ("json", "JSON", "all branches, for programs"),
        )
        if form in FORMATS
    )
    rows = "".join(f'<a href="{esc(address)}"><b>{esc(words)}</b></a>' for words, address in (learning or {}).items())
    rows += f'<p class="dim">{LEFT_OUT}</p>' if rows else ""
    return line + '<div class="talk-menu">' + "".join(
        [
            copy_link(),
            _menu("export", "Export", files),
            _menu("learn", "Make training rows", rows),
            _menu("beside", "Add a model", _models(others)),
            _renaming(view),
            _deleting(view),
        ]
    ) + "</div>"  # fmt: skip


def _best(view: View) -> str:
    """The best verdict of all branches; whether it is that of a branch that is not shown."""
    is_shown = not view.outcome or any(turn.outcome == view.outcome for turn in view.turns)
    return verdict(view.outcome) + ("" if is_shown else '<span class="dim">on another branch</span>')


def new_strip(models: Sequence[str]) -> str:
    """What can be done before a conversation begins."""
    return f'<div class="talk-menu">{_menu("beside", "Add a model", _models(models))}</div>'


def _to(view: View) -> str:
    return f"?to={view.turns[-1].number}" if view.turns else ""


def _menu(key: str, words: str, items: str) -> str:
    if not items:
        return ""
    return f'<details class="menu down" data-key="menu-{key}"><summary>{words}</summary><div>{items}</div></details>'


def _models(names: Sequence[str]) -> str:
    buttons = "".join(f'<button type="button" {pick(f"add:{name}")}>{esc(name)}</button>' for name in names)
    said = "<p class='dim'>A second column: the same bug, the same messages, another model.</p>"
    return f"{said}{buttons}" if buttons else ""


def _renaming(view: View) -> str:
    form = (
        f'<form data-do="rename" autocomplete="off"><label>Title <input name="text" value="{esc(view.title)}" '
        f'maxlength="{LONGEST_TITLE}" placeholder="{esc(view.bug_id)}" data-draft="title-{view.id}"></label>'
        f'<input type="hidden" name="turn" value="0"><button class="small">Save</button></form>'
    )
    return (
        f'<details class="menu down edit" data-key="menu-rename"><summary>Rename</summary><div>{form}</div></details>'
    )


def _deleting(view: View) -> str:
    turns = "1 message" if len(view.leads_to) == 1 else f"{len(view.leads_to)} messages"
    asked = (
        f"<p>Delete this conversation with its {turns}? Datasets that were made of it stay.</p>"
        f'<button type="button" class="small" {pick("delete:")}>Delete it</button>'
    )
    return f'<details class="menu down" data-key="menu-delete"><summary>Delete</summary><div>{asked}</div></details>'


def second_strip(view: View, models: Sequence[str], forms: Mapping[str, str], model: str, form: str) -> str:
    """The same of the second column, where its model and how it is asked are chosen.

    `forms`: representation -> its title; `model`, `form`: those with which it goes on.
    """
    names = [*dict.fromkeys([model, *models])]
    return (
        f'<p class="strip-line"><span class="about">{esc(view.bug_id)}</span><span class="grow"></span>'
        f"{state(view.state, view.status)}{_best(view)}</p>"
        f'<form class="talk-menu" data-do="choose"><input type="hidden" name="turn" value="0">'
        f"{_select('model', 'Model', {name: name for name in names}, model)}"
        f"{_select('form', 'Asked as', forms, form)}"
        f'<button type="button" class="small" {pick("close:")}>Remove</button></form>'
    )


def _select(name: str, label: str, choices: Mapping[str, str], chosen: str) -> str:
    options = "".join(
        f'<option value="{esc(value)}"{" selected" if value == chosen else ""}>{esc(words)}</option>'
        for value, words in choices.items()
    )
    return f'<label>{label} <select name="{name}" data-sends>{options}</select></label>'


def chosen_bug(bug: Bug) -> str:
    """The code of a bug with its faulty lines marked, and the tests that fail."""
    facts = " · ".join(filter(None, [bug.language, bug.kind.replace("_", " "), bug.cwe, bug.path]))
    failing = ", ".join(bug.failing)
    tests = f'<p class="dim">Fails: {esc(failing)}</p>' if failing else ""
    return f'<p class="dim">{esc(facts)}</p>{code.numbered(bug.buggy, bug.path, bug.span.start, bug.span.end)}{tests}'


def earlier(conversations: Sequence[ChatEntry], chosen: int, sought: str = "") -> str:
    """Conversations as cards, newest first; `sought`: what all of them have in title, bug or model."""
    if not conversations:
        text = f"No conversation has “{sought}” in its title, bug or model." if sought else (
            "Earlier conversations are listed here."
        )  # fmt: skip
        return f'<p class="dim">{esc(text)}</p>'
    cards = (_card(each, is_chosen=each.id == chosen) for each in conversations)
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(each: ChatEntry, *, is_chosen: bool) -> str:
    messages = "1 message" if each.turns == 1 else f"{each.turns} messages"
    about = f"{esc(each.bug_id)} · " if each.title else ""
    return (
        f'<button type="button" class="card {"chosen" if is_chosen else ""}"'
        f' {pick(str(each.id))}><span class="card-top"><b>{esc(each.title or each.bug_id)}</b>'
        f"{verdict(each.outcome) if each.outcome else ''}</span>"
        f'<span class="dim">{about}{esc(each.model)} · {messages} · {when(each.created_at)}</span></button>'
    )
