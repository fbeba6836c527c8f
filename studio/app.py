"""The page: header, first visit, six tabs, and where its links lead."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import gradio as gr

from engine.control.workspace import Workspace
from engine.errors import UserError
from studio.checked import number_of
from studio.clickable import GONE, clickable, kept, picked, plain, showing
from studio.guard import address, on
from studio.html import header as page
from studio.live import Live
from studio.pages import chat, datasets, merge, monitor, patches, train

TABS = ("datasets", "train", "monitor", "merge", "patches", "chat")
DAY_S = 86_400
PLACES: dict[str, tuple[str, Callable[[Workspace, int], Any]]] = {  # ?run=3 -> its page, and whether there is one
    "run": ("monitor", lambda workspace, number: workspace.runs.get(number)),
    "patches": ("patches", lambda workspace, number: workspace.runs.get(number)),
    "chat": ("chat", lambda workspace, number: workspace.chats.get(number)),
}


class Studio(NamedTuple):
    """All of the page, and the parts of it that follow what happens, by the name of their page."""

    blocks: gr.Blocks
    pages: dict[str, Live]


def create_app(workspace: Workspace) -> Studio:
    """The whole page for one workspace."""
    with gr.Blocks(title="Repair Studio", analytics_enabled=False, fill_width=True, delete_cache=(DAY_S, DAY_S)) as app:
        run, benchmark, conversation = kept(), kept(), kept()
        around = Live("app", workspace.stamp)
        pages = {"app": around}

        @contextmanager
        def tab(name: str) -> Iterator[Live]:
            """One page; it is looked at while it is in sight."""
            with gr.Tab(name.capitalize(), id=name):
                live = pages[name] = Live(name, workspace.stamp)
                yield live
                live.watch()

        header = clickable(elem_id="header")
        with gr.Column(elem_id="welcome", variant="panel"):
            with gr.Row(elem_classes="hello"):
                with gr.Column(scale=3, min_width=320):
                    about = clickable()
                    with gr.Row(elem_classes="buttons"):
                        demo = gr.Button("Run the demo", variant="primary", min_width=140, elem_id="run-demo")
                        cancel = gr.Button("Cancel demo", variant="stop", min_width=140, visible="hidden")
                        gr.Button("Hide this", min_width=96, elem_id="hide-welcome")
                    with gr.Row(elem_classes=["buttons", "asked", GONE]) as asked:
                        plain("<p>The demo has run before. Once more queues six new runs; the earlier ones stay.</p>")
                        again = gr.Button("Run it again", variant="primary", min_width=120)
                        leave = gr.Button("No", min_width=80)
                with gr.Column(scale=2, min_width=320):
                    results = plain()
            stages = clickable()
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with tab("datasets") as live:
                links = [datasets.build(workspace, live)]
            with tab("train") as live:
                train.build(workspace, live, run, tabs)
            with tab("monitor") as live:
                links.append(monitor.build(workspace, live, run))
            with tab("merge") as live:
                links.append(merge.build(workspace, live))
            with tab("patches") as live:
                links.append(patches.build(workspace, live, benchmark))
            with tab("chat") as live:
                chat.build(workspace, live, conversation)

        machine = cache(workspace.machine)  # trying the sandboxes takes a second, so not before the first page

        def draw_header() -> list[str]:
            return [page.header(machine().summary, workspace.runs.list(limit=50), workspace.trouble)]

        def draw_demo() -> list[Any]:
            stages, table = workspace.demo.stages(), workspace.demo.table()
            is_under_way = workspace.demo.is_under_way()
            is_earlier = bool(table) and table[0].run_id not in {stage.run_id for stage in stages}
            return [
                page.stages(stages),
                page.results(table, is_earlier=is_earlier),
                gr.update(visible="hidden" if is_under_way else True),
                gr.update(visible=is_under_way or "hidden"),
            ]

        def greet() -> str:
            return page.welcome(machine())

        def ask_demo() -> Any:
            """The first demo starts at once; another one only when that is wanted."""
            if workspace.demo.stages():
                return showing(True, "buttons", "asked")
            start_demo()
            return gr.skip()

        def start_demo() -> Any:
            if workspace.demo.is_under_way():
                raise UserError("The demo is under way: its stages stand below.")
            workspace.demo.start()
            gr.Info("The demo is queued: six stages, some six minutes on two cores.")
            return showing(False, "buttons", "asked")

        def leave_demo() -> Any:
            return showing(False, "buttons", "asked")

        def cancel_demo() -> None:
            stopped = workspace.demo.cancel()
            gr.Info(f"{stopped} {'run' if stopped == 1 else 'runs'} of the demo stopped; Monitor can go on with each.")

        def go(event: gr.EventData) -> list[Any]:
            name, _, number = picked(event).partition(":")
            return lead(name, number_of(number))

        def arrive(request: gr.Request) -> list[Any]:
            asked = request.query_params
            for name, (place, check) in PLACES.items():
                if number := number_of(asked.get(name, "")):
                    try:
                        check(workspace, number)
                    except UserError as error:  # an old link, or one from another home
                        gr.Warning(html.escape(str(error)))
                        number = 0
                    return lead(place, number)
            return lead(asked.get("tab", ""), 0)

        def lead(name: str, number: int) -> list[Any]:
            """The tab, and what is chosen there; numbers that mean nothing are refused where they are used."""
            if name not in TABS:
                return [gr.skip()] * len(led)
            selected = [number if number and name == place else gr.skip() for place in ("monitor", "patches", "chat")]
            return [gr.Tabs(selected=name), *selected]

        led = [tabs, run, benchmark, conversation]
        on(app.load, arrive, None, led)
        on(app.load, greet, None, about)
        around.show(draw_header, [], [header])
        around.show(draw_demo, [], [stages, results, demo, cancel])
        around.watch()
        on(demo.click, ask_demo, None, asked)
        on(again.click, start_demo, None, asked)
        on(leave.click, leave_demo, None, asked)
        on(cancel.click, cancel_demo)
        on([part.select for part in (header, stages, *links)], go, None, led)
        for chosen, (name, (place, _)) in zip((run, benchmark, conversation), PLACES.items(), strict=True):
            address(chosen.change, chosen, place, name)
    return Studio(app, pages)
