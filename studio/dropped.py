"""An area of a page where a file can be dropped or chosen; it is uploaded to the home folder, and named by its path."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

SCRIPT = """
const field = element.querySelector('input'), zone = element.querySelector('label');
const status = element.querySelector('em');
const send = async (file) => {
  status.textContent = `sending ${file.name}`;
  try {
    const address = `studio/upload?name=${encodeURIComponent(file.name)}`;
    const answer = await fetch(address, {method: 'POST', body: file});
    const result = await answer.json();
    status.textContent = answer.ok ? '' : `${file.name}: ${result.error}`;  // the page says what it makes of the file
    if (answer.ok) trigger('upload', {value: result.path});
  } catch { status.textContent = `${file.name} could not be sent; try again`; }
  field.value = '';
};
field.addEventListener('change', () => { if (field.files[0]) send(field.files[0]); });
for (const name of ['dragover', 'dragleave', 'drop']) zone.addEventListener(name, (event) => {
  event.preventDefault();
  zone.classList.toggle('over', name === 'dragover');
  if (name === 'drop' && event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
});
"""


def file_zone(text: str, endings: str) -> Any:
    """An HTML part with the event `upload`, whose value is the path of the file; `endings`: ".csv,.jsonl"."""
    field = f'<input type="file" accept="{html.escape(endings)}">'
    template = f'<label class="drop">{field}<b>{html.escape(text)}</b><em></em></label>'
    return gr.HTML("", html_template=template, js_on_load=SCRIPT, apply_default_css=False)
