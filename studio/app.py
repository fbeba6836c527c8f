"""The page: header, first visit, six tabs, and where its links lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import gradio as gr

from engine.control.workspace import Workspace
from engine.errors import UserError
from studio import page
from studio.clickable import clickable, picked, plain
from studio.guard import on
from studio.live import Live
from studio.tabs import chat, datasets, merge, monitor, patches, train

TABS = ("datasets", "train", "monitor", "merge", "patches", "chat")
DAY_S = 86_400


def create_app(workspace: Workspace) -> gr.Blocks:
    """The whole page for one workspace."""
    with gr.Blocks(title="Repair Studio", analytics_enabled=False, fill_width=True, delete_cache=(DAY_S, DAY_S)) as app:
        run, benchmark, conversation = gr.State(0), gr.State(0), gr.State(0)
        around = Live(app.load, period_s=2.0)
        timers: list[gr.Timer] = []

        @contextmanager
        def tab(name: str, *opens: Any) -> Iterator[Live]:
            """One page; its timer runs while it is in sight."""
            with gr.Tab(name.capitalize(), id=name) as made:
                live = Live(made.select, *opens, active=not timers)
                timers.append(live.timer)
                yield live
                live.watch(name)

        header = clickable(elem_id="header")
        with gr.Column(elem_id="welcome", variant="panel"):
            with gr.Row(elem_classes="hello"):
                with gr.Column(scale=3, min_width=320):
                    about = clickable()
                    with gr.Row(elem_classes="buttons"):
                        demo = gr.Button("Run the demo", variant="primary", min_width=140, elem_id="run-demo")
                        gr.Button("Hide this", min_width=96, elem_id="hide-welcome")
                with gr.Column(scale=2, min_width=320):
                    results = plain()
            stages = clickable()
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with tab("datasets", app.load) as live:
                links = [datasets.build(workspace, live)]
            with tab("train") as live:
                train.build(workspace, live, run)
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
            return [page.header(machine().summary, workspace.runs.list(limit=50))]

        def draw_demo() -> list[Any]:
            return [page.stages(workspace.demo.stages()), page.results(workspace.demo.table())]

        def greet() -> str:
            return page.welcome(machine())

        def start_demo() -> None:
            if workspace.demo.is_under_way():
                raise UserError("The demo is under way: its stages stand below.")
            workspace.demo.start()
            gr.Info("The demo is queued: six stages, some six minutes on two cores.")

        def go(event: gr.EventData) -> list[Any]:
            name, _, number = picked(event).partition(":")
            return lead(name, int(number) if number.isdecimal() else 0)

        def arrive(request: gr.Request) -> list[Any]:
            asked = request.query_params
            for name, place in (("run", "monitor"), ("patches", "patches"), ("chat", "chat")):
                if asked.get(name, "").isdecimal():
                    return lead(place, int(asked[name]))
            return lead(asked.get("tab", ""), 0)

        def lead(name: str, number: int) -> list[Any]:
            """Tab, its timer, and what is chosen there; numbers that mean nothing are refused where they are used."""
            if name not in TABS:
                return [gr.skip()] * (4 + len(timers))
            selected = [number if number and name == place else gr.skip() for place in ("monitor", "patches", "chat")]
            return [gr.Tabs(selected=name), *selected, *only(name)]

        def only(name: str) -> list[gr.Timer]:
            return [gr.Timer(active=place == name) for place in TABS]

        def only_this(event: gr.SelectData) -> list[gr.Timer]:
            return only(TABS[event.index])

        def to_monitor() -> list[Any]:
            return [gr.Tabs(selected="monitor"), *only("monitor")]

        led = [tabs, run, benchmark, conversation, *timers]
        on(app.load, arrive, None, led)
        on(app.load, greet, None, about)
        around.show(draw_header, [], [header])
        around.show(draw_demo, [], [stages, results])
        around.watch("app")
        on(demo.click, start_demo)
        on([part.select for part in (header, stages, *links)], go, None, led)
        on(tabs.select, only_this, None, timers)
        on(run.change, to_monitor, None, [tabs, *timers])
    return app
