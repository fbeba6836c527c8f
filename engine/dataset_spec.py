"""The settings of a dataset: where its bugs come from, what is left out, and how it is split."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.params import Day, Place, setting
from engine.spec import BenchmarkNamed, PluginParams, SplitSpec

# What counts as a duplicate; each level includes those before it, `keep` none.
Duplicates = Literal["exact", "layout", "renamed", "near", "keep"]
OVERLAP_SHARE = 0.5  # of a benchmark's function, from which a sample that shares it is listed
NEAR_LEAST = 0.7  # of less than that `engine.work.near` finds few: of a share of 0.5 one in sixteen


class DatasetSpec(SplitSpec):
    """Build a dataset: bugs from a builder, as samples in a representation, measured in a model's tokens."""

    title: ClassVar = "Dataset"
    many: ClassVar = "datasets"
    page: ClassVar = "datasets"
    verb: ClassVar = "dataset build"
    worker: ClassVar = "engine.work.build:build"
    combine: ClassVar = "engine.work.combine:dataset"
    plugin: ClassVar = "builder"
    makes: ClassVar = "dataset"
    reads: ClassVar = "tokenizer"

    kind: Literal["dataset"] = "dataset"
    builder: PluginParams = setting("faults", "where the bugs come from")
    representation: PluginParams = setting("ir4_or2", "how a bug is shown to the model", needs="bugs")
    model: str = setting("starter", "whose tokenizer counts the tokens")
    max_tokens: int = setting(
        1024, "longer samples are left out", unit="tokens", ge=16, le=131072, title="Longest sample"
    )
    max_prompt: int | None = setting(
        None, "longer prompts are left out too; empty: any", unit="tokens", title="Longest prompt", more=True, ge=1
    )
    max_target: int | None = setting(
        None, "longer targets are left out too; empty: any", unit="tokens", title="Longest target", more=True, ge=1
    )
    valid_fraction: float = setting(0.05, "share for the evaluation loss", title="Evaluation share", ge=0, le=0.5)
    split: Literal["project", "time", "random", "first"] = setting(
        "project",
        "what is for evaluation: whole projects, the newest fixes, single samples by chance, or the first samples",
        title="Evaluate on",
    )
    split_day: Day = setting(
        "",
        "with time: fixes of this day and later, such as 2023-06-30; empty: as many of the newest as the share says",
        title="Evaluate from day",
        more=True,
    )
    valid_rows: int | None = setting(
        None, "with first: so many samples; else the most; empty: as the share says", title="Evaluation samples",
        more=True, ge=1,
    )  # fmt: skip
    per_project: int | None = setting(
        None, "further ones are left out; empty: any number", title="Most samples of a project", more=True, ge=1
    )
    valid_per_project: int | None = setting(
        None, "further ones are left out; empty: any number", title="Most evaluation samples of a project", more=True,
        ge=1,
    )  # fmt: skip
    duplicates: Duplicates = setting(
        "layout",
        "left out, if they are the same: to the letter, but for comments and white space, also but for names, or "
        "nearly; keep leaves none out",
        more=True,
    )
    near_share: float = setting(
        0.85, "with near: shared runs of 5 tokens, from which two are duplicates", title="Near duplicates from",
        more=True, ge=NEAR_LEAST, le=1,
    )  # fmt: skip
    exclude: tuple[BenchmarkNamed, ...] = setting(
        ("pocket",), "benchmarks whose code must not be in the dataset", more=True
    )
    exclude_share: float | None = setting(
        None,
        "of an excluded benchmark's function, from which a sample that shares it is left out too, such as 0.5; "
        "empty: only the same code",
        title="Exclude from a share of",
        more=True,
        gt=0,
        le=1,
    )
    compare: tuple[BenchmarkNamed, ...] = setting(
        (), "benchmarks whose overlap is shown, besides those that need no settings", title="Compare with", more=True
    )
    expected: Place = setting(
        "",
        "text file with the ids that should be in it, one a line; says which are missing and why",
        more=True,
        title="Expected ids",
    )
    licence: str = setting(
        "", "of the source, as far as known; stands on the dataset's card", more=True, max_length=300
    )
