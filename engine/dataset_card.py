"""The card of a dataset: Markdown that says what is in it and what was left out, with what Hugging Face reads on top.

https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine.results import DatasetFacts, DatasetResult, Funnel, SideRows

MOST_ROWS = 50  # of one table
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def card(name: str, spec: Mapping[str, Any], report: DatasetResult) -> str:
    """The card, from the spec and the report of the dataset; all that its source named is escaped."""
    rows, funnel = report.rows, report.funnel or Funnel()
    licence = report.licence or "not known"
    lost = [(step.reason, step.count, step.example) for step in funnel.steps]
    parts = [
        _front(name, licence, rows),
        f"# {_plain(name)}",
        f"{rows.train:,} samples for training and {rows.valid:,} for evaluation, {report.learned_tokens:,} learned "
        f"tokens, longest sample {report.max_tokens:,}.",
        f"Content hash {_plain(report.hash)}. Licence: {_plain(licence)}.",
        f"Evaluation samples are chosen by: {_plain(report.split or 'project')}.",
        "## From source to samples",
        f"{funnel.source:,} read.",
        _table(("left out because", "how many", "first"), lost),
        _sources(report),
        "## What is in it",
        *(_shares(title, getattr(report, column)) for column, title in SHARES.items()),
        "## Lengths",
        "How many samples have at most so many tokens; the caps of this dataset come on top.",
        _table(
            ("tokens", "in all", "prompt", "target"),
            [(each.tokens, each.kept, each.prompts, each.targets) for each in report.windows or ()],
        ),
        _overlap(report),
        _expected(report),
        "## How it was built",
        "```json\n" + _quoted(spec, indent=2).replace("```", "'''") + "\n```",
        f"Columns: {', '.join(COLUMNS)}. Built by Repair Studio.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


SHARES = {"kinds": "Kind", "languages": "Language", "projects": "Project", "cwes": "Weakness (CWE)"}
COLUMNS = (
    "id", "split", "kind", "language", "project", "cwe", "date", "prompt", "target", "chosen", "rejected", "buggy",
    "fixed", "n_prompt", "n_tokens", "completion_lines", "messages", "label",
)  # fmt: skip


def _front(name: str, licence: str, rows: SideRows) -> str:
    """YAML whose values are JSON texts, which YAML reads as they are."""
    paths = {"train": "train", "validation": "valid"}
    files = "".join(
        f"  - split: {split}\n    path: data/{split}-*.parquet\n"
        for split, side in paths.items()
        if getattr(rows, side)
    )
    return (
        f"---\npretty_name: {_quoted(name)}\nlicense: {'unknown' if licence == 'not known' else 'other'}\n"
        f"license_name: {_quoted(licence)}\ntags:\n- code\n- program-repair\n"
        f"configs:\n- config_name: default\n  data_files:\n{files}---"
    )


def _sources(report: DatasetResult) -> str:
    sources = (report.facts or DatasetFacts()).sources
    rows = [(each.name, each.taken, each.rows, each.licence or "not known") for each in sources]
    return _table(("source", "taken", "of", "licence"), rows)


def _shares(title: str, counts: Mapping[str, int] | None) -> str:
    known = {name: count for name, count in (counts or {}).items() if name}
    return _table((title, "samples"), known.items()) if known else ""


def _overlap(report: DatasetResult) -> str:
    rows = [
        (each.benchmark, each.bugs, each.same, each.renamed, each.alike, each.problem) for each in report.overlap or ()
    ]
    head = ("benchmark", "bugs", "same code", "but for names", "shared tokens", "not compared because")
    return "## Overlap with benchmarks\n\n" + _table(head, rows) if rows else ""


def _expected(report: DatasetResult) -> str:
    expected = report.expected
    if expected is None:
        return ""
    said = f"{expected.found:,} of {expected.wanted:,} expected ids are in it."
    return f"## Expected ids\n\n{said}\n\n{_table(('missing because', 'how many'), expected.missing.items())}"


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


def _quoted(value: object, indent: int | None = None) -> str:
    """A value as JSON in which no tag can stand."""
    return json.dumps(value, indent=indent).replace("<", "\\u003c").replace(">", "\\u003e")
