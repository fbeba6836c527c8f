"""The output of the shell: a run with a progress bar, a conversation as it is written, tables, or JSON."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from engine import results, shard_states
from engine.machine import Machine
from engine.rundir import ENDED
from engine.shell.in_words import figure, spent
from engine.specs import WITH_PATCHES, waits_for_people

if TYPE_CHECKING:
    from engine.control.chat_views import View
    from engine.control.views import RunView
from engine.control.workspace import Workspace

PERIOD_S = 0.3
MOST_SHARDS = 24  # that have a line
PANEL = ("plausible_at_", "panel_")  # metrics of a bug panel, which are told together


def update(workspace: Workspace) -> None:
    """Bring the workspace up to date; a run that this starts has been given to its launcher when it returns."""
    printed = _updated(workspace, "")
    while workspace.is_submitting():
        time.sleep(PERIOD_S)
        printed = _updated(workspace, printed)


def _updated(workspace: Workspace, printed: str) -> str:
    """Returns the error if what is new cannot be stored, printed unless it was in `printed`.

    A full disk does not end a command that waits: it continues to read, and to store once there is space.
    """
    try:
        workspace.tick()
    except OSError as error:
        if str(error) != printed:
            print(f"repair-studio: {error}", file=sys.stderr)
        return str(error)
    return ""


def printable(text: str) -> str:
    """The text without control characters: names of files and columns may contain any."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def printable_lines(text: str) -> str:
    """As `printable`, with line ends and tabs kept: what a worker or a model wrote may steer the terminal.

    A progress bar writes over its line; here each of its states is a line.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each if each in "\n\t" else printable(each) for each in lines)


def warn(text: str) -> None:
    """Print a text on stderr."""
    print(f"repair-studio: {printable_lines(text)}", file=sys.stderr)


def wait_until(workspace: Workspace, is_over: Callable[[], bool]) -> None:
    """Keep the workspace up to date until `is_over` returns True."""
    printed = ""
    while True:
        printed = _updated(workspace, printed)
        if is_over():
            return
        time.sleep(PERIOD_S)


def wait_for_end(workspace: Workspace, run_id: int, *, quiet: bool) -> RunView:
    """Wait for a run with a progress bar on stderr, and return it. Ctrl-C ends the waiting and not the run."""
    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[text]}"), console=console) as progress:
        task = progress.add_task(f"run {run_id}", total=None, text="")

        def has_ended() -> bool:
            run = workspace.runs.get(run_id)
            is_done = run.state == "done"
            total = 1.0 if is_done or run.fraction is not None else None
            words = (run.progress if run.state in ("starting", "running") else run.outcome) or run.state
            text = escape(printable(words))
            title = f"run {run_id} {escape(printable(run.name))}"
            progress.update(task, description=title, total=total, completed=1.0 if is_done else run.fraction or 0.0)
            progress.update(task, text=text)
            return run.state in ENDED

        wait_until(workspace, has_ended)
    return workspace.runs.get(run_id)


def wait_while_stopping(workspace: Workspace, run_id: int) -> RunView:
    """Wait for a stopping run with a status on stderr, and return it. Ctrl-C ends the waiting; the run still stops."""
    console = Console(stderr=True)
    with console.status("") as waiting:

        def has_ended() -> bool:
            run = workspace.runs.get(run_id)
            asked_s = time.time() - (run.stop_asked_at or time.time())
            waiting.update(escape(f"{run.progress}; asked {asked_s:.0f} s ago"))
            return run.state != "stopping"

        wait_until(workspace, has_ended)
    return workspace.runs.get(run_id)


def supervise(workspace: Workspace, *, until_idle: bool) -> None:
    """Keep the queue moving, and print a line for each change of a run's state; Ctrl-C ends this and no run."""
    states: dict[int, str] = {}
    known = [run for run in workspace.runs.list() if run.has_ended]
    states = {run.id: run.state for run in known}

    def is_over() -> bool:
        runs = workspace.runs.list()
        for run in reversed(runs):
            if states.get(run.id) != run.state:
                states[run.id] = run.state
                words = run.error or (run.outcome if run.has_ended else run.progress)
                told = f"run {run.id}  {run.kind}  {run.name}  {run.state}  {words}".rstrip()
                print(printable(told), flush=True)
        return until_idle and all(run.has_ended or waits_for_people(run.kind) for run in runs)

    wait_until(workspace, is_over)


def conversation(workspace: Workspace, conversation_id: int, *, quiet: bool) -> View:
    """Print each turn once, an answer as it is written; returns the conversation when the model has finished."""
    console = Console(quiet=quiet)
    shown, live = 0, ""

    def is_finished() -> bool:
        nonlocal shown, live
        view = workspace.chats.view(conversation_id)
        for turn in view.turns:  # of a tree, so that their numbers have gaps
            if turn.number <= shown:
                continue
            head, written = printable(f"{turn.role} {turn.outcome}".strip()), printable_lines(turn.text)
            if live and turn.role == "assistant" and turn.text.startswith(live):
                console.print(written[len(printable_lines(live)) :], markup=False, highlight=False)
                console.print(f"({printable(turn.outcome)})" if turn.outcome else "", markup=False, highlight=False)
            else:
                console.rule(escape(head))
                console.print(printable_lines(turn.diff) or written, markup=False, highlight=False)
            if turn.reason and not turn.has_patch:
                console.print(f"({printable(turn.reason)})", markup=False, highlight=False)
            shown, live = turn.number, ""
        if view.live_text.startswith(live) and view.live_text != live:
            if not live:
                console.rule("assistant")
            console.print(printable_lines(view.live_text[len(live) :]), end="", markup=False, highlight=False)
            live = view.live_text
        return not view.is_busy

    wait_until(workspace, is_finished)
    return workspace.chats.view(conversation_id)


def trouble(view: View) -> str:
    """Why the last answer is none, where it was not even judged: of the worker, the service or the prompt; or empty."""
    last = view.turns[-1] if view.turns else None
    is_none = last is not None and last.role == "assistant" and not (last.outcome or last.is_explanation)
    return view.error or (last.reason if last is not None and is_none else "")


def show_run(workspace: Workspace, run: RunView, *, as_json: bool) -> None:
    """Print one run with its result."""
    keys = ("id", "kind", "name", "note", "state", "folder", "spec", "error", "unread", "result")
    values: dict[str, Any] = {**{key: getattr(run, key) for key in keys}, "progress_text": run.progress}
    values["costs"] = asdict(run.costs) if run.costs else None
    if run.kind in WITH_PATCHES:
        values["totals"] = asdict(workspace.patches.totals(run.id))
    if metrics := workspace.runs.last_metrics(run.id):
        values["metrics"] = metrics
        values["warnings"] = [asdict(each) for each in workspace.runs.warnings(run.id)]
        standings = workspace.runs.panel(run.id)
        values["panel"] = {f"plausible@{each.k}": each.words for each in standings}
    if parts := shard_states.read(run.folder):
        values["shards"] = [asdict(each) for each in parts]
    if as_json:
        print(json.dumps(values))
        return
    console = Console()
    words = run.outcome or run.reached or run.waits or run.progress
    console.print(f"run {run.id}  {escape(printable(run.name))}  [bold]{run.state}[/]  {escape(printable(words))}")
    warned = [each["text"] for each in values.get("warnings", ())]
    for said in filter(None, (run.note, run.error, run.unread, run.result.get("caution"), *warned)):
        console.print(printable_lines(said), markup=False, soft_wrap=True)
    facts = {k: v for k, v in run.result.items() if not isinstance(v, dict | list) and v != ""}
    if totals := values.get("totals"):
        facts = totals if totals["bugs"] else {}  # before its first bug there is nothing to tell
        hidden = "plausible_at" if totals["strategy"] else "by_attempt"  # the one says at some k what the other does
        facts = {name: value for name, value in facts.items() if name != hidden}
    had = {name: value for name, value in (("where", run.where), ("so far", spent(run.costs))) if value}
    is_dataset = run.kind == "dataset" and run.state == "done"
    told = [*had.items(), *_of_dataset(run)] if is_dataset else [*(had | facts).items()]
    plain = {name: value for name, value in metrics.items() if not name.startswith(PANEL)}
    for key, value in [*told, *plain.items(), *values.get("panel", {}).items()]:
        if shown := figure(key, value):
            console.print(f"  {escape(printable(key)):<22} {escape(printable(shown))}", highlight=False, soft_wrap=True)
    if parts:
        console.print(f"  {'in parts':<22} {shard_states.summary(parts)}", highlight=False)
    for part in shard_states.in_sight(parts, MOST_SHARDS):
        words = f"{part.state}, {part.share:.0%}  {printable('; '.join(filter(None, (part.where, part.why))))}"
        console.print(f"    {f'shard {part.number}':<20} {escape(words)}", highlight=False, soft_wrap=True)


def _of_dataset(run: RunView) -> list[tuple[str, str]]:
    """What was read, what was left out of it and why, and the figures of what is kept."""
    try:
        found = results.read("dataset", run.result)
    except ValueError:
        return []  # the run's outcome says so
    steps = found.funnel.steps if found.funnel else []
    return [
        *([("read", f"{found.funnel.source:,}")] if found.funnel else []),
        *(("left out", f"{each.count:,} {each.reason}; first: {each.example}") for each in steps),
        ("longest", f"{found.max_tokens:,} tokens"),
        ("learned", f"{found.learned_tokens:,} tokens"),
        ("hash", found.hash),
        ("more", f"repair-studio dataset show {shlex.quote(run.name)}"),
    ]


def show_runs(runs: Iterable[RunView], *, as_json: bool) -> None:
    """Print a table of runs."""
    if as_json:
        keys = ("id", "kind", "name", "state", "error", "unread")
        print(json.dumps([{key: getattr(run, key) for key in keys} | _costs(run) for run in runs]))
        return
    runs = [*runs]
    has_costs = any(run.costs for run in runs)
    table = Table("run", "kind", "name", "state", *(["so far"] if has_costs else []), "progress or result")
    for run in runs:
        came_to = run.error or run.outcome or run.reached or ("" if run.has_ended else run.waits or run.progress)
        words = "; ".join(filter(None, (came_to, run.unread)))
        so_far = [escape(printable(spent(run.costs)))] if has_costs else []
        table.add_row(str(run.id), run.kind, escape(printable(run.name)), run.state, *so_far, escape(printable(words)))
    Console().print(table if table.row_count else "no runs yet; try `repair-studio demo`")


def _costs(run: RunView) -> dict[str, Any]:
    return {"costs": asdict(run.costs)} if run.costs else {}


def show_demo(workspace: Workspace, group: str, *, as_json: bool) -> None:
    """Print the demo's table: one row per model."""
    rows = workspace.demo.table(group)
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    table = Table("model", "bugs", "plausible@1", "plausible@10", "seconds", title="pocket, Python bugs")
    for row in rows:
        at_1, at_10 = (f"{n} ({n / max(row.scored, 1):.0%})" for n in (row.plausible_at_1, row.plausible_at_10))
        table.add_row(escape(printable(row.model)), str(row.scored), at_1, at_10, f"{row.seconds or 0:.0f}")
    console = Console()
    console.print(table)
    broken = sum(row.control_failures for row in rows)
    console.print(
        "every known fix is plausible, no buggy code is"
        if not broken
        else f"{broken} bugs are not scored: their known fix fails or their buggy code passes"
    )


def show_machine(machine: Machine, console: Console, *, as_json: bool) -> None:
    """Print what `doctor` found."""
    if as_json:
        print(json.dumps(asdict(machine)))
        return
    console.print(machine.summary)
    console.print(f"{machine.free_disk_bytes / (1 << 30):.0f} GiB of disk free")
    table = Table("what", "", "detail")
    for check in machine.checks:
        table.add_row(check.what, "yes" if check.has else "no", escape(check.detail))
    console.print(table)
    console.print("  ".join(f"{name} {number}" for name, number in machine.versions.items()), highlight=False)
