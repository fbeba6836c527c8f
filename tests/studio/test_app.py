"""The page as a whole: every part can be drawn, on an empty home and on a used one, and torch is nowhere near."""

from __future__ import annotations

import json
import tarfile
from typing import Literal

import gradio as gr
import pytest
from filled import CHAT_BUG, fill

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.params import Params, setting
from engine.plugins import BUILDERS
from engine.spec_files import read_spec
from studio import pages
from studio.app import create_app
from studio.page import Page
from studio.pages import PAGES


@pytest.fixture(params=["empty", "used"], scope="module")
def studio(request, tmp_path_factory):
    home = tmp_path_factory.mktemp(request.param)
    if request.param == "used":
        fill(home, hostile=True)
    workspace = Workspace(home)
    yield create_app(workspace)
    workspace.close()


def handler(studio, name):
    return next(each.fn for each in studio.blocks.fns.values() if each.api_name == name)


def test_every_part_can_be_drawn(studio):
    assert set(studio.pages) == {"app", *(page.key for page in PAGES)}
    for page in studio.pages.values():
        drawn = page.look(None, [field.value for field in page.inputs])
        assert drawn["pieces"][0] == "", page.name
        assert len(drawn["pieces"]) > 1, page.name
        again = page.look(drawn["sent"], [field.value for field in page.inputs])
        assert set(again["pieces"]) == {0}, "nothing has changed, so nothing is sent"


class Bare:
    """A builder of a package, as small as one can be: it takes a file and offers no choices."""

    name = "bare"
    makes = "bugs"

    class Params(Params):
        name: Literal["bare"] = "bare"
        source: str = setting("", "a file", upload=".csv,.gz")

    def __init__(self, params):
        self.params = params


def refuse(builder):
    raise UserError("not this one")


def test_a_dropped_file_goes_to_the_chosen_builder_where_that_takes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(BUILDERS, "_paths", {"bare": f"{__name__}:Bare", **BUILDERS._paths})
    workspace = Workspace(tmp_path)
    studio = create_app(workspace)
    take_file = handler(studio, "datasets_take_file")
    file = tmp_path / "a.csv"
    file.write_text("new,old\nx,y\n")
    dropped = gr.EventData(None, {"value": str(file)})
    filled = {name: take_file(json.dumps({"name": name}), dropped) for name in ("bare", "columns", "faults")}
    assert json.loads(filled["bare"][0]) == {"name": "bare", "source": str(file)}
    assert json.loads(filled["columns"][0]) == {
        "name": "columns", "file": str(file), "buggy": "old", "fixed": "new", "id": "", "project": "", "cwe": "", "date": ""
    }  # fmt: skip
    assert [said for _, said in filled.values()] == [""] * 3
    assert json.loads(filled["faults"][0])["name"] == "columns", "the first for whose rows it has the usual columns"
    file.write_text("x,y\n1,2\n")
    assert json.loads(take_file('{"name": "faults"}', dropped)[0])["name"] == "bare", "the first that takes one"
    with monkeypatch.context() as patched:
        patched.setattr(Bare, "choices", refuse, raising=False)
        with tarfile.open(tmp_path / "a.tar.gz", "w:gz"):
            pass
        archive = gr.EventData(None, {"value": str(tmp_path / "a.tar.gz")})
        assert json.loads(take_file('{"name": "faults"}', archive)[0])["name"] == "diffs", "the first that can read it"
        file.write_bytes(bytes(range(99)))
        stays, said = take_file('{"name": "columns", "file": "/b.csv"}', dropped)
    assert said.startswith("/b.csv\na.csv is not a table of text: ")
    assert stays == gr.skip(), "the form stays as it was"
    assert file.exists(), "it was not received here"
    workspace.close()


def test_there_is_a_tab_for_each_page_in_their_order(studio):
    tabs = [block for block in studio.blocks.blocks.values() if isinstance(block, gr.Tab)]
    assert [(tab.label, tab.id) for tab in tabs] == [(page.name, page.key) for page in PAGES]


def test_an_installed_package_adds_a_page_and_a_broken_one_is_left_out(tmp_path, monkeypatch, caplog):
    def build(frame):
        field = gr.Textbox("", label="Mine")
        frame.keep("mine", field, opens=True)

    def end(frame):
        raise SystemExit(3)

    class Announced:
        def __init__(self, name, value):
            self.name, self.value = name, value

        def load(self):
            if isinstance(self.value, BaseException):
                raise self.value
            return self.value

    found = [
        Announced("broken", ImportError("no module")),
        Announced("no page", "text"),
        Announced("taken", Page("Again", "train", build)),
        Announced("mine", Page("Mine", "mine", build)),
        Announced("ends at once", SystemExit(3)),
        Announced("ends", Page("Ends", "ends", end)),
    ]
    monkeypatch.setattr(pages, "entry_points", lambda group: found if group == pages.GROUP else [])
    workspace = Workspace(tmp_path / "home")
    made = create_app(workspace)
    workspace.close()
    assert list(made.pages) == ["app", *(page.key for page in PAGES), "mine", "ends"]
    assert len(caplog.records) == 5
    assert made.pages["ends"].look(None, [])["pieces"][0] == ""
    names = {each.api_name for each in made.blocks.fns.values()}
    assert {"mine_look", "mine_address"} <= names


def test_every_field_is_labelled(studio):
    fields = [
        block
        for block in studio.blocks.blocks.values()
        if isinstance(block, gr.Textbox | gr.Dropdown | gr.Checkbox) and block.visible != "hidden"
    ]
    assert len(fields) > 40
    assert [field.elem_id for field in fields if not field.label] == []


def demo(studio):
    """What the guide shows of the demo: its line, its stages, whether it can be run, whether cancelled."""
    page = studio.pages["app"]
    part = next(part for part in page.parts if part.draw.__name__ == "draw_demo")
    line, stages, run, cancel = part.draw()
    return line, stages, run["visible"] is True, cancel["visible"] is True


def test_the_demo_is_started_once_and_cancelled_as_a_whole(studio, request):
    ask, start, cancel = (handler(studio, f"app_{name}_demo") for name in ("ask", "start", "cancel"))
    if "used" in request.node.name:  # its demo is not over
        before, *_ = demo(studio)
        assert demo(studio)[2:] == (False, True)
        with pytest.raises(gr.Error, match="already running"):
            start()
        cancel()
        assert demo(studio)[2:] == (True, False)
        assert "gone" not in ask()["elem_classes"], "another demo is asked for"
        assert demo(studio)[2:] == (True, False), "and not started before it is confirmed"
        start()
        line, stages, *_ = demo(studio)
        assert stages.count(">queued<") == 6
        assert "in the previous demo" in line
        assert before.count('class="figure"') == line.count('class="figure"') == 2, "figures stay until there are new"
        return
    assert "Teach a code model" in demo(studio)[0]
    with pytest.raises(gr.Error, match="no demo is running"):
        cancel()
    ask()
    assert demo(studio)[1].count(">queued<") == 6
    with pytest.raises(gr.Error, match="already running"):
        start()
    cancel()
    assert demo(studio)[1].count("stopped") >= 6


def test_stopping_a_model_says_which_other_answers_end_with_it(tmp_path, monkeypatch):
    workspace, said = Workspace(tmp_path), []
    monkeypatch.setattr("gradio.Info", said.append)
    stop = handler(create_app(workspace), "chat_stop_now")
    mine, other = (workspace.chats.start(read_spec("chat", "", [f"bug={CHAT_BUG}"])) for _ in range(2))
    stop(mine, 0, "Stop")
    assert workspace.chats.view(mine).state == "queued", "the answer had just ended: a late click unloads nothing"
    stop(mine, 0, "Unload")
    assert said == []
    assert workspace.chats.view(mine).state != "queued"
    for conversation in (mine, other):
        workspace.chats.send(conversation)
    stop(mine, 0, "Stop")
    assert said == ["The model was also answering another conversation; press Repair there to continue."]
    assert "press Repair to continue" in workspace.chats.view(other).error
    workspace.close()
