"""The sandbox that is used where none is named: the strongest that works on this machine."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Literal

from engine import params
from engine.errors import SandboxUnavailable
from engine.plugins import SANDBOXES
from engine.sandboxes import Sandbox


class Auto:
    """The strongest sandbox that works on this machine; a choice between sandboxes, and none itself: see `usable`."""

    name: ClassVar[str] = "auto"

    class Params(params.Params):
        """Nothing to choose."""

        name: Literal["auto"] = "auto"

    def __init__(self, params: params.Params) -> None:
        """Nothing is tried before it is needed."""

    def unavailable(self) -> str:
        return self.found[1]

    @cached_property
    def found(self) -> tuple[Sandbox | None, str]:
        """The sandbox and "", or none and why each one does not work."""
        reasons = []
        for name in levels():
            sandbox = SANDBOXES.create(SANDBOXES.params(name))
            reason = sandbox.unavailable()
            if not reason:
                return sandbox, ""
            reasons.append(f"{name}: {reason}")
        return None, "; ".join(reasons)


def levels() -> list[str]:
    """The sandboxes that `auto` chooses from, strongest first; that of a package runs only where it is named."""
    return [name for name in SANDBOXES.built_in() if name != Auto.name]


def usable(wanted: params.Params) -> Sandbox:
    """The sandbox of these settings. Raises SandboxUnavailable with the reason where it does not work here."""
    made = SANDBOXES.create(wanted)
    reason = made.unavailable()
    sandbox = made.found[0] if isinstance(made, Auto) else made
    if reason or sandbox is None:
        raise SandboxUnavailable(f"sandbox {wanted.name}: does not work on this machine, so no patch was run: {reason}")
    return sandbox
