"""Verdicts as JSON, as benchmark and chat workers write and read them."""

from __future__ import annotations

from typing import Any

from engine.domain import Isolation, Outcome, Verdict


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as in events."""
    return {
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "log": verdict.log,
        "failed": list(verdict.failed),
        "duration_s": round(verdict.duration_s, 3),
        "sandbox": verdict.sandbox,
        "isolation": verdict.isolation.value,
        "stages": {stage: round(seconds, 4) for stage, seconds in verdict.stages.items()},
    }


def from_json(values: dict[str, Any]) -> Verdict:
    """The inverse of `as_json`; the turns in a chat question use the same names."""
    return Verdict(
        Outcome(values["outcome"]),
        values.get("reason") or "",
        values.get("log") or "",
        tuple(values.get("failed") or ()),
        float(values.get("duration_s") or 0.0),
        values.get("sandbox") or "",
        Isolation(values.get("isolation") or ""),
        values.get("stages") or {},
    )
