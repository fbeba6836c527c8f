"""A group of verbs that is a verb itself: `benchmark demo` beside `benchmark check pocket`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class DefaultVerb(TyperGroup):
    """What is none of its verbs is an argument of the verb `run`, whose help is the group's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)
