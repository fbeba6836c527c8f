"""HTML whose marked parts can be clicked, and whose opened details stay open while it is redrawn."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from studio.checked import is_text

GONE = "gone"  # the class of rows and columns that are not shown

# A part with `data-follow` in a scrolled box keeps its end in sight, unless somebody has scrolled away from it.
# One listener on the root, which redrawing keeps. `data-pick` is what the handler gets. Handlers look up what they get:
# anybody can send anything.
SCRIPT = """
const toggled = new Map();
element.addEventListener('click', (event) => {
  const part = event.target.closest('[data-pick]');
  if (!part) return;
  event.preventDefault();
  trigger('select', {value: part.dataset.pick});
});
element.addEventListener('toggle', (event) => {
  const key = event.target.dataset.key;
  if (key) toggled.set(key, event.target.open);
}, true);
const box = element.closest('.scroll');
let atEnd = true;
box?.addEventListener('scroll', () => { atEnd = box.scrollTop + box.clientHeight > box.scrollHeight - 40; });
let size = '';
const fit = () => {  // for a part that shows as much as there is room for
  const now = `${innerWidth}x${innerHeight}x${Math.round(element.getBoundingClientRect().top + scrollY)}`;
  if (element.checkVisibility() && element.clientWidth && now !== size) { size = now; trigger('apply'); }
};
if (FITS) { new ResizeObserver(fit).observe(element); addEventListener('resize', fit); }
watch('value', () => {
  window.studio.tick(element);
  if (FITS) fit();
  element.querySelectorAll('details[data-key]').forEach((part) => {
    if (toggled.has(part.dataset.key)) part.open = toggled.get(part.dataset.key);
  });
  if (box && atEnd && element.querySelector('[data-follow]')) box.scrollTop = box.scrollHeight;
});
"""


def clickable(value: str = "", *, fits: bool = False, **settings: Any) -> gr.HTML:
    """An HTML part with the event `select`; its handler takes a `gr.EventData` whose `value` is the `data-pick`.

    One that `fits` has the event `apply` too, when it is in sight and has another place or window.
    """
    script = SCRIPT.replace("FITS", str(fits).lower())
    return gr.HTML(value, js_on_load=script, apply_default_css=False, **settings)


def plain(value: str = "", **settings: Any) -> gr.HTML:
    """An HTML part without Gradio's own typography, and with nothing to click."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False, **settings)


def marking(**settings: Any) -> gr.HTML:
    """An HTML part whose complaints mark the fields of its panel that they are about, also for a screen reader."""
    script = "watch('value', () => window.studio.mark(element.closest('.panel')));"
    return gr.HTML("", js_on_load=script, apply_default_css=False, **settings)


def kept(value: int | str = 0) -> Any:
    """A hidden field in which a page remembers what is chosen on it; the server remembers nothing of a page."""
    if isinstance(value, str):
        return gr.Textbox(value, visible="hidden", container=False, show_label=False)
    return gr.Number(value, precision=0, visible="hidden", container=False, show_label=False)


def showing(is_shown: bool, *classes: str) -> dict[str, Any]:
    """An update that shows or hides a row or column; Gradio's own way draws the frame of a hidden one."""
    return dict(gr.update(elem_classes=[*classes, *([] if is_shown else [GONE])]))


def picked(event: gr.EventData) -> str:
    """What was clicked, as text; empty where somebody sent something else."""
    value = event._data.get("value") if isinstance(event._data, dict) else ""
    return str(value) if is_text(value) else ""


def pick(value: str) -> str:
    """The attribute of something that can be clicked."""
    return f'data-pick="{html.escape(value)}"'
