"""The verbs on repair conversations: list, show, send a message, rename, delete, export."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.assets import HOME
from engine.control.chat_exports import FORMATS
from engine.errors import OutsideFailure
from engine.shell import follow
from engine.shell.follow import printable
from engine.shell.verbs import Home, Json, Out, check_out, guarded, moved, open_workspace, updated_workspace

chats = typer.Typer(invoke_without_command=True)
ChatId = Annotated[int, typer.Argument(metavar="CHAT", help="number of the conversation")]
Text = Annotated[str, typer.Option("--search", help="only those with this text in title, bug or model")]


@chats.callback()
@guarded
def default(context: typer.Context, home: Home = HOME, json_: Json = False) -> None:
    """Go on with, name, delete and export repair conversations; without a verb: list them."""
    if context.invoked_subcommand is None:
        list_("", home, json_)


@chats.command("list")
@guarded
def list_(search: Text = "", home: Home = HOME, json_: Json = False) -> None:
    """List the conversations, newest first."""
    entries = updated_workspace(home).chats.entries(search)
    if json_:
        print(json.dumps([asdict(entry) for entry in entries]))
        return
    table = Table("chat", "title", "bug", "model", "messages", "outcome", box=None)
    for entry in entries:
        cells = (entry.title, entry.bug_id, entry.model, str(entry.turns), entry.outcome.replace("_", " "))
        table.add_row(str(entry.id), *(escape(printable(cell)) for cell in cells))
    Console().print(table)


@chats.command("show")
@guarded
def show(conversation: ChatId, home: Home = HOME, json_: Json = False) -> None:
    """Print a conversation."""
    workspace = updated_workspace(home)
    view = workspace.chats.view(conversation)
    if json_:
        print(json.dumps(asdict(view)))
    else:
        follow.conversation(workspace, conversation, quiet=False)


@chats.command("send")
@guarded
def send(
    conversation: ChatId,
    message: Annotated[str, typer.Argument(help="what the model reads before it answers")] = "",
    after: Annotated[
        int | None, typer.Option(help="number of the message that the answer follows, 0: none", min=0)
    ] = None,
    budget: Annotated[int, typer.Option(help="most repair turns", min=1, max=50)] = 5,
    home: Home = HOME,
) -> None:
    """Go on with a conversation; its model is loaded again where needed, and unloaded afterwards."""
    workspace = open_workspace(home)
    workspace.chats.send(conversation, message, budget, after)
    view = follow.conversation(workspace, conversation, quiet=False)
    workspace.chats.leave(conversation)
    follow.wait_until(workspace, lambda: workspace.chats.view(conversation).state != "stopping")
    if trouble := follow.trouble(view):
        raise OutsideFailure(trouble)


@chats.command("rename")
@guarded
def rename(
    conversation: ChatId, title: Annotated[str, typer.Argument(help="the new title")], home: Home = HOME
) -> None:
    """Give a conversation a title."""
    updated_workspace(home).chats.rename(conversation, title)


@chats.command("delete")
@guarded
def delete(conversation: ChatId, home: Home = HOME) -> None:
    """Delete a conversation with all its messages."""
    updated_workspace(home).chats.delete(conversation)


@chats.command("export")
@guarded
def export(
    conversation: ChatId,
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "markdown",
    out: Out = None,
    home: Home = HOME,
) -> None:
    """Write a conversation as Markdown (its newest branch) or as JSON (all of it), and print where it is."""
    check_out(out)
    print(moved(updated_workspace(home).chat_exports.write(conversation, form), out))
