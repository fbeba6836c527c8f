"""Bugs from SVEN: functions before and after a security fix (He and Vechev, arXiv 2302.05319).

Its rows are JSON objects, a line each, in `data_train_val/{train,val}/cwe-NNN.jsonl`: `func_name, func_src_before,
func_src_after, line_changes, char_changes, commit_link, file_name, vul_type`. Of its functions, in Python, C and C++,
those in a language known here are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.pairs import cleaned
from engine.builders.rows import Row, rows_of
from engine.builders.source_files import language_of
from engine.builders.weaknesses import MOST_EXAMPLES, Category, Round, cwe_of
from engine.domain import Bug, Rows, span_of_change
from engine.errors import UserError
from engine.params import Place, is_unicode, setting

FIELD = "builder.folder"
COLUMNS = ["func_src_before", "func_src_after", "file_name", "vul_type", "commit_link"]
_REPOSITORY = re.compile(r"(?:https?://)?[^/]+/([^/]+/[^/]+)/")


class Sven:
    """Takes the function pairs of SVEN in a known language; the others are counted with the reason."""

    name: ClassVar[str] = "sven"
    title: ClassVar[str] = "SVEN (security fixes)"
    makes: ClassVar[Rows] = "bugs"

    class Params(params.Params):
        """Where SVEN is, and what is told of each weakness."""

        name: Literal["sven"] = "sven"
        folder: Place = setting("", "folder of SVEN, or its data_train_val")
        part: Literal["train", "val", "both"] = setting(
            "train", "its own side for training, for validation, or both", title="Part of SVEN"
        )
        category: Category = setting(
            "hidden", "given: the weakness is named beside the code, as CWE-89 with its description"
        )
        examples: int = setting(
            0, "good examples of the same weakness, beside its name", ge=0, le=MOST_EXAMPLES, title="Good examples"
        )
        strip: bool = setting(False, "remove comments, docstrings and blank lines", title="Strip comments")

    def __init__(self, params: Params) -> None:
        self.params = params

    def check(self) -> None:
        """Raises UserError if the folder has no rows of SVEN."""
        self._files()

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def total(self) -> int | None:
        return None

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """In the order of the files and rows, whatever the seed."""
        shown = Round(self.params.category, self.params.examples)
        if shown.wants_examples:  # they come from all files, so these are read twice
            shown.learn((bug.project, bug) for bug in self._bugs(Funnel()))
        for bug in self._bugs(funnel):
            yield shown.told(bug, bug.project)

    def _files(self) -> list[Path]:
        folder = Path(self.params.folder)
        if not self.params.folder or not folder.is_dir():
            what = f"there is no folder {str(folder)!r}" if self.params.folder else "no folder is named"
            raise UserError(f"{what}; name the folder of SVEN", field=FIELD)
        parts = ("train", "val") if self.params.part == "both" else (self.params.part,)
        found = sorted(path for path in folder.rglob("*.jsonl") if path.parent.name in parts and path.is_file())
        if not found:
            raise UserError(
                f"there is no {' or '.join(parts)}/cwe-NNN.jsonl in {str(folder)!r}; name the folder of SVEN",
                field=FIELD,
            )
        return found

    def _bugs(self, funnel: Funnel) -> Iterator[Bug]:
        for path in self._files():
            for row in rows_of(path, COLUMNS, funnel):
                id_ = f"sven/{path.parent.name}/{path.stem}:{row.number}"
                bug = self._bug(id_, row)
                if isinstance(bug, str):
                    funnel.lose(bug, id_)
                else:
                    yield bug

    def _bug(self, id_: str, row: Row) -> Bug | str:
        """The row's bug, or the reason why it has none."""
        before, after, file, weakness, link = (row.cells.get(name) for name in COLUMNS)
        if not (isinstance(before, str) and isinstance(after, str) and isinstance(file, str)):
            return "a cell is not text"
        language = language_of(file)
        if not language:
            return f"is in a language not known here ({PurePosixPath(file).suffix.lower()[:10] or 'no ending'})"
        pair = cleaned(before, after, language, strip=self.params.strip)
        if isinstance(pair, str):
            return pair
        if not is_unicode(file):
            return "not valid Unicode"
        cwe, repository = cwe_of(str(weakness)), _REPOSITORY.match(str(link))
        return Bug(
            id_, language, file, *pair, span_of_change(*pair), kind=cwe, cwe=cwe,
            project=repository[1] if repository and is_unicode(repository[1]) else "", is_function=True,
        )  # fmt: skip
