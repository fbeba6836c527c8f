"""Monitor: every run with its state; the chosen run's curves, log, settings and actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine.control.lineage import Stage
from engine.control.runs import spec_json
from engine.control.views import RunView
from engine.errors import UserError
from engine.rundir import RESUMABLE
from engine.specs import KINDS as SPECS
from engine.specs import WITH_PATCHES, BenchmarkSpec, ChatSpec, MergeSpec, TrainSpec, parse
from engine.sweep_specs import MOST
from studio import charts
from studio.addresses import learning_from, link
from studio.checked import number_of
from studio.clickable import GONE, click_value, clickable, hidden_field, plain, show_or_hide
from studio.guard import on
from studio.html import code, several
from studio.html.basics import KINDS, copy_link, copyable, empty, esc, heading, run_list, run_strip
from studio.page import Frame
from studio.plotted import plotted
from studio.training_curves import CHARTS, METRICS, Chart, Runs


def settings(run: RunView, command: str) -> str:
    """The settings of a run as a shell command and as JSON."""
    return copyable(command, "Shell command") + copyable(spec_json(parse(dict(run.spec))), "JSON")


def first_choice(runs: Sequence[RunView]) -> int:
    """The run to show while none is chosen: a running training, a running run, else the newest; 0 if there is none."""
    running = [run for run in runs if run.state == "running"]
    training = [run for run in running if run.kind == "train"]
    return next((run.id for run in [*training, *running, *runs]), 0)


def actions(run: RunView, made: str) -> list[tuple[str, str]]:
    """(label, address) of what can be done with a run; `made`: the kind of the model that it produced, if any."""
    found = []
    if made:
        found.append(("Benchmark", link(tab=BenchmarkSpec.page, use=f"model:{run.name}")))
        if made == "adapter":
            found.append(("Merge", link(tab=MergeSpec.page, use=f"adapter:{run.name}")))
        found.append(("Chat", link(tab=ChatSpec.page, use=f"model:{run.name}")))
    if run.kind == "dataset" and run.state == "done":
        found.append(("Open the dataset", link(dataset=run.name)))
        found.append(("Train on this", link(tab=TrainSpec.page, use=f"dataset:{run.name}")))
    if run.kind in WITH_PATCHES:
        found.append(("See patches", link(patches=run.id)))
    if learning := learning_from(run):
        found.append(("Learn from its verdicts", learning))
    if run.kind != "chat" and SPECS[run.kind].page:
        found.append(("Run again with changes", link(tab=SPECS[run.kind].page, again=run.id)))
    return found


def made_from(stages: Sequence[Stage]) -> str:
    """What the model of a run was trained or merged from, with links to the runs that made it; empty for any other."""
    if not stages:
        return ""
    named = [
        f'<a href="{link(run=each.run_id)}">{esc(each.words)}</a>' if each.run_id else esc(each.words)
        for each in stages
    ]
    return f'<p class="origin">Made from {" ← ".join(named)}</p>'


def action_links(found: Sequence[tuple[str, str]]) -> str:
    """The actions of a run as links that look like buttons."""
    links = "".join(f'<a class="button" href="{esc(address)}">{esc(words)}</a>' for words, address in found)
    return f'<p class="after">{links}{copy_link()}</p>'


def drawn(chart: Chart, runs: Runs, view: charts.View) -> Any:
    """The update of a chart's part."""
    figure = chart.draw(runs, view)
    return gr.update(value=figure, visible=bool(figure) or "hidden") if chart.is_rare else figure


def numbers_in(text: str) -> list[int]:
    """The numbers of runs in "7,9", each once, as many as a sweep has at most."""
    return list(dict.fromkeys(filter(None, map(number_of, text.split(",")[:MOST]))))


def toggled(text: str, number: int) -> str:
    """The numbers without this one, or with it if it is not among them."""
    numbers = numbers_in(text)
    numbers = [each for each in numbers if each != number] if number in numbers else [*numbers, number]
    return ",".join(map(str, numbers))


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    chosen, shown = hidden_field(0), hidden_field(0)  # shown: what is on the page also while nothing is chosen
    zoomed = hidden_field("")  # what a chart last said of its zoom
    others = hidden_field("")  # the runs that are shown beside the chosen one, "7,9"
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=3, min_width=300, variant="panel"):
            plain('<div class="heading"><h2>Runs</h2></div>')
            with gr.Row(elem_classes="bar-row"):
                search = gr.Textbox("", label="Search runs", placeholder="name", max_lines=1, min_width=120)
                kinds = [("everything", ""), *((words, kind) for kind, words in KINDS.items())]
                kind = gr.Dropdown(kinds, value="", label="Kind", min_width=120, filterable=False)
            queue = clickable()
            cards = clickable(elem_classes="scroll")
        with gr.Column(scale=8, min_width=320):
            with gr.Column(variant="panel"):
                strip = plain()
                with gr.Row(elem_classes=["buttons", GONE]) as buttons:
                    save = gr.Button("Stop and save", variant="stop", size="sm", visible="hidden", min_width=112,
                                     elem_classes="deliberate")  # fmt: skip
                    stop = gr.Button("Stop", variant="stop", size="sm", visible="hidden", min_width=96,
                                     elem_classes="deliberate")  # fmt: skip
                    resume = gr.Button("Resume", size="sm", visible="hidden", min_width=96)
                    after = plain(elem_classes="actions")
            with gr.Column(elem_id="charts", elem_classes=GONE) as curves:
                plots = [plotted(elem_classes="chart", visible="hidden" if each.is_rare else True) for each in CHARTS]
            with gr.Column(variant="panel", elem_classes=GONE) as comparing:
                plain(
                    heading("Side by side", "The settings that differ; the best run of those that are done is marked.")
                )
                table = clickable()
            with gr.Column(variant="panel", elem_classes=GONE) as below:
                plain('<div class="heading"><h2>Log</h2></div>')
                tail = plain(elem_classes="tail")
                with gr.Accordion("Settings of this run", open=False, elem_classes="more"):
                    recipe = plain()

    def shown_run(wanted: int, held: int) -> RunView | None:
        """What is wanted; else what is shown stays, whatever starts meanwhile."""
        runs = workspace.runs.list()
        number = wanted or held or first_choice(runs)
        known = next((run for run in runs if run.id == number), None)
        return known or (workspace.runs.get(number) if number else None)

    def draw_queue() -> list[str]:
        return [several.waiting(workspace.runs.queued())]

    def draw_list(text: str, only: str, wanted: int, held: int, beside: str) -> list[str]:
        runs = workspace.runs.list(kind=only, search=text.strip())
        if not runs:
            if text.strip() or only:
                return [empty("No runs match", "Clear the search, or show everything.")]
            return [empty("No runs", "Every run is listed here, with its state and its result.")]
        return [run_list(runs, wanted or held or first_choice(workspace.runs.list()), numbers_in(beside))]

    def draw_run(wanted: int, held: int, zoom: str, beside: str) -> list[Any]:
        run = shown_run(wanted, held)
        if run is None:
            text = "Curves and log of each run are shown here. Run the demo (Guide, above), or begin with a dataset."
            nothing = empty("Nothing has run yet", text, ("Build a dataset", link(tab="datasets")))
            return [
                *[0, nothing, *[gr.update(visible="hidden")] * 3, "", "", ""],
                *[show_or_hide(False, "buttons"), show_or_hide(False), show_or_hide(False), *[""] * len(plots)],
            ]
        return [*about(run), show_or_hide(True, "buttons"), show_or_hide(True), *figures(run, zoom, beside)]

    def draw_beside(wanted: int, held: int, beside: str) -> list[Any]:
        run = shown_run(wanted, held)
        numbers = [each for each in numbers_in(beside) if run is not None and each != run.id]
        if run is None or not numbers:
            return [show_or_hide(False), ""]
        return [show_or_hide(True), several.beside(workspace.sweeps.compared([run.id, *numbers]))]

    def about(run: RunView) -> list[Any]:
        made = next((model.kind for model in workspace.models.list() if model.run_id == run.id and model.usable), "")
        return [
            run.id,
            run_strip(run, is_linked=False) + made_from(workspace.origin(run)),
            gr.update(visible=run.can_save or "hidden", interactive=run.state != "stopping"),
            gr.update(
                visible=not run.has_ended or "hidden",
                value="Unload" if run.kind == "chat" else "Stop now" if run.can_save else "Stop",
                interactive=run.can_save or run.state != "stopping",
            ),
            gr.update(visible=run.state in RESUMABLE or "hidden"),
            action_links(actions(run, made)),
            code.log(workspace.runs.log(run.id)),
            recipe_of(run),
        ]

    def recipe_of(run: RunView) -> str:
        try:
            return settings(run, workspace.runs.command(parse(dict(run.spec))))
        except UserError as error:  # it names a plug-in that is not here any more; the rest of the run is shown
            return f'<p class="complaint" role="alert">{esc(str(error))}</p>'

    def figures(run: RunView, zoom: str, beside: str) -> list[Any]:
        if run.kind != "train":
            return [show_or_hide(False), *[""] * len(plots)]
        view = charts.View.read(f"run {run.id}", zoom)
        numbers = [each for each in numbers_in(beside) if each != run.id][: len(charts.SERIES) - 1]
        shown = [run, *(each for each in map(workspace.runs.get, numbers) if each.kind == "train")]
        metrics = {
            f"{each.id} {each.name}": workspace.runs.metrics(each.id, *view.steps, only=METRICS) for each in shown
        }
        is_any = any(metrics.values()) or not run.has_ended
        return [show_or_hide(is_any), *[drawn(chart, metrics, view) for chart in CHARTS]]

    def choose(event: gr.EventData, beside: str) -> list[Any]:
        """A click on a card chooses its run; one on its sign shows the run beside the chosen one, or no more."""
        what, _, number = click_value(event).rpartition(":")
        run = workspace.runs.get(number_of(number)).id
        return [gr.skip(), toggled(beside, run)] if what else [run, gr.skip()]

    def remove(event: gr.EventData, chosen_run: int, held: int, beside: str) -> list[Any]:
        """Take a run out of the comparison; of the chosen one, the next takes its place."""
        number, numbers = number_of(click_value(event)), numbers_in(beside)
        if number in numbers or not numbers:
            return [gr.skip(), toggled(beside, number)]
        return [numbers[0], toggled(beside, numbers[0])]

    def move(event: gr.EventData) -> None:
        to, _, number = click_value(event).partition(":")
        workspace.runs.move(number_of(number), to)

    def stop_and_save(number: int) -> None:
        workspace.runs.stop(number)

    def stop_now(number: int) -> None:
        workspace.runs.stop(number, now=True)

    def resume_run(number: int) -> None:
        workspace.runs.resume(number)

    live.show(draw_queue, [], [queue])
    live.show(
        draw_list,
        [search, kind, chosen, shown, others],
        [cards],
        also=[chosen.change, search.change, kind.change, others.change],
    )
    live.show(
        draw_run,
        [chosen, shown, zoomed, others],
        [shown, strip, save, stop, resume, after, tail, recipe, buttons, below, curves, *plots],
        also=[chosen.change, zoomed.change],
    )
    live.show(draw_beside, [chosen, shown, others], [comparing, table])
    on(cards.select, choose, others, [chosen, others], name="monitor_choose")
    on(table.select, remove, [chosen, shown, others], [chosen, others], name="monitor_remove")
    on(queue.select, move, None, None, name="monitor_move")
    on([plot.select for plot in plots], click_value, None, zoomed, name="monitor_zoom")
    on(save.click, stop_and_save, shown, name="monitor_stop_and_save")
    on(stop.click, stop_now, shown, name="monitor_stop_now")
    on(resume.click, resume_run, shown, name="monitor_resume")
    frame.keep("run", chosen, shown=shown, check=workspace.runs.get, opens=True)
    frame.keep("with", others, check=lambda text: [workspace.runs.get(each) for each in numbers_in(text)])
    frame.keep("q", search)
    frame.keep("kind", kind)
