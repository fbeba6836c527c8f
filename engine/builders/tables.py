"""What all builders that read a table share: which column is what, and each row read, or counted with the reason."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from engine.builders import BuilderOutput, Funnel
from engine.builders.pairs import EMPTY
from engine.builders.previews import LOOKED_AT, Preview, nothing_of, preview_of, text_of
from engine.builders.rows import FIELD, LONGEST, TOO_LONG, TableRow
from engine.builders.sources import Source, TableParams, source_of, splits_of
from engine.domain import Rows
from engine.errors import UserError
from engine.models.tokenizer import special_tokens
from engine.params import is_unicode, setting

NOT_TEXT = "a cell is not text"
SAME_ID, NO_ID = "id seen before", "empty id"
NOT_UNICODE = "not valid Unicode"
SPECIAL = "a text holds a special token of the model"

Settings = TypeVar("Settings", bound=TableParams)
Made = TypeVar("Made", bound=BuilderOutput)


def id_setting(*, more: bool = False) -> Any:
    """Declares the setting `id`."""
    return setting("", "column with a unique name; empty: the row's number", title="ID", more=more)


def project_setting(*, more: bool = False) -> Any:
    """Declares the setting `project`."""
    return setting("", "column with the project, so that no project is split; empty: not known", more=more)


@dataclass(frozen=True)
class Column:
    """What a column is usually called."""

    usual: tuple[str, ...]  # names in lower case, the likeliest first
    words: tuple[str, ...] = ()  # in other names of it
    is_needed: bool = True  # else a row without it can be read, as can a file

    def rank(self, name: str) -> int:
        """The lower the likelier; `unlikely` where nothing speaks for it."""
        lower = name.lower()
        if lower in self.usual:
            return self.usual.index(lower)
        return self.unlikely - any(word in lower for word in self.words)

    @property
    def unlikely(self) -> int:
        """The rank of a column of any name."""
        return len(self.usual) + 1

    def found(self, columns: Sequence[str]) -> str:
        """The one with the likeliest of its usual names; empty where there is none."""
        return min((name for name in columns if name.lower() in self.usual), key=self.rank, default="")


ID = Column(("id", "bug_id"), is_needed=False)
PROJECT = Column(("project", "repo", "repository", "repo_name"), is_needed=False)


class FromTable(ABC, Generic[Settings, Made]):
    """A builder that makes one bug, sample or preference of each row.

    A class of this kind says by `columns` which of its settings name columns. Such a setting that is empty means the
    column with a usual name, where one is needed, else none.
    """

    name: ClassVar[str]
    makes: ClassVar[Rows]
    columns: ClassVar[Mapping[str, Column]]

    def __init__(self, params: Settings) -> None:
        self.params = params
        self._special: tuple[str, ...] = ()

    @abstractmethod
    def read(self, row: TableRow) -> Made | str:
        """What a row becomes, under the name `row.id`, or the reason why nothing; its cells are by setting.

        Any cell may hold anything.
        """

    def check(self) -> None:
        """Raises UserError if source or columns are missing, or no row of the first ones fits the settings.

        What the hub has is not known before the run.
        """
        source = self._source()
        if self.params.hub:
            return
        found = preview_of(source, 0, read=self._reader(self._named(source)))
        fits = [reason for reason in found.funnel.lost if reason not in (NOT_TEXT, *self.misfits)]
        is_known = found.is_whole or (found.funnel.source >= LOOKED_AT and not fits)  # and not only the first in time
        if found.funnel.source and not found.n_made and not found.trouble and is_known:
            raise UserError(nothing_of(found), field=FIELD)

    misfits: ClassVar[tuple[str, ...]] = ()  # reasons that speak for another kind of column, and not for a bad row

    def total(self) -> int | None:
        return self._source().total()

    def choices(self) -> Mapping[str, Sequence[str]]:
        """The columns for each setting that names one, the likeliest first, and the splits of a folder.

        Nothing for a dataset of the hub, which is read by the run only.
        """
        if not self.params.file or self.params.hub:
            return {}
        folder = Path(self.params.file)
        if splits := splits_of(folder) if folder.is_dir() else []:
            splits = sorted(splits, key=partial(_is_other, "train"))
        split = self.params.split if self.params.split in splits or not splits else splits[0]
        columns = source_of(self.params.model_copy(update={"split": split})).columns()
        offered = {name: _offered(column, columns) for name, column in self.columns.items()}
        return offered | ({"split": splits} if splits else {})

    def fits(self) -> bool:
        """Whether the table has a column with a usual name for all that is needed. Raises UserError."""
        columns = self._source().columns()
        return all(column.found(columns) for column in self.columns.values() if column.is_needed)

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Made]:
        """In the order of the rows, whatever the seed."""
        source = self._source()
        named = self._named(source)
        read = self._reader(named)
        seen: set[bytes] = set()  # 8 bytes per id, the only memory that grows with the rows
        for row in source.rows([*dict.fromkeys(named.values())], funnel):
            made = read(row)
            if not isinstance(made, str):
                digest = blake2b(_id_of(made).encode(), digest_size=8).digest()
                if digest not in seen:
                    seen.add(digest)
                    yield made
                    continue
                made = SAME_ID
            name = text_of(row.cells.get(named["id"])) if "id" in named else ""
            funnel.lose(made, f"{row.where} ({name})" if name else row.where)

    def preview(self, rows: int) -> Preview | None:
        """The first rows, with what each becomes; None where no table is named. Raises UserError."""
        if not self.params.file and not self.params.hub:
            return None
        source = self._source()
        if self.params.hub:
            return Preview(
                (), (), Funnel(), "", note=f"{source.name} is read by the run, and its rows are not known yet."
            )
        named = self._named(source)
        return preview_of(source, rows, {column: name for name, column in named.items()}, self._reader(named))

    def check_tokenizer(self, folder: Path) -> None:
        """Rows whose texts would become special tokens are left out; those in messages are found elsewhere."""
        self._special = special_tokens(folder)

    # -- for the classes of this kind --------------------------------------------------------------------------

    def wrong(self, *texts: object) -> str:
        """Why these cells cannot be the texts of a sample; empty where they can."""
        if any(text is not None and not isinstance(text, str) for text in texts):
            return NOT_TEXT
        written = [text for text in texts if isinstance(text, str)]
        if len(written) < len(texts) or not all(text.strip() for text in written):
            return EMPTY
        return self.unfit(*written)

    def unfit(self, *texts: str) -> str:
        """Why these texts, of which some may be empty, cannot be stored; empty where they can."""
        if sum(map(len, texts)) > LONGEST:
            return TOO_LONG
        if not all(map(is_unicode, texts)):
            return NOT_UNICODE
        return SPECIAL if any(token in text for token in self._special for text in texts) else ""

    # -- private -----------------------------------------------------------------------------------------------

    def _source(self) -> Source:
        return source_of(self.params)

    def _named(self, source: Source) -> dict[str, str]:
        """Setting -> the column that it means; none for a setting that means no column. Raises UserError."""
        named, known = {}, source.columns()
        for name, column in self.columns.items():
            chosen = getattr(self.params, name)
            is_default = chosen == type(self.params).model_fields[name].default
            if not chosen and column.is_needed and not (chosen := column.found(known)):
                raise UserError(
                    f"{name}: {source.name} has no column that is usually this one ({', '.join(column.usual)}); name "
                    f"one of its columns: {', '.join(known) or 'none'}",
                    field=f"builder.{name}",
                )
            if chosen not in known and chosen and (column.is_needed or not is_default):
                raise UserError(
                    f"{source.name} has no column {chosen!r}; its columns are: {', '.join(known) or 'none'}",
                    field=FIELD,
                )
            if chosen in known:
                named[name] = chosen
        return named

    def _reader(self, named: Mapping[str, str]) -> Any:
        return partial(self._read, named)

    def _read(self, named: Mapping[str, str], row: TableRow) -> Made | str:
        name = row.id
        if "id" in named and not (name := text_of(row.cells.get(named["id"]))):
            return NO_ID
        return self.read(replace(row, id=name, cells={key: row.cells.get(column) for key, column in named.items()}))


def _id_of(made: Any) -> str:
    return str(made.id if hasattr(made, "id") else made.bug_id)


def _offered(column: Column, columns: Sequence[str]) -> list[str]:
    ranked = sorted(columns, key=column.rank)
    if column.is_needed:
        return ranked
    n_likely = sum(column.rank(name) < column.unlikely for name in ranked)
    return [*ranked[:n_likely], "", *ranked[n_likely:]]


def _is_other(wanted: str, name: str) -> bool:
    return name != wanted
