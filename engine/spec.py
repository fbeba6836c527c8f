"""What the specs of all kinds of run share."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, ValidationInfo

from engine.params import Params, setting, shown
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


class SplitSpec(Spec):
    """What the specs share of runs that can be split: several workers do a part each."""

    # as `worker`, called with (spec, inputs, run, results of the shards) once all are done; returns the run's result
    combine: ClassVar[str]
    # called with the spec: how many shards have something to do at most; empty: that is not known before
    most_parts: ClassVar[str] = ""

    shards: int = setting(
        1, "workers that share the run, each started by the launcher as it has room", more=True, ge=1, le=10_000
    )
