"""What a page is: its name, the key of its tab, how it is built, and which of its fields its address names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.control.workspace import Workspace
from studio.live import Live


@dataclass(frozen=True)
class Choice:
    """One thing that is chosen on a page, as its address names it: `?run=8`."""

    name: str
    field: Any  # that a link fills in
    shown: Any  # that holds what the page shows; the same field, or one that follows it
    check: Callable[[Any], object] | None  # raises UserError where a link names something that is not there
    opens: bool  # the name alone opens the page, so no other page has it


@dataclass
class Frame:
    """What a page is built in: the workspace, what follows it, and what the address keeps."""

    workspace: Workspace
    live: Live
    going: Any  # a hidden field; an address written into it opens that address
    choices: list[Choice] = field(default_factory=list)

    def keep(
        self,
        name: str,
        field: Any,
        *,
        shown: Any = None,
        check: Callable[[Any], object] | None = None,
        opens: bool = False,
    ) -> None:
        """Keep a field in the address."""
        self.choices.append(Choice(name, field, shown or field, check, opens))


@dataclass(frozen=True)
class Page:
    """One tab. `key` stands in the address, `?tab=train`, and begins the names of the page's handlers."""

    name: str
    key: str
    build: Callable[[Frame], None]
