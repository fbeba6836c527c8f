"""What a person does with a page: open a tab, fill in a field, choose a preset."""

from __future__ import annotations

import re
from typing import Any

TABS = ("Datasets", "Train", "Monitor", "Merge", "Patches", "Compare", "Chat")
WAIT_MS = 120_000  # for a run to end, on a busy machine
DRAWN = {  # what is on each page of a used home as soon as it is drawn
    "Datasets": ".sample",
    "Train": ".memory",
    "Monitor": ".strip",
    "Merge": ".parity",
    "Patches": ".verdict-table",
    "Compare": ".pairs",
    "Chat": ".code .marked",
}


def tab(page: Any, name: str) -> Any:
    """Open a tab; its panel."""
    page.get_by_role("tab", name=name, exact=True).click()
    return page.get_by_role("tabpanel").filter(visible=True)


def drawn_tab(page: Any, name: str) -> Any:
    """Open a tab of a used home and wait until it is drawn; its panel."""
    panel = tab(page, name)
    panel.locator(DRAWN[name]).first.wait_for()
    return panel


def field(panel: Any, name: str) -> Any:
    """A text field by the beginning of its label; the rest of the label is its help."""
    return panel.get_by_role("textbox", name=re.compile(f"^{name}"))


def preset(panel: Any, name: str) -> None:
    """Choose a preset of the form."""
    panel.get_by_label("Preset").click()
    panel.get_by_role("option", name=name, exact=True).click()


def more_settings(panel: Any) -> None:
    """Open what is folded away."""
    panel.get_by_role("button", name="More settings").click()


def asked_again(page: Any, times: int = 2) -> None:
    """Until the page has asked so often whether anything has changed, and has been told."""
    for _ in range(times):
        with page.expect_response("**/studio/changes"):
            pass
