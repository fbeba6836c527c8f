"""The card of a dataset: Markdown that says what is in it and what was left out, with what Hugging Face reads on top.

https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

MOST_ROWS = 50  # of one table
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def card(name: str, spec: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """The card, from the spec and the report of the dataset; all that its source named is escaped."""
    rows, funnel = report.get("rows") or {}, report.get("funnel") or {}
    licence = str(report.get("licence") or "") or "not known"
    tokens = f"{report.get('learned_tokens', 0):,} learned tokens, mean length {report.get('mean_tokens', 0)} tokens"
    lost = [(step["reason"], step["count"], step.get("example", "")) for step in funnel.get("steps", ())]
    parts = [
        _front(name, licence, rows),
        f"# {_plain(name)}",
        f"{rows.get('train', 0):,} samples for training and {rows.get('valid', 0):,} for evaluation, {tokens}, "
        f"longest {report.get('max_tokens', 0):,}. Content hash `{report.get('hash', '')}`. "
        f"Licence: {_plain(licence)}.",
        f"Evaluation samples are chosen by: {_plain(report.get('split') or 'project')}.",
        "## From source to samples",
        f"{funnel.get('source', 0):,} read.",
        _table(("left out because", "how many", "first"), lost),
        _sources(report),
        "## What is in it",
        *(_shares(title, report.get(column)) for column, title in SHARES.items()),
        "## Lengths",
        "How many samples have at most so many tokens; the caps of this dataset come on top.",
        _table(
            ("tokens", "in all", "prompt", "target"),
            [(each["tokens"], each["kept"], each["prompts"], each["targets"]) for each in report.get("windows") or ()],
        ),
        _overlap(report),
        _expected(report),
        "## How it was built",
        "```json\n" + json.dumps(spec, indent=2).replace("```", "'''") + "\n```",
        f"Columns: {', '.join(COLUMNS)}. Built by Repair Studio.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


SHARES = {"kinds": "Kind of fault", "languages": "Language", "projects": "Project", "cwes": "Weakness (CWE)"}
COLUMNS = (
    "id", "split", "kind", "language", "project", "cwe", "date", "prompt", "target", "chosen", "rejected", "buggy",
    "fixed", "n_prompt", "n_tokens",
)  # fmt: skip


def _front(name: str, licence: str, rows: Mapping[str, Any]) -> str:
    """YAML whose values are JSON texts, which YAML reads as they are."""
    paths = {"train": "train", "validation": "valid"}
    files = "".join(
        f"  - split: {split}\n    path: data/{split}-*.parquet\n" for split, side in paths.items() if rows.get(side)
    )
    return (
        f"---\npretty_name: {json.dumps(name)}\nlicense: {'unknown' if licence == 'not known' else 'other'}\n"
        f"license_name: {json.dumps(licence)}\ntags:\n- code\n- program-repair\n"
        f"configs:\n- config_name: default\n  data_files:\n{files}---"
    )


def _sources(report: Mapping[str, Any]) -> str:
    sources = (report.get("facts") or {}).get("sources") or ()
    rows = [
        (each.get("name"), each.get("taken"), each.get("rows"), each.get("licence") or "not known") for each in sources
    ]
    return _table(("source", "taken", "of", "licence"), rows)


def _shares(title: str, counts: Mapping[str, int] | None) -> str:
    known = {name: count for name, count in (counts or {}).items() if name}
    return _table((title, "samples"), known.items()) if known else ""


def _overlap(report: Mapping[str, Any]) -> str:
    rows = [
        (each["benchmark"], each["bugs"], each["same"], each["renamed"], each["alike"], each["problem"])
        for each in report.get("overlap") or ()
    ]
    head = ("benchmark", "bugs", "same code", "but for names", "shared tokens", "not compared because")
    return "## Overlap with benchmarks\n\n" + _table(head, rows) if rows else ""


def _expected(report: Mapping[str, Any]) -> str:
    expected = report.get("expected")
    if not expected:
        return ""
    said = f"{expected['found']:,} of {expected['wanted']:,} expected ids are in it."
    return f"## Expected ids\n\n{said}\n\n{_table(('missing because', 'how many'), expected['missing'].items())}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names, found = [*head], [[*row] for row in rows]
    if not found:
        return ""
    lines = [names, ["---"] * len(names), *([_cell(cell) for cell in row] for row in found[:MOST_ROWS])]
    more = f"\n\n{len(found) - MOST_ROWS:,} more." if len(found) > MOST_ROWS else ""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + more


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _plain(value)


def _plain(value: object) -> str:
    """Text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))
