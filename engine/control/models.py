"""Models by name or folder: the shipped ones, those made by runs, and the model that a spec's `model` refers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.control.hub import Hub, NotKnown
from engine.domain import Model
from engine.errors import UserError
from engine.models import adapters
from engine.models.shape import read_config
from engine.params import place
from storage import queries, tables
from storage.database import Database


@dataclass(frozen=True)
class Entry:
    """One line of the list of models; a model that is not `usable` is listed with its `note` but cannot be chosen."""

    name: str
    kind: str
    path: str
    base: str = ""
    run_id: int | None = None
    usable: bool = True
    note: str = ""

    @property
    def model(self) -> Model:
        return Model(self.name, self.kind, self.path, self.base)


SHIPPED = (
    Entry("starter", "base", str(STARTER_MODEL), note="12.8 M parameters, shipped"),
    Entry("starter-adapter", "adapter", str(STARTER_ADAPTER), str(STARTER_MODEL), note="repair adapter, shipped"),
)


class Models:
    """The models of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hub = Hub()

    def list(self) -> list[Entry]:
        """Shipped models first, then the newest."""
        with self._database.read() as session:
            rows = queries.models(session)
        return [*SHIPPED, *map(_entry, rows)]

    def names(self, *kinds: str) -> Sequence[str]:
        """Names of usable models of these kinds (without arguments, of all kinds)."""
        return [entry.name for entry in self.list() if entry.usable and (not kinds or entry.kind in kinds)]

    def resolve(self, reference: str, *, field: str = "model") -> Model:
        """The model that a name, a folder or a hub id refers to. Raises UserError saying what is wrong with it."""
        if not reference:
            raise UserError(f"{field}: choose a model; known: {', '.join(self.names())}", field=field)
        for entry in self.list():
            if entry.name == reference:
                if not entry.usable:
                    raise UserError(f"{field}: model {reference!r} cannot be used: {entry.note}", field=field)
                return _checked(entry, field)
        folder = place(reference, field=field)
        if folder.is_dir():
            return self._read_folder(folder.resolve(), field)
        if adapters.HUB_ID.match(reference):
            return self._on_hub(reference, field)
        known = ", ".join(self.names())
        raise UserError(f"{field}: there is no model or folder {reference!r}; known models: {known}", field=field)

    def nearest(self, model: Model) -> Model:
        """The same model with a folder in place of each hub id whose configuration the hub has returned."""
        path = model.path if Path(model.path).is_dir() else self._folder_on_hub(model.path, model.kind == "adapter")
        base = model.base if not model.base or Path(model.base).is_dir() else self._folder_on_hub(model.base, False)
        return replace(model, path=path, base=base)

    def config(self, model: Model) -> dict[str, Any]:
        """config.json of the base or merged model, from the hub if it is not here. Raises UserError if it has none."""
        folder = Path(self.nearest(model).weights)
        if not folder.is_dir():
            raise UserError(f"model: {model.name!r} is not on this machine yet, so its memory cannot be estimated")
        return read_config(folder)

    def _folder_on_hub(self, reference: str, is_adapter: bool) -> str:
        try:
            found = self._hub.file(reference, adapters.CONFIG if is_adapter else "config.json")
        except (NotKnown, UserError):
            return reference
        return str(found.parent) if found else reference

    def _on_hub(self, reference: str, field: str) -> Model:
        """The model of a hub id, an adapter if it has adapter_config.json; kind "" if the hub cannot be asked."""
        try:
            found = self._hub.file(reference, adapters.CONFIG)
        except NotKnown:
            return Model(reference, "", reference)
        except UserError as error:
            raise UserError(f"{field}: {error}", field=field) from None
        if found is None:
            return Model(reference, "base", reference)
        return Model(reference, "adapter", reference, _base_of(found.parent, field))

    def _read_folder(self, folder: Path, field: str) -> Model:
        if (folder / adapters.CONFIG).exists():
            return self._read_adapter(folder, field)
        if not (folder / "config.json").exists():
            raise UserError(f"{field}: {folder} contains no model: config.json is missing", field=field)
        if not list(folder.glob("*.safetensors")):
            raise UserError(
                f"{field}: {folder} contains no weights: no .safetensors file (pickled .bin weights are not loaded)",
                field=field,
            )
        return Model(folder.name, "base", str(folder))

    def _read_adapter(self, folder: Path, field: str) -> Model:
        if not (folder / adapters.WEIGHTS).exists():
            raise UserError(f"{field}: {folder} contains no weights: {adapters.WEIGHTS} is missing", field=field)
        return Model(folder.name, "adapter", str(folder), _base_of(folder, field))


def _checked(entry: Entry, field: str) -> Model:
    """The model of an entry. Raises UserError if its files, or those of its base model, no longer exist."""
    for folder, what in ((entry.path, "the files"), (entry.base, "the files of the base model")):
        if Path(folder).is_absolute() and not any(Path(folder).glob("*.safetensors")):
            raise UserError(
                f"{field}: {what} of {entry.name!r} are no longer in {folder}; train it again or choose another model",
                field=field,
            )
    return entry.model


def _base_of(folder: Path, field: str) -> str:
    try:
        return adapters.base_of(folder)
    except UserError as error:
        raise UserError(f"{field}: {error}", field=field) from None


def _entry(row: tables.Model) -> Entry:
    return Entry(row.name, row.kind, row.path, row.base, row.run_id, row.usable, row.note)
