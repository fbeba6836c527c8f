"""Small tables for the builders that read them."""

from __future__ import annotations

import json

from engine.builders import Funnel
from engine.plugins import BUILDERS


def jsonl(path, rows):
    """Write the rows, of which one that is a text is written as it is."""
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(name, path, **settings):
    """What a builder makes of a table, and its funnel."""
    builder, funnel = BUILDERS.from_value({"name": name, "file": str(path), **settings}), Funnel()
    return list(builder.stream(0, funnel)), funnel


def lost(name, tmp_path, *rows, **settings):
    """The reason why a row becomes nothing, for each row; empty where it becomes something."""
    found = []
    for row in rows:
        made, funnel = read(name, jsonl(tmp_path / "rows.jsonl", [row]), **settings)
        assert len(made) + sum(funnel.lost.values()) == funnel.source == 1
        found.append(next(iter(funnel.lost), ""))
    return found
