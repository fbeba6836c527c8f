"""What the user asks for: one frozen spec a kind of run, the same in a form, a file, a preset and a run's folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)

from engine.assets import PRESETS
from engine.errors import UserError
from engine.params import Params, explain, is_unicode, setting, shown
from engine.plugins import BY_FIELD

LONGEST = 1_000_000  # bytes of a spec's file
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,99}")


def _name(name: str) -> str:
    if name and not NAME.fullmatch(name):
        raise ValueError(
            f"a name is at most 100 letters, digits, spaces and . _ + -, and begins with a letter or a digit "
            f"(got {shown(name)})"
        )
    return name


def _of_its_kind(value: Any, field: ValidationInfo) -> Params:
    return BY_FIELD[str(field.field_name)].params(value)


# A plug-in's settings, checked by the registry that the field's name says.
PluginParams = Annotated[SerializeAsAny[Params], BeforeValidator(_of_its_kind)]


class Spec(BaseModel):
    """What all specs share. `model` and `dataset` are names the workspace knows, or folders."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    name: Annotated[str, AfterValidator(_name)] = Field(
        "", description="what the result is called; empty: a name is made"
    )
    seed: int = setting(0, "the same seed gives the same result on the same machine", more=True, ge=0, lt=1 << 32)
    launcher: PluginParams = setting("local", "where the run is started", more=True)


class DatasetSpec(Spec):
    """Build a training set: bugs from a builder, shown by a representation, counted in a model's tokens."""

    kind: Literal["dataset"] = "dataset"
    builder: PluginParams = setting("faults", "where the bugs come from")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    model: str = setting("starter", "whose tokenizer counts the tokens")
    max_tokens: int = setting(1024, "longer samples are left out and counted", unit="tokens", ge=16, le=131072)
    valid_fraction: float = setting(
        0.05, "share kept for the evaluation loss, split by project", title="Evaluation share", ge=0, le=0.5
    )
    exclude: tuple[str, ...] = setting(("pocket",), "benchmarks whose code must not be in the set", more=True)


class TrainSpec(Spec):
    """Train a model on a data set."""

    kind: Literal["train"] = "train"
    model: str = setting("starter", "base model, or an adapter to go on from")
    dataset: str = setting("", "the training set")
    trainer: PluginParams = setting("sft", "how to train")


class MergeSpec(Spec):
    """Merge an adapter into its base model and prove that the result answers the same."""

    kind: Literal["merge"] = "merge"
    adapter: str = setting("starter-adapter", "the adapter to merge into its base model")
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "of the merged weights", title="Precision")
    parity_bugs: int = setting(5, "bugs whose greedy patches are compared", ge=1, le=100, more=True)


class BenchmarkSpec(Spec):
    """Generate patches for a benchmark and judge each one in a sandbox."""

    kind: Literal["benchmark"] = "benchmark"
    model: str = setting("starter", "base model, adapter or merged model")
    benchmark: PluginParams = setting("pocket", "the bugs to repair")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    generator: PluginParams = setting("beam", "how patches are drawn")
    candidates: int = setting(10, "patches a bug", ge=1, le=200)
    limit: int | None = setting(None, "only the first so many bugs; empty: all", ge=1, le=10_000_000, more=True)
    workers: int | None = setting(None, "patches judged at a time; empty: one a core", ge=1, le=256, more=True)
    sandbox: PluginParams = setting("auto", "what runs the patches", more=True)


class ChatSpec(Spec):
    """Load a model once and hold repair conversations with it until told to stop."""

    kind: Literal["chat"] = "chat"
    model: str = setting("starter-adapter", "who proposes the patches")
    benchmark: PluginParams = setting("pocket", "where the bugs come from")
    bug: str = setting("", "the bug to repair, by id")
    strategy: PluginParams = setting("test_feedback", "what goes into the next turn")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    generator: PluginParams = setting("sampling", "how an answer is drawn")
    sandbox: PluginParams = setting("auto", "what runs the patches", more=True)


AnySpec = Annotated[DatasetSpec | TrainSpec | MergeSpec | BenchmarkSpec | ChatSpec, Field(discriminator="kind")]
_any_spec: TypeAdapter[Any] = TypeAdapter(AnySpec)
KINDS: dict[str, type[Spec]] = {
    "dataset": DatasetSpec,
    "train": TrainSpec,
    "merge": MergeSpec,
    "benchmark": BenchmarkSpec,
    "chat": ChatSpec,
}


def parse(values: dict[str, Any]) -> Any:
    """A spec of the kind its "kind" names. Raises UserError naming each wrong field."""
    try:
        spec = _any_spec.validate_python(values)
    except ValidationError as error:
        raise _without_kind(explain(error), str(values.get("kind", ""))) from None
    for override in overrides_of(spec):
        field, _, text = override.partition("=")
        if not is_unicode(text):
            raise UserError(f"{field}: is not valid Unicode, so no page can show it (got {shown(text)})", field=field)
    return spec


def _without_kind(error: UserError, kind: str) -> UserError:
    prefix = f"{kind}."
    text = "; ".join(part.removeprefix(prefix) for part in str(error).split("; "))
    return UserError(text, field=error.field.removeprefix(prefix))


def preset_names(kind: str) -> list[str]:
    """Presets shipped for a kind of run, by name; `assets/presets/<kind>/<name>.json`."""
    return sorted(path.stem for path in (PRESETS / kind).glob("*.json"))


def read_spec(kind: str, source: str = "", overrides: list[str] | None = None) -> Any:
    """The spec in a JSON file or of a preset's name, or the defaults; with `field.path=value` overrides.

    Raises UserError naming the file and line, or the field.
    """
    values = _read(kind, source) if source else {}
    for override in overrides or []:
        _override(values, override)
    stated = values.setdefault("kind", kind)
    if stated != kind:
        raise UserError(f"kind: this is a spec for {stated!r}, not for {kind!r}", field="kind")
    return parse(values)


def _read(kind: str, source: str) -> dict[str, Any]:
    path = PRESETS / kind / f"{source}.json" if source in preset_names(kind) else Path(source)
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST + 1)
        if len(text) > LONGEST:
            raise UserError(f"{path}: longer than {LONGEST:,} bytes, so it is no spec")
        values = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_each_once)
    except (FileNotFoundError, NotADirectoryError):
        known = ", ".join(preset_names(kind)) or "none"
        raise UserError(f"{source!r} is neither a file nor a preset for {kind!r}; presets: {known}") from None
    except OSError as error:
        raise UserError(f"{source!r} cannot be read: {error.strerror}; name a JSON file or a preset") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {_why(error)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a JSON object with the spec's fields, got a {type(values).__name__}")
    if run_of(source):
        values.pop("name", None)  # which the run's own result has
    return values


def run_of(source: str) -> Path | None:
    """The folder of the run whose own spec.json `source` names; None for any other file."""
    path = Path(source)
    return path.parent if path.name == "spec.json" and (path.parent / "inputs.json").is_file() else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; `json` alone would take the last of two that have the same name."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise Twice(f"{name!r} stands there twice; keep one of them")
        values[name] = value
    return values


class Twice(ValueError):
    """Two members of one JSON object have the same name."""


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, Twice):
        return str(error)
    return "nested too deeply" if isinstance(error, RecursionError) else "holds a number of thousands of digits"


def _override(values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not all(path.split(".")):
        raise UserError(f"--set needs field=value, as in trainer.learning_rate=1e-4; got {shown(override)}")
    try:
        value = json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError:
        value = text  # a bare word is a string
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {_why(error)} (got {shown(text)})", field=path) from None
    *parents, last = path.split(".")
    here = values
    for parent in parents:
        child = here.get(parent)
        if isinstance(child, str):
            child = {"name": child}  # a plug-in given by name alone
        elif not isinstance(child, dict):
            child = {"name": DEFAULT_PLUGINS.get(parent, "")}
        here[parent] = child
        here = child
    here[last] = value


DEFAULT_PLUGINS = {
    field: info.default for spec in KINDS.values() for field, info in spec.model_fields.items() if field in BY_FIELD
}


def overrides_of(spec: Spec) -> list[str]:
    """The `field.path=value` overrides that make this spec out of the defaults; a shell command is made of them."""
    overrides = []
    for field, info in type(spec).model_fields.items():
        value = getattr(spec, field)
        if isinstance(value, Params):
            if value.name != info.default:
                overrides.append(f"{field}={value.name}")
            overrides += [f"{field}.{override}" for override in _changed(value)]
    return [*_changed(spec), *overrides]


def _changed(model: BaseModel) -> list[str]:
    values = model.model_dump(mode="json")
    return [
        f"{field}={json.dumps(values[field], ensure_ascii=False)}"
        for field, info in type(model).model_fields.items()
        if not isinstance(getattr(model, field), Params)
        and field != "kind"
        and getattr(model, field) != info.get_default(call_default_factory=True)
    ]
