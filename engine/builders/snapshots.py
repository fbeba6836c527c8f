"""Samples of whole projects: a file to be completed, below a context composed from the rest of its repository.

The method is S3's (JetBrains-Research/lca-solvers) for Long Code Arena's project-level completion (arXiv 2406.11612).
The builder is given the dataset's tokenizer and its longest sample (`Measuring`), since the context has to be cut
before anything is learned from it; without a tokenizer, as in a check, it counts words and signs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.composing import File, Target
from engine.builders.composing.categories import MOST_FILES, Names, categorised
from engine.builders.composing.chain import Chain, Ranks
from engine.builders.composing.datapoints import ENDINGS, Datapoint, datapoints
from engine.builders.composing.lengths import Lengths
from engine.builders.composing.recipes import parts_of, recipes
from engine.builders.composing.repositories import Repository, Which, repositories_in
from engine.builders.composing.samples import (
    Blocks,
    Budget,
    Loss,
    Texts,
    learned_from,
    placed,
    segments_of,
    texts_of,
)
from engine.builders.source_files import KNOWN, is_made, is_test, language_of
from engine.builders.tables import SPECIAL
from engine.domain import Rows, Sample, lines_of
from engine.errors import UserError
from engine.models.tokenizer import special_tokens, tokenizer_of
from engine.params import Place, setting

FIELD = "builder.path"
LEARNED = "learned lines by category"  # tables of the report
LEAKS = "snapshots that hold their completion file"
NO_CODE = f"serves as context only: is no {KNOWN}"
TEST, MADE = "serves as context only: is a test", "serves as context only: a program made it, or it is copied in"
EMPTY = "serves as context only: is empty"
NO_CONTEXT = "parts of contexts left out"
_WITHOUT_TOKENIZER = 1024  # words and signs of a sample


@dataclass(frozen=True)
class _Snapshot:
    """A completion file in its repository."""

    id: str
    target: Target
    files: Sequence[File]
    lines: Mapping[str, Sequence[int]]
    ranks: Ranks  # kept for all files of a repository


class Snapshots:
    """Files of projects to be completed, each below a context composed from the rest of its repository."""

    name: ClassVar[str] = "snapshots"
    title: ClassVar[str] = "Project snapshots"
    makes: ClassVar[Rows] = "samples"

    class Params(params.Params):
        """Where the projects are, how a context is composed, and what is learned."""

        name: Literal["snapshots"] = "snapshots"
        path: Place = setting(
            "",
            "a checkout, a folder of checkouts, or Long Code Arena's rows as a file",
            upload=".jsonl,.parquet",
            title="Projects",
        )
        recipe: str = setting("standard", "how the context is composed")
        context_tokens: float = setting(
            0.5, "at least so much of it above the file; below 1 a share of the longest sample", unit="tokens",
            title="Context", ge=0, le=10_000_000,
        )  # fmt: skip
        loss_ratio: float = setting(1.0, "share of the file's tokens that is learned, its last ones", gt=0, le=1)
        per_repository: int = setting(
            100, "most samples of a repository, chosen by chance", ge=1, le=1_000_000, title="Most of a repository"
        )
        repositories: Which = setting(
            "auto",
            "one: the folder is a repository; each: every folder in it is; auto: each where these hold .git, or where "
            "it has no files of its own",
            more=True,
            title="Folder holds",
        )
        tests: bool = setting(
            False, "complete files of tests too; they are context in any case", more=True, title="Complete tests"
        )
        loss: Loss = setting(
            "completion", "what the share is of: the file; the file without any context; or context and file together",
            more=True, title="Loss ratio of",
        )  # fmt: skip
        parts: tuple[str, ...] = setting(
            (),
            'a chain of parts in place of the recipe: ["file_length max=9000", "file_grained", "path_comment"]',
            more=True,
        )
        composer: Literal["chained", "split"] = setting(
            "chained", "one text, cut at its front; or whole chunks that are short enough", more=True
        )
        block_tokens: int = setting(4096, "with split", unit="tokens", more=True, ge=1, title="Longest chunk")
        blocks: int = setting(
            32, "with split; the file itself is one of them", more=True, ge=1, le=10_000, title="Most chunks"
        )

    def __init__(self, params: Params) -> None:
        self.params = params
        self._lengths, self._most = Lengths(), _WITHOUT_TOKENIZER
        self._special: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises UserError if there is no such folder or file, or the chain of parts is wrong."""
        assert self._chain
        if not self._is_table:
            repositories_in(self._place, self.params.repositories, FIELD)

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {"recipe": [*recipes()]}

    def total(self) -> int | None:
        return None

    def measure_with(self, tokenizer: Path, most: int) -> None:
        """Count in tokens of the tokenizer in this folder; `most`: of a sample."""
        self._lengths, self._most = Lengths(tokenizer_of(tokenizer).ends), most
        self._special = special_tokens(tokenizer)

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Sample]:
        """One repository after the other, by name; rows in their order. The seed chooses files and random numbers."""
        made: Counter[str] = Counter()  # by repository: what grows with a table of rows, and nothing else does
        snapshots = self._of_rows(seed, funnel, made) if self._is_table else self._of_folder(seed, funnel, made)
        for snapshot in snapshots:
            sample = self._sample(snapshot, funnel)
            if isinstance(sample, str):
                funnel.lose(sample, snapshot.id)
            else:
                made[sample.project] += 1
                yield sample

    # -- sources -----------------------------------------------------------------------------------------------

    def _of_folder(self, seed: int, funnel: Funnel, made: Counter[str]) -> Iterator[_Snapshot]:
        for repository in repositories_in(self._place, self.params.repositories, FIELD):
            repository.read(funnel)
            yield from self._of_repository(repository, seed, funnel, made)

    def _of_repository(
        self, repository: Repository, seed: int, funnel: Funnel, made: Counter[str]
    ) -> Iterator[_Snapshot]:
        random = Random(f"{seed}:{repository.name}")
        code = []
        for file in repository.files:
            where = f"{repository.name}/{file.path}"
            if not language_of(file.path):
                funnel.lose(NO_CODE, where)
                continue
            code.append(file)
        random.shuffle(code)
        names = Names(code[:MOST_FILES])
        ranks: Ranks = {}
        for file in code:
            where = f"{repository.name}/{file.path}"
            text, refused = ("", self._full) if made[repository.name] >= self.params.per_repository else file.read()
            if refused := refused or self._refused(file.path, text):
                funnel.lose(refused, where)
                continue
            target = Target(repository.name, file.path, text, self._lengths, seed)
            lines = categorised(file.path, text, names.elsewhere(file.path))
            yield _Snapshot(where, target, repository.files, lines, ranks)

    def _of_rows(self, seed: int, funnel: Funnel, made: Counter[str]) -> Iterator[_Snapshot]:
        for where, row in datapoints(self._place, funnel, FIELD):
            if made[row.repository] >= self.params.per_repository:
                funnel.lose(self._full, where)
                continue
            if any(file.path == row.path for file in row.files):
                funnel.count(LEAKS, "left out of the context")
            target = Target(row.repository, row.path, row.text, self._lengths, seed)
            name = f"{row.repository}@{row.commit[:8]}/{row.path}"
            yield _Snapshot(name, target, row.files, _by_category(row), {})

    @property
    def _full(self) -> str:
        return f"more than {self.params.per_repository:,} samples of its repository"

    def _refused(self, path: str, text: str) -> str:
        """Why a file is not completed, or nothing."""
        if not text.strip():
            return EMPTY
        if is_test(path) and not self.params.tests:
            return TEST
        return MADE if is_made(path, text) else ""

    # -- samples -----------------------------------------------------------------------------------------------

    def _sample(self, snapshot: _Snapshot, funnel: Funnel) -> Sample | str:
        """The sample, or why there is none; parts of a text may have more tokens than the whole, so it may take two."""
        if any(map(self._is_special, (snapshot.target.repository, snapshot.target.path, snapshot.target.text))):
            return SPECIAL
        most = self._most
        while True:
            texts = self._texts(snapshot, most, funnel)
            if isinstance(texts, str):
                return texts
            segments = segments_of(texts, self.params.loss, self.params.loss_ratio, self._lengths)
            excess = sum(self._lengths.count(each.text) for each in segments) - self._most
            if excess <= 0:
                break
            most -= excess
        lines, learned = placed(snapshot.lines, texts), learned_from(segments)
        for kind, numbers in lines.items():
            for _ in range(sum(number >= learned for number in numbers)):
                funnel.count(LEARNED, kind)
        target = snapshot.target
        language = language_of(target.path)
        return Sample(
            snapshot.id, segments, "completion", language, target.repository, is_ended=True,
            lines=tuple((kind, tuple(numbers)) for kind, numbers in lines.items()),
        )  # fmt: skip

    def _is_special(self, text: str) -> bool:
        """Whether some of it would become a special token, such as an end of text in the middle of a file."""
        return any(token in text for token in self._special)

    def _texts(self, snapshot: _Snapshot, most: int, funnel: Funnel) -> Texts | str:
        params = self.params
        is_alone = params.loss == "file" or self._chain.is_empty
        asked = Budget.of(self._most, 0 if is_alone else params.context_tokens)
        budget = replace(asked, most=most)
        nearer = self._plain(self._chain.nearest_first(snapshot.files, snapshot.target, snapshot.ranks), funnel)
        blocks = Blocks(params.blocks, params.block_tokens) if params.composer == "split" else None
        found = texts_of(snapshot.target, iter(()) if is_alone else nearer, budget, blocks)
        return replace(found, context=()) if is_alone and isinstance(found, Texts) else found

    def _plain(self, nearer: Iterator[str], funnel: Funnel) -> Iterator[str]:
        for part in nearer:
            if self._is_special(part):
                funnel.count(NO_CONTEXT, SPECIAL)
            else:
                yield part

    @cached_property
    def _chain(self) -> Chain:
        return Chain(self.params.parts or parts_of(self.params.recipe))

    @property
    def _place(self) -> Path:
        if not self.params.path:
            raise UserError(
                "no folder is named; name a checkout, a folder of checkouts, or a file of Long Code Arena's rows",
                field=FIELD,
            )
        return Path(self.params.path)

    @property
    def _is_table(self) -> bool:
        return self._place.suffix.lower() in ENDINGS and self._place.is_file()


def _by_category(row: Datapoint) -> dict[str, list[int]]:
    """The lines of a row as the benchmark `completion` takes them: none blank, each in the first category that has it.

    All that are in none are `random`, as S3 computes these anew for training.
    """
    lines = lines_of(row.text)
    of_line: dict[int, str] = {}
    for kind, numbers in row.lines.items():
        for number in numbers:
            of_line.setdefault(number, kind)
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if line.strip():
            found.setdefault(of_line.get(number, "random"), []).append(number)
    return found
