"""The verbs on datasets: build, list, show, what was left out, delete; and the export of datasets and runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.assets import HOME
from engine.errors import UserError
from engine.exchange.datasets import DATASET_FORMS
from engine.exchange.forms import FORMS
from engine.shell.follow import printable
from engine.shell.verbs import (
    Home,
    Json,
    Out,
    Set,
    SpecFile,
    Wait,
    check_out,
    guarded,
    moved,
    submit,
    updated_workspace,
)
from engine.specs import WITH_PATCHES

if TYPE_CHECKING:
    from engine.control.views import DatasetView
    from engine.control.workspace import Workspace
    from engine.listed import Listed

dataset = typer.Typer(help="Datasets to train on.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="name of a dataset")]
Search = Annotated[str, typer.Option(help="only rows that contain this text")]
SHOWN_FIRST = ("bug_id", "where", "reason")  # of a listed row
Limit = Annotated[int, typer.Option(help="most rows to print", min=1)]


@dataset.command("build")
@guarded
def build(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Build a dataset from bug fixes, by fault injection, or from other datasets."""
    submit("dataset", spec, set_, home, wait=wait, as_json=json_)


@dataset.command("list")
@guarded
def list_(home: Home = HOME, json_: Json = False) -> None:
    """List all datasets, newest first."""
    found = updated_workspace(home).datasets.list()
    if json_:
        rows = [
            {"name": each.name, "run": each.run_id, "rows": each.rows, "hash": each.hash, "folder": each.folder}
            for each in found
        ]
        print(json.dumps(rows))
        return
    table = Table("dataset", "run", "samples", "for evaluation", "hash")
    for each in found:
        numbers = (f"{each.train_rows:,}", f"{each.valid_rows:,}")
        table.add_row(escape(printable(each.name)), str(each.run_id), *numbers, escape(printable(each.hash[:12])))
    Console().print(table if found else "no datasets yet; try `repair-studio dataset build demo`")


@dataset.command("show")
@guarded
def show(name: Name, home: Home = HOME, json_: Json = False) -> None:
    """Show what is in a dataset, what was left out and why, its overlap with benchmarks, and what uses it."""
    datasets = updated_workspace(home).datasets
    found, uses = datasets.get(name), datasets.used_by(name)
    if json_:
        print(json.dumps({**asdict(found), "used_by": [each.id for each in uses]}))
        return
    console = Console()
    said = f"{found.train_rows:,} samples for training, {found.valid_rows:,} for evaluation, hash {found.hash[:12]}"
    console.print(f"{escape(printable(found.name))}  {said}", highlight=False)
    for table in _tables(found):
        console.print(table)
    if found.expected:
        console.print(f"{found.expected.found:,} of {found.expected.wanted:,} expected ids are in it", highlight=False)
    if uses:
        console.print("used by " + ", ".join(f"run {each.id} ({escape(printable(each.name))})" for each in uses))


def _tables(found: DatasetView) -> list[Table]:
    lost = Table("left out because", "how many", "first", title=f"{found.source:,} read")
    for each in found.losses:
        lost.add_row(escape(printable(each.reason)), f"{each.count:,}", escape(printable(each.example)))
    sizes = Table("tokens", "samples that fit", "their prompts", "their targets", title="What a window holds")
    for window in found.windows:
        sizes.add_row(*(f"{each:,}" for each in (window.tokens, window.kept, window.prompts, window.targets)))
    overlap = Table("benchmark", "bugs", "same code", "but for names", "shared tokens", title="Overlap")
    for one in found.overlap:
        if not one.problem:
            overlap.add_row(escape(printable(one.benchmark)), *map(str, (one.bugs, one.same, one.renamed, one.alike)))
    return [table for table in (lost, sizes, overlap) if table.row_count]


@dataset.command("left-out")
@guarded
def left_out(
    name: Name,
    reason: Annotated[str, typer.Option(help="only those left out for this reason, as `dataset show` prints it")] = "",
    search: Search = "",
    limit: Limit = 1000,
    home: Home = HOME,
    json_: Json = False,
) -> None:
    """Print the rows that were left out, each with its id or place and the reason."""
    _print(updated_workspace(home).datasets.left_out(name, reason, search, 0, limit), as_json=json_)


@dataset.command("overlap")
@guarded
def overlap(
    name: Name,
    benchmark: Annotated[str, typer.Option(help="only code of this benchmark")] = "",
    search: Search = "",
    limit: Limit = 1000,
    home: Home = HOME,
    json_: Json = False,
) -> None:
    """Print the samples that have code of a benchmark, each with the benchmark's bug."""
    _print(updated_workspace(home).datasets.overlap(name, benchmark, search, 0, limit), as_json=json_)


@dataset.command("missing")
@guarded
def missing(name: Name, search: Search = "", limit: Limit = 1000, home: Home = HOME, json_: Json = False) -> None:
    """Print the expected ids (`--set expected=FILE`) that are not in the dataset, each with the reason."""
    _print(updated_workspace(home).datasets.missing(name, "", search, 0, limit), as_json=json_)


def _print(found: Listed, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"total": found.total, "rows": [dict(row) for row in found.rows]}))
        return
    for row in found.rows:
        facts = {
            name: value for name, value in row.items() if name not in ("bug_id", "where", "reason") and value != ""
        }
        more = "".join(f"  {name}={value}" for name, value in facts.items())
        where = row.get("bug_id") or row.get("where") or "-"
        print(printable(f"{where}  {row.get('reason', '')}{more}"))
    if found.total > len(found.rows):
        print(f"... {found.total - len(found.rows):,} more; --limit shows them")


@dataset.command("delete")
@guarded
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="delete it although runs have used it")] = False,
    home: Home = HOME,
) -> None:
    """Delete a dataset and its files; runs that used it keep their results and can no longer be repeated."""
    datasets = updated_workspace(home).datasets
    uses = datasets.used_by(name)
    if uses and not yes:
        named = ", ".join(f"run {each.id} ({printable(each.name)})" for each in uses[:10])
        raise UserError(f"dataset {name!r} is used by {named}; --yes deletes it nevertheless")
    datasets.delete(name)
    print(f"dataset {printable(name)} is deleted")


@guarded
def export(
    what: Annotated[str, typer.Argument(metavar="RUN|DATASET", help="number of a run, or name of a dataset")],
    form: Annotated[
        str,
        typer.Option(
            "--format", help=f"of a run: {', '.join(FORMS)} (first: default); of a dataset: {', '.join(DATASET_FORMS)}"
        ),
    ] = "",
    out: Out = None,
    home: Home = HOME,
) -> None:
    """Write a benchmark run or a dataset to a file; print its path.

    A run with every patch and its verdict, or as another program reads it; a dataset with a row for each sample. `hf`
    is a folder.
    """
    check_out(out)
    workspace = updated_workspace(home)
    name = _dataset_of(workspace, what)
    if name is None:
        print(moved(workspace.patches.export(int(what), form or next(iter(FORMS))), out))
    else:
        print(moved(workspace.datasets.export(name, form or next(iter(DATASET_FORMS))), out))


def _dataset_of(workspace: Workspace, what: str) -> str | None:
    """The dataset of this name, or that a run of this number built; None for a run with patches."""
    if not (what.isascii() and what.isdecimal()):
        return what
    if what in workspace.datasets.names():
        return what
    if workspace.runs.get(int(what)).kind in WITH_PATCHES:
        return None
    return workspace.datasets.of_run(int(what))
