"""The settings of a run: one frozen spec for each kind, the same in a form, a file, a preset and a run's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from engine.attempts import has_attempts
from engine.dataset_spec import DatasetSpec as DatasetSpec
from engine.errors import UserError
from engine.exchange.imported import LONGEST_WHO
from engine.params import Params, Place, explain, is_unicode, setting, shown
from engine.plugins import BENCHMARKS, BY_FIELD
from engine.spec import NAME as NAME
from engine.spec import PluginParams
from engine.spec import Spec as Spec
from engine.spec import SplitSpec as SplitSpec


class TrainingSpec(Spec):
    """What a training and the measurement of one share."""

    model: str = setting("starter", "base model, or an adapter to train further")
    dataset: str = setting("", "the dataset to train on")
    trainer: PluginParams = setting("sft", "how to train")


class TrainSpec(TrainingSpec):
    """Train a model on a dataset."""

    title: ClassVar = "Training"
    many: ClassVar = "trainings"
    page: ClassVar = "train"
    verb: ClassVar = "train"
    worker: ClassVar = "engine.work.train:train"
    makes: ClassVar = "model"
    saves_when_stopped: ClassVar = True

    kind: Literal["train"] = "train"


class MeasureSpec(TrainingSpec):
    """Run a few steps of a training with its longest rows, to correct the estimate of its memory on this device."""

    title: ClassVar = "Measurement of memory"
    many: ClassVar = "measurements of memory"
    page: ClassVar = ""  # a button on Train asks for it
    verb: ClassVar = "measure"
    worker: ClassVar = "engine.work.measure:measure"

    kind: Literal["measure"] = "measure"

    @classmethod
    def of(cls, training: TrainingSpec) -> MeasureSpec:
        """The measurement of a training."""
        return cls(**{name: getattr(training, name) for name in TrainingSpec.model_fields if name != "name"})


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


class BenchmarkSpec(SplitSpec):
    """Generate patches for a benchmark and test each one in a sandbox."""

    title: ClassVar = "Benchmark run"
    many: ClassVar = "benchmark runs"
    page: ClassVar = "patches"
    verb: ClassVar = "benchmark"
    worker: ClassVar = "engine.work.benchmark:benchmark"
    combine: ClassVar = "engine.work.combine:benchmark"
    most_parts: ClassVar = "engine.work.combine:bugs_of_benchmark"
    has_patches: ClassVar = True

    kind: Literal["benchmark"] = "benchmark"
    model: str = setting("starter", "base model, adapter or merged model")
    benchmark: PluginParams = setting("pocket", "the bugs to repair")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    generator: PluginParams = setting("beam", "how patches are generated")
    strategy: PluginParams = setting(
        "single_shot", "whether the model is asked once for all patches of a bug, or again after each verdict"
    )
    candidates: int = setting(10, "patches per bug; with a strategy that asks again: attempts, at most", ge=1, le=200)
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

    @property
    def asks_once(self) -> bool:
        """Whether all patches of a bug answer one prompt; else each is an attempt that follows the verdict before."""
        return not has_attempts({"kind": self.kind, "strategy": {"name": self.strategy.name}})


class ValidateSpec(SplitSpec):
    """Test the patches of a file, made by whatever made them; without a file, what a benchmark's tests tell apart."""

    title: ClassVar = "Validation"
    many: ClassVar = "validations"
    page: ClassVar = ""  # it is asked for in a shell
    verb: ClassVar = "validate"
    worker: ClassVar = "engine.work.validate:validate"
    combine: ClassVar = "engine.work.combine:validation"
    most_parts: ClassVar = "engine.work.combine:bugs_of_validation"
    has_patches: ClassVar = True

    kind: Literal["validate"] = "validate"
    benchmark: PluginParams = setting("pocket", "the bugs that the patches are for")
    file: Place = setting(
        "",
        "patches in any known format; empty: test only known fixes and buggy code",
        upload=".jsonl,.json,.csv,.parquet",
    )
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
    limits: ClassVar = ("budget_tokens", "budget_seconds", "budget_money")  # beside the attempts, of each question

    kind: Literal["chat"] = "chat"
    model: str = setting("starter-adapter", "the model that proposes the patches")
    benchmark: PluginParams = setting("pocket", "where the bugs come from")
    bug: Annotated[str, AfterValidator(BENCHMARKS.current)] = setting("", "the bug to repair, by id")
    strategy: PluginParams = setting("test_feedback", "what goes into the next prompt")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model")
    generator: PluginParams = setting("sampling", "how an answer is generated")
    budget_tokens: int | None = setting(
        None,
        "read and written for one message of yours; at this number no other answer is begun. Empty: not limited",
        title="Budget: tokens", unit="tokens", more=True, ge=1, le=10**12,
    )  # fmt: skip
    budget_seconds: float | None = setting(
        None, "of work on one message of yours", title="Budget: time", unit="s", more=True, gt=0, le=10**7
    )
    budget_money: float | None = setting(
        None,
        "for one message of yours, in the currency of the generator's prices; a model on this machine costs nothing",
        title="Budget: money", more=True, gt=0, le=10**9,
    )  # fmt: skip
    sandbox: PluginParams = setting("auto", "what runs the patches", more=True)


AnySpec = Annotated[
    DatasetSpec | TrainSpec | MeasureSpec | MergeSpec | BenchmarkSpec | ValidateSpec | ChatSpec,
    Field(discriminator="kind"),
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
        raise _without_kind(explain(error, partial(_default, values), partial(_known, values)), kind) from None
    for override in overrides_of(spec):
        field, _, text = override.partition("=")
        if not is_unicode(text):
            raise UserError(f"{field}: is not valid Unicode, so no page can show it (got {shown(text)})", field=field)
    return spec


def _default(values: dict[str, Any], place: str) -> Any:
    """The default of the setting at `place` ("train.trainer.rank") of a spec with these values; None without one."""
    fields, name = _fields(values, place)
    return fields[name].default if name in fields else None


def _known(values: dict[str, Any], place: str) -> list[str]:
    """The settings beside `place`, of a spec or of one of its plug-ins; none for what is within one setting."""
    fields, name = _fields(values, place)
    return [] if "." in name else [each for each in fields if each not in ("kind", "name")]


def _fields(values: dict[str, Any], place: str) -> tuple[Mapping[str, Any], str]:
    """(the declared settings of the spec or plug-in that `place` is in, the setting's own name)."""
    kind, _, rest = place.partition(".")
    field, _, name = rest.partition(".")
    fields: Any = KINDS[kind].model_fields if kind in KINDS else {}
    plugin = values.get(field)
    plugin = plugin.get("name") if isinstance(plugin, dict) else plugin
    if name and field in BY_FIELD and plugin in BY_FIELD[field].names():
        return BY_FIELD[field].plugin(plugin).Params.model_fields, name
    return fields, field


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
