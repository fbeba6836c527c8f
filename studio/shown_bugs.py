"""Which part of a benchmark run's table is shown: what is searched for, in which order, and which page of it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.control.patches import BugQuery
from engine.languages import LANGUAGES

SHOW = [
    ("All", "all"),
    ("Plausible", "plausible"),
    ("Unreviewed", "unreviewed"),
    ("No plausible", "none_plausible"),
    ("Skipped", "skipped"),
]
SORT = [("by bug", "bug"), ("by first plausible", "first"), ("by plausible patches", "count"), ("by kind", "kind")]
LANGUAGE_CHOICES = [("any language", ""), *((name.capitalize(), name) for name in LANGUAGES)]
SIZE = 15  # rows, until the browser has reported how many fit
LARGEST = 60


@dataclass(frozen=True)
class Shown:
    """Which part of a run's table is shown; `page` counts from 1."""

    search: str
    show: str
    language: str
    sort: str
    page: int
    size: int
    reviewer: str = ""

    @property
    def query(self) -> BugQuery:
        size = min(max(self.size, 1), LARGEST)
        chosen = (self.search.strip(), self.show, self.language, self.sort)
        return BugQuery(*chosen, page=self.page, size=size, reviewer=self.reviewer.strip())

    def pages(self, total: int) -> int:
        """How many pages there are of `total` bugs."""
        return max(1, -(-total // self.query.size))
