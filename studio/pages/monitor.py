"""Monitor: every run with its state; the chosen run's group, curves, log, settings and actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine import shard_states
from engine.control.sweeps import PREFIX as SWEEP
from engine.control.views import RunView, Standing
from engine.errors import UserError
from engine.rundir import ACTIVE, RESUMABLE
from engine.spec_files import spec_json
from engine.specs import KINDS as SPECS
from engine.specs import WITH_PATCHES, BenchmarkSpec, ChatSpec, MergeSpec, TrainSpec, parse
from engine.sweep_specs import MOST
from studio.addresses import learning_from, link
from studio.charts import SERIES
from studio.checked import number_of
from studio.clickable import GONE, click_value, clickable, hidden_field, plain, show_or_hide
from studio.curve_choices import CurveChoices
from studio.guard import on
from studio.html import code, several
from studio.html.basics import KINDS, copyable, empty, esc, heading, run_list, run_strip
from studio.html.run_facts import action_links, cautions, made_from, shards
from studio.page import Frame
from studio.plotted import plotted
from studio.run_edits import RunEdits
from studio.run_figures import curve_figures
from studio.training_curves import CHARTS, Chart

STATES = {  # words of a choice -> states
    "waiting or running": ("queued", *ACTIVE), "done": ("done",), "failed": ("failed", "incomplete"),
    "stopped or interrupted": ("stopped", "interrupted"),
}  # fmt: skip


def settings(run: RunView, command: str) -> str:
    """The settings of a run as a shell command and as JSON."""
    return copyable(command, "Shell command") + copyable(spec_json(parse(dict(run.spec))), "JSON")


def first_choice(runs: Sequence[Standing]) -> int:
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


def drawn(chart: Chart, figure: str) -> Any:
    """The update of a chart's part."""
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
    metric = hidden_field("")  # by which the best of several is marked
    look = hidden_field("")  # how curves are drawn, "time,log"
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=3, min_width=300, variant="panel"):
            plain('<div class="heading"><h2>Runs</h2></div>')
            with gr.Row(elem_classes="bar-row"):
                search = gr.Textbox("", label="Search runs", placeholder="name", max_lines=1, min_width=120)
                kinds = [("everything", ""), *((words, kind) for kind, words in KINDS.items())]
                kind = gr.Dropdown(kinds, value="", label="Kind", min_width=120, filterable=False)
                states = [("any state", ""), *((words, words) for words in STATES)]
                state = gr.Dropdown(states, value="", label="State", min_width=120, filterable=False)
            queue = clickable()
            cards = clickable(elem_classes="scroll")
        with gr.Column(scale=8, min_width=320):
            with gr.Column(variant="panel"):
                group = plain()
                strip = plain()
                with gr.Row(elem_classes=["buttons", GONE]) as buttons:
                    save = gr.Button("Stop and save", variant="stop", size="sm", visible="hidden", min_width=112,
                                     elem_classes="deliberate")  # fmt: skip
                    stop = gr.Button("Stop", variant="stop", size="sm", visible="hidden", min_width=96,
                                     elem_classes="deliberate")  # fmt: skip
                    resume = gr.Button("Resume", size="sm", visible="hidden", min_width=96)
                    after = plain(elem_classes="actions")
                    delete = gr.Button("Delete", size="sm", visible="hidden", min_width=72)
                edits = RunEdits(frame)
            with gr.Column(elem_id="charts", elem_classes=GONE) as curves:
                choices = clickable(elem_classes="wide")
                plots = [plotted(elem_classes="chart", visible="hidden" if each.is_rare else True) for each in CHARTS]
            with gr.Column(variant="panel", elem_classes=GONE) as comparing:
                plain(
                    heading(
                        "Side by side",
                        "The settings that differ; the best of the runs that are done is marked, by the "
                        "figure whose name you click.",
                    )
                )
                table = clickable()
            with gr.Column(variant="panel", elem_classes=GONE) as below:
                plain('<div class="heading"><h2>Log</h2></div>')
                tail = plain(elem_classes="tail")
                with gr.Accordion("Settings of this run", open=False, elem_classes="more"):
                    recipe = plain()

    def shown_run(wanted: int, held: int) -> RunView | None:
        """What is wanted; else what is shown stays, whatever starts meanwhile."""
        number = wanted or held or first_choice(workspace.runs.newest())
        return workspace.runs.get(number) if number else None

    def draw_queue() -> list[str]:
        return [several.waiting(workspace.runs.waiting())]

    def draw_list(text: str, only: str, within: str, wanted: int, held: int, beside: str) -> list[str]:
        runs = workspace.runs.list(kind=only, states=STATES.get(within, ()), search=text.strip())
        if not runs:
            if text.strip() or only or within:
                return [empty("No runs match", "Clear the search, or show everything.")]
            return [empty("No runs", "Every run is listed here, with its state and its result.")]
        return [run_list(runs, wanted or held or first_choice(workspace.runs.newest()), numbers_in(beside))]

    def draw_run(wanted: int, held: int, zoom: str, beside: str, words: str) -> list[Any]:
        run = shown_run(wanted, held)
        if run is None:
            text = "Curves and log of each run are shown here. Run the demo (Guide, above), or begin with a dataset."
            nothing = empty("Nothing has run yet", text, ("Build a dataset", link(tab="datasets")))
            return [
                *[0, "", nothing, *[gr.update(visible="hidden")] * 4, "", "", ""],
                *[show_or_hide(False, "buttons"), show_or_hide(False), show_or_hide(False), "", *[""] * len(plots)],
            ]
        return [
            *about(run, beside),
            show_or_hide(True, "buttons"),
            show_or_hide(True),
            *figures(run, zoom, beside, words),
        ]

    def draw_beside(wanted: int, held: int, beside: str, by: str) -> list[Any]:
        run = shown_run(wanted, held) if beside else None
        numbers = [each for each in numbers_in(beside) if run is not None and each != run.id]
        if run is None or not numbers:
            return [show_or_hide(False), ""]
        try:
            compared = workspace.sweeps.compared([run.id, *numbers], by)
        except UserError:  # none of these has the figure that was chosen for others
            compared = workspace.sweeps.compared([run.id, *numbers])
        return [show_or_hide(True), several.beside(compared)]

    def group_of(run: RunView, beside: str) -> str:
        """Where the run stands among those that were started with it."""
        together = workspace.runs.list(group=run.group)[::-1] if run.group else []
        if not run.group.startswith(SWEEP):
            return several.stages(together, run.id)
        rest = [each.id for each in together if each.id != run.id][: MOST - 1]
        return several.whole_group(run.group, rest, run.id) if set(rest) - set(numbers_in(beside)) else ""

    def about(run: RunView, beside: str) -> list[Any]:
        made = next((model.kind for model in workspace.models.list() if model.run_id == run.id and model.usable), "")
        return [
            run.id,
            group_of(run, beside),
            run_strip(run, is_linked=False)
            + cautions(workspace.runs.warnings(run.id))
            + made_from(workspace.origin(run))
            + shards(shard_states.read(run.folder)),
            gr.update(visible=run.can_save or "hidden", interactive=run.state != "stopping"),
            gr.update(
                visible=not run.has_ended or "hidden",
                value="Unload" if run.kind == "chat" else "Stop now" if run.can_save else "Stop",
                interactive=run.can_save or run.state != "stopping",
            ),
            gr.update(visible=run.state in RESUMABLE or "hidden"),
            gr.update(visible=run.has_ended or "hidden"),
            action_links(actions(run, made)),
            code.log(workspace.runs.log(run.id)),
            recipe_of(run),
        ]

    def recipe_of(run: RunView) -> str:
        try:
            return settings(run, workspace.runs.command(parse(dict(run.spec))))
        except UserError as error:  # it names a plug-in that is not here any more; the rest of the run is shown
            return f'<p class="complaint" role="alert">{esc(str(error))}</p>'

    def figures(run: RunView, zoom: str, beside: str, words: str) -> list[Any]:
        if run.kind != "train":
            return [show_or_hide(False), "", *[""] * len(plots)]
        numbers = [each for each in numbers_in(beside) if each != run.id][: len(SERIES) - 1]
        together = [run, *(each for each in map(workspace.runs.get, numbers) if each.kind == "train")]
        chosen_look = CurveChoices.read(words)
        made = curve_figures(workspace, together, zoom, chosen_look)
        is_any = any(workspace.runs.last_metrics(each.id) for each in together) or not run.has_ended
        return [show_or_hide(is_any), chosen_look.html(), *map(drawn, CHARTS, made)]

    def change_look(event: gr.EventData, words: str) -> str:
        return str(CurveChoices.read(words).with_word(click_value(event)))

    def choose(event: gr.EventData, beside: str) -> list[Any]:
        """A click on a card chooses its run; one on its sign shows the run beside the chosen one, or no more."""
        what, _, number = click_value(event).rpartition(":")
        run = workspace.runs.get(number_of(number)).id
        return [gr.skip(), toggled(beside, run)] if what else [run, gr.skip()]

    def change_table(event: gr.EventData, beside: str) -> list[Any]:
        """Mark the best by a figure, or compare a run no more; of the chosen one, the next takes its place."""
        if (clicked := click_value(event)).startswith("by:"):
            return [gr.skip(), gr.skip(), clicked.removeprefix("by:")]
        number, numbers = number_of(clicked), numbers_in(beside)
        if number in numbers or not numbers:
            return [gr.skip(), toggled(beside, number), gr.skip()]
        return [numbers[0], toggled(beside, numbers[0]), gr.skip()]

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
        [search, kind, state, chosen, shown, others],
        [cards],
        also=[chosen.change, search.change, kind.change, state.change, others.change],
    )
    live.show(
        draw_run,
        [chosen, shown, zoomed, others, look],
        [shown, group, strip, save, stop, resume, delete, after, tail, recipe, buttons, below, curves, choices, *plots],
        also=[chosen.change, zoomed.change, look.change],
    )
    live.show(draw_beside, [chosen, shown, others, metric], [comparing, table], also=[metric.change])
    edits.wire(shown, delete, [chosen, shown])
    on(cards.select, choose, others, [chosen, others], name="monitor_choose")
    on(table.select, change_table, others, [chosen, others, metric], name="monitor_change_table")
    on(choices.select, change_look, look, look, name="monitor_change_look")
    on(queue.select, move, None, None, name="monitor_move")
    on([plot.select for plot in plots], click_value, None, zoomed, name="monitor_zoom")
    on(save.click, stop_and_save, shown, name="monitor_stop_and_save")
    on(stop.click, stop_now, shown, name="monitor_stop_now")
    on(resume.click, resume_run, shown, name="monitor_resume")
    frame.keep("run", chosen, shown=shown, check=workspace.runs.get, opens=True)
    frame.keep("with", others, check=lambda text: [workspace.runs.get(each) for each in numbers_in(text)])
    frame.keep("q", search)
    frame.keep("kind", kind)
    frame.keep("state", state)
    frame.keep("by", metric)
    frame.keep("curves", look)
