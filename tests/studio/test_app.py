"""The page as a whole: every part can be drawn, on an empty home and on a used one, and torch is nowhere near."""

from __future__ import annotations

import gradio as gr
import pytest
from filled import fill

from engine.control.workspace import Workspace
from studio.app import TABS, create_app

SHOWS = ("draw", "look", "open", "show", "choices", "preview", "greet", "columns", "reopen")


@pytest.fixture(params=["empty", "used"], scope="module")
def app(request, tmp_path_factory):
    home = tmp_path_factory.mktemp(request.param)
    if request.param == "used":
        fill(home, hostile=True)
    workspace = Workspace(home)
    yield create_app(workspace)
    workspace.close()


def parts(app):
    """(name, handler, the values that the page starts with) of all that only shows something."""
    for each in app.fns.values():
        name = each.api_name.partition("_")[2]
        if each.fn and name.startswith(SHOWS):
            yield each.api_name, each.fn, [part.value for part in each.inputs], each.outputs


def test_every_part_can_be_drawn(app):
    drawn = list(parts(app))
    assert len(drawn) > 30
    for name, handler, values, outputs in drawn:
        made = handler(*values)
        many = len(outputs) > 1
        assert not many or len(made) == len(outputs), name


def test_there_are_six_tabs_in_their_order(app):
    tabs = [block for block in app.blocks.values() if isinstance(block, gr.Tab)]
    assert [tab.id for tab in tabs] == list(TABS)


def test_every_field_is_labelled(app):
    fields = [block for block in app.blocks.values() if isinstance(block, gr.Textbox | gr.Dropdown | gr.Checkbox)]
    assert len(fields) > 40
    assert [field.elem_id for field in fields if not field.label] == []


def test_a_click_on_the_demo_queues_it_once(app, request):
    start = next(each.fn for each in app.fns.values() if each.api_name == "app_start_demo")
    draw = next(each.fn for each in app.fns.values() if each.api_name == "app_draw_demo")
    if "used" in request.node.name:  # its demo is not over
        with pytest.raises(gr.Error, match="under way"):
            start()
        return
    start()
    with pytest.raises(gr.Error, match="under way"):
        start()
    stages, _ = draw([("", 0), ("", 0)])[1:]
    assert stages.count("waits its turn") == 6
