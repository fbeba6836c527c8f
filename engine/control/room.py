"""What active runs leave of their launchers' devices for those that wait."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping

from engine.control.polls import Polls, launcher_with
from engine.launchers import Launcher
from engine.specs import waits_for_people
from storage.queue import Launched

log = logging.getLogger(__name__)
ROUNDING = 1e-9  # of shares of a device that add up to all of it
NOTHING: Mapping[str, float] = {}


class Room:
    """The room of one tick. Resources with one name are the same for all launchers."""

    def __init__(self, polls: Polls, active: Iterable[tuple[Launched, int]]) -> None:
        """`active`: what those at work said of their launchers, and how many said so."""
        self._polls = polls
        self._room: dict[tuple[str, str], Mapping[str, float] | None] = {}  # of a launcher with its settings
        self._needs: dict[Launched, Mapping[str, float]] = {}
        self._taken: defaultdict[str, float] = defaultdict(float)  # resource -> how much
        for launched, runs in active:
            try:
                self._add(self._needed(launched), runs)
            except Exception:
                log.exception("what %s runs take of the launcher %s is not known", runs, launched.launcher)

    def may_have(self, launched: Launched) -> bool:
        """Whether there would be room for such a run if none waited before it; also where asking fails."""
        try:
            needed, room = self._needed(launched), self._room_of(launched)
        except Exception:
            return True  # `take` raises it for each such run
        return all(self._taken[each] + amount <= room.get(each, 0.0) + ROUNDING for each, amount in needed.items())

    def take(self, launched: Launched) -> bool:
        """Whether there is room for such a run; false while its launcher has not answered yet.

        What it needs counts as taken in both cases, so that no later run of the queue takes what it waits for.
        Raises what the launcher raises: UserError if it never has so much.
        """
        needed, room = self._needed(launched), self._room_of(launched)
        self._add(needed)
        return all(self._taken[each] <= room.get(each, 0.0) + ROUNDING for each in needed)

    def _room_of(self, launched: Launched) -> Mapping[str, float]:
        """Empty while its launcher has not answered yet, and where nothing is needed."""
        place = launched[1:]
        if self._needed(launched) and place not in self._room:
            self._room[place] = self._polls.answer(("room", place), _launcher(launched).room)
        return self._room.get(place) or NOTHING

    def _needed(self, launched: Launched) -> Mapping[str, float]:
        if launched not in self._needs:
            needs_none = waits_for_people(launched.kind)
            self._needs[launched] = NOTHING if needs_none else _launcher(launched).needs()
        return self._needs[launched]

    def _add(self, needed: Mapping[str, float], runs: int = 1) -> None:
        for resource, amount in needed.items():
            self._taken[resource] += amount * runs


def _launcher(launched: Launched) -> Launcher:
    settings, shards = json.loads(launched.settings)
    return launcher_with(launched.launcher if settings is None else settings, shards)
