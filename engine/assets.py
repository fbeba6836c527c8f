"""Paths of the shipped files, and of a user's own."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "assets"
STARTER_MODEL = ASSETS / "starter-model"
STARTER_ADAPTER = ASSETS / "starter-adapter"
PRESETS = ASSETS / "presets"
BUGS = ASSETS / "bugs"
RECIPES = ASSETS / "recipes.json"  # of contexts, as `engine.builders.snapshots` composes them
STYLE = ASSETS / "style.css"
HOME = Path("~/.repair-studio")  # of a user's runs and datasets, unless --home or the variable names another folder
HOME_VARIABLE = "REPAIR_STUDIO_HOME"
