"""Sources of datasets: the interface of a builder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from engine.domain import Bug, Preference, Rows, Sample
from engine.params import in_unicode
from engine.run_inputs import Part

if TYPE_CHECKING:
    from engine.builders.previews import Preview


@dataclass
class Funnel:
    """Counts what was read, and what was left out for each reason; a builder updates it while it streams.

    Reasons hold no values of single rows: a page shows one line for each. Where a row is, or its id, is `where`.
    """

    source: int = 0  # rows, files or functions read
    lost: dict[str, int] = field(default_factory=dict)  # reason in words -> how many
    examples: dict[str, str] = field(default_factory=dict)  # reason -> where the first one is ("line 17")
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # further tables: what is counted -> name -> count
    facts: dict[str, Any] = field(default_factory=dict)  # what else a builder says of its source, in values of JSON
    told: Callable[[str, str], None] | None = field(default=None, compare=False, repr=False)  # of each loss

    def lose(self, reason: str, where: str = "") -> None:
        """Count one loss; `where` may have the name of a file, which need not be Unicode."""
        where = in_unicode(where)
        self.lost[reason] = self.lost.get(reason, 0) + 1
        self.examples.setdefault(reason, where)
        if self.told is not None:
            self.told(reason, where)

    def count(self, table: str, name: str) -> None:
        """Count one more `name` in a table of the report, such as "injected faults by kind"."""
        counts = self.counts.setdefault(table, {})
        counts[name] = counts.get(name, 0) + 1


BuilderOutput = Bug | Sample | Preference


class Builder(Protocol):
    """Reads bugs, samples or preferences from a source, as a stream: memory does not grow with the source.

    Its setting declared with `upload` gets the path of a file that a user drops on the page.
    """

    name: str
    makes: ClassVar[Rows]

    def check(self) -> None:
        """A quick check before a run is queued. Raises UserError if the source cannot be used."""

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Setting -> the choices that a form offers for it, such as the columns of the chosen file.

        Settings without choices take any text. Raises UserError if the source cannot be read.
        """

    def stream(self, seed: int, funnel: Funnel) -> Iterator[BuilderOutput]:
        """All its bugs, samples or preferences, as `makes` says; the same seed gives the same ones in the same order.

        So it does in every process: each shard of a build streams all of them, and prepares some (`engine.work.part`).
        Ids are unique; spans of bugs are inside the code, and buggy differs from fixed. Raises UserError if the whole
        source is unusable (folder missing, column missing, no rows); a bad row is counted in `funnel` and skipped.
        """

    def total(self) -> int | None:
        """The most that `stream` can yield, for a progress bar; None if it is not known."""


@runtime_checkable
class Keeping(Protocol):
    """A builder whose work takes long: what it has done is kept, and a build that is resumed goes on from there."""

    def keep_in(self, folder: Path) -> None:
        """Called before `stream`. The folder stays with the dataset, and a resumed build gets the same one."""


@runtime_checkable
class Splitting(Keeping, Protocol):
    """A builder whose long work several workers can share: what each keeps is taken over by a build of the whole."""

    makes: ClassVar[Rows]

    def total(self) -> int | None:
        """As of a `Builder`."""

    def work_on(self, seed: int, part: Part) -> Iterator[int]:
        """Do one part and keep it; yields how many bugs or samples it has found so far. Raises as `stream`."""

    def take_over(self, folders: Sequence[Path]) -> None:
        """Called before `stream`: where parts of the work are kept. It is not done again; what is missing is."""


def is_found_in_parts(plugin: object) -> bool:
    """Whether this builder is a `Splitting` one."""
    return hasattr(plugin, Splitting.work_on.__name__)


@runtime_checkable
class Caching(Protocol):
    """A builder that pays for what it asks: answers are kept for all builds of a home, and no build is in shards."""

    def cache_in(self, folder: Path) -> None:
        """Called before `stream`."""


@runtime_checkable
class Preparing(Protocol):
    """A builder that takes long before its first bug or sample comes."""

    preparing: ClassVar[str]  # what it does until then, as a page says it


@runtime_checkable
class Measuring(Protocol):
    """A builder of samples that are as long as the dataset allows, so that it has to count tokens itself."""

    def measure_with(self, tokenizer: Path, most: int) -> None:
        """Called before `stream` with the files of the build's tokenizer, and the most tokens of a sample."""


@runtime_checkable
class Retokenised(Protocol):
    """A builder of what was tokenised before, or may not become special tokens: it has to know the tokenizer."""

    def check_tokenizer(self, folder: Path) -> None:
        """Called before `stream` with the files of the build's tokenizer. Raises UserError if it does not fit."""


@runtime_checkable
class Previewed(Protocol):
    """A builder that shows what it would read, and what it is good for, before a run."""

    def preview(self, rows: int) -> Preview | None:
        """The first rows of its source with what each becomes; None where no source is named yet. Raises UserError."""

    def fits(self) -> bool:
        """Whether its source looks like one of the kind that it reads. Raises UserError if that cannot be read."""
