"""The result of each kind of run, checked field by field: a worker's folder may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from engine.params import explain

Count = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]
Real = Annotated[float, Field(strict=True)]  # also NaN and infinite: a training may diverge
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Words = Annotated[str, Field(max_length=2000)]
Rank = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]
MOST = 1000  # entries of one table in a result
Rates = Annotated[dict[Words, Finite | Count], Field(max_length=50)]
Counts = Annotated[dict[Words, Count], Field(max_length=MOST)]


@dataclass(frozen=True)
class SideRows:
    """How many rows each side of a dataset has."""

    train: Count
    valid: Count


@dataclass(frozen=True)
class Loss:
    """Bugs that were left out for one reason, with the first of them."""

    reason: Words
    count: Count
    example: Words = ""


@dataclass(frozen=True)
class Funnel:
    """How many bugs were read, and how many of them were left out."""

    source: Count = 0
    steps: Annotated[list[Loss], Field(max_length=MOST)] = field(default_factory=list)


@dataclass(frozen=True)
class Histogram:
    """How many samples have a length from one edge to the next, in tokens."""

    edges: Annotated[list[Finite], Field(max_length=MOST)] = field(default_factory=list)
    counts: Annotated[list[Finite], Field(max_length=MOST)] = field(default_factory=list)


# What a window may cut off of a sample: parts of it, or all that it teaches.
PARTS, ALL_LEARNED = ("fix", "mark", "faulty lines"), "all that is learned"


@dataclass(frozen=True)
class Window:
    """How many samples have at most so many tokens, and of how many longer ones a window would cut off which part."""

    tokens: Count
    kept: Count = 0
    prompts: Count = 0
    targets: Count = 0
    cut: Counts = field(default_factory=dict)


@dataclass(frozen=True)
class BenchmarkOverlap:
    """How many samples have code of one benchmark, and how many of its bugs are touched (`engine.work.overlap`)."""

    benchmark: Words
    bugs: Count = 0
    same: Count = 0
    renamed: Count = 0
    alike: Count = 0
    touched: Count = 0
    problem: Annotated[str, Field(max_length=20_000)] = ""  # why it could not be compared

    @property
    def rows(self) -> int:
        """Samples that have code of it."""
        return self.same + self.renamed + self.alike


@dataclass(frozen=True)
class ExpectedIds:
    """How many of the expected ids are in a dataset, and why how many of the others are not."""

    wanted: Count
    found: Count
    missing: Counts = field(default_factory=dict)


@dataclass(frozen=True)
class SourceRows:
    """How much of one dataset is in a mixed one."""

    name: Words
    taken: Count
    rows: Count
    licence: Words = ""


@dataclass(frozen=True)
class DatasetFacts:
    """What a builder says of its source beyond counts."""

    sources: Annotated[list[SourceRows], Field(max_length=MOST)] = field(default_factory=list)


@dataclass(frozen=True)
class DatasetResult:
    """The report of a dataset; only its rows are in the reports of all versions."""

    rows: SideRows
    hash: Words = ""
    learned_tokens: Count = 0
    max_tokens: Count = 0  # of the longest sample
    mean_tokens: Finite | Count | None = None  # of a sample; None: not known
    funnel: Funnel | None = None
    kinds: Counts | None = None
    counts: Annotated[dict[Words, Counts], Field(max_length=MOST)] = field(default_factory=dict)  # a builder's own
    languages: Counts | None = None
    projects: Counts | None = None
    cwes: Counts | None = None
    distinct: Counts | None = None  # table -> how many values it would have without its limit
    histogram: Histogram | None = None
    prompts: Histogram | None = None
    targets: Histogram | None = None
    windows: Annotated[list[Window], Field(max_length=MOST)] | None = None
    overlap: Annotated[list[BenchmarkOverlap], Field(max_length=MOST)] | None = None
    expected: ExpectedIds | None = None
    facts: DatasetFacts | None = None
    licence: Words = ""
    split: Words = ""
    undated: Count = 0
    only_ends: Count = 0
    holds: Words = ""
    rates: Rates = field(default_factory=dict)  # seconds from the first row that was read to the last


@dataclass(frozen=True)
class TrainResult:
    """The last losses of a training, and the kind of model that it made (the first version called it `kind`)."""

    train_loss: Real | None = None
    eval_loss: Real | None = None
    peak_memory_bytes: Count | None = None
    eval_token_accuracy: Real | None = None
    trainable_parameters: Count | None = None
    all_parameters: Count | None = None
    continued_from: Words = ""  # the model that it began with
    best_step: Count | None = None  # whose checkpoint became the model; None: the last one's weights
    best_value: Real | None = None  # of the metric by which it was chosen
    chosen_by: Words = ""  # that metric
    stopped_early: Annotated[bool, Field(strict=True)] = False
    model: Literal["base", "adapter", "model"] | None = None
    kind: Literal["base", "adapter", "model"] | None = None
    rates: Rates = field(default_factory=dict)  # seconds of training, evaluating and saving, and of what


@dataclass(frozen=True)
class MeasureResult:
    """How a few steps of a training differed from the estimate (`engine.trainers.memory_calibration`); bytes."""

    key: Words = ""
    offset: Annotated[int, Field(ge=-(2**53), le=2**53, strict=True)] = 0
    factor: Annotated[float, Field(strict=True, ge=0, le=100)] = 1.0
    estimated: Count = 0  # of the larger batch, before the correction
    peak_memory_bytes: Count = 0
    device: Words = ""


@dataclass(frozen=True)
class MergeResult:
    """Whether a merged model answers like its adapter; differences are of logits."""

    usable: Annotated[bool, Field(strict=True)]
    caution: Words = ""
    same_patches: Count = 0
    bugs: Count = 0
    max_logit_difference: Real | None = 0.0  # None: not finite
    tolerance: Real | None = 0.0


@dataclass(frozen=True)
class BenchmarkResult:
    """Bugs with a plausible patch among the first k, and bugs that count for that k, by k."""

    plausible_at: Annotated[dict[Rank, Count], Field(max_length=MOST)] = field(default_factory=dict)
    counted_at: Annotated[dict[Rank, Count], Field(max_length=MOST)] = field(default_factory=dict)
    scored: Count = 0
    sandbox: Words = ""
    caution: Words = ""  # that its bugs chose the model's checkpoint
    gpus: Count | None = None  # that held the model's weights; None: not known
    strategy: Words = ""  # that chose each attempt after the verdict on the one before; empty: all answer one prompt
    rates: Rates = field(default_factory=dict)  # seconds of loading, writing, testing, and of what; empty: not known


@dataclass(frozen=True)
class ValidateResult:
    """Candidates of a file: how many of its patches have each outcome. Without a file: bugs that can be scored."""

    rows: Count = 0
    patches: Count = 0
    outcomes: Annotated[dict[Words, Count], Field(max_length=MOST)] = field(default_factory=dict)
    scored: Count = 0
    usable: Count = 0
    bugs: Count = 0
    unknown_rows: Count = 0  # for no bug of the benchmark
    is_imported: Annotated[bool, Field(strict=True)] = False


@dataclass(frozen=True)
class ChatResult:
    """What a loaded model answered."""

    turns: Count = 0
    conversations: Count = 0


Result = DatasetResult | TrainResult | MeasureResult | MergeResult | BenchmarkResult | ValidateResult | ChatResult
KINDS: dict[str, type[Any]] = {
    "dataset": DatasetResult,
    "train": TrainResult,
    "measure": MeasureResult,
    "merge": MergeResult,
    "benchmark": BenchmarkResult,
    "validate": ValidateResult,
    "chat": ChatResult,
}


def read(kind: str, values: Mapping[str, Any]) -> Any:
    """The result of a run of this kind. Raises ValueError naming each wrong field; others than these are not read."""
    if kind == "dataset" and isinstance(values.get("report"), dict):
        values = values["report"]  # as in the first version
    try:
        return _adapter(kind).validate_python(dict(values))
    except ValidationError as error:
        raise ValueError(str(explain(error))) from None


def dataset_report(values: Mapping[str, Any], train: int, valid: int) -> DatasetResult:
    """The report of a dataset with so many rows; no more than these of one that earlier versions did not check."""
    try:
        found: DatasetResult = read("dataset", values)
    except ValueError:
        return DatasetResult(SideRows(train, valid))
    return found


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[kind])
