"""What builders of bugs from tables share: what is known of a bug besides its code."""

from __future__ import annotations

from typing import Literal

from engine.builders.days import day_of
from engine.builders.previews import text_of
from engine.builders.rows import TableRow
from engine.builders.sources import TableParams
from engine.builders.tables import ID, PROJECT, Column, id_setting, project_setting
from engine.builders.weaknesses import cwe_of
from engine.domain import Bug, span_of_change
from engine.languages import language
from engine.params import setting

BUG_COLUMNS = {
    "id": ID,
    "project": PROJECT,
    "cwe": Column(("cwe", "cwe_id", "cwe id", "vul_type", "vulnerability_type"), is_needed=False),
    "date": Column(("date", "commit_date", "fix_date", "committer_date", "author_date", "timestamp"), is_needed=False),
}


class BugParams(TableParams):
    """What is known of rows besides their code, and what is done to it."""

    id: str = id_setting()
    project: str = project_setting()
    cwe: str = setting(
        "cwe", "column with the weakness, such as CWE-476; empty, or none of this name: not known", title="CWE"
    )
    date: str = setting(
        "date",
        "column with the day of the fix, or its time, by which the newest can be kept for evaluation; empty, or none "
        "of this name: not known",
        more=True,
    )
    language: Literal["python", "java", "c"] = setting("python", "programming language of the code")
    strip: bool = setting(
        False,
        "remove comments, docstrings and blank lines, as the training data of RepairLLaMA has none",
        title="Strip comments",
    )


def bug_of(row: TableRow, pair: tuple[str, str], name: str) -> Bug:
    """The bug of a row, whose faulty and fixed function in the language `name` differ."""
    cwe = cwe_of(text_of(row.cells.get("cwe")))
    return Bug(
        row.id, name, f"{row.number}{language(name).ending}", *pair, span_of_change(*pair), cwe=cwe,
        project=text_of(row.cells.get("project")), date=day_of(row.cells.get("date")), is_function=True,
    )  # fmt: skip
