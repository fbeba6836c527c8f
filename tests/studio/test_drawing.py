"""What drawing a page asks of the workspace, and what it shows where a part of that is missing."""

from __future__ import annotations

import json

import pytest
from filled import fill

from engine.control.workspace import Workspace
from storage.tables import Run
from studio.app import create_app

TRAINED = 2  # a run of the used home


@pytest.fixture
def workspace(home):
    fill(home)
    made = Workspace(home)
    yield made
    made.close()


@pytest.fixture
def count(monkeypatch):
    """Counts the calls of a method from now on."""

    def counted(owner, name):
        calls, plain = [], getattr(owner, name)

        def noted(*args, **settings):
            calls.append(args)
            return plain(*args, **settings)

        monkeypatch.setattr(owner, name, noted)
        return calls

    return counted


def part(workspace, page, name):
    return next(part for part in create_app(workspace).pages[page].parts if part.draw.__name__ == name)


def test_the_run_on_the_monitor_is_looked_up_once(workspace, count):
    draw = part(workspace, "monitor", "draw_run").draw
    listed, read = count(workspace.runs, "list"), count(workspace.runs, "metrics")
    number, *_, buttons, below, curves, loss, _, _, _ = draw(TRAINED, "")
    assert (number, len(listed), len(read)) == (TRAINED, 1, 1)
    assert [each["elem_classes"] for each in (buttons, below, curves)] == [["buttons"], [], []]
    assert json.loads(loss)["data"][0]["x"] == list(range(1, 121))


def test_a_zoom_reads_the_steps_in_sight_and_those_next_to_them(workspace):
    *_, loss, rate, _, _ = part(workspace, "monitor", "draw_run").draw(TRAINED, f"run {TRAINED}:30.5:33")
    for figure in map(json.loads, (loss, rate)):
        assert figure["data"][0]["x"] == [29, 30, 31, 32, 33, 34]
        assert figure["layout"]["xaxis"]["range"] == [30.5, 33]


def test_a_run_without_curves_has_none_and_no_zoom(workspace):
    *_, curves, loss, _, _, _ = part(workspace, "monitor", "draw_run").draw(1, "run 1:3:4")
    assert (curves["elem_classes"], loss) == (["gone"], "")


def test_a_run_whose_plug_in_is_gone_is_shown_but_for_its_settings(workspace):
    with workspace._database.write() as session:
        run = session.get_one(Run, TRAINED)
        run.spec = {**run.spec, "trainer": {"name": "<b>gone"}}
    number, strip, *_, recipe, _, _, _, loss, _, _, _ = part(workspace, "monitor", "draw_run").draw(TRAINED, "")
    assert (number, "repair-lora" in strip, bool(loss)) == (TRAINED, True, True)
    assert "no trainers plug-in called &#x27;&lt;b&gt;gone&#x27;" in recipe


def test_the_totals_of_a_benchmark_run_are_read_once(workspace, count):
    drawing = part(workspace, "patches", "draw_run")
    read = count(workspace.patches, "totals")
    _, summary, _, results = drawing.draw(0)
    assert (len(read), results["elem_classes"]) == (1, ["page"])
    assert summary
