"""A part of a page that shows a plotly figure and updates it in place.

Gradio's own plot component makes a new figure for every value and never frees the old one: a page that was left open
during a training took 2.4 GB. Here one figure exists as long as its part, so zoom and hidden curves are kept.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import gradio as gr

# Drawn once it has a size, since plotly measures the element; the first figure drawn loads plotly's script.
SCRIPT = """
const place = element.querySelector('.plot');
let shown = '', isDrawing = false, isWanted = false;
const draw = async () => {
  isWanted = true;
  if (isDrawing) return;
  isDrawing = true;
  try {
    while (isWanted && place.isConnected && place.clientWidth) {
      isWanted = false;
      const Plotly = await window.studio.plotly('VERSION');
      if (shown !== props.value) {
        shown = props.value;
        if (!shown) { Plotly.purge(place); continue; }
        const figure = JSON.parse(shown);
        await Plotly.react(place, figure.data, figure.layout, {displaylogo: false, displayModeBar: false});
      }
      if (shown && place._fullLayout.width !== place.clientWidth) await Plotly.Plots.resize(place);
    }
  } finally { isDrawing = false; }
};
watch('value', draw);
new ResizeObserver(draw).observe(place);
"""


def plotted(**settings: Any) -> gr.HTML:
    """A part whose value is a figure in plotly's JSON, or empty."""
    script = SCRIPT.replace("VERSION", version("plotly"))
    return gr.HTML("", html_template='<div class="plot"></div>', js_on_load=script, apply_default_css=False, **settings)
