"""The verb that says what a run would take before it is started, and how a plan is printed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.assets import HOME
from engine.errors import UserError
from engine.plan import PLANNED, Cluster
from engine.shell.follow import printable
from engine.shell.in_words import amount
from engine.shell.verbs import Home, Json, Set, guarded, open_workspace
from engine.spec_files import read_spec, stated_kind
from engine.specs import KINDS

if TYPE_CHECKING:
    from engine.plan import Plan


@guarded
def plan(
    spec: Annotated[
        str, typer.Argument(help=f"a JSON file of a run's settings, or a kind of run: {', '.join(PLANNED)}")
    ],
    preset: Annotated[str, typer.Argument(metavar="[PRESET]", help="after a kind: a preset or a file of it")] = "",
    set_: Set = None,
    nodes: Annotated[
        int | None, typer.Option(help="machines; left out: as the launcher's settings say", min=1, max=100_000)
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option(help="GPUs of each; left out: as the launcher says, or as measured", min=0, max=1000),
    ] = None,
    cores: Annotated[int | None, typer.Option(help="cores of each, which run the tests", min=1, max=10_000)] = None,
    bench: Annotated[
        list[Path] | None,
        typer.Option(help="what `bench train|generate --json` measured on such a card; may be repeated"),
    ] = None,
    home: Home = HOME,
    json_: Json = False,
) -> None:
    """Say what a run would take: time, GPU-hours, tokens, tests, disk, cost, by rates that were measured before."""
    from engine.control import bench_files

    kind, source = (spec, preset) if spec in KINDS else (stated_kind(spec), spec)
    if preset and spec not in KINDS:
        raise UserError(f"{preset!r}: a preset follows a kind of run, and {spec!r} is a file")
    found = open_workspace(home).plan(
        read_spec(kind, source, set_), Cluster(nodes or 0, gpus, cores), bench_files.read(bench or ())
    )
    if json_:
        print(json.dumps(asdict(found)))
        return
    show(found, Console(highlight=False))


def show(found: Plan, console: Console) -> None:
    """Print the lines of a plan, what it rests on, and which short run to do first where a rate is not known."""
    cards = f", {found.cards} GPUs in all" if found.cards else ""
    table = Table("", "", "from", title=f"plan for {found.nodes} node{'s' * (found.nodes > 1)}{cards}")
    for line in found.lines:
        table.add_row(line.name, escape(amount(line.value, line.unit)), escape(printable(line.source)))
    console.print(table)
    if found.serial_s is not None and (found.nodes > 1 or found.cards > 1):
        console.print(f"{amount(found.serial_s, 's')} of it remain, however many nodes there are", markup=False)
    for note in found.notes:
        console.print(note, markup=False, soft_wrap=True)
    if found.first:
        console.print(f"first: {found.first}", markup=False, soft_wrap=True)
