"""The verbs that test what is there already: a benchmark's own bugs, patches in a file, verdicts made elsewhere."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from engine.assets import HOME
from engine.control.outcomes import unknown_rows
from engine.exchange.reading import recognised
from engine.rundir import RunDir
from engine.shell import follow
from engine.shell.verbs import Home, Json, Set, check_out, exit_with_code, guarded, moved, open_workspace
from engine.spec_files import read_spec

if TYPE_CHECKING:
    from engine.control.workspace import Workspace

VERDICTS = "verdicts.jsonl"
Place = Annotated[Path | None, typer.Option("--path", metavar="DIR", help="folder or file that the benchmark reads")]
Name = Annotated[str, typer.Option("--benchmark", metavar="NAME", help="whose bugs the patches are for")]


@guarded
def check(
    name: Annotated[str, typer.Argument(help="name of a benchmark")],
    path: Place = None,
    set_: Set = None,
    home: Home = HOME,
    json_: Json = False,
) -> None:
    """Test a benchmark's known fixes and buggy code, and nothing else: which of its bugs can be scored here."""
    workspace = open_workspace(home)
    run = _done(workspace, _settings(name, path, None, set_), as_json=json_)
    keys = ("benchmark", "bugs", "usable", "known_fix", "buggy_code", "set_aside", "sandbox", "seconds")
    found = {"run": run.id, **{key: run.result[key] for key in keys}}
    if json_:
        print(json.dumps(found))
        return
    console = Console()
    for bug_id, reason in found["set_aside"].items():
        console.print(f"  {escape(bug_id)}: {escape(reason)}", highlight=False, soft_wrap=True)
    fixed, buggy = (_words(found[key]) for key in ("known_fix", "buggy_code"))
    console.print(f"{escape(found['benchmark'])}: {found['usable']} of {found['bugs']} bugs can be scored here, "
                  f"{len(found['set_aside'])} set aside", highlight=False)  # fmt: skip
    console.print(f"  known fixes: {fixed}\n  buggy code:  {buggy}\n  {found['sandbox']}, {found['seconds']} s",
                  highlight=False)  # fmt: skip


@guarded
def validate(
    candidates: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="patches, as JSON lines: bug_id and function, lines, file or patch; "
            "-: from standard input; left out: none, the known fixes and the buggy code are tested",
        ),
    ] = None,
    benchmark: Name = "",
    path: Place = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="where the verdicts go")] = None,
    set_: Set = None,
    home: Home = HOME,
    wait: Annotated[bool, typer.Option("--wait", hidden=True)] = True,
    json_: Json = False,
) -> None:
    """Test patches that anything may have made, each in a sandbox: a row in, the same row with its verdict out."""
    check_out(out)
    workspace = open_workspace(home)
    given = _piped(workspace) if str(candidates) == "-" else candidates
    run = _done(workspace, _settings(benchmark, path, given, set_), as_json=json_)
    made = RunDir(Path(run.folder)).artifacts / VERDICTS
    if out is not None and made.is_file():
        made = moved(made, out)
    _show(workspace, run, made, as_json=json_)


@guarded
def import_(
    verdicts: Annotated[Path, typer.Argument(metavar="FILE", help="as `validate` or another program writes it")],
    benchmark: Name = "",
    maker: Annotated[str, typer.Option(metavar="NAME", help="who made the patches; left out: as the file says")] = "",
    path: Place = None,
    set_: Set = None,
    home: Home = HOME,
    json_: Json = False,
) -> None:
    """List verdicts that were made elsewhere as a run; nothing is tested again."""
    workspace = open_workspace(home)
    made_by = maker or who_made(verdicts)
    named = [f"maker={json.dumps(made_by)}"] if made_by else []
    settings = [*_settings(benchmark, path, verdicts, [*named, *(set_ or [])]), "keep_verdicts=true"]
    run = _done(workspace, settings, as_json=json_)
    _show(workspace, run, RunDir(Path(run.folder)).artifacts / VERDICTS, as_json=json_)


def who_made(file: Path) -> str:
    """Who made the patches of a file, if it says so. Raises UserError where its format is not known."""
    return recognised(file).who if file.is_file() else ""


def _piped(workspace: Workspace) -> Path:
    """Standard input as a file of the home folder, where the run reads it, now and when it is repeated."""
    with workspace.uploads.receive("standard-input.jsonl") as upload:
        while piece := sys.stdin.buffer.read(1 << 20):
            upload.write(piece)
    return upload.path


def _settings(benchmark: str, path: Path | None, file: Path | None, more: list[str] | None) -> list[str]:
    """The overrides that make the spec; a path may hold whatever JSON could mistake for a number."""
    found = [f"benchmark={benchmark}"] if benchmark else []
    found += [f"benchmark.folder={json.dumps(str(path))}"] if path is not None else []
    found += [f"file={json.dumps(str(file))}"] if file is not None else []
    return [*found, *(more or [])]


def _done(workspace: Workspace, settings: list[str], *, as_json: bool) -> Any:
    """The run of these settings when it is done; leaves the shell where it does not come to that."""
    quiet = as_json and not sys.stderr.isatty()  # a program that reads both streams gets JSON alone
    run_id = workspace.runs.submit(read_spec("validate", "", settings))
    run = follow.wait_for_end(workspace, run_id, quiet=quiet)
    if run.state != "done":
        follow.warn(f"run {run.id} is {run.state}: {run.error}")
    if run.unread:
        follow.warn(f"run {run.id}: {run.unread}")
    exit_with_code(run)
    return run


def _show(workspace: Workspace, run: Any, made: Path, *, as_json: bool) -> None:
    totals = asdict(workspace.patches.totals(run.id))
    written = str(made) if made.is_file() else ""
    if as_json:
        print(json.dumps({"run": run.id, "verdicts": written, **run.result, "totals": totals}))
        return
    outcomes = {key: number for key, number in run.result["outcomes"].items() if number}
    console = Console()
    console.print(f"{run.result['rows']} rows for {run.result['bugs']} bugs: {_words(outcomes)}", highlight=False)
    for k, share in totals["plausible_at"].items():
        console.print(f"  plausible@{k}  {share['hits']} of {share['total']} bugs", highlight=False)
    for bug_id, reason in run.result["set_aside"].items():
        console.print(f"  not scored: {escape(bug_id)}: {escape(reason)}", highlight=False, soft_wrap=True)
    if run.result["unknown_rows"]:
        console.print(f"  {unknown_rows(run.result['unknown_rows'])}, {run.result['benchmark']}", highlight=False)
    where = f", verdicts in {escape(written)}" if written else ""
    console.print(f"  run {run.id}, {run.result['seconds']} s{where}", highlight=False, soft_wrap=True)


def _words(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{number} {outcome.replace('_', ' ')}" for outcome, number in outcomes.items()) or "none"
