"""The whole page: header, guide, a tab for each page, and the links between them."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr

from engine.control.workspace import Workspace
from engine.rundir import ACTIVE
from studio import addresses, guide
from studio.clickable import click_value, clickable, hidden_field, plain
from studio.guard import log, on
from studio.html.basics import empty
from studio.html.header import header
from studio.live import Live
from studio.page import Choice, Frame, Page
from studio.pages import PAGES, pages

DAY_S = 86_400
MOST_ACTIVE = 50  # runs that the header reads
OPEN_LINK = "window.studio.openLink = (address) => trigger('select', {value: address});"
LOADED = "() => document.documentElement.classList.remove('loading-link')"
GO = "(address) => { if (address) window.studio.go(address); }"


class Studio(NamedTuple):
    """The whole page, and the parts of it that are updated, by the key of their tab."""

    blocks: gr.Blocks
    pages: dict[str, Live]
    head: str  # HTML for the head of the page: which page an address opens


def create_app(workspace: Workspace) -> Studio:
    """The whole page for one workspace."""
    with gr.Blocks(title="Repair Studio", analytics_enabled=False, fill_width=True, delete_cache=(DAY_S, DAY_S)) as app:
        next_address = hidden_field("")
        links = gr.HTML("", html_template="", js_on_load=OPEN_LINK, visible="hidden")
        frames = {"app": Frame(workspace, Live("app", workspace.stamp), next_address)}
        _header(frames["app"])
        guide.build(frames["app"])
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            for page in pages():
                with gr.Tab(page.name, id=page.key):
                    frame = frames[page.key] = Frame(workspace, Live(page.key, workspace.stamp), next_address)
                    _build(page, frame)
                    frame.live.watch()
        _open_links(frames, tabs, app.load, links.select)
        frames["app"].live.watch()
        gr.on(next_address.change, None, next_address, None, js=GO, api_name="app_go", api_visibility="private")
    head = f"<script>window.studioOpens = {json.dumps(addresses.opens(_choices(frames)))};</script>"
    return Studio(app, {key: frame.live for key, frame in frames.items()}, head)


def _build(page: Page, frame: Frame) -> None:
    """Build a page; one of an installed package that cannot be built says so in its tab."""
    if page in PAGES:
        page.build(frame)
        return
    try:
        page.build(frame)
    except (Exception, SystemExit):
        log.exception("the page %s cannot be built", page.name)
        plain(empty("This page cannot be built", "The log, in the terminal of the studio, has the details."))


def _header(frame: Frame) -> None:
    workspace = frame.workspace
    part = clickable(elem_id="header")

    def draw_header() -> list[str]:
        runs = workspace.runs
        active, waiting = runs.list(states=ACTIVE, limit=MOST_ACTIVE), runs.waiting()
        return [header(workspace.machine().summary, active, waiting, workspace.trouble)]

    frame.live.show(draw_header, [], [part])


def _choices(frames: Mapping[str, Frame]) -> dict[str, Sequence[Choice]]:
    return {key: frame.choices for key, frame in frames.items() if key != "app"}


def _open_links(frames: Mapping[str, Frame], tabs: gr.Tabs, loaded: Any, clicked: Any) -> None:
    """When the page is loaded or a link is clicked: open the tab that the address names, and fill in its fields."""
    choices = _choices(frames)
    opening = [choice.name for each in choices.values() for choice in each if choice.opens]
    assert len(set(opening)) == len(opening), "two pages are opened by the same name"
    outputs = [tabs, *(choice.field for frame in frames.values() for choice in frame.choices)]

    def updates_for(query: Mapping[str, str]) -> list[Any]:
        key = addresses.page_of(query, choices)
        if not key:
            return [gr.skip()] * len(outputs)
        updates: list[Any] = [gr.Tabs(selected=key)]
        for each, frame in frames.items():
            for choice in frame.choices:
                value, problem = addresses.value_of(choice, query.get(choice.name, ""))
                if problem and each == key:  # an old link, or one from another home
                    gr.Warning(html.escape(problem))
                updates.append(value if each == key else gr.skip())
        return updates

    def open_first(request: gr.Request) -> list[Any]:
        return updates_for(dict(request.query_params))

    def open_link(event: gr.EventData) -> list[Any]:
        return updates_for(addresses.read_query(click_value(event)))

    first = on(loaded, open_first, None, outputs, name="app_open_first")
    first.then(None, js=LOADED, api_name="app_opened_first", api_visibility="private")
    on(clicked, open_link, None, outputs, name="app_open_link")
    for key, frame in frames.items():
        addresses.follow(key, frame.choices)
