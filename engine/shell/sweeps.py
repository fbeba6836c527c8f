"""The verbs on several runs: start a sweep, compare the settings and figures of runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.assets import HOME
from engine.shell import follow
from engine.shell.verbs import Home, Json, Set, Wait, guarded, open_workspace, updated_workspace
from engine.spec_files import read_spec
from engine.specs import KINDS
from engine.sweep_specs import specs_of

if TYPE_CHECKING:
    from engine.control.sweeps import Compared

Metric = Annotated[str, typer.Option(help="the figure by which the best run is marked: eval_loss, plausible@1")]


@guarded
def sweep(
    kind: Annotated[str, typer.Argument(help=f"of the runs: {', '.join(KINDS)}; or the name of a sweep to show")],
    spec: Annotated[str, typer.Argument(metavar="[SPEC]", help="as of a single run: a JSON file or a preset")] = "",
    over: Annotated[
        list[str] | None,
        typer.Option(help="values to try: trainer.learning_rate=1e-4,2e-4; may be repeated"),
    ] = None,
    in_step: Annotated[
        bool, typer.Option("--in-step", help="first values together, then the second ones; not every combination")
    ] = False,
    set_: Set = None,
    metric: Metric = "",
    home: Home = HOME,
    wait: Wait = False,
    json_: Json = False,
) -> None:
    """Start one run for each combination of some settings' values, or show such a sweep by its name."""
    if kind in KINDS:
        workspace = open_workspace(home)
        group = workspace.sweeps.start(specs_of(read_spec(kind, spec, set_), over or [], in_step=in_step))
        follow.update(workspace)
    else:
        workspace, group = updated_workspace(home), kind
    ids = [run.id for run in workspace.sweeps.runs(group)]
    for run_id in ids if wait else ():
        follow.wait_for_end(workspace, run_id, quiet=json_)
    _show(workspace.sweeps.compared(ids, metric), group, as_json=json_)


def _show(compared: Compared, title: str, *, as_json: bool) -> None:
    if as_json:
        runs = [
            {
                "id": run.id,
                "name": run.name,
                "state": run.state,
                "settings": {path: values[at] for path, values in compared.settings.items()},
                "figures": {name: values[at] for name, values in compared.figures.items() if values[at] is not None},
            }
            for at, run in enumerate(compared.runs)
        ]
        print(json.dumps({"group": title, "metric": compared.metric, "best": compared.best, "runs": runs}))
        return
    table = Table("run", "name", "state", *map(escape, compared.settings), compared.metric or "figure", title=title)
    for at, run in enumerate(compared.runs):
        values = [shown_value(each[at]) for each in compared.settings.values()]
        figure = compared.figures[compared.metric][at] if compared.metric else None
        cells = [run.name, run.state, *values, "" if figure is None else f"{figure:.4g}"]
        style = "bold green" if run.id == compared.best else None
        table.add_row(str(run.id), *(escape(follow.printable(cell)) for cell in cells), style=style)
    console = Console()
    console.print(table)
    if compared.best is not None:
        console.print(f"best {escape(compared.metric)}: run {compared.best}", highlight=False)


def shown_value(value: object) -> str:
    """A setting as the shell takes it."""
    return value if isinstance(value, str) else json.dumps(value)
