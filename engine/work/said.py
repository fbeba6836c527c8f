"""What the worker that leads others says of them: progress and cards as events, the state of each in a file."""

from __future__ import annotations

from collections.abc import Sequence

from engine import shard_states
from engine.events import Progress, State
from engine.rundir import RunDir
from engine.shard_states import ShardState
from engine.work.shard import Shard
from engine.work.told import Told


class Said:
    """`most_cards`: the most GPUs that all shards together have had at a time."""

    def __init__(self, run: RunDir, told: Told, shards: Sequence[Shard]) -> None:
        self._run, self._told, self._shards = run, told, shards
        self.most_cards = told.most_cards
        self._cards, self._workers, self._progress = 0, 0, Progress(-1)  # as they were said last
        self._states: list[ShardState] = []  # as they were written last

    def say(self, *, is_stopping: bool) -> None:
        """Say what has changed since the last call. Raises OSError."""
        cards = sum(shard.cards_now for shard in self._shards)
        workers = sum(shard.has_machine for shard in self._shards)
        if (cards, workers) != (self._cards, self._workers):
            self._cards, self._workers, self.most_cards = cards, workers, max(cards, self.most_cards)
            self._run.emit(State("running", cards=cards, workers=workers))
        share = round(sum(shard.share for shard in self._shards), 3)
        progress = Progress(share, len(self._shards), self._words())
        if progress != self._progress:
            self._progress = progress
            self._run.emit(progress)
        states = [shard.shown(is_stopping=is_stopping) for shard in self._shards]
        if states != self._states:
            self._states = states
            shard_states.write(self._run.path, states)

    def _words(self) -> str:
        text = f"{sum(shard.is_done for shard in self._shards)} of {len(self._shards)} shards done"
        if patches := self._told.known_patches:
            text += f", {patches:,} patches evaluated"
        waiting = [shard.waits for shard in self._shards if shard.waits]
        return f"{text}, {len(waiting)} waiting ({waiting[0]})" if waiting else text
