"""The settings that every benchmark has whose tests are run here."""

from __future__ import annotations

from typing import Any, Literal

from engine import params

Way = Literal["warm", "reference"]


def timeout_s(default: float) -> Any:
    """How long the tests of one patch may take."""
    return params.setting(
        default,
        "Processor time for all tests of one patch, and less where the known fix takes much less: 20 times as long as "
        "that, but a second in Python and 8 in Java. By the clock three times this limit.",
        unit="s",
        more=True,
        gt=0,
        le=600,
    )


def way() -> Any:
    """How patches are tried before one that passes is run in a fresh place."""
    return params.setting(
        "warm",
        "Patches are first tried in a warm interpreter or JVM, or each in a fresh one (reference, slower).",
        more=True,
    )
