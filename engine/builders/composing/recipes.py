"""The named chains of parts: those of S3 and the baselines of Long Code Arena, from assets/recipes.json."""

from __future__ import annotations

import json
from functools import cache

from engine.assets import RECIPES
from engine.errors import UserError


@cache
def recipes() -> dict[str, tuple[str, ...]]:
    """Name -> the parts of a chain, in their order."""
    found = json.loads(RECIPES.read_text(encoding="utf-8"))
    return {name: tuple(recipe["parts"]) for name, recipe in found.items()}


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a recipe. Raises UserError, which lists the recipes, if there is none of this name."""
    if name not in recipes():
        raise UserError(
            f"recipe: there is none called {name!r}; choose one of: {', '.join(recipes())}", field="builder.recipe"
        )
    return recipes()[name]
