"""One place where two texts differ, by their lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Lines `old_first` up to, not including, `old_after` become the lines `new_first` to `new_after`; from 0."""

    old_first: int
    old_after: int
    new_first: int
    new_after: int

    def reversed(self) -> Change:
        """The change back."""
        return Change(self.new_first, self.new_after, self.old_first, self.old_after)

    def moved(self, old: int, new: int) -> Change:
        """The same change so many lines further down in each of both files."""
        return Change(self.old_first + old, self.old_after + old, self.new_first + new, self.new_after + new)
