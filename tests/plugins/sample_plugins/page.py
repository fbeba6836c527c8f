"""A page of one sentence."""

from __future__ import annotations

from studio.clickable import plain
from studio.page import Page


def build(frame):
    part = plain()
    frame.live.show(lambda: [f"<p>There are {len(frame.workspace.runs.list())} runs.</p>"], [], [part])


SAMPLE = Page("Sample", "sample", build)
