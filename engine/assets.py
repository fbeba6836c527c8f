"""Where the shipped files lie, and where a user's own go."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "assets"
STARTER_MODEL = ASSETS / "starter-model"
STARTER_ADAPTER = ASSETS / "starter-adapter"
PRESETS = ASSETS / "presets"
BUGS = ASSETS / "bugs"
STYLE = ASSETS / "style.css"
HOME = Path("~/.repair-studio")  # where a user's own things lie unless --home or the variable names another folder
HOME_VARIABLE = "REPAIR_STUDIO_HOME"
