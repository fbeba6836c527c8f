"""The sandbox that is used where none is named: the strongest that works on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import ClassVar, Literal

from engine import params
from engine.errors import SandboxUnavailable
from engine.plugins import SANDBOXES
from engine.sandboxes import Limits, Ran, Sandbox, Start
from engine.sandboxes.place import Lasting, Place


class Auto:
    """The strongest sandbox that works on this machine."""

    name: ClassVar[str] = "auto"

    class Params(params.Params):
        """Nothing to choose."""

        name: Literal["auto"] = "auto"

    def __init__(self, params: params.Params) -> None:
        """Nothing is tried before it is needed."""

    def unavailable(self) -> str:
        return "" if self._found[0] else self._found[1]

    def describe(self) -> str:
        return self._strongest.describe()

    def run(
        self,
        argv: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        *,
        results: Sequence[str] = (),
        tools: Mapping[str, str] | None = None,
        start: Start | None = None,
    ) -> Ran:
        return self._strongest.run(argv, files, limits, results=results, tools=tools, start=start)

    def open(
        self, argv: Sequence[str], files: Mapping[str, bytes], limits: Limits, *, tools: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Place]:
        strongest = self._strongest
        assert isinstance(strongest, Lasting)
        return strongest.open(argv, files, limits, tools=tools)

    @property
    def _strongest(self) -> Sandbox:
        found, reasons = self._found
        if found is None:
            raise SandboxUnavailable(f"no sandbox works on this machine, so no patch was run. {reasons}")
        return found

    @cached_property
    def _found(self) -> tuple[Sandbox | None, str]:
        """The sandbox, or none and why each one does not work."""
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
    sandbox = SANDBOXES.create(wanted)
    if reason := sandbox.unavailable():
        raise SandboxUnavailable(f"sandbox {wanted.name}: does not work on this machine, so no patch was run: {reason}")
    return sandbox
