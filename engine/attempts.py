"""Whether the patches of a bug are attempts, each made after the verdict on the one before, and what figures then mean.

Candidates of one prompt are draws from one distribution, so that pass@k can be estimated from any k of them. An attempt
depends on those before it, and none follows a plausible one: of attempts it can only be counted by which of them a bug
was repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import UserError
from engine.plugins import STRATEGIES

PLAUSIBLE, BY_ATTEMPT = "plausible@{}", "repaired by attempt {}"
HINT = "each attempt follows the verdict on the one before, and none follows a plausible one"


def has_attempts(spec: Mapping[str, Any]) -> bool:
    """Whether a run with this spec, as JSON, asks again after a verdict."""
    return bool(strategy_of(spec))


def strategy_of(spec: Mapping[str, Any]) -> str:
    """The strategy that decides after each verdict what a model is asked next; empty where it is asked once.

    A chat has a strategy, but no candidates.
    """
    name = str((spec.get("strategy") or {}).get("name", "")) if spec.get("kind") == "benchmark" else ""
    return "" if not name or _asks_once(name) else name


def at(k: int, *, attempts: bool) -> str:
    """What the share of bugs with a plausible patch among their first k is called."""
    return (BY_ATTEMPT if attempts else PLAUSIBLE).format(k)


def _asks_once(name: str) -> bool:
    try:
        return bool(getattr(STRATEGIES.plugin(name), "asks_once", False))
    except UserError:  # of a package that is not installed here
        return False
