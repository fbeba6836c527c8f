"""Builds a dataset from a DatasetSpec: bugs streamed from a builder, encoded, tokenised, split, counted.

artifacts/train.parquet, valid.parquet   rows as in `engine.training_set.Row`
artifacts/left_out.jsonl                 one object for each row that was left out, with the reason (`engine.listed`)
artifacts/overlap.jsonl                  the same for rows with code of a benchmark, whose reason is its name
artifacts/missing.jsonl                  the same for expected ids that are not in the dataset
artifacts/tokenizer/                     the files of the tokenizer that was used
artifacts/kept/                          what a builder keeps whose work takes long
artifacts/report.json, README.md         what is in the dataset, and what was left out (`tally`); its card

No torch here, and transformers only for a tokenizer that needs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from engine.builders import BuilderOutput, Caching, Funnel, Keeping, Measuring, Preparing, Retokenised, Splitting
from engine.dataset_card import card
from engine.domain import Bug, Preference, Sample, as_text, lines_of
from engine.errors import UserError
from engine.events import Progress
from engine.listed import LONGEST, MOST_REASONS, OTHERS, OVERLAP, Listing
from engine.models.tokenizer import Tokenizer, tokenizer_of
from engine.plugins import BUILDERS, REPRESENTATIONS
from engine.representations.chat_template import ChatTemplate
from engine.representations.published import FILL_ME
from engine.results import dataset_report
from engine.run_inputs import Inputs, Part
from engine.rundir import RunDir
from engine.specs import DatasetSpec
from engine.training_set import Row, messages_json
from engine.work.duplicates import Earlier, texts_of
from engine.work.expected import Expected
from engine.work.overlap import Hit, Overlap
from engine.work.selection import LeftOut, Selected, select
from engine.work.split import Place, Split
from engine.work.tally import WINDOWS, Marks, Tally, too_long

Tokenised = tuple[Row, Marks, Selected]
KEPT = "kept"  # what a builder keeps, among the artifacts
_BATCH = 256  # samples tokenised at a time; more is not faster
_CHARACTERS = 1 << 20  # most in a batch: the tokenizer uses about 150 bytes per token
_PAUSE_S = 0.2  # between two progress events


def build(spec: DatasetSpec, inputs: Inputs, run: RunDir, kept: Sequence[Path] = ()) -> dict[str, object]:
    """Write the dataset to the run's folder and return its report.

    The same spec gives the same rows and hash. Memory does not grow with the bugs' code, but for each bug by 150 bytes
    and its id, by up to 500 bytes more to find renamed and near duplicates (`Earlier`), and by 130 bytes where single
    bugs are divided once more (`Split`); for each expected id, and each sample with code of a benchmark, by a few
    hundred bytes.
    `kept`: the artifacts of shards, whose work the builder takes over. A shard only does its part of that work.
    Raises UserError if the source or the model is unusable, or no sample is left.
    """
    if inputs.model is None:
        raise UserError("no model was named; its tokenizer is needed to count the tokens", field="model")
    run.artifacts.mkdir(exist_ok=True)
    tokenizer = tokenizer_of(Path(inputs.model.weights))
    representation = REPRESENTATIONS.create(spec.representation).for_vocabulary(tokenizer.vocabulary())
    template = ChatTemplate(inputs.model)
    builder = BUILDERS.create(spec.builder)
    if isinstance(builder, Keeping):
        builder.keep_in(run.artifacts / KEPT)
    if isinstance(builder, Caching):
        builder.cache_in(run.home / "answers")
    if isinstance(builder, Splitting):
        if not inputs.part.is_all:
            return _part(builder, spec, inputs.part, run)
        builder.take_over([folder / KEPT for folder in kept])
    tokenizer.save(run.artifacts / "tokenizer")
    if isinstance(builder, Retokenised):
        builder.check_tokenizer(run.artifacts / "tokenizer")
    if isinstance(builder, Measuring):
        builder.measure_with(run.artifacts / "tokenizer", spec.max_tokens)
    tally, expected = Tally(spec), Expected(spec.expected)
    overlap = Overlap(spec.exclude, spec.compare, spec.exclude_share, is_all=True)
    progress, has_lines, has_messages = _Progress(run, builder.total(), builder.makes), False, False
    if isinstance(builder, Preparing):
        run.emit(Progress(0, builder.total(), builder.preparing))
    with LeftOut(run, expected) as left_out, Listing(run.artifacts / OVERLAP) as listing:
        split = Split(run.artifacts, spec, tally, left_out.lose)
        made = progress.watch(builder.stream(spec.seed, left_out.source), tally)
        earlier = Earlier(spec.duplicates, spec.near_share)
        waiting: list[tuple[Place, str, Sequence[Hit]]] = []  # the last division may lose some
        selected = select(made, representation, template, earlier, overlap, spec.exclude_share, left_out)
        for row, marks, chosen in _tokenised(selected, tokenizer, min(*WINDOWS, spec.max_tokens)):
            if duplicate := earlier.find(chosen.read):  # of a row that was not known to be kept when this one was read
                left_out.repeats(chosen.read, duplicate)
            elif reason := tally.too_long(row, marks) or ("" if row.learned else "nothing of it is learned"):
                lengths = {"n_tokens": row.n_tokens, "n_prompt": row.n_prompt, "n_target": row.n_tokens - row.n_prompt}
                left_out.lose(row.bug_id, reason, **lengths, cut=", ".join(marks.cut(row, spec.max_tokens)))
            elif (at := split.add(row)) is not None:
                earlier.keep(chosen.read)
                has_lines = has_lines or bool(row.completion_lines)
                has_messages = has_messages or bool(row.messages)
                if chosen.hits or row.bug_id in expected:
                    waiting.append((at, row.bug_id, chosen.hits))
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
    return {**report, "rates": {"reading": round(progress.reading_s, 2), "read": progress.n_read}}


def _part(builder: Splitting, spec: DatasetSpec, part: Part, run: RunDir) -> dict[str, object]:
    """One part of a builder's work, which stays in the folder where it keeps it."""
    done, total, said_at = 0, -(-(builder.total() or 0) // part.count), 0.0
    for done in builder.work_on(spec.seed, part):
        if time.monotonic() - said_at >= _PAUSE_S:
            said_at = time.monotonic()
            run.emit(Progress(done, total or None, f"{done:,} {builder.makes} found"))
    return {"found": done}


def _tokenised(selected: Iterator[Selected], tokenizer: Tokenizer, long: int) -> Iterator[Tokenised]:
    """Rows in the order of the samples; a batch is tokenised, without Python's lock, while the next is encoded.

    In rows of more than `long` tokens the marks are looked for.
    """
    before: Future[list[Tokenised]] | None = None
    with ThreadPoolExecutor(1) as worker:
        while batch := _batch(selected):
            now = worker.submit(_rows, batch, tokenizer, long)
            if before is not None:
                yield from before.result()
            before = now
        if before is not None:
            yield from before.result()


def _batch(selected: Iterator[Selected]) -> list[Selected]:
    batch, characters = [], 0
    for each in islice(selected, _BATCH):
        batch.append(each)
        characters += sum(map(len, texts_of(each.encoded)))
        if characters > _CHARACTERS:
            break
    return batch


def _rows(batch: list[Selected], tokenizer: Tokenizer, long: int) -> list[Tokenised]:
    """Tokenise a batch. Segments are tokenised separately, so that no token spans two of them."""
    texts = [texts_of(each.encoded) for each in batch]
    ids = iter(tokenizer.encode([text for of_one in texts for text in of_one]))
    rows = [
        _row(each.encoded, each.read.bug, [next(ids) for _ in of_one], tokenizer.end)
        for each, of_one in zip(batch, texts, strict=True)
    ]
    return [
        (row, _marks(row, each.read.bug, tokenizer) if row.n_tokens > long else Marks(), each)
        for row, each in zip(rows, batch, strict=True)
    ]


def _marks(row: Row, bug: Bug | None, tokenizer: Tokenizer) -> Marks:
    """Where a bug's hole and its faulty lines end in a prompt.

    The last of a prompt's fill-in-the-middle tokens ends it, and without that one it is none for the model; a hole that
    is written out ends where it stands.
    """
    if bug is None:
        return Marks()
    last = next((line.strip() for line in reversed(lines_of(bug.buggy_lines)) if line.strip()), "")
    at, hole = row.prompt.rfind(last) if last else -1, row.prompt.find(FILL_ME)
    ends = [at + len(last) if at >= 0 else 0, hole + len(FILL_ME) if hole >= 0 else 0]
    faulty, written = map(len, tokenizer.encode([row.prompt[:end] for end in ends]))
    return Marks(written or row.n_prompt, faulty or None)


def _row(each: Sample | Preference, bug: Bug | None, ids: list[list[int]], end: int) -> Row:
    """`ids`: the tokens of each of its texts."""
    if isinstance(each, Preference):
        prompt, chosen, rejected = ids
        ending = [] if each.is_ended else [end]
        tokens = [*prompt, *chosen, *ending]
        learned = [len(prompt), len(tokens)]
        target, worse = each.chosen, [*rejected, *ending]
    else:
        tokens, learned = _joined(each, ids, end)
        target, worse = each.target, []
    n_prompt = learned[0] if learned else len(tokens)
    return Row(
        each.bug_id, each.kind, each.project, each.language, as_text(each.prompt), target, tokens, n_prompt,
        max(len(tokens), n_prompt + len(worse)), bug.buggy if bug else "", bug.fixed if bug else "", learned,
        each.rejected if isinstance(each, Preference) else "", worse, bug.cwe if bug else "", bug.date if bug else "",
        bug is not None and bug.is_function,
        json.dumps(dict(each.lines)) if isinstance(each, Sample) and each.lines else "",
        messages_json(each.messages), isinstance(each, Sample) and each.is_wrong,
    )  # fmt: skip


def _joined(sample: Sample, ids: list[list[int]], end: int) -> tuple[list[int], list[int]]:
    """A sample's tokens, and where they are learned.

    The end of the text, which is added where the sample does not spell what ends it, is learned where the last segment
    is.
    """
    tokens: list[int] = []
    learned: list[int] = []
    for segment, own in zip(sample.segments, ids, strict=True):
        if segment.is_learned and learned and learned[-1] == len(tokens):
            learned.pop()
        elif segment.is_learned:
            learned.append(len(tokens))
        tokens += own
        if segment.is_learned:
            learned.append(len(tokens))
    if sample.is_ended:
        return tokens, learned
    is_open = bool(sample.segments) and sample.segments[-1].is_learned
    return [*tokens, end], [*learned[:-1], len(tokens) + 1] if is_open else learned


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

    def watch(self, made: Iterable[BuilderOutput], tally: Tally) -> Iterator[BuilderOutput]:
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
