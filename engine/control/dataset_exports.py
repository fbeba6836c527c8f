"""A dataset as a file or a folder in one of the formats of `engine.exchange.datasets`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from threading import Event

from engine.control.exports import GivenUp
from engine.errors import UserError
from engine.exchange.datasets import form_of
from engine.exchange.sides import Exportable
from engine.specs import NAME


def export(dataset: Exportable, folder: Path, form: str, given_up: Event | None = None) -> Path:
    """Write a dataset into `folder`, complete or not at all; returns where it is.

    With `given_up` it is a file with a name of its own, which its reader removes, and never a folder. Raises UserError
    on another form or a damaged dataset; GivenUp, soon after `given_up` was set.
    """
    chosen = form_of(form)
    name = dataset.name
    if not (dataset.folder / "train.parquet").exists():
        where = dataset.folder
        raise UserError(f"dataset: the files of {name!r} are no longer in {where}; build it again", field="dataset")
    folder.mkdir(parents=True, exist_ok=True)
    if given_up is None and chosen.write_folder is not None:
        return _folder(dataset, folder / Path(file_name(name, form)).stem, chosen.write_folder)
    with NamedTemporaryFile("w+b", dir=folder, suffix=".tmp", delete=False) as file:
        try:
            chosen.write(dataset, file)  # type: ignore[arg-type]
            file.close()
            path = folder / file_name(name, form) if given_up is None else Path(file.name).with_suffix(chosen.ending)
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
    return path


def stops(given_up: Event | None) -> Callable[[], None]:
    """What raises GivenUp once nobody waits any more."""

    def check() -> None:
        if given_up is not None and given_up.is_set():
            raise GivenUp

    return check


def _folder(dataset: Exportable, path: Path, write: object) -> Path:
    part = Path(mkdtemp(dir=path.parent, suffix=".tmp"))
    try:
        write(dataset, part)  # type: ignore[operator]
        part.chmod(0o755)
        shutil.rmtree(path, ignore_errors=True)
        part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return path


def file_name(name: str, form: str) -> str:
    """What the file of an export is called."""
    stem = name if NAME.fullmatch(name) else "dataset"
    ending = form_of(form).ending
    return f"dataset-{stem}{'' if form in (ending[1:], 'hf') else f'.{form}'}{ending}"
