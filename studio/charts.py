"""Rows of numbers as plotly figures that keep their zoom when points are added, for a light or a dark page.

The curves of a training stand on one axis of steps, time or epochs; what is in sight of it is the same in all of them.

They are written as plotly's JSON, as the browser reads it: building the same from plotly's classes takes 50 ms a
figure, too much for every second beside a training run on the same cores. A test has plotly check each one.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

from engine.scoring import Share
from studio.checked import LARGEST

Curve = Sequence[tuple[float, float, float]]  # (place on the axis, value, seconds since the epoch)
MEASURES = {  # what an axis is measured in -> its title
    "steps": "optimizer step", "epochs": "epochs", "seconds": "seconds since the start",
    "minutes": "minutes since the start", "hours": "hours since the start",
}  # fmt: skip
ACCENT, WARM, MUTED, GREEN = "#5b73e6", "#d9822b", "#8a93a6", "#2f9e68"
GRID = "rgba(138,147,166,0.22)"
TRANSPARENT = "rgba(0,0,0,0)"
GIB, MIB = 1 << 30, 1 << 20
TOP = {"y": 1, "yref": "container", "yanchor": "top"}
FROM_ZERO = {"rangemode": "tozero"}
# One colour for each of several runs, told apart by most colour-blind readers (Okabe and Ito 2008).
SERIES = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8a7d00", "#8a93a6")
MOST_BARS, LONGEST_LABEL = 12, 28  # of shares; characters
MARKED = 20  # points up to which each is marked
FEW_STEPS = 10  # up to which plotly would put half steps on the axis
NO_POINTS = {"text": "no points yet", "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}


@dataclass(frozen=True)
class View:
    """Of what some figures are, and the part of their axis that is in sight, in its measure; None: all of it."""

    key: str = "keep"
    sight: tuple[float, float] | None = None
    measure: str = "steps"

    @classmethod
    def read(cls, key: str, zoomed: str, measure: str = "steps") -> View:
        """`zoomed`: what a figure last said of its zoom (studio/plotted.py); that of another key does not count."""
        said, *ends = zoomed.split(":")
        try:
            low, high = map(float, ends)
        except ValueError:
            return cls(key, measure=measure)
        is_range = said == key and -LARGEST <= low < high <= LARGEST
        return cls(key, (low, high) if is_range else None, measure)


ALL = View()


def lengths(histograms: Mapping[str, Mapping[str, Sequence[float]]], cap: int | None) -> str:
    """How long samples are in all, as bars, and their prompts and targets, as lines; the longest allowed is marked."""
    last = max((_last(each) for each in histograms.values()), default=0)
    whole = histograms.get("histogram", {})
    edges = list(whole.get("edges", ()))[: last + 1]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": "in all",
            "x": [(low + high) / 2 for low, high in pairwise(edges)],
            "y": list(whole.get("counts", ()))[:last],
            "width": [high - low for low, high in pairwise(edges)],
            "marker": {"color": ACCENT},
            "hovertemplate": "%{y} samples",
        }
    ]
    for side, color in (("prompts", WARM), ("targets", GREEN)):
        each = histograms.get(side)
        if each:
            bounds = list(each["edges"])[: last + 1]
            line = {"color": color, "width": 1.5, "shape": "hvh"}
            middles = [(low + high) / 2 for low, high in pairwise(bounds)]
            counts = list(each["counts"])[:last]
            traces.append(
                {"type": "scatter", "mode": "lines", "name": side, "x": middles, "y": counts, "line": line,
                 "hovertemplate": "%{y}"}
            )  # fmt: skip
    cap = cap if cap and edges and cap <= 2 * edges[-1] else None  # far away, it would press the bars together
    shape = {"type": "line", "x0": cap, "x1": cap, "y0": 0, "y1": 1, "yref": "paper"}
    shapes = [{**shape, "line": {"color": MUTED, "dash": "dash", "width": 1.5}}] if cap else []
    axis = {"title": {"text": "tokens (dashed: the cap)" if shapes else "tokens", "standoff": 4}}
    most = max((count for each in histograms.values() for count in each.get("counts", ())), default=0)
    return _figure("Lengths", traces, axis, _whole(most), bargap=0.06, shapes=shapes, showlegend=len(traces) > 1)


def _last(histogram: Mapping[str, Sequence[float]]) -> int:
    """How many bins there are up to the last that is not empty."""
    return max((place for place, count in enumerate(histogram.get("counts", ()), 1) if count), default=0)


def shares(title: str, counts: Mapping[str, int], distinct: int, total: int) -> str:
    """How many of `total` samples have each value, the most frequent ones first; the others are one bar."""
    ordered = sorted(counts.items(), key=lambda each: -each[1])
    shown = ordered[:MOST_BARS]
    if distinct > len(shown):
        shown.append((f"{distinct - len(shown):,} others", max(0, total - sum(count for _, count in shown))))
    shown.reverse()  # plotly draws from below
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [count for _, count in shown],
        "y": list(range(len(shown))),
        "text": [f"{count:,}" for _, count in shown],
        "textposition": "outside",
        "marker": {"color": ACCENT},
        "hovertemplate": "%{x}<extra></extra>",
        "cliponaxis": False,
    }
    names = [_short(name) for name, _ in shown]
    axis = {"tickvals": list(range(len(shown))), "ticktext": names, "showgrid": False}
    height = 72 + 22 * len(shown)
    most = max((count for _, count in shown), default=1)
    room = {"showgrid": True, "range": [0, 1.12 * most], **_whole(most)}  # for the numbers
    return _figure(title, [bars], room, axis, height=height, bargap=0.25, hovermode="closest")


def _whole(most: float) -> dict[str, Any]:
    """An axis of numbers up to `most` has no marks between whole ones."""
    return {"dtick": 1} if most < 6 else {}


def _short(name: str) -> str:
    """A name as a label, in which plotly reads no tags."""
    text = name.replace("_", " ")
    return html.escape(text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…")


def plausible_by_rank(runs: Mapping[str, Mapping[int, Share]], attempts: Sequence[bool] = ()) -> str:
    """plausible@k of each run against k, in percent of the bugs; each run is called as its key says.

    `attempts`: which of the runs count attempts, each after the verdict on the one before; empty: none of them.
    """
    most = max((max(shares) for shares in runs.values() if shares), default=1)
    traces = [
        {
            "type": "scatter",
            "x": list(shares),
            "y": [round(100 * share.fraction, 2) for share in shares.values()],
            "customdata": [f"{share.hits} of {share.total}" for share in shares.values()],
            "name": name,
            "mode": "lines+markers" if most <= MARKED else "lines",
            "line": {"color": color, "width": 2, **({"shape": "hv"} if are_attempts else {})},
            "marker": {"size": 6},
            "cliponaxis": False,
            "hovertemplate": "%{y:.1f} %, %{customdata} bugs",
        }
        for (name, shares), color, are_attempts in zip(runs.items(), SERIES, attempts or repeat(False), strict=False)
    ]
    words = {
        "candidates": ("Bugs with a plausible patch (plausible@k)", "k: the first so many candidates of each bug"),
        "attempts": ("Bugs repaired by attempt", "attempts at each bug"),
        "both": ("Bugs with a plausible patch", "candidates of each bug, or attempts at it (steps)"),
    }
    title, x_title = words["both" if len({*attempts}) > 1 else "attempts" if any(attempts) else "candidates"]
    axis: dict[str, Any] = {"title": {"text": x_title, "standoff": 4}}
    axis |= {"dtick": 1} if most <= FEW_STEPS else {"tickformat": "d"}
    percent = {**FROM_ZERO, "ticksuffix": " %"}
    return _figure(title, traces, axis, percent, showlegend=False)


def line(
    name: str,
    points: Curve,
    color: str,
    *,
    has_points: bool = False,
    is_dashed: bool = False,
    is_faint: bool = False,
    is_right: bool = False,
) -> list[dict[str, Any]]:
    """The trace of a curve; none where it has no points. `is_faint`: behind its mean; `is_right`: on the right axis."""
    if not points:
        return []
    trace = {
        "type": "scatter",
        "x": [_short_number(x) for x, _, _ in points],
        "y": [float(f"{value:.6g}") for _, value, _ in points],
        "name": name,
        "mode": "lines+markers" if has_points or len(points) < 3 else "lines",
        "line": {"color": color, "width": 1 if is_faint else 2, **({"dash": "dash"} if is_dashed else {})},
        "marker": {"size": 6},
        "cliponaxis": False,  # the last point is at the edge
        **(
            {"opacity": 0.35, "hoverinfo": "skip", "showlegend": False}
            if is_faint
            else {"hovertemplate": "%{y:.0%}" if is_right and max(y for _, y, _ in points) <= 1 else "%{y:.4g}"}
        ),
        **({"yaxis": "y2"} if is_right else {}),
    }
    return [trace]


def marks(name: str, points: Curve, color: str, symbol: str, level: int = 0) -> list[dict[str, Any]]:
    """Signs at the bottom of a figure where something happened; `level`: how many rows of signs are below."""
    if not points:
        return []
    trace = {
        "type": "scatter",
        "x": [_short_number(x) for x, _, _ in points],
        "y": [0.02 + 0.05 * level] * len(points),
        "yaxis": "y3",
        "name": name,
        "mode": "markers",
        "marker": {"symbol": symbol, "size": 7, "color": color},
        "cliponaxis": False,
        "hovertemplate": "here",
    }
    return [trace]


def _short_number(x: float) -> float:
    return x if isinstance(x, int) else float(f"{x:.7g}")


def along(
    title: str, traces: Sequence[dict[str, Any]], view: View, y_axis: dict[str, Any] | None = None, **layout: Any
) -> str:
    """A figure whose axis ends at the last point where all are in sight; one of steps has whole ones."""
    last = max((x for trace in traces for x in trace["x"]), default=1)
    axis: dict[str, Any] = {
        "title": {"text": MEASURES[view.measure], "standoff": 4},
        "autorangeoptions": {"minallowed": 0, "maxallowed": last},
        "uirevision": f"{view.key} {view.sight}",  # a zoom stays until the page has told what is in sight
    }
    low, high = view.sight or (0, last)
    axis |= {"range": [low, high]} if view.sight else {}
    axis |= {"dtick": 1} if view.measure == "steps" and high - low <= FEW_STEPS else {}
    used = {trace.get("yaxis") for trace in traces}
    over = {"overlaying": "y", "showgrid": False, "zeroline": False, "automargin": True}
    others: dict[str, Any] = {}
    if "y2" in used:
        others["yaxis2"] = over | {"side": "right", **layout.pop("right_axis", {})}
    layout.pop("right_axis", None)
    if "y3" in used:
        others["yaxis3"] = over | {"range": [0, 1], "fixedrange": True, "visible": False}
    return _figure(title, traces, axis, y_axis, uirevision=view.key, **others, **layout)


def wide_legend(names: int) -> dict[str, Any]:
    """The layout of a figure whose names stand in lines of their own below the title."""
    lines = -(-names // 2) * 18  # two fit side by side on a phone
    height, top = 240 + lines, {"yref": "container", "yanchor": "top"}
    return {
        "height": height,
        "margin": {"l": 48, "r": 12, "t": 36 + lines, "b": 36},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1 - 28 / height, **top},
    }


def _figure(
    title: str,
    traces: Sequence[dict[str, Any]],
    x_axis: dict[str, Any],
    y_axis: dict[str, Any] | None = None,
    **layout: Any,
) -> str:
    axis = {"gridcolor": GRID, "zeroline": False, "linecolor": GRID, "automargin": True}
    base = {
        "title": {
            "text": title,
            "font": {"size": 13, "color": MUTED},
            **TOP,
            "x": 0,
            "xref": "container",
            "pad": {"l": 8, "t": 10},
        },
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": MUTED},
        "margin": {"l": 48, "r": 12, "t": 36, "b": 36},
        "height": 240,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#232938", "bordercolor": "#232938", "font": {"color": "#eef0f4"}},
        "showlegend": False,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", **TOP},  # on the line of the title
        "uirevision": "keep",  # zoom and hidden curves survive a redraw
        "xaxis": {**axis, **x_axis},
        "yaxis": {**axis, **(y_axis or {})},
    }
    if not traces:
        base |= {"xaxis": {"visible": False}, "yaxis": {"visible": False}, "annotations": [NO_POINTS]}
    return json.dumps({"data": list(traces), "layout": {**base, **layout}})
