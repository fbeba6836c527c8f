"""The figures of a run as `runs show` prints them: shares with their intervals, bytes with a unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.scoring import Costs, Share


def figure(name: str, value: Any) -> str:
    """One figure in words; empty where there is nothing to say."""
    if value in (None, {}) or name == "checkpoint":  # a mark in the curves
        return ""
    if isinstance(value, float | int) and name.endswith("_bytes"):
        return f"{value / (1 << 30):.1f} GiB" if value >= 1 << 30 else f"{value / (1 << 20):.0f} MiB"
    return f"{value:.4g}" if isinstance(value, float) else SHOWN.get(name, str)(value)


def _shares(at: Any) -> str:
    """A share for each k, with its 95 % interval."""
    return ", ".join(f"@{k} {_share(share)}" for k, share in at.items())


def _share(share: Any) -> str:
    low, high = Share(**share).interval
    return f"{share['hits']} of {share['total']} ({low:.0%} to {high:.0%})"


def _means(at: Any) -> str:
    """A mean for each k, with its 95 % interval and the number of bugs that have so many candidates."""
    return ", ".join(
        f"@{k} {mean['value']:.1%} of {mean['bugs']} ({mean['low']:.1%} to {mean['high']:.1%})"
        for k, mean in at.items()
    )


def _orders(orders: Any) -> str:
    return ", ".join(f"{order} {_share(share)}" for order, share in orders.items())


def _costs(costs: Any) -> str:
    """What is known, with its unit in its name."""
    known = {name: number for name, number in (costs or {}).items() if number not in (None, "")}
    return ", ".join(
        f"{name} {number:,.6g}" if isinstance(number, float | int) else f"{name} {number}"
        for name, number in known.items()
    )


def amount(value: float | None, unit: str) -> str:
    """A figure of a plan with its unit, "3 min 20 s", "1.2 GiB", "12,000 tokens"."""
    if value is None:
        return "not known"
    if unit == "s":
        return _duration(value)
    if unit == "bytes":
        return figure("_bytes", value)
    if unit == "h":
        return f"{value:,.3g} h"
    return f"{value:,.0f} {unit}" if unit in ("tokens", "patches", "rows") else f"{value:,.4g} {unit}".strip()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600:,} h {whole // 60 % 60} min"


def spent(costs: Costs | None) -> str:
    """GPU-hours and price of a run so far, "3.2 GPU-h, 7.9 EUR"; empty where its launcher has no price."""
    if costs is None:
        return ""
    hours = "" if costs.gpu_hours is None else f"{costs.gpu_hours:.3g} GPU-h"
    price = f"{costs.money:,.4g} {costs.currency}" if costs.currency else f"cost {costs.money or 0:,.4g}"
    price = "" if costs.money is None else price
    return ", ".join(filter(None, (hours, price)))


def _counts(totals: Any) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in totals.items())


SHOWN: dict[str, Callable[[Any], str]] = {  # how the figures of a run with patches are printed
    "plausible_at": _shares,
    "by_attempt": _shares,
    "pass_at": _means,
    "exact_at": _shares,
    "tree_at": _shares,
    "orders": _orders,
    "costs": _costs,
    "costs_of_each": _costs,
    "reviewed": _counts,
    "review_totals": _counts,
    "outcomes": _counts,
}
