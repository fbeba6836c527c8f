"""What a launcher answers to a leading worker, where it may not answer just now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine.errors import DISK_FULL, OutsideFailure, links
from engine.launchers import Launcher
from engine.work.shard import Shard


class NotNow(Exception):
    """A launcher does not answer, or takes nothing, just now."""


def asked(ask: Callable[..., str], *about: object) -> str:
    """Its answer. Raises NotNow where it may have one later, OSError where the disk is full."""
    try:
        return ask(*about)
    except (OSError, OutsideFailure) as error:
        if any(isinstance(each, OSError) and each.errno in DISK_FULL for each in links(error)):
            raise
        raise NotNow(str(error)) from error


def alive_at(place: Launcher, shard: Shard) -> bool | Literal["pending"] | None:
    """None where its machine or its scheduler does not answer just now; `shard.waits` says why."""
    try:
        return place.is_alive(shard.handle)
    except (OSError, OutsideFailure) as error:
        shard.waits = str(error)
        return None
