"""Samples of several datasets in one, with weights; every sample is as it was built, and none is taken twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal, get_args

from engine import params
from engine.builders import Funnel
from engine.domain import Bug, Role, Rows, Sample, Segment, span_of_change
from engine.errors import UserError
from engine.models.tokenizer import tokenizer_print
from engine.params import place, setting, weighted
from engine.stored import Stored
from engine.training_set import rows_in

FIELD = "builder.datasets"
COLUMNS = (
    "bug_id", "kind", "project", "language", "prompt", "target", "input_ids", "n_prompt", "buggy", "fixed", "learned",
    "cwe", "date", "is_function", "completion_lines",
    "messages",
)  # fmt: skip
AT_ONCE = 200  # rows that are Python's at a time


class Mixer:
    """Takes samples from several datasets, in the proportions of their weights."""

    name: ClassVar[str] = "mixer"
    title: ClassVar[str] = "Mix of datasets"
    makes: ClassVar[Rows] = "samples"

    class Params(params.Params):
        """The datasets, and which of their samples."""

        name: Literal["mixer"] = "mixer"
        datasets: tuple[str, ...] = setting(
            (),
            'datasets, each perhaps with a weight behind "=", as in mine=2: with weights, as many samples as there are '
            "in these proportions; without, all",
            names="datasets",
        )
        side: Literal["both", "train"] = setting(
            "both", "both: all; train: none of those for evaluation", more=True, title="Samples taken"
        )

    def __init__(self, params: Params) -> None:
        self.params = params

    def check(self) -> None:
        """Raises UserError if a dataset is missing, or they cannot be mixed."""
        assert self._sources

    def check_tokenizer(self, folder: Path) -> None:
        """Raises UserError if a dataset was built with another model's tokenizer; those of old versions keep none."""
        tokenizer = tokenizer_print(folder)
        others = [each.name for each in self._sources if each.tokenizer_print not in ("", tokenizer)]
        if others:
            raise UserError(
                f"model: {others[0]!r} was built with another model's tokenizer, whose special tokens stand in its "
                "samples; choose the model that it was built with",
                field="model",
            )

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def total(self) -> int | None:
        return sum(self._taken)

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Sample]:
        """One dataset after the other; of each a sample of its rows by chance, in their order."""
        facts = zip(self._sources, self._taken, strict=True)
        funnel.facts["sources"] = [
            {"name": each.name, "taken": n, "rows": each.n_rows, "licence": each.licence, "hash": each.hash}
            for each, n in facts
        ]
        for source, wanted in zip(self._sources, self._taken, strict=True):
            random, left = Random(seed), source.n_rows
            for row in source.rows(self._sides):
                funnel.source += 1
                name = f"{source.name}/{row['bug_id']}"
                if random.random() * left >= wanted:  # Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S
                    funnel.lose(f"more than the weight of {source.name} asks for", name)
                else:
                    wanted -= 1
                    sample = source.sample(name, row)
                    if isinstance(sample, str):
                        funnel.lose(sample, name)
                    else:
                        yield sample
                left -= 1

    @property
    def _sides(self) -> tuple[str, ...]:
        return ("train", "valid") if self.params.side == "both" else ("train",)

    @cached_property
    def _sources(self) -> list[_Source]:
        if not self.params.datasets:
            raise UserError("no dataset is named; choose two or more", field=FIELD)
        named = [weighted(text) for text in self.params.datasets]
        if len({text for text, _ in named}) < len(named):
            raise UserError("datasets: one of them is named twice; no sample is taken twice", field=FIELD)
        wrong = [weight for _, weight in named if weight is not None and not 0 < weight < float("inf")]
        if wrong:
            raise UserError(f"datasets: a weight should be greater than 0 (got {wrong[0]:g})", field=FIELD)
        sources = [
            _Source(place(text, field=FIELD), 1.0 if weight is None else weight, self._sides) for text, weight in named
        ]
        for before, after in pairwise(sources):
            if before.tokenizer_print != after.tokenizer_print:
                raise UserError(
                    f"datasets: {before.name!r} and {after.name!r} were built with different models' tokenizers, whose "
                    "special tokens stand in their samples; build both with the same model",
                    field=FIELD,
                )
        return [each for each in sources if each.n_rows]

    @cached_property
    def _taken(self) -> list[int]:
        """How many rows of each dataset are wanted."""
        if all(weighted(text)[1] is None for text in self.params.datasets):
            return [each.n_rows for each in self._sources]
        most = min((each.n_rows / each.weight for each in self._sources), default=0.0)
        return [min(each.n_rows, round(each.weight * most)) for each in self._sources]


@dataclass(frozen=True)
class _Source:
    """One dataset on disk. Raises UserError if there is none, or it holds no samples."""

    folder: Path
    weight: float
    sides: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (self.folder / "train.parquet").is_file():
            raise UserError(f"datasets: there is no dataset {str(self.folder)!r}", field=FIELD)
        if (held := rows_in(self.folder)) != "samples":
            raise UserError(f"datasets: {self.name!r} holds {held}; only samples can be mixed", field=FIELD)

    @cached_property
    def _report(self) -> dict[str, Any]:
        return self._json("report.json")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            found = {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def name(self) -> str:
        """The dataset's, or that of its folder; its run keeps it beside its results."""
        try:
            spec = json.loads((self.folder.parent / "spec.json").read_text(encoding="utf-8"))
            run = self.folder.parent.name
            return str(spec.get("name") or f"dataset-{run}")[:100]
        except (OSError, ValueError, AttributeError, RecursionError):
            return self.folder.name

    @property
    def licence(self) -> str:
        return str(self._report.get("licence", ""))[:300]

    @property
    def hash(self) -> str:
        return str(self._report.get("hash", ""))[:100]

    @cached_property
    def n_rows(self) -> int:
        return sum(map(len, self._files(self.sides)))

    @cached_property
    def tokenizer_print(self) -> str:
        """A hash of the tokenizer's file; empty without one."""
        return tokenizer_print(self.folder / "tokenizer")

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self.folder / "tokenizer" / "tokenizer.json"))

    def _files(self, sides: Sequence[str]) -> list[Stored]:
        paths = [self.folder / f"{side}.parquet" for side in sides]
        return [Stored(path) for path in paths if path.is_file()]

    def rows(self, sides: Sequence[str]) -> Iterator[dict[str, Any]]:
        for file in self._files(sides):
            for table in file.tables(COLUMNS, AT_ONCE):
                yield from table.to_pylist()

    def sample(self, name: str, row: Mapping[str, Any]) -> Sample | str:
        """The sample of a row under this name, or why there is none."""
        ids = row["input_ids"]
        learned = row.get("learned") or [row["n_prompt"], len(ids)]
        try:
            is_ended = bool(end := self._decoded(ids[-1:])) and row["target"].endswith(end)
            segments = self._segments(row, learned, is_ended)
        except Exception:  # the class itself is all that the library raises
            return "its tokens cannot be read"
        if segments is None:
            return "its segments cannot be told apart"
        return Sample(
            name, segments, row["kind"], row.get("language") or "", row.get("project") or "", is_ended, _bug(name, row),
            _lines(row.get("completion_lines") or ""), _messages(row.get("messages") or ""),
        )  # fmt: skip

    def _segments(self, row: Mapping[str, Any], learned: Sequence[int], is_ended: bool) -> tuple[Segment, ...] | None:
        if len(learned) == 2 and learned[1] == len(row["input_ids"]):
            parts = [Segment(row["prompt"]), Segment(row["target"], True)]
            return tuple(parts)
        ids = row["input_ids"] if is_ended else row["input_ids"][:-1]
        edges = sorted({0, *(min(edge, len(ids)) for edge in learned), len(ids)})
        starts = set(learned[::2])
        segments = tuple(Segment(self._decoded(ids[low:high]), low in starts) for low, high in pairwise(edges))
        is_same = "".join(each.text for each in segments if each.is_learned) == row["target"]
        return segments if is_same else None

    def _decoded(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))


def _lines(text: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The lines of a sample by category, as far as its row tells."""
    try:
        return tuple((str(kind), tuple(map(int, lines))) for kind, lines in json.loads(text or "{}").items())
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ()


def _messages(text: str) -> tuple[Segment, ...]:
    """The messages of a chat that a sample was made of, as far as its row tells."""
    try:
        said = [(each["role"], each["content"], each.get("weight", 1)) for each in json.loads(text or "[]")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()
    if not all(role in get_args(Role) and isinstance(content, str) for role, content, _ in said):
        return ()
    return tuple(Segment(content, role == "assistant" and weight != 0, role) for role, content, weight in said)


def _bug(name: str, row: Mapping[str, Any]) -> Bug | None:
    """The bug that a sample was made from, as far as its row tells."""
    buggy, fixed, language = row["buggy"], row["fixed"], row.get("language")
    if not buggy or buggy == fixed or not language:
        return None
    return Bug(
        name, language, "", buggy, fixed, span_of_change(buggy, fixed), row["kind"], row.get("cwe") or "",
        row.get("project") or "", date=row.get("date") or "",
        is_function=bool(row.get("is_function")),
    )  # fmt: skip
