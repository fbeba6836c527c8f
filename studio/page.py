"""What a page is: its name, the key of its tab, the function that builds it, and the fields kept in its address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.control.workspace import Workspace
from studio.live import Live


@dataclass(frozen=True)
class Choice:
    """A field whose value is kept in the page's address: `?run=8`."""

    name: str
    field: Any  # which a link fills in
    shown: Any  # which the address is written from; the same field, or one that is set from it
    check: Callable[[Any], object] | None  # raises UserError if a link names something that does not exist
    opens: bool  # the name alone opens the page, so no other page uses it


@dataclass
class Frame:
    """What a page is built with: the workspace, its updated parts, and the fields kept in its address."""

    workspace: Workspace
    live: Live
    next_address: Any  # a hidden field; an address written into it opens that address
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
    """One tab. `key` is its name in the address, `?tab=train`, and the first word of its handlers' names."""

    name: str
    key: str
    build: Callable[[Frame], None]
