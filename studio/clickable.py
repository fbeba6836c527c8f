"""HTML whose marked parts can be clicked, and whose opened details stay open while it is redrawn."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from studio.checked import is_text

GONE = "gone"  # the class of rows and columns that are not shown

# A part with `data-follow` in a scrolled box keeps its end visible, unless the user has scrolled away from it; a new
# value of the attribute shows the end again.
# The one listener is on the root, which redrawing does not replace. The handler gets the value of `data-pick`, and
# looks it up, since a browser can send any value.
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
let atEnd = true, followed;
box?.addEventListener('scroll', () => { atEnd = box.scrollTop + box.clientHeight > box.scrollHeight - 40; });
let size = '';
const fit = () => {  // for a part that shows as many rows as fit
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
  const follow = element.querySelector('[data-follow]')?.dataset.follow;
  if (box && follow !== undefined && (atEnd || follow !== followed)) box.scrollTop = box.scrollHeight;
  followed = follow ?? followed;
});
"""


def clickable(value: str = "", *, fits: bool = False, **settings: Any) -> gr.HTML:
    """An HTML part with the event `select`; its handler takes a `gr.EventData` whose `value` is the `data-pick`.

    One that `fits` also has the event `apply`: it is visible, and its position or the window's size has changed.
    """
    script = SCRIPT.replace("FITS", str(fits).lower())
    return gr.HTML(value, js_on_load=script, apply_default_css=False, **settings)


def plain(value: str = "", **settings: Any) -> gr.HTML:
    """An HTML part without Gradio's own typography, and with nothing to click."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False, **settings)


def revealed(**settings: Any) -> gr.HTML:
    """An HTML part that comes into sight when what it is about, its `data-about`, has become something else."""
    script = """
let last;
watch('value', () => {
  const about = element.querySelector('[data-about]')?.dataset.about ?? '';
  if (about && last !== undefined && about !== last) element.scrollIntoView({block: 'nearest'});
  last = about;
});
"""
    return gr.HTML("", js_on_load=script, apply_default_css=False, **settings)


def marking(**settings: Any) -> gr.HTML:
    """An HTML part whose complaints mark the fields of its panel that they are about, also for a screen reader."""
    script = "watch('value', () => window.studio.mark(element.closest('.panel')));"
    return gr.HTML("", js_on_load=script, apply_default_css=False, **settings)


def hidden_field(value: int | str = 0) -> Any:
    """A hidden field that holds what is chosen on a page; the server stores nothing for a page."""
    if isinstance(value, str):
        return gr.Textbox(value, visible="hidden", container=False, show_label=False)
    return gr.Number(value, precision=0, visible="hidden", container=False, show_label=False)


def show_or_hide(is_shown: bool, *classes: str) -> dict[str, Any]:
    """An update that shows or hides a row or column; one hidden by Gradio itself still has its frame drawn."""
    return dict(gr.update(elem_classes=[*classes, *([] if is_shown else [GONE])]))


def pager(page: int, pages: int) -> list[dict[str, Any]]:
    """Updates for the buttons *previous* and *next*: neither leads beyond the first page, 1, or the last."""
    return [dict(gr.update(interactive=page > 1)), dict(gr.update(interactive=page < pages))]


def click_value(event: gr.EventData) -> str:
    """The `data-pick` of what was clicked; empty if something else than text was sent."""
    value = event._data.get("value") if isinstance(event._data, dict) else ""
    return str(value) if is_text(value) else ""


def pick(value: str) -> str:
    """The HTML attribute that makes a part clickable; `value` is what its handler gets."""
    return f'data-pick="{html.escape(value)}"'
