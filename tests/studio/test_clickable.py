from __future__ import annotations

import re

import pytest

from engine.assets import STYLE
from studio.charts import SERIES
from studio.clickable import pager
from studio.html.basics import empty


@pytest.mark.parametrize(
    ("page", "pages", "leads"),
    [(1, 1, [False, False]), (1, 3, [False, True]), (2, 3, [True, True]), (3, 3, [True, False])],
)
def test_a_pager_leads_to_no_page_that_is_not_there(page, pages, leads):
    assert [update["interactive"] for update in pager(page, pages)] == leads


def test_an_empty_page_links_to_the_next_step():
    shown = empty("Nothing", "<b>yet", ("Build & see", "?tab=datasets&use=a"))
    assert '<a class="button" href="?tab=datasets&amp;use=a">Build &amp; see</a>' in shown
    assert "&lt;b&gt;yet" in shown
    assert "<a" not in empty("Nothing", "yet")


def test_the_letters_of_runs_have_the_colours_of_their_curves():
    style = STYLE.read_text(encoding="utf-8")
    assert tuple(re.findall(r"\.l-[A-H] { --series: (#\w+);", style)) == SERIES
