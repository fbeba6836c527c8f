"""Builds a dataset from a DatasetSpec: bugs streamed from a builder, encoded, tokenised, split, counted.

artifacts/train.parquet, valid.parquet   rows as in `engine.training_set.Row`
artifacts/left_out.jsonl                 one object for each row that was left out, with the reason (`engine.listed`)
artifacts/overlap.jsonl                  the same for rows with code of a benchmark, whose reason is its name
artifacts/missing.jsonl                  the same for expected ids that are not in the dataset
artifacts/tokenizer/                     the files of the tokenizer that was used
artifacts/kept/                          what a builder keeps whose work takes long
artifacts/report.json, README.md         what is in the dataset, and what was left out (`tally`); its card
artifacts/prepared.bin, prepared.json    of a shard: what it knows of its part (`engine.work.prepared`)

No torch here, and transformers only for a tokenizer that needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from engine.builders import Caching, Funnel, Keeping, Measuring, Preparing, Retokenised, Splitting
from engine.dataset_card import card
from engine.errors import UserError
from engine.events import Progress
from engine.listed import LONGEST, MOST_REASONS, OTHERS, OVERLAP, Listing
from engine.models.tokenizer import tokenizer_of
from engine.plugins import BUILDERS, REPRESENTATIONS
from engine.representations.chat_template import ChatTemplate
from engine.results import dataset_report
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.specs import DatasetSpec
from engine.training_set import Row
from engine.work.duplicates import Earlier
from engine.work.expected import Expected
from engine.work.items import Item, Made, Showing
from engine.work.overlap import Hit, Overlap
from engine.work.part import about, find, prepare
from engine.work.prepared import Together, rows_of
from engine.work.rows import in_batches, tokenised
from engine.work.selection import LeftOut, select
from engine.work.split import Place, Split
from engine.work.tally import Marks, Tally, long_from, too_long

KEPT = "kept"  # what a builder keeps, among the artifacts
_PAUSE_S = 0.2  # between two progress events
T = TypeVar("T")


def build(spec: DatasetSpec, inputs: Inputs, run: RunDir, kept: Sequence[Path] = ()) -> dict[str, object]:
    """Write the dataset to the run's folder and return its report.

    The same spec gives the same rows and hash. Memory does not grow with the bugs' code, but for each bug by 150 bytes
    and its id, by up to 500 bytes more to find renamed and near duplicates (`Earlier`), and by 130 bytes where single
    bugs are divided once more (`Split`); for each expected id, and each sample with code of a benchmark, by a few
    hundred bytes.
    `kept`: the artifacts of shards, whose work is taken over. A shard only does its part of that work.
    Raises UserError if the source or the model is unusable, or no sample is left.
    """
    if inputs.model is None:
        raise UserError("no model was named; its tokenizer is needed to count the tokens", field="model")
    run.artifacts.mkdir(exist_ok=True)
    tokenizer = tokenizer_of(Path(inputs.model.weights))
    representation = REPRESENTATIONS.create(spec.representation).for_vocabulary(tokenizer.vocabulary())
    builder = BUILDERS.create(spec.builder)
    if isinstance(builder, Keeping):
        builder.keep_in(run.artifacts / KEPT)
    if isinstance(builder, Caching):
        builder.cache_in(run.home / "answers")
    if isinstance(builder, Splitting):
        if not inputs.part.is_all:
            return find(builder, spec, inputs.part, run)
        builder.take_over([folder / KEPT for folder in kept])
    tokenizer.save(run.artifacts / "tokenizer")
    if isinstance(builder, Retokenised):
        builder.check_tokenizer(run.artifacts / "tokenizer")
    if isinstance(builder, Measuring):
        builder.measure_with(run.artifacts / "tokenizer", spec.max_tokens)
    overlap = Overlap(spec.exclude, spec.compare, spec.exclude_share, is_all=True)
    showing = Showing(representation, ChatTemplate(inputs.model), overlap)
    if not inputs.part.is_all:
        return prepare(builder, spec, inputs, run, showing, tokenizer)
    is_prepared = kept and not isinstance(builder, Splitting)
    together = Together.of(kept, about(inputs, run, overlap)) if is_prepared else None
    tally, expected = Tally(spec), Expected(spec.expected)
    total = together.n_items if together else builder.total()
    progress, has_lines, has_messages = _Progress(run, total, builder.makes), False, False
    if isinstance(builder, Preparing) and not together:
        run.emit(Progress(0, total, builder.preparing))
    with LeftOut(run, expected) as left_out, Listing(run.artifacts / OVERLAP) as listing:
        split = Split(run.artifacts, spec, tally, left_out.lose)
        earlier = Earlier(spec.duplicates, spec.near_share)
        waiting: list[tuple[Place, str, Sequence[Hit]]] = []  # the last division may lose some
        rows: Iterable[tuple[Item, Row, Marks]]
        if together:
            prepared = progress.watch(together.items(left_out.source, overlap), tally)
            known = in_batches(select(prepared, earlier, overlap, spec.exclude_share, left_out), rows_of)
            rows = known
        else:
            made = (Made(each, showing) for each in progress.watch(builder.stream(spec.seed, left_out.source), tally))
            tokens = partial(tokenised, tokenizer=tokenizer, long=long_from(spec))
            rows = in_batches(select(made, earlier, overlap, spec.exclude_share, left_out), tokens)
        for item, row, marks in rows:
            if duplicate := earlier.find(item.keys):  # of a row that was not known to be kept when this one was read
                left_out.repeats(item.keys.name, duplicate)
            elif reason := tally.too_long(row, marks) or ("" if row.learned else "nothing of it is learned"):
                lengths = {"n_tokens": row.n_tokens, "n_prompt": row.n_prompt, "n_target": row.n_tokens - row.n_prompt}
                left_out.lose(row.bug_id, reason, **lengths, cut=", ".join(marks.cut(row, spec.max_tokens)))
            elif (at := split.add(row)) is not None:
                earlier.keep(item.keys)
                has_lines = has_lines or bool(row.completion_lines)
                has_messages = has_messages or bool(row.messages)
                if item.hits or row.bug_id in expected:
                    waiting.append((at, row.bug_id, item.hits))
        lost = split.close()
        for at, bug_id, hits in waiting:
            if at not in lost:
                expected.keep(bug_id)
                overlap.count(bug_id, hits, listing)
    progress.report(tally, progress.n_read)
    source = left_out.source
    funnel = _steps(source, left_out.funnel)
    if not tally.kept.n_rows:
        raise UserError(_nothing_left(source, left_out.funnel, spec))
    params = getattr(representation, "params", spec.representation).model_dump(mode="json")
    report: dict[str, object] = {
        "rows": split.rows,
        "funnel": funnel,
        "counts": source.counts,
        **tally.report(),
        **({"representation": params} if builder.makes == "bugs" else {}),  # else nothing was shown in it
        "holds": "samples" if builder.makes == "bugs" else builder.makes,
        "hash": split.hash(),
        "licence": spec.licence,
        "split": spec.split,
        "overlap": overlap.report(),
        "expected": expected.report(run.artifacts),
        "facts": source.facts,
        "has_lines": has_lines,  # whether any sample says what kind of line each of its lines is
        "has_messages": has_messages,  # whether any was made of the messages of a chat
    }
    (run.artifacts / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    text = card(
        spec.name or f"dataset-{run.path.name}", spec.model_dump(mode="json"), dataset_report(report, **split.rows)
    )
    (run.artifacts / "README.md").write_text(text, encoding="utf-8")
    if together:
        together.remove()
    return {**report, "rates": {"reading": round(progress.reading_s, 2), "read": progress.n_read}}


class _Progress:
    """Reports at intervals how much of the source was read."""

    def __init__(self, run: RunDir, total: int | None, makes: str) -> None:
        """`makes`: what is read, "bugs"."""
        self.n_read = 0
        self.reading_s = 0.0  # from the first one to the last
        self._makes = makes
        self._run = run
        self._total = total
        self._reported_at = 0.0

    def watch(self, made: Iterable[T], tally: Tally) -> Iterator[T]:
        began: float | None = None
        for each in made:
            self.n_read += 1
            began = began or time.monotonic()
            self.reading_s = time.monotonic() - began
            if time.monotonic() - self._reported_at >= _PAUSE_S:
                self.report(tally, self._total)
            yield each

    def report(self, tally: Tally, total: int | None) -> None:
        self._reported_at = time.monotonic()
        kept = f", {tally.kept.n_rows:,} samples kept" if tally.kept.n_rows else ""  # not known before the first batch
        self._run.emit(Progress(self.n_read, total, f"{self.n_read:,} {self._makes} read{kept}"))


def _steps(source: Funnel, left_out: Funnel) -> dict[str, object]:
    """The losses in the order of the steps; of very many reasons, the rarest are one step."""
    steps: list[dict[str, Any]] = [
        {"reason": reason[:LONGEST], "count": count, "example": funnel.examples.get(reason, "")[:LONGEST]}
        for funnel in (source, left_out)
        for reason, count in funnel.lost.items()
    ]
    if len(steps) > MOST_REASONS:
        order = sorted(range(len(steps)), key=lambda at: -steps[at]["count"])
        common, rare = set(order[:MOST_REASONS]), [steps[at] for at in order[MOST_REASONS:]]
        steps = [step for at, step in enumerate(steps) if at in common]
        steps.append({"reason": OTHERS, "count": sum(step["count"] for step in rare), "example": rare[0]["example"]})
    return {"source": source.source, "steps": steps}


def _nothing_left(source: Funnel, left_out: Funnel, spec: DatasetSpec) -> str:
    lost = {**source.lost, **left_out.lost}
    where = ", ".join(f"{count:,} ({reason})" for reason, count in lost.items())
    advice = f"; raise max_tokens ({spec.max_tokens})" if too_long(spec) in lost else ""
    excluded = [each if isinstance(each, str) else str(each["name"]) for each in spec.exclude]
    if known := [name for name in excluded if any(reason.endswith(f" the benchmark {name}") for reason in lost)]:
        advice += f"; {known[0]} is among exclude: read other code, or take it out and do not benchmark on it"
    return f"no sample is left of {source.source} read: {where or 'the source is empty'}{advice}"
