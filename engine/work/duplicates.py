"""Finds rows of a dataset that were there before: to the letter, in another layout, under other names, or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from engine.dataset_spec import Duplicates
from engine.domain import Bug, Preference, Sample, as_text
from engine.languages.fingerprint import bare_functions, digest, layout_print
from engine.languages.tokens import names_print, tokens_of
from engine.work.near import Near, signature_of


def texts_of(each: Sample | Preference) -> tuple[str, ...]:
    """The texts that are tokenised, in order."""
    if isinstance(each, Preference):
        return as_text(each.prompt), each.chosen, each.rejected
    return tuple(segment.text for segment in each.segments)


class Compared(Protocol):
    """A row as it is compared with those before it."""

    @property
    def name(self) -> str:
        """Its id."""

    @property
    def letters(self) -> bytes:
        """A hash of all its texts."""

    @property
    def layout(self) -> bytes:
        """Of a bug, a hash without comments and white space; white space counts in all else."""

    @property
    def renamed(self) -> bytes:
        """A hash that is the same under other names."""

    @property
    def signature(self) -> bytes:
        """That of `near`."""


@dataclass(frozen=True)
class Keys:
    """What a row is compared by, found out before; empty where the build does not compare it."""

    name: str
    letters: bytes = b""
    layout: bytes = b""
    renamed: bytes = b""
    signature: bytes = b""

    @classmethod
    def of(cls, read: Compared, level: Duplicates) -> Keys:
        """All that `Earlier` asks for on this level."""
        exact = "letters" if level in ("exact", "keep") else "layout"
        more = {"renamed": ("renamed",), "near": ("renamed", "signature")}.get(level, ())
        return cls(read.name, **{name: getattr(read, name) for name in (exact, *more)})


class Read:
    """What a builder made, read as code: the faulty and the fixed function of a bug, the texts of all else."""

    def __init__(self, made: Bug | Sample | Preference) -> None:
        self.made = made
        self.bug = made if isinstance(made, Bug) else made.bug
        self.name = made.id if isinstance(made, Bug) else made.bug_id
        self.language = made.language

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Without comments, if it is a bug, or made from one."""
        if self.bug is not None:
            return bare_functions(self.bug)
        assert not isinstance(self.made, Bug)
        return texts_of(self.made)

    @cached_property
    def tokens(self) -> list[str]:
        """Of the fixed function, or of all texts of what is made from no bug."""
        return tokens_of(self.codes[1]) if self.bug is not None else [token for text in self.words for token in text]

    @cached_property
    def words(self) -> Sequence[list[str]]:
        """The tokens by which it is compared with other rows: of a sample those of its own texts."""
        return [tokens_of(text) for text in (self.codes if isinstance(self.made, Bug) else texts_of(self.made))]

    @cached_property
    def letters(self) -> bytes:
        """A hash of all its texts."""
        texts = (self.made.buggy, self.made.fixed) if isinstance(self.made, Bug) else texts_of(self.made)
        return digest("\0".join(texts))

    @cached_property
    def prints(self) -> tuple[bytes, ...]:
        """Of each of its codes, whatever the layout."""
        return tuple(map(layout_print, self.codes))

    @property
    def layout(self) -> bytes:
        """Of a bug, a hash without comments and white space; white space counts in all else."""
        return b"".join(self.prints) if isinstance(self.made, Bug) else self.letters

    @cached_property
    def renamed(self) -> bytes:
        """A hash that is the same under other names."""
        return names_print(self.language, *self.words)

    @cached_property
    def signature(self) -> bytes:
        """That of `near`."""
        return signature_of([token for tokens in self.words for token in tokens])


@dataclass(frozen=True)
class Found:
    """An earlier row that is like this one."""

    reason: str
    like: str  # its name
    share: float = 1.0  # of what both have together, that each of them has


class Earlier:
    """The rows that were kept so far.

    It grows by 150 bytes and a name for each, by 100 more to find renamed ones, and by another 400 to find near ones.
    Each level of `Duplicates` includes those before it.
    """

    def __init__(self, level: Duplicates, near_share: float) -> None:
        self._level = level
        self._seen: dict[bytes, str] = {}
        self._renamed: dict[bytes, str] = {}
        self._near = Near(near_share)
        self._names: list[str] = []  # by their number in `_near`

    def find(self, read: Compared) -> Found | None:
        """The kept row that is like this one, or None."""
        exact = self._exact(read)
        if exact in self._seen:
            return Found("duplicate", self._seen[exact])
        if self._level in ("renamed", "near") and read.renamed in self._renamed:
            return Found("duplicate but for its names", self._renamed[read.renamed])
        if self._level == "near" and (like := self._near.like(read.signature)) is not None:
            return Found("near duplicate", self._names[like[0]], round(like[1], 2))
        return None

    def keep(self, read: Compared) -> None:
        """The row is in the dataset, so that later ones may be like it."""
        if self._level == "keep":
            return
        self._seen[self._exact(read)] = read.name
        if self._level in ("renamed", "near"):
            self._renamed[read.renamed] = read.name
        if self._level == "near":
            self._near.add(read.signature)
            self._names.append(read.name)

    def _exact(self, read: Compared) -> bytes:
        return read.letters if self._level in ("exact", "keep") else read.layout
