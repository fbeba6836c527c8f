"""Models by name or folder: the shipped ones, those that runs have made, and what a spec's `model` stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from storage import queries, tables
from storage.database import Database

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


@dataclass(frozen=True)
class Entry:
    """One line of the list of models; a model that is not `usable` is shown with its `note` and offered nowhere."""

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
    """The models a workspace knows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Entry]:
        """Shipped models first, then the newest."""
        with self._database.read() as session:
            rows = queries.models(session)
        return [*SHIPPED, *map(_entry, rows)]

    def names(self, *kinds: str) -> Sequence[str]:
        """Names of usable models of these kinds (all kinds if none are given)."""
        return [entry.name for entry in self.list() if entry.usable and (not kinds or entry.kind in kinds)]

    def resolve(self, reference: str, *, field: str = "model") -> Model:
        """The model a name, a folder or a hub id stands for. Raises UserError saying what is wrong with it."""
        if not reference:
            raise UserError(f"{field}: choose a model; known: {', '.join(self.names())}", field=field)
        for entry in self.list():
            if entry.name == reference:
                if not entry.usable:
                    raise UserError(f"{field}: model {reference!r} cannot be used: {entry.note}", field=field)
                return entry.model
        folder = Path(reference).expanduser()
        if folder.is_dir():
            return self._read_folder(folder.resolve(), field)
        if HUB_ID.match(reference):
            return Model(reference, "base", reference)
        known = ", ".join(self.names())
        raise UserError(f"{field}: no model or folder called {reference!r}; known models: {known}", field=field)

    def _read_folder(self, folder: Path, field: str) -> Model:
        if (folder / "adapter_config.json").exists():
            return self._read_adapter(folder, field)
        if not (folder / "config.json").exists():
            raise UserError(f"{field}: {folder} holds no model: config.json is missing", field=field)
        if not list(folder.glob("*.safetensors")):
            raise UserError(
                f"{field}: {folder} holds no weights: no .safetensors file (pickled .bin weights are not loaded)",
                field=field,
            )
        return Model(folder.name, "base", str(folder))

    def _read_adapter(self, folder: Path, field: str) -> Model:
        if not (folder / "adapter_model.safetensors").exists():
            raise UserError(f"{field}: {folder} holds no weights: adapter_model.safetensors is missing", field=field)
        try:
            config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{field}: {folder}/adapter_config.json is not JSON: {error}", field=field) from None
        stated = str(config.get("base_model_name_or_path") or "")
        if stated == "assets/starter-model":
            return Model(folder.name, "adapter", str(folder), str(STARTER_MODEL))
        if not stated or (not Path(stated).is_dir() and not HUB_ID.match(stated)):
            raise UserError(
                f"{field}: the base model of the adapter {folder} is {stated!r}, which is not here; put its folder "
                "into base_model_name_or_path of adapter_config.json",
                field=field,
            )
        return Model(folder.name, "adapter", str(folder), stated)


def _entry(row: tables.Model) -> Entry:
    return Entry(row.name, row.kind, row.path, row.base, row.run_id, row.usable, row.note)
