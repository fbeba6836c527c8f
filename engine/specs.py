"""The settings of a run: one frozen spec for each kind, the same in a form, a file, a preset and a run's folder."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, get_args

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

from engine.errors import UserError
from engine.exchange.imported import LONGEST_WHO
from engine.params import Params, Place, explain, is_unicode, setting, shown
from engine.plugins import BENCHMARKS, BY_FIELD

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,99}")


def _name(name: str) -> str:
    if name and not NAME.fullmatch(name):
        raise ValueError(
            f"should be at most 100 letters, digits, spaces and . _ + -, and begin with a letter or a digit "
            f"(got {shown(name)})"
        )
    return name


def _of_its_kind(value: Any, field: ValidationInfo) -> Params:
    return BY_FIELD[str(field.field_name)].params(value)


# A plug-in's settings, checked by the registry of the field's name (`trainer`: TRAINERS).
PluginParams = Annotated[SerializeAsAny[Params], BeforeValidator(_of_its_kind)]


def _benchmark_named(value: Any) -> Any:
    BENCHMARKS.params(value)
    return value


# A benchmark by its name, or as {"name": ..., "folder": ...} where it needs settings.
BenchmarkNamed = Annotated[str | dict[str, Any], BeforeValidator(_benchmark_named)]


class Spec(BaseModel):
    """What all specs share. `model` and `dataset` are names of the workspace, or folders.

    The properties of a kind of run are class variables of its spec, so that there is only one list of kinds.
    """

    title: ClassVar[str]  # label of such a run on a page
    many: ClassVar[str]  # of several of them
    page: ClassVar[str]  # the key of the page with the form for it; empty: it is asked for in a shell only
    verb: ClassVar[str]  # of the shell
    worker: ClassVar[str]  # "module:function" of the work plane, called with (spec, inputs, run); returns the result
    plugin: ClassVar[str] = ""  # the field whose plug-in can be named in the place of a preset
    makes: ClassVar[Literal["", "dataset", "model"]] = ""  # what a finished run adds to the workspace, under its name
    reads: ClassVar[Literal["weights", "tokenizer"]] = "weights"  # the files of its model that it needs
    waits_for_people: ClassVar[bool] = False  # it is mostly idle, so it does not count among active runs
    saves_when_stopped: ClassVar[bool] = False  # a checkpoint; other kinds write their results as they go
    has_patches: ClassVar[bool] = False  # its events are bugs, and patches with their verdicts

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    name: Annotated[str, AfterValidator(_name)] = Field(
        "", description="name of the result; empty: chosen automatically"
    )
    seed: int = setting(0, "the same seed gives the same result on the same machine", more=True, ge=0, lt=1 << 32)
    launcher: PluginParams = setting("local", "where the run is started", more=True)


class DatasetSpec(Spec):
    """Build a dataset: bugs from a builder, as samples in a representation, measured in a model's tokens."""

    title: ClassVar = "Dataset"
    many: ClassVar = "datasets"
    page: ClassVar = "datasets"
    verb: ClassVar = "dataset build"
    worker: ClassVar = "engine.work.build:build"
    plugin: ClassVar = "builder"
    makes: ClassVar = "dataset"
    reads: ClassVar = "tokenizer"

    kind: Literal["dataset"] = "dataset"
    builder: PluginParams = setting("faults", "where the bugs come from")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    model: str = setting("starter", "whose tokenizer counts the tokens")
    max_tokens: int = setting(1024, "longer samples are left out", unit="tokens", ge=16, le=131072)
    valid_fraction: float = setting(
        0.05, "share for the evaluation loss, split by project", title="Evaluation share", ge=0, le=0.5
    )
    exclude: tuple[BenchmarkNamed, ...] = setting(
        ("pocket",), "benchmarks whose code must not be in the dataset", more=True
    )


class TrainSpec(Spec):
    """Train a model on a dataset."""

    title: ClassVar = "Training"
    many: ClassVar = "trainings"
    page: ClassVar = "train"
    verb: ClassVar = "train"
    worker: ClassVar = "engine.work.train:train"
    makes: ClassVar = "model"
    saves_when_stopped: ClassVar = True

    kind: Literal["train"] = "train"
    model: str = setting("starter", "base model, or an adapter to train further")
    dataset: str = setting("", "the dataset to train on")
    trainer: PluginParams = setting("sft", "how to train")


class MergeSpec(Spec):
    """Merge an adapter into its base model and check that the result answers the same."""

    title: ClassVar = "Merge"
    many: ClassVar = "merges"
    page: ClassVar = "merge"
    verb: ClassVar = "merge"
    worker: ClassVar = "engine.work.merge:merge"
    makes: ClassVar = "model"

    kind: Literal["merge"] = "merge"
    adapter: str = setting("starter-adapter", "the adapter to merge into its base model")
    dtype: Literal["float32", "bfloat16", "float16"] = setting("float32", "of the merged weights", title="Precision")
    parity_bugs: int = setting(5, "bugs whose greedy patches are compared", ge=1, le=100, more=True)
    benchmark: PluginParams = setting("pocket", "where these bugs come from", more=True)
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model", more=True)


class BenchmarkSpec(Spec):
    """Generate patches for a benchmark and test each one in a sandbox."""

    title: ClassVar = "Benchmark run"
    many: ClassVar = "benchmark runs"
    page: ClassVar = "patches"
    verb: ClassVar = "benchmark"
    worker: ClassVar = "engine.work.benchmark:benchmark"
    has_patches: ClassVar = True

    kind: Literal["benchmark"] = "benchmark"
    model: str = setting("starter", "base model, adapter or merged model")
    benchmark: PluginParams = setting("pocket", "the bugs to repair")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    generator: PluginParams = setting("beam", "how patches are generated")
    candidates: int = setting(10, "patches per bug", ge=1, le=200)
    limit: int | None = setting(
        None, "only the first bugs, up to this many; empty: all", ge=1, le=10_000_000, more=True
    )
    shorten: bool = setting(
        False,
        "show a bug whose prompt is too long for the model by the lines around its fault, instead of skipping it",
        title="Shorten long prompts",
        more=True,
    )
    devices: int = setting(
        0,
        "GPUs that share the bugs, a process with the model on each; 0: all that can be seen. Without a GPU: processes "
        "that share the processor, and 0 is one",
        title="GPUs",
        more=True,
        ge=0,
        le=64,
    )
    workers: int | None = setting(None, "patches tested at a time; empty: one per core", ge=1, le=256, more=True)
    sandbox: PluginParams = setting("auto", "what runs the patches", more=True)


class ValidateSpec(Spec):
    """Test the patches of a file, made by whatever made them; without a file, what a benchmark's tests tell apart."""

    title: ClassVar = "Validation"
    many: ClassVar = "validations"
    page: ClassVar = ""  # it is asked for in a shell
    verb: ClassVar = "validate"
    worker: ClassVar = "engine.work.validate:validate"
    has_patches: ClassVar = True

    kind: Literal["validate"] = "validate"
    benchmark: PluginParams = setting("pocket", "the bugs that the patches are for")
    file: Place = setting("", "patches in any known format; empty: test only known fixes and buggy code", upload=True)
    maker: str = setting(
        "", "who made the patches; empty: the name of the file", title="Made by", max_length=LONGEST_WHO
    )
    keep_verdicts: bool = setting(
        False, "take over the verdicts that stand in the file and run nothing", title="Keep its verdicts"
    )
    limit: int | None = setting(None, "only the first so many bugs; empty: all", ge=1, le=10_000_000, more=True)
    workers: int | None = setting(None, "patches tested at a time; empty: one a core", ge=1, le=256, more=True)
    sandbox: PluginParams = setting("auto", "what runs the patches", more=True)


class ChatSpec(Spec):
    """Load a model once and hold repair conversations with it until it is unloaded."""

    title: ClassVar = "Loaded model"
    many: ClassVar = "loaded models"
    page: ClassVar = "chat"
    verb: ClassVar = "chat"
    worker: ClassVar = "engine.work.chat:chat"
    waits_for_people: ClassVar = True

    kind: Literal["chat"] = "chat"
    model: str = setting("starter-adapter", "the model that proposes the patches")
    benchmark: PluginParams = setting("pocket", "where the bugs come from")
    bug: Annotated[str, AfterValidator(BENCHMARKS.current)] = setting("", "the bug to repair, by id")
    strategy: PluginParams = setting("test_feedback", "what goes into the next prompt")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    generator: PluginParams = setting("sampling", "how an answer is generated")
    sandbox: PluginParams = setting("auto", "what runs the patches", more=True)


AnySpec = Annotated[
    DatasetSpec | TrainSpec | MergeSpec | BenchmarkSpec | ValidateSpec | ChatSpec, Field(discriminator="kind")
]
_any_spec: TypeAdapter[Any] = TypeAdapter(AnySpec)
KINDS: dict[str, type[Spec]] = {spec.model_fields["kind"].default: spec for spec in get_args(get_args(AnySpec)[0])}
WITH_PATCHES = tuple(kind for kind, spec in KINDS.items() if spec.has_patches)


def waits_for_people(kind: str) -> bool:
    """Whether runs of this kind do not count among active runs; False for an unknown kind."""
    return kind in KINDS and KINDS[kind].waits_for_people


def parse(values: dict[str, Any]) -> Any:
    """The spec of the kind named by "kind". Raises UserError naming each wrong field."""
    if not isinstance(kind := values.get("kind"), str) or kind not in KINDS:
        raise UserError(f"kind: should be one of {', '.join(KINDS)} (got {shown(kind)})", field="kind")
    try:
        spec = _any_spec.validate_python(values)
    except ValidationError as error:
        kind = str(values.get("kind", ""))
        raise _without_kind(explain(error, partial(_default, values)), kind) from None
    for override in overrides_of(spec):
        field, _, text = override.partition("=")
        if not is_unicode(text):
            raise UserError(f"{field}: is not valid Unicode, so no page can show it (got {shown(text)})", field=field)
    return spec


def _default(values: dict[str, Any], place: str) -> Any:
    """The default of the setting at `place` ("train.trainer.rank") of a spec with these values; None without one."""
    kind, _, rest = place.partition(".")
    field, _, name = rest.partition(".")
    fields: Any = KINDS[kind].model_fields if kind in KINDS else {}
    plugin = values.get(field)
    plugin = plugin.get("name") if isinstance(plugin, dict) else plugin
    if name and field in BY_FIELD and plugin in BY_FIELD[field].names():
        fields, field = BY_FIELD[field].plugin(plugin).Params.model_fields, name
    return fields[field].default if field in fields else None


def _without_kind(error: UserError, kind: str) -> UserError:
    prefix = f"{kind}."
    text = "; ".join(part.removeprefix(prefix) for part in str(error).split("; "))
    return UserError(text, field=error.field.removeprefix(prefix))


def overrides_of(spec: Spec) -> list[str]:
    """The `field.path=value` overrides that turn the defaults into this spec; shell commands are made from them."""
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
