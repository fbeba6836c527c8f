"""The files and folders here that a run refers to, as they are carried to another machine by their content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import OutsideFailure, UserError
from engine.params import weighted

LONGEST = 4096  # bytes of a path on Linux


@dataclass(frozen=True)
class Item:
    """What one path of a run names: `parts`, relative to `root`; the first is what the path itself names.

    `follows`: links are carried as what they lead to, as in the hub's cache, where all files of a model are links.
    """

    path: str
    root: Path
    parts: tuple[str, ...]
    follows: bool = False

    def digest(self) -> str:
        return digest(self.root, self.parts, follows=self.follows)


def items_of(values: Any, run_dir: Path, models: Iterable[str]) -> list[Item]:
    """All that the JSON `values` of a run name by absolute paths that exist here, each once; `models` are among them.

    Raises UserError on a folder that the run's own folder or the user's home lies in.
    """
    found = {path: _item(path, run_dir, path in set(models)) for text in _texts(values) if (path := _path_in(text))}
    return list(found.values())


def with_paths(values: Any, there: Mapping[str, str]) -> Any:
    """The same JSON with the paths of another machine: `there` has path here -> path there."""
    if isinstance(values, dict):
        return {name: with_paths(each, there) for name, each in values.items()}
    if isinstance(values, list | tuple):
        return [with_paths(each, there) for each in values]
    if not isinstance(values, str):
        return values
    if (settings := _settings_in(values)) is not None:
        return json.dumps(with_paths(settings, there), ensure_ascii=False)
    path = _path_in(values)
    return there[path] + values[len(path) :] if path in there else values


def digest(root: Path, parts: Sequence[str], *, follows: bool = False) -> str:
    """SHA-256 in hex of the names and the whole contents of all files. Raises OutsideFailure if one cannot be read."""
    whole = hashlib.sha256()
    try:
        for name in sorted(_files(root, parts, follows)):
            path = root / name
            if path.is_symlink() and not follows:
                content = b"link to " + os.fsencode(os.readlink(path))
            else:
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").digest()
            whole.update(os.fsencode(name) + b"\0" + content)
    except OSError as error:
        raise OutsideFailure(f"{error.filename} cannot be read, so it cannot be carried: {error.strerror}") from error
    return whole.hexdigest()


def _files(root: Path, parts: Sequence[str], follows: bool) -> Iterator[str]:
    for part in parts:
        if not (root / part).is_dir():
            yield part
        for folder, folders, files in os.walk(root / part, followlinks=follows):
            for name in (*files, *folders):
                path = Path(folder, name)
                if path.is_file() or (path.is_symlink() and not (follows and path.is_dir())):
                    yield str(path.relative_to(root))


def _item(path: str, run_dir: Path, follows: bool) -> Item:
    real = Path(path).resolve()
    if real in (*run_dir.resolve().parents, *Path.home().resolve().parents, Path.home().resolve()):
        raise UserError(f"{path} is too much to be carried to another machine; name a folder in it", field="launcher")
    run = real.parent.parent if real.name == "model" else real.parent
    if "artifacts" in (real.name, real.parent.name) and (run / "spec.json").is_file():
        return Item(path, run, (str(real.relative_to(run)), "spec.json"), follows)  # which says how it was made
    return Item(path, real.parent, (real.name,), follows)


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, dict | list | tuple):
        for each in values.values() if isinstance(values, dict) else values:
            yield from _texts(each)
    elif isinstance(values, str):
        settings = _settings_in(values)
        yield from [values] if settings is None else _texts(settings)


def _path_in(text: str) -> str:
    """The existing absolute path that a text is, perhaps with a weight behind it ("/data=0.5"); else empty."""
    for path in (text, weighted(text)[0]):
        if path.startswith("/") and len(path) < LONGEST and "\0" not in path and os.path.exists(path):
            return path
    return ""


def _settings_in(text: str) -> dict[str, Any] | None:
    """A plug-in's settings written as a text (`engine.plugin_text`)."""
    if not text.startswith("{"):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
