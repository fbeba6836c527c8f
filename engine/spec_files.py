"""Reads a spec from a JSON file or a shipped preset, with `field.path=value` overrides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.assets import PRESETS
from engine.errors import UserError
from engine.exchange import firefly_arguments
from engine.params import shown
from engine.plugins import BY_FIELD
from engine.specs import KINDS, Spec, parse

TRAIN = "train"
LONGEST = 1_000_000  # bytes of a spec's file


def preset_names(kind: str) -> list[str]:
    """Presets shipped for a kind of run, by name; `assets/presets/<kind>/<name>.json`."""
    return sorted(path.stem for path in (PRESETS / kind).glob("*.json"))


def preset_source(kind: str, name: str) -> str:
    """Where the values of a shipped preset come from; empty where it says nothing of that."""
    values = json.loads((PRESETS / kind / f"{name}.json").read_text(encoding="utf-8"))
    return str(values.get("source", ""))


def read_spec(kind: str, source: str = "", overrides: list[str] | None = None) -> Any:
    """The spec from a JSON file, a preset or a plug-in's name (the defaults if `source` is empty), with overrides.

    A plug-in's name is known where the kind of run says so (`Spec.plugin`); an override is `field.path=value`.

    Raises UserError naming the file and line, or the field.
    """
    values = _read(kind, source) if source else {}
    return _parsed(kind, values, overrides or [])


def stated_kind(source: str) -> str:
    """The kind of run that a spec's file names. Raises UserError naming the file."""
    kind = _read_file(Path(source), f"{source!r} is neither a file nor a kind of run; kinds: {', '.join(KINDS)}").get(
        "kind"
    )
    if kind not in KINDS:
        raise UserError(f"{source}: names no kind of run; write it before the file: {', '.join(KINDS)}", field="kind")
    return str(kind)


def changed(spec: Spec, overrides: Sequence[str]) -> Spec:
    """A spec with some fields changed, each by `field.path=value`. Raises UserError naming the field."""
    values = spec.model_dump(mode="json")
    found: Spec = _parsed(values["kind"], values, overrides)
    return found


def _parsed(kind: str, values: dict[str, Any], overrides: Sequence[str]) -> Any:
    for override in overrides:
        _override(kind, values, override)
    stated = values.setdefault("kind", kind)
    if stated != kind:
        raise UserError(f"kind: this spec is for {stated!r}, not for {kind!r}", field="kind")
    return parse(values)


def notes_on(kind: str, source: str) -> list[str]:
    """What a spec's file says that the spec does not: arguments of Firefly's that are set elsewhere or not at all."""
    if kind != TRAIN or not source or not Path(source).is_file():
        return []
    values = json.loads(Path(source).read_text(encoding="utf-8-sig"))  # `read_spec` has read it before
    return list(firefly_arguments.spec_of(values).notes) if firefly_arguments.is_such(values) else []


def _read(kind: str, source: str) -> dict[str, Any]:
    field = KINDS[kind].plugin
    plugins = BY_FIELD[field].names() if field else []
    if source in plugins and source not in preset_names(kind):
        return {field: source}
    path = PRESETS / kind / f"{source}.json" if source in preset_names(kind) else Path(source)
    known = ", ".join(preset_names(kind)) or "none"
    more = f"; {BY_FIELD[field].kind}: {', '.join(plugins)}" if field else ""
    values = _read_file(path, f"{source!r} is neither a file nor a preset for {kind!r}; presets: {known}{more}")
    if source in preset_names(kind):
        values.pop("source", None)
    elif kind == TRAIN and firefly_arguments.is_such(values):
        values = firefly_arguments.spec_of(values).spec
    if run_of(source):
        values.pop("name", None)  # taken by the result of that run
    return dict(values)


def _read_file(path: Path, missing: str) -> dict[str, Any]:
    """The JSON object of a file. Raises UserError, with the sentence `missing` where there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST + 1)
        if len(text) > LONGEST:
            raise UserError(f"{path}: longer than {LONGEST:,} bytes, so it is not a spec")
        values = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_without_duplicates)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(missing) from None
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be read: {error.strerror}; name a JSON file or a preset") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {_why(error)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a JSON object with the spec's fields, got a {type(values).__name__}")
    return values


def run_of(source: str) -> Path | None:
    """The folder of the run whose own spec.json `source` names; None for any other file."""
    path = Path(source)
    return path.parent if path.name == "spec.json" and (path.parent / "inputs.json").is_file() else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. Raises DuplicateName; `json` alone would use the last of two with the same name."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise DuplicateName(f"{name!r} occurs twice; remove one of them")
        values[name] = value
    return values


class DuplicateName(ValueError):
    """Two members of one JSON object have the same name."""


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, DuplicateName):
        return str(error)
    return "nested too deeply" if isinstance(error, RecursionError) else "contains a number with thousands of digits"


def _override(kind: str, values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not all(path.split(".")):
        raise UserError(f"--set needs field=value, as in trainer.learning_rate=1e-4; got {shown(override)}")
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError:
        value = text  # a bare word is a string
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {_why(error)} (got {shown(text)})", field=path) from None
    *parents, last = path.split(".")
    here, fields = values, KINDS[kind].model_fields
    for parent in parents:
        child = here.get(parent)
        if isinstance(child, str):
            child = {"name": child}  # a plug-in given by name alone
        elif not isinstance(child, dict):
            child = {"name": fields[parent].default if parent in BY_FIELD and parent in fields else ""}
        here[parent] = child
        here = child
    here[last] = value


def spec_json(spec: Spec) -> str:
    """The spec as JSON, as the shell commands read it from a file."""
    return spec.model_dump_json(indent=2)
