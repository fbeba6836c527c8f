"""The pages, in the order of their tabs; an installed package adds its own as an entry point `repair_studio.pages`."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points

from studio.page import Page
from studio.pages import chat, compare, datasets, merge, monitor, patches, train

PAGES = (
    Page("Datasets", "datasets", datasets.build),
    Page("Train", "train", train.build),
    Page("Monitor", "monitor", monitor.build),
    Page("Merge", "merge", merge.build),
    Page("Patches", "patches", patches.build),
    Page("Compare", "compare", compare.build),
    Page("Chat", "chat", chat.build),
)
GROUP = "repair_studio.pages"


def pages() -> tuple[Page, ...]:
    """The built-in pages, then those of installed packages; one that cannot be loaded is reported in the log."""
    found = list(PAGES)
    for entry_point in entry_points(group=GROUP):
        try:
            page = entry_point.load()
            assert isinstance(page, Page), f"{entry_point.value} is no studio.page.Page"
            assert page.key not in {each.key for each in found}, f"there is already a page {page.key!r}"
        except (Exception, SystemExit):
            logging.getLogger("studio").exception("the page %s cannot be loaded", entry_point.name)
        else:
            found.append(page)
    return tuple(found)
