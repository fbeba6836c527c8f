"""A part of a page that shows a plotly figure and updates it in place.

Gradio's own part for plots makes a new figure for every value and never frees the old one: a page that was left open
beside a training took 2.4 GB. Here one figure lives as long as its part: zoom and hidden curves stay where they are.
A zoom along the x axis is told, so that the figure can be drawn with more points of what is then in sight.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import gradio as gr

# Drawn once it has a size, since plotly measures the element; the first figure drawn loads plotly's script.
SCRIPT = """
const CONFIG = {displaylogo: false, displayModeBar: false, doubleClick: 'autosize'};
const place = element.querySelector('.plot');
let shown = '', isDrawing = false, isWanted = false;
const told = (change) => {  // by plotly, of a person's zoom; resizing and a zoom of the y axis alone are no news
  const {uirevision, xaxis} = place.layout;
  if (change['xaxis.autorange']) trigger('select', {value: ''});
  else if (Object.keys(change).some((key) => key.startsWith('xaxis.range')))
    trigger('select', {value: [uirevision, ...xaxis.range].join(':')});
};
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
        const isNew = !place.on;
        await Plotly.react(place, figure.data, figure.layout, CONFIG);
        if (isNew) place.on('plotly_relayout', told);
      }
      if (shown && place._fullLayout.width !== place.clientWidth) await Plotly.Plots.resize(place);
    }
  } finally { isDrawing = false; }
};
watch('value', draw);
new ResizeObserver(draw).observe(place);
"""


def plotted(**settings: Any) -> gr.HTML:
    """A part whose value is a figure in plotly's JSON, or empty.

    It has the event `select` when somebody zooms along the x axis; its value is "<uirevision>:<from>:<to>", in the
    units of the axis, or empty when all is in sight again.
    """
    script = SCRIPT.replace("VERSION", version("plotly"))
    return gr.HTML("", html_template='<div class="plot"></div>', js_on_load=script, apply_default_css=False, **settings)
