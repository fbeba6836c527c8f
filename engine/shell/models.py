"""The verb that lists models, each with what it was made from."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.assets import HOME
from engine.shell import follow
from engine.shell.verbs import Home, Json, guarded, updated_workspace


@guarded
def models(home: Home = HOME, json_: Json = False) -> None:
    """List the models of this home, and which adapter or model each was trained or merged from."""
    workspace = updated_workspace(home)
    listed = [(entry, workspace.lineage(entry.name)) for entry in workspace.models.list()]
    if json_:
        print(json.dumps([asdict(entry) | {"from": [asdict(stage) for stage in made[1:]]} for entry, made in listed]))
        return
    table = Table("model", "kind", "run", "dataset", "made from", "note")
    for entry, (own, *before) in listed:
        made = " <- ".join(stage.words for stage in before)
        texts = (entry.name, entry.kind, str(entry.run_id or ""), own.dataset, made, entry.note)
        table.add_row(*(escape(follow.printable(text)) for text in texts))
    Console().print(table)
