"""Bugs from unified diffs: a folder or an archive of .patch and .diff files, or a column of a table.

A table's defaults are the columns of Megadiff (Monperrus et al., arXiv 2108.04631) as RepairLLaMA's authors publish it:
`diff, is_single_chunk, is_single_function, buggy_function, fixed_function`; its shards may lie in one folder. Defects4J
keeps its patches as `framework/projects/PROJECT/patches/N.src.patch`, from fixed to buggy (its README.md); BugsInPy
as `projects/PROJECT/bugs/N/bug_patch.txt`, from faulty to fixed (github.com/soarsmu/BugsInPy).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from operator import ne
from pathlib import Path
from typing import Any, ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.changes import SEVERAL
from engine.builders.diff_tables import check_tables, entries, rows_in, tables_in, total_of
from engine.builders.file_diffs import FileDiff
from engine.builders.fixes import file_changed, function_of, is_single_chunk
from engine.builders.packed import ARCHIVES, files_in, is_archive
from engine.builders.pairs import cleaned, kind_of
from engine.builders.rows import columns_of
from engine.builders.source_files import language_of
from engine.domain import Bug, Rows, span_of_change
from engine.errors import UserError
from engine.languages import LANGUAGES
from engine.languages.fingerprint import digest
from engine.params import Place, is_unicode, setting

FIELD = "builder.path"
ENDINGS = (".patch", ".diff", "bug_patch.txt")
MOST_SEEN = 2000  # entries of a folder that a form looks at
_NUMBERED = (  # paths that name the project and the number of a bug: those of Defects4J and of BugsInPy
    re.compile(r"(?:.*/)?(\w+)/patches/(\d+)\.src\.patch"),
    re.compile(r"(?:.*/)?([\w.-]+)/bugs/(\d+)/bug_patch\.txt"),
)


class Diffs:
    """Reads the function that each diff changes; a diff that gives no bug is counted with the reason."""

    name: ClassVar[str] = "diffs"
    title: ClassVar[str] = "Diffs (patch files)"
    makes: ClassVar[Rows] = "bugs"

    class Params(params.Params):
        """Where the diffs are, and which of them are wanted."""

        name: Literal["diffs"] = "diffs"
        path: Place = setting(
            "",
            "a folder, .zip or .tar.gz of .patch and .diff files; or a .jsonl, .csv or .parquet file with a column of "
            "diffs, or a folder of such files",
            upload=".zip,.tar,.gz,.tgz,.patch,.diff,.parquet,.csv,.jsonl",
            title="Diffs",
        )
        reverse: bool = setting(
            False, "the diffs lead from the fixed to the faulty code, as those of Defects4J do", title="Reversed"
        )
        single_chunk: bool = setting(
            False,
            "only fixes of one place: at most one run of removed and one of added lines",
            title="Single chunk only",
        )
        sources: Place = setting(
            "",
            "a checkout of the project, faulty or fixed, or a folder with one per diff, named as the diff; functions "
            "that are not whole in a diff are taken from there",
            title="Source folder",
        )
        strip: bool = setting(False, "remove comments, docstrings and blank lines", title="Strip comments")
        language: Literal["auto", "python", "java", "c"] = setting(
            "auto", "programming language; auto: by the name of the file in the diff", more=True
        )
        diff: str = setting("diff", "of a table: the column with the diffs", more=True, title="Column of diffs")
        buggy: str = setting(
            "buggy_function",
            "of a table: the column with the faulty function, if it has one",
            more=True,
            title="Column of faulty code",
        )
        fixed: str = setting(
            "fixed_function",
            "of a table: the column with the fixed function, if it has one",
            more=True,
            title="Column of fixed code",
        )
        project: str = setting(
            "", "of a table: the column with the project; empty: not known", more=True, title="Column of projects"
        )

    def __init__(self, params: Params) -> None:
        self.params = params
        self._path = Path(params.path)

    def check(self) -> None:
        """Raises UserError if there is nothing to read at the path, or the table has no such column."""
        tables = self._tables()
        if tables:
            check_tables(tables, self.params.diff, FIELD)
        if self.params.sources and not Path(self.params.sources).is_dir():
            raise UserError(f"there is no folder {self.params.sources!r}; name a checkout", field="builder.sources")

    def choices(self) -> Mapping[str, Sequence[str]]:
        """The columns of the first table for each setting that names one; none where there is no table.

        A form asks while a path is typed, so only MOST_SEEN entries of a folder are looked at.
        """
        tables = self._tables(MOST_SEEN) if self.params.path else []
        columns = list(columns_of(tables[0])) if tables else []
        of_diffs = sorted(columns, key=lambda each: not re.search("diff|patch", each, re.IGNORECASE))
        usual = {"buggy": "buggy_function", "fixed": "fixed_function", "project": "project"}
        optional = ["", *columns] if columns else []
        ranked = {name: sorted(optional, key=partial(ne, column)) for name, column in usual.items()}
        return {"diff": of_diffs, **ranked}

    def total(self) -> int | None:
        tables = self._tables()
        return total_of(tables) if tables else None

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """In the order of names and rows, whatever the seed."""
        self.check()
        tables = self._tables()
        found = self._of_rows(tables, funnel) if tables else self._of_files(funnel)
        for where, bug in found:
            if isinstance(bug, str):
                funnel.lose(bug, where)
            else:
                yield bug
        if not funnel.source:
            raise UserError(f"there is no .patch or .diff file in {str(self._path)!r}", field=FIELD)

    def _tables(self, most: int | None = None) -> list[Path]:
        """The tables to read; empty where patch files are. Raises UserError if there is nothing of either kind.

        `most`: only so many entries of a folder are looked at, and what is further down is not known.
        """
        path = self._path
        if not self.params.path:
            raise UserError("no path is named; name a folder or an archive of patch files, or a table", field=FIELD)
        if path.is_dir():
            if not os.access(path, os.R_OK | os.X_OK):
                raise UserError(f"the folder {str(path)!r} may not be read; allow it or choose another", field=FIELD)
            if any(not is_folder and _is_diff(found) for found, is_folder in islice(entries(path), most)):
                return []
            tables = tables_in(path, most)
            is_all = most is None or next(islice(entries(path), most, None), None) is None
            if not tables and is_all:
                raise UserError(f"there is no .patch or .diff file and no table in {str(path)!r}", field=FIELD)
            return tables
        if not path.is_file():
            raise UserError(f"there is no folder or file {str(path)!r}", field=FIELD)
        if is_archive(path) or _is_diff(path):
            return []
        if not (tables := tables_in(path)):
            raise UserError(
                f"{path.name} is neither an archive ({', '.join(ARCHIVES)}) nor a table (.jsonl, .csv, .parquet)",
                field=FIELD,
            )
        return tables

    def _of_files(self, funnel: Funnel) -> Iterator[tuple[str, Bug | str]]:
        seen: set[bytes] = set()  # hashes of ids, the only memory that grows with the files
        for name, content in files_in(self._path, ENDINGS, funnel, FIELD):
            path = "/".join((*self._path.parts[-3:], name))
            known = next(filter(None, (known.fullmatch(path) for known in _NUMBERED)), None)
            short = f"{known[1]}-{known[2]}" if known else name.rpartition(".")[0]
            id_ = next(each for each in (short, name, f"{name}:{len(seen)}") if digest(each) not in seen)
            seen.add(digest(id_))
            project = known[1] if known else name.rpartition("/")[0].partition("/")[0]
            yield id_, self._of_file(id_, name, content, project)

    def _of_file(self, id_: str, name: str, content: bytes, project: str) -> Bug | str:
        if not is_unicode(name):
            return "the file's name is not UTF-8"
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return "not UTF-8"
        file = self._file(text)
        if isinstance(file, str):
            return file
        found = function_of(file, self._sources(id_, name.rpartition(".")[0]))
        if isinstance(found, str):
            return found
        return self._bug(id_, file.old, found.old, found.new, project, is_single_chunk(file))

    def _sources(self, *names: str) -> list[Path]:
        if not self.params.sources:
            return []
        folder = Path(self.params.sources)
        return [*(folder / name for name in names), folder]

    def _of_rows(self, tables: Sequence[Path], funnel: Funnel) -> Iterator[tuple[str, Bug | str]]:
        params = self.params
        columns = [params.diff, params.buggy, params.fixed, "is_single_function"]
        columns += [params.project] if params.project else []
        for id_, row in rows_in(tables, columns, funnel):
            yield id_, self._of_row(id_, row.cells)

    def _of_row(self, id_: str, cells: Mapping[str, Any]) -> Bug | str:
        params = self.params
        diff, buggy, fixed = cells.get(params.diff), cells.get(params.buggy), cells.get(params.fixed)
        if not isinstance(diff, str) or not diff.strip():
            return "empty diff"
        if not is_unicode(diff):
            return "not valid Unicode"
        if cells.get("is_single_function") is False:
            return SEVERAL
        file = self._file(diff)
        if isinstance(file, str):
            return file
        if not isinstance(buggy, str) or not isinstance(fixed, str):
            found = function_of(file, self._sources())
            if isinstance(found, str):
                return found
            buggy, fixed = found.old, found.new
        project = str(cells.get(params.project) or "") if params.project else ""
        return self._bug(id_, file.old, buggy, fixed, project, is_single_chunk(file))

    def _file(self, text: str) -> FileDiff | str:
        language = self.params.language
        unnamed = f"unnamed{LANGUAGES[language].ending}" if language != "auto" else ""
        file = file_changed(text, reverse=self.params.reverse, unnamed=unnamed)
        if isinstance(file, FileDiff) and self.params.single_chunk and not is_single_chunk(file):
            return "changes more than one chunk"
        return file

    def _bug(self, id_: str, path: str, buggy: str, fixed: str, project: str, is_single: bool) -> Bug | str:
        language = language_of(path)
        pair = cleaned(buggy, fixed, language, strip=self.params.strip)
        if isinstance(pair, str):
            return pair
        kind = kind_of(is_single=is_single)
        return Bug(id_, language, path, *pair, span_of_change(*pair), kind=kind, project=project, is_function=True)


def _is_diff(path: Path) -> bool:
    return path.name.lower().endswith(ENDINGS)
