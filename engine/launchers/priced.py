"""The settings that launchers share: what an hour of a machine and of its GPUs costs."""

from __future__ import annotations

from engine.params import Params, setting

HOUR_S = 3600


class Priced(Params):
    """Prices change nothing about a run; with one, what the run cost so far is shown, and what a plan would cost."""

    gpu_price: float | None = setting(
        None, "of an hour of one GPU; with it, what a run costs is shown", title="Price of a GPU-hour",
        more=True, ge=0, le=1e9,
    )  # fmt: skip
    hour_price: float | None = setting(
        None, "of an hour of the machine beside its GPUs, for each node", title="Price of an hour", more=True, ge=0,
        le=1e9,
    )  # fmt: skip
    currency: str = setting("", "of both prices, as it is to be shown", more=True, max_length=12)

    def machines(self) -> tuple[int, int | None] | None:
        """(nodes, GPUs of each) that are reserved for each worker; None if all workers share what there is."""
        return None


PRICES = frozenset(Priced.model_fields) - {"name"}


def machine_price(launcher: object, seconds: float, gpu_hours: float | None, nodes: int = 1) -> float | None:
    """The price of so many seconds of so many nodes and of all their GPU-hours together.

    `launcher`: settings, or their JSON. None without a price, and where one is for GPU-hours that are not known.
    """
    gpu_price, hour_price = (_named(launcher, name) for name in ("gpu_price", "hour_price"))
    if gpu_price is None and hour_price is None:
        return None
    if gpu_price is not None and gpu_hours is None:
        return None
    return (gpu_price or 0.0) * (gpu_hours or 0.0) + (hour_price or 0.0) * nodes * seconds / HOUR_S


def is_priced(launcher: object) -> bool:
    """Whether its settings have a price."""
    return any(_named(launcher, name) is not None for name in ("gpu_price", "hour_price"))


def nodes_of(launcher: object) -> int:
    """Nodes that each worker of a launcher with these settings has."""
    return int(_named(launcher, "nodes") or 1)


def currency_of(launcher: object) -> str:
    """As the settings have it; empty if they name none."""
    value = launcher.get("currency") if isinstance(launcher, dict) else getattr(launcher, "currency", "")
    return str(value or "")


def _named(launcher: object, name: str) -> float | None:
    value = launcher.get(name) if isinstance(launcher, dict) else getattr(launcher, name, None)
    return float(value) if isinstance(value, int | float) else None
