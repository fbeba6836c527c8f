"""Datasets: build a dataset, see which bugs were left out and why, and any sample as training will see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engine.builders.answers import ANSWERED
from engine.builders.previews import Preview
from engine.control.views import DatasetView, Standing
from engine.dataset_card import SHARES
from engine.errors import UserError
from engine.plugins import BENCHMARKS
from studio import charts
from studio.clickable import GONE, click_value, clickable, hidden_field, marking, plain, show_or_hide
from studio.deletion import Deletion
from studio.dropped import file_zone
from studio.forms.fields import Names, css_class
from studio.forms.form import Form
from studio.forms.panel import Panel
from studio.guard import on
from studio.html import dataset_facts
from studio.html.basics import complaint, doing, empty, esc, heading, run_strip
from studio.html.dataset import actions, preview, report, sample
from studio.html.dataset_facts import overlap
from studio.page import Frame
from studio.planning import PlanPart
from studio.plotted import plotted
from studio.row_list import RowList

MOST_OFFERED = 50  # conversations, the newest


def roles_of(form: Form, builder: Mapping[str, Any], found: Preview) -> dict[str, str]:
    """Column -> the label of the builder's setting that names it."""
    labels = form.labels({"builder": str(builder.get("name"))})
    texts = {value: name for name, value in builder.items() if isinstance(value, str)}
    used = found.roles or {column: texts[column] for column in found.columns if column in texts}
    return {column: f"is: {labels.get(f'builder.{name}', name)}" for column, name in used.items()}


def named_runs(runs: Sequence[Standing]) -> list[str]:
    """Runs as a setting takes several of them."""
    return [f"{run.id}: {run.name.replace(',', ' ')}" for run in runs]


def place_of(shown: Any) -> str:
    """The position of a sample among those found, as text."""
    return f"{shown.index + 1} of {shown.total:,}{'' if shown.is_whole else ' or more'}" if shown else "none"


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            text = "Bugs with their fixes become samples: a prompt and its target."
            dropped = gr.Column(min_width=0)
            received = plain()
            names: dict[str, Names] = {
                "model": workspace.models.names,
                "exclude": BENCHMARKS.names,
                "compare": BENCHMARKS.names,
                "datasets": workspace.datasets.names,
                "runs": lambda: named_runs(workspace.runs.newest(ANSWERED)),
                "conversations": lambda: [str(each.id) for each in workspace.chats.entries()[:MOST_OFFERED]],
            }
            rows = marking(render=False)
            panel = Panel(frame, "dataset", "Build a dataset", text, names, below={"builder": rows}, recipe_apart=True)
            with dropped:
                zone = file_zone(
                    "Drop a file of bug fixes or samples here, or choose one", panel.form.plugin("builder").endings
                )
            planning = PlanPart(frame, "dataset")
            panel.place_recipe(is_open=False)
            panel.place_complaint()
            start_button = gr.Button("Build dataset", variant="primary")
        with gr.Column(scale=7, min_width=320):
            strip = plain()
            with gr.Column(variant="panel"):
                with gr.Row(elem_classes=["bar-row", GONE]) as chosen:
                    picker = gr.Dropdown([], label="Dataset", info="newest first", interactive=True, elem_id="dataset")
                    offers = plain(elem_classes="actions")
                    delete = gr.Button("Delete", size="sm", min_width=72, elem_id="delete-dataset")
                deletion = Deletion(frame)
                facts = clickable()
                with gr.Row(elem_classes=["halves", GONE]) as halves:
                    losses = clickable()
                    with gr.Column(min_width=280):
                        lengths = plotted(visible="hidden", elem_classes="chart")
                        windows = plain()
                below = RowList(frame)
                overlaps = clickable(elem_classes="overlaps")
                with gr.Row(elem_classes="buttons"):
                    without = gr.Button(
                        "Build again without these samples", size="sm", visible="hidden", elem_id="without-overlap"
                    )
                with gr.Row(elem_classes="halves"):
                    drawn_shares = [plotted(visible="hidden", elem_classes="chart") for _ in SHARES]
                kinds = plain(elem_classes="kinds")
            with gr.Column(variant="panel", elem_classes=GONE) as explorer:
                plain(heading("Samples", "Exactly what training will see."))
                with gr.Row(elem_classes="bar-row"):
                    search = gr.Textbox(
                        "", label="Search samples", placeholder="id, kind or code", max_lines=1, scale=3
                    )
                    before = gr.Button("Previous", size="sm", min_width=80)
                    after = gr.Button("Next", size="sm", min_width=80)
                    place = plain(elem_classes="place")
                body = plain()
    index, wanted = hidden_field(0), hidden_field("")  # wanted: the dataset to show, also one that is still being built
    refused = hidden_field("")  # the file in the form, and in the next line why one that was dropped is not there
    form = panel.form

    def start(spec: Any) -> list[str]:
        run = panel.submit(spec)
        gr.Info(f"Run {run.id} builds {run.name}: {doing(run)}. It is shown here when it is done.")
        return [run.name]

    def reader_of(path: str, plugins: Sequence[str]) -> tuple[str, dict[str, Sequence[str]]]:
        """The first of these builders that can read a file, and what it offers for its settings then.

        One for whose kind of rows the file has the usual columns comes before the others. Raises what the very first
        one raises where none can.
        """
        refusals: list[UserError | OSError] = []
        likely = [plugin for plugin in plugins if workspace.datasets.fits({"name": plugin, takers[plugin]: path})]
        for plugin in dict.fromkeys([*likely, *plugins]):
            try:
                return plugin, builder.proposed({"name": plugin, takers[plugin]: path})
            except (UserError, OSError) as error:
                refusals.append(error)
        raise refusals[0]

    def take_file(chosen: str, event: gr.EventData) -> list[Any]:
        """A file was uploaded: fill in its path for the chosen builder, unless that reads no files or other rows.

        Then for the first that can read it; where none can, the form stays as it is.
        """
        given, path = builder.read(chosen), click_value(event)
        own = given["name"]
        is_other = own not in takers or workspace.datasets.fits({"name": own, takers[own]: path}) is False
        others = [each for each in takers if builder.takes(each, path)] if is_other else []
        ranked = [*([own] if own in takers else []), *others] or [*takers]
        try:
            plugin, proposed = reader_of(path, ranked)
        except (UserError, OSError) as error:
            workspace.uploads.forget(Path(path))
            return [gr.skip(), f"{given.get(takers.get(given['name'], ''), '')}\n{error}"]
        first = {name: next(iter(offered), "") for name, offered in proposed.items()}
        return [builder.written(plugin, first | {takers[plugin]: path}), ""]

    def draw_rows(said: str, chosen: str) -> list[str]:
        """What became of a file that was dropped, and the first rows of the one that the form names."""
        given = builder.read(chosen)
        taker = takers.get(given["name"], "")
        file = str(given.get(taker) or "") if taker else ""
        named, _, why = said.partition("\n")
        told = complaint(f"{why}. The form below is as it was.") if why and named == file else ""
        if workspace.uploads.holds(Path(file)) and not told:
            told = f'<p class="dim">{esc(Path(file).name)} is in the form below.</p>'
        try:
            if file:
                builder.proposed({"name": given["name"], taker: file})
            found = workspace.datasets.preview(file, 3, given)
        except (UserError, OSError) as error:
            return [told, complaint(f"{error}.", [css_class(getattr(error, "field", "") or f"builder.{taker}")])]
        return [told, preview(found, roles_of(form, given, found), css_class(f"builder.{taker}")) if found else ""]

    def draw(want: str, held: str | None) -> list[Any]:
        """The dataset that is wanted; else the one that is shown stays, also when a newer one is built."""
        building = workspace.runs.list(kind="dataset", limit=1)
        known = {each.name: each for each in workspace.datasets.list()}
        shown = known.get(want) or known.get(held or "") or next(iter(known.values()), None)
        top = run_strip(building[0]) if building and building[0].state != "done" else ""
        if shown is None:
            text = (
                "Choose where the bugs come from and press Build dataset; it takes about a minute. What was kept and "
                "left out appears here, and every sample as training will see it."
            )
            nothing = empty("No dataset yet", text)
            gone = [show_or_hide(False, "bar-row"), show_or_hide(False, "halves")]
            hidden = gr.update(visible="hidden")
            return [top, gr.update(choices=[], value=None), "", nothing, *[""] * 4, hidden, *gone]
        choices = [(f"{each.name}  ({each.rows:,} samples)", each.name) for each in known.values()]
        rows = [show_or_hide(True, "bar-row"), show_or_hide(True, "halves")]
        touches = any(each.rows for each in shown.overlap)
        return [
            top,
            gr.update(choices=choices, value=shown.name),
            actions(shown),
            *report(shown, cap_of(shown)),
            overlap(shown),
            gr.update(visible=True if touches else "hidden"),
            *rows,
        ]

    def cap_of(shown: DatasetView) -> int | None:
        """The most tokens of its samples, as its run was asked for."""
        cap = workspace.runs.get(shown.run_id).spec.get("max_tokens")
        return cap if isinstance(cap, int) else None

    def draw_charts(name: str | None) -> list[Any]:
        if not name:
            return [gr.update(visible="hidden")] * (1 + len(SHARES))
        shown = workspace.datasets.get(name)
        figures = [charts.lengths(shown.lengths, cap_of(shown))]
        for column, title in SHARES.items():
            counts = shown.shares.get(column, {})
            total = shown.rows - shown.unnamed.get(column, 0)
            figures.append(charts.shares(title, counts, shown.distinct[column], total) if len(counts) > 1 else "")
        return [gr.update(value=figure, visible=True if figure else "hidden") for figure in figures]

    def build_without(name: str | None) -> str:
        """The same dataset without the samples that have code of a benchmark."""
        spec = workspace.datasets.without_overlap(name or "")
        spec = spec.model_copy(update={"name": workspace.runs.free_name("dataset", spec.name)})
        run = panel.submit(spec)
        gr.Info(f"Run {run.id} builds {run.name} without code of benchmarks: {doing(run)}.")
        return str(run.name)

    def draw_explorer(name: str | None) -> list[Any]:
        return [show_or_hide(bool(name))]

    def show_sample(name: str | None, text: str, number: int) -> list[str]:
        if not name:
            return ["", ""]
        found = workspace.datasets.sample(name, number, text.strip())
        return [sample(found), place_of(found)]

    def step_back(number: int) -> int:
        return number - 1

    def step_on(number: int) -> int:
        return number + 1

    def first() -> int:
        return 0

    def another(name: str | None) -> list[Any]:
        return [name or "", 0, ""]

    builder = form.plugin("builder")
    takers = builder.takers
    panel.start(start_button, start, [wanted], name="datasets_start")
    on(picker.input, another, picker, [wanted, index, below.listed], name="datasets_another")
    on(zone.upload, take_file, builder.widget, [builder.widget, refused], name="datasets_take_file")
    shown = [refused, builder.widget]
    live.show(draw_rows, shown, [received, rows], also=[each.change for each in shown], ticks=False)
    drawn = [strip, picker, offers, facts, losses, windows, kinds, overlaps, without, chosen, halves]
    live.show(draw, [wanted, picker], drawn, also=[wanted.change])
    live.show(draw_charts, [picker], [lengths, *drawn_shares], also=[picker.change])
    below.wire("datasets", picker, [facts, losses, overlaps], search, index)

    def meaning(name: str) -> str:
        return dataset_facts.deletion(name, workspace.datasets.used_by(name))

    def remove(name: str) -> str:
        workspace.datasets.delete(name)
        return f"Dataset {name} is deleted."

    deletion.wire("datasets", picker, delete, [wanted, below.listed], meaning, remove)
    on(without.click, build_without, picker, wanted, name="datasets_build_without")
    live.show(draw_explorer, [picker], [explorer], also=[picker.change])
    on(before.click, step_back, index, index, name="datasets_step_back")
    on(after.click, step_on, index, index, name="datasets_step_on")
    on(search.input, first, None, index, name="datasets_first")
    shown = [picker, search, index]
    live.show(show_sample, shown, [body, place], also=[part.change for part in shown], ticks=False)
    frame.keep("dataset", wanted, shown=picker, check=workspace.datasets.get, opens=True)
    frame.keep("listed", below.listed)
    frame.keep("q", search)
    frame.keep("sample", index)
    panel.wire()
    planning.wire(panel.form)
