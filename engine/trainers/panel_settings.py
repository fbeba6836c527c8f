"""Settings of the bug panel: a few bugs that the model repairs as it is during its training."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from engine import params, plugin_text
from engine.params import setting
from engine.plugins import BENCHMARKS, REPRESENTATIONS


def _benchmark(value: Any) -> str:
    return plugin_text.written(value, BENCHMARKS, "folder") if value else ""


def _representation(value: Any) -> str:
    return plugin_text.written(value, REPRESENTATIONS, "ir4_or2") if value else ""


class PanelParams(params.Params):
    """Which bugs are in the panel, when they are repaired, and how patches are written."""

    panel: Annotated[str, BeforeValidator(_benchmark)] = setting(
        "",
        "bugs that are repaired with the weights as they are, every few steps: a benchmark by name, or with its "
        'settings: {"name": "folder", "folder": "/bugs"}; its plausible@k is a curve; empty: none',
        title="Bug panel",
        more=True,
    )
    panel_count: int = setting(
        12, "of the benchmark's, spread evenly over it", title="Bugs in the panel", unit="bugs", more=True, ge=1,
        le=1000,
    )  # fmt: skip
    panel_ids: str = setting("", "only these bugs, by id, separated by commas", title="Bugs by id", more=True)
    panel_steps: int | None = setting(
        None, "between two repairs of the panel; empty: after each epoch. Also before the first step and after the "
        "last", unit="steps", more=True, gt=0, le=10**8,
    )  # fmt: skip
    panel_candidates: int = setting(4, "patches written for each bug of the panel", more=True, ge=1, le=200)
    panel_new_tokens: int = setting(
        64, "the longest completion for a bug of the panel", unit="tokens", more=True, ge=1, le=8192
    )
    panel_temperature: float = setting(0.6, "of the panel's patches", more=True, ge=0.01, le=5)
    panel_representation: Annotated[str, BeforeValidator(_representation)] = setting(
        "", "how a bug of the panel is shown; empty: as the dataset was made, or as ir4_or2 where that is not known",
        more=True,
    )  # fmt: skip

    @property
    def named_bugs(self) -> tuple[str, ...]:
        """The ids in `panel_ids`."""
        return tuple(filter(None, map(str.strip, self.panel_ids.split(","))))

    @property
    def panel_ranks(self) -> tuple[int, ...]:
        """The k of the curves plausible@k."""
        return tuple(sorted({1, self.panel_candidates}))

    def check_panel(self) -> None:
        """Raises UserError where the panel's benchmark is missing."""
        if self.panel:
            BENCHMARKS.create(plugin_text.read(self.panel, BENCHMARKS)).check()
