"""Verdicts and sandboxes as the benchmark and the chat worker need them: chosen by name, and as JSON."""

from __future__ import annotations

from typing import Any

from engine import sandboxes
from engine.domain import Outcome, Verdict


def chosen(name: str) -> sandboxes.Sandbox:
    """The sandbox of this name, or the strongest for "auto". Raises SandboxUnavailable with the reasons."""
    return sandboxes.strongest() if name == "auto" else sandboxes.named(name)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """As it stands in events."""
    return {
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "log": verdict.log,
        "failed": list(verdict.failed),
        "duration_s": round(verdict.duration_s, 3),
        "sandbox": verdict.sandbox,
    }


def from_json(values: dict[str, Any]) -> Verdict:
    """The verdict of `as_json`; a worker told of a turn by the control plane gets the same names."""
    return Verdict(
        Outcome(values["outcome"]),
        values.get("reason") or "",
        values.get("log") or "",
        tuple(values.get("failed") or ()),
        float(values.get("duration_s") or 0.0),
        values.get("sandbox") or "",
    )
