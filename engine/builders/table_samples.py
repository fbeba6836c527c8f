"""What builders of samples and preferences from tables share: what is known of a row besides its texts."""

from __future__ import annotations

from typing import Literal

from engine.builders.previews import text_of
from engine.builders.rows import TableRow
from engine.builders.sources import TableParams
from engine.builders.tables import ID, PROJECT, Column, id_setting, project_setting
from engine.params import setting

SAMPLE_COLUMNS = {
    "id": ID,
    "project": PROJECT,
    "category": Column(("category", "task_type", "kind"), is_needed=False),
}


class SampleParams(TableParams):
    """What is known of rows besides their texts."""

    id: str = id_setting(more=True)
    project: str = project_setting(more=True)
    category: str = setting(
        "category",
        "column with the kind of each row, which is counted; empty, or none of this name: not known",
        more=True,
    )
    language: Literal["any", "python", "java", "c"] = setting("any", "programming language of the texts", more=True)


def facts_of(row: TableRow, settings: SampleParams) -> tuple[str, str, str]:
    """Its kind, language and project, as samples have them."""
    language = "" if settings.language == "any" else settings.language
    return text_of(row.cells.get("category"))[:100], language, text_of(row.cells.get("project"))
