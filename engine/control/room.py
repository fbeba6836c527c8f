"""What active runs leave of their launchers' devices for those that wait."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping

from engine.control.polls import Polls, launcher_of, shards_of
from engine.specs import waits_for_people
from storage.tables import Run

log = logging.getLogger(__name__)
ROUNDING = 1e-9  # of shares of a device that add up to all of it


class Room:
    """The room of one tick. Resources with one name are the same for all launchers."""

    def __init__(self, polls: Polls, active: Iterable[Run]) -> None:
        self._polls = polls
        self._room: dict[str, Mapping[str, float] | None] = {}  # of a launcher with its settings
        self._needs: dict[str, Mapping[str, float]] = {}  # the same
        self._taken: defaultdict[str, float] = defaultdict(float)  # resource -> how much
        for run in active:
            try:
                self._add(self._needed(run, _place(run)))
            except Exception:
                log.exception("what run %s takes of its launcher is not known", run.id)

    def take(self, run: Run) -> bool:
        """Whether there is room for the run; false while its launcher has not answered yet.

        What it needs counts as taken in both cases, so that no later run of the queue takes what it waits for.
        Raises what the launcher raises: UserError if it never has so much.
        """
        place = _place(run)
        needed = self._needed(run, place)
        if needed and place not in self._room:
            self._room[place] = self._polls.answer(("room", place), launcher_of(run).room)
        room = self._room.get(place) or {}
        self._add(needed)
        return all(self._taken[each] <= room.get(each, 0.0) + ROUNDING for each in needed)

    def _needed(self, run: Run, place: str) -> Mapping[str, float]:
        if waits_for_people(run.kind):
            return {}
        if place not in self._needs:
            self._needs[place] = launcher_of(run).needs()
        return self._needs[place]

    def _add(self, needed: Mapping[str, float]) -> None:
        for resource, amount in needed.items():
            self._taken[resource] += amount


def _place(run: Run) -> str:
    """The launcher with its settings, and how many workers it starts for the run, as JSON."""
    return json.dumps([run.spec.get("launcher", run.launcher), shards_of(run)], sort_keys=True)
