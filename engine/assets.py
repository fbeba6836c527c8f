"""Where the shipped models, presets, bugs and the style sheet lie."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "assets"
STARTER_MODEL = ASSETS / "starter-model"
STARTER_ADAPTER = ASSETS / "starter-adapter"
PRESETS = ASSETS / "presets"
BUGS = ASSETS / "bugs"
STYLE = ASSETS / "style.css"
