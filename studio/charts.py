"""Rows of numbers as plotly figures that keep their zoom while they grow and suit a light and a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Curve = Sequence[tuple[int, float, float]]  # (optimizer step, value, seconds since the epoch)
ACCENT, WARM, MUTED = "#5b73e6", "#d9822b", "#8a93a6"
GRID = "rgba(138,147,166,0.22)"
TRANSPARENT = "rgba(0,0,0,0)"


def loss(metrics: Mapping[str, Curve]) -> Any:
    """Training and evaluation loss on the step axis."""
    figure = _figure("Loss", "optimizer step")
    _line(figure, "training", metrics.get("loss", ()), ACCENT)
    _line(figure, "evaluation", metrics.get("eval_loss", ()), WARM, has_points=True)
    figure.update_layout(showlegend=True)
    return figure


def learning_rate(metrics: Mapping[str, Curve]) -> Any:
    """The learning rate on the step axis."""
    figure = _figure("Learning rate", "optimizer step")
    _line(figure, "learning rate", metrics.get("learning_rate", ()), ACCENT)
    figure.update_yaxes(exponentformat="e", showexponent="all")
    return figure


def speed(metrics: Mapping[str, Curve]) -> Any:
    """Tokens a second on the step axis."""
    figure = _figure("Tokens per second", "optimizer step")
    _line(figure, "tokens/s", metrics.get("tokens_per_s", ()), ACCENT)
    figure.update_yaxes(rangemode="tozero")
    return figure


def memory(metrics: Mapping[str, Curve]) -> Any:
    """Memory in use on the step axis, in MiB or GiB."""
    points = metrics.get("memory_bytes", ())
    shift, unit = (30, "GiB") if max((point[1] for point in points), default=0) >= 1 << 32 else (20, "MiB")
    figure = _figure(f"Memory ({unit})", "optimizer step")
    _line(figure, unit, [(step, value / (1 << shift), at) for step, value, at in points], ACCENT)
    figure.update_yaxes(rangemode="tozero")
    return figure


def lengths(histogram: Mapping[str, Sequence[float]], cap: int | None) -> Any:
    """How long the samples are, with the longest allowed as a line; empty bins at the end are left out."""
    figure = _figure("Length of the samples", "tokens in prompt and target")
    counts = list(histogram.get("counts", ()))
    while counts and not counts[-1]:
        counts.pop()
    edges = list(histogram.get("edges", ()))[: len(counts) + 1]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    widths = [high - low for low, high in pairwise(edges)]
    figure.add_bar(x=middles, y=counts, width=widths, marker_color=ACCENT, hovertemplate="%{y} samples")
    if cap and edges and cap <= 1.5 * edges[-1]:
        figure.add_vline(x=cap, line={"color": WARM, "dash": "dash", "width": 1.5})
    figure.update_layout(bargap=0.06)
    return figure


def _line(figure: Any, name: str, points: Curve, color: str, *, has_points: bool = False) -> None:
    if not points:
        return
    figure.add_scatter(
        x=[step for step, _, _ in points],
        y=[value for _, value, _ in points],
        name=name,
        mode="lines+markers" if has_points or len(points) < 3 else "lines",
        line={"color": color, "width": 2},
        marker={"size": 6},
        hovertemplate="%{y:.4g}",
    )


def _figure(title: str, x_title: str) -> Any:
    import plotly.graph_objects as go  # 0.3 s, not wanted before the first page

    axis = {"gridcolor": GRID, "zeroline": False, "linecolor": GRID, "automargin": True}
    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "font": {"size": 13, "color": MUTED}, "x": 0, "xref": "container", "pad": {"l": 8}},
        template="none",
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        font={"family": "system-ui, sans-serif", "size": 11, "color": MUTED},
        margin={"l": 48, "r": 12, "t": 36, "b": 36},
        height=240,
        hovermode="x unified",
        hoverlabel={"bgcolor": "#232938", "bordercolor": "#232938", "font": {"color": "#eef0f4"}},
        showlegend=False,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        uirevision="keep",  # zoom and hidden curves survive a redraw
        xaxis={**axis, "title": {"text": x_title, "standoff": 4}},
        yaxis=axis,
    )
    return figure
