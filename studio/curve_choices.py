"""How curves are drawn: along which axis, how smooth, on which scale; read from the address, and buttons for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from engine.control.curves import Axis, Sight
from studio.charts import View
from studio.clickable import pick
from studio.html.basics import esc

AXES: Mapping[str, str] = {"steps": "Steps", "time": "Time", "epochs": "Epochs"}
# word in the address -> (label, the share of the range of which each point is the mean)
SMOOTHING: Mapping[str, tuple[str, float]] = {
    "raw": ("Off", 0.0), "light": ("Light", 0.02), "medium": ("Medium", 0.08), "strong": ("Strong", 0.25),
}  # fmt: skip
SCALES: Mapping[str, str] = {"linear": "Linear", "log": "Log"}
UNITS = (("hours", 3600.0, 7200.0), ("minutes", 60.0, 120.0), ("seconds", 1.0, 0.0))  # name, seconds, from


@dataclass(frozen=True)
class CurveChoices:
    """What is chosen; the default is what an address without any choice shows."""

    axis: str = "steps"
    smoothing: str = "raw"
    scale: str = "linear"

    @classmethod
    def read(cls, text: str) -> CurveChoices:
        """From the words in an address, "time,log"; unknown words do not count."""
        chosen = cls()
        for word in text.split(",")[:3]:
            chosen = chosen.with_word(word)
        return chosen

    def with_word(self, word: str) -> CurveChoices:
        """The same with one choice changed; unchanged by an unknown word."""
        for name, known in (("axis", AXES), ("smoothing", SMOOTHING), ("scale", SCALES)):
            if word in known:
                return replace(self, **{name: word})
        return self

    def __str__(self) -> str:
        words = ((self.axis, "steps"), (self.smoothing, "raw"), (self.scale, "linear"))
        return ",".join(word for word, default in words if word != default)

    @property
    def share(self) -> float:
        """Of the range, of which each point of a smoothed curve is the mean."""
        return SMOOTHING[self.smoothing][1]

    def view(self, key: str, zoomed: str, seconds: float) -> tuple[View, Sight, float]:
        """The view of figures, the same as what is to be read, and how much of the latter is one unit of the axis.

        `seconds`: of the longest run, from which an axis of time has its unit.
        """
        unit, in_seconds = "", 1.0
        if self.axis == "time":
            unit, in_seconds = next((name, each) for name, each, least in UNITS if seconds >= least)
        measure = unit or self.axis
        view = View.read(f"{key} {measure}", zoomed, measure)
        ends = (view.sight[0] * in_seconds, view.sight[1] * in_seconds) if view.sight else None
        return view, Sight(cast(Axis, self.axis), ends), in_seconds

    def html(self) -> str:
        """The choices as groups of buttons."""
        smooth = {word: label for word, (label, _) in SMOOTHING.items()}
        hints = {word: f"each point is the mean of {100 * share:g} % of what is shown; the curve itself is faint"
                 for word, (_, share) in SMOOTHING.items() if share}  # fmt: skip
        groups = (("Along", AXES, self.axis), ("Smoothing", smooth, self.smoothing), ("Loss", SCALES, self.scale))
        return f'<div class="choices">{"".join(_group(*group, hints) for group in groups)}</div>'


def _group(title: str, words: Mapping[str, str], chosen: str, hints: Mapping[str, str]) -> str:
    buttons = "".join(
        f'<button type="button" {pick(word)} aria-pressed="{str(word == chosen).lower()}"'
        f"{_hint(hints.get(word, ''))}>{esc(label)}</button>"
        for word, label in words.items()
    )
    return f'<span class="choice" role="group" aria-label="{esc(title)}"><b>{esc(title)}</b>{buttons}</span>'


def _hint(text: str) -> str:
    return f' title="{esc(text)}"' if text else ""
