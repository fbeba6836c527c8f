"""The rows of a loss, of an overlap, or the missing ids of a dataset: a page of them, with a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.clickable import GONE, click_value, clickable, hidden_field, pager, show_or_hide
from studio.guard import on
from studio.html.dataset_facts import LOSS, MISSING, OVERLAP, SAMPLE, listing
from studio.page import Frame

A_PAGE = 50  # rows


class RowList:
    """Hidden until something is clicked; make it where it should stand, then call `wire`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.listed, self._page = hidden_field(""), hidden_field(0)  # as `listed_key` writes it; the page from 0
        with gr.Column(elem_classes=["listing", GONE]) as self._place:
            with gr.Row(elem_classes="bar-row"):
                self._search = gr.Textbox("", label="Search these rows", placeholder="id or place", max_lines=1)
                self._before = gr.Button("Previous", size="sm", min_width=80)
                self._after = gr.Button("Next", size="sm", min_width=80)
                self._close = gr.Button("Close", size="sm", min_width=64)
            self._rows = clickable()

    def wire(self, page: str, shown: Any, clicked: Sequence[Any], search: Any, index: Any) -> None:
        """A click in `clicked` lists rows of the dataset in `shown`; one on a sample looks for it with `search`."""
        number = self._page

        def choose(event: gr.EventData) -> list[Any]:
            asked = click_value(event)
            what, _, of = asked.partition(":")
            if what == SAMPLE:
                return [gr.skip(), gr.skip(), gr.skip(), of, 0]
            return [asked, "", 0, gr.skip(), gr.skip()]

        def close() -> str:
            return ""

        def back(at: int) -> int:
            return max(0, at - 1)

        def further(at: int) -> int:
            return at + 1

        def first() -> int:
            return 0

        fields = [shown, self.listed, self._search, number]
        drawn = [self._rows, self._place, self._before, self._after]
        self._frame.live.show(self._draw, fields, drawn, also=[each.change for each in fields], ticks=False)
        chosen = [self.listed, self._search, number, search, index]
        on([part.select for part in (*clicked, self._rows)], choose, None, chosen, name=f"{page}_choose_rows")
        on(self._close.click, close, None, self.listed, name=f"{page}_close_rows")
        on(self._before.click, back, number, number, name=f"{page}_rows_back")
        on(self._after.click, further, number, number, name=f"{page}_rows_on")
        on(self._search.input, first, None, number, name=f"{page}_first_rows")

    def _draw(self, name: str | None, listed: str, text: str, page: int) -> list[Any]:
        datasets = self._frame.workspace.datasets
        what, _, of = listed.partition(":")
        readers = {LOSS: datasets.left_out, OVERLAP: datasets.overlap, MISSING: datasets.missing}
        if not name or what not in readers:
            return ["", show_or_hide(False, "listing"), *pager(1, 1)]
        dataset, page = datasets.get(name), max(0, page)
        counted = {
            LOSS: sum(loss.count for loss in dataset.losses if loss.reason == of),
            OVERLAP: sum(each.rows for each in dataset.overlap if each.benchmark == of),
            MISSING: sum(dataset.expected.missing.values()) if dataset.expected else 0,
        }[what]
        found = readers[what](name, of, text.strip(), page * A_PAGE, A_PAGE)
        pages = max(1, -(-found.total // A_PAGE))
        if page >= pages:  # of a search that finds fewer
            page = pages - 1
            found = readers[what](name, of, text.strip(), page * A_PAGE, A_PAGE)
        drawn = listing(what, of, found, page, A_PAGE, 0 if text.strip() else counted)
        return [drawn, show_or_hide(True, "listing"), *pager(page + 1, pages)]
