"""What drawing a page asks of the workspace, and what it shows where a part of that is missing."""

from __future__ import annotations

import json
import re
import time

import gradio as gr
import pytest
from filled import fill
from sqlmodel import col, select

from engine.control.curves import Curves
from engine.control.workspace import Workspace
from engine.errors import UserError
from storage.tables import Bug, Dataset, Run
from studio.app import create_app
from studio.live import Live
from studio.page import Frame
from studio.pages import compare
from studio.training_curves import CHARTS

TRAINED = 2  # a run of the used home
# what is drawn of a run on the Monitor page, in this order
OF_A_RUN = (
    *("shown", "group", "strip", "save", "stop", "resume", "delete", "after", "log", "recipe"),
    *("buttons", "below", "curves", "choices"),
    *(chart.title for chart in CHARTS),
)


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


def drawn(workspace, run, zoom=""):
    values = part(workspace, "monitor", "draw_run").draw(run, 0, zoom, "", "")
    return dict(zip(OF_A_RUN, values, strict=True))


def test_the_run_on_the_monitor_is_looked_up_once(workspace, count):
    draw = part(workspace, "monitor", "draw_run").draw
    listed, read, got = count(workspace.runs, "list"), count(workspace.curves, "read"), count(workspace.runs, "get")
    found = dict(zip(OF_A_RUN, draw(TRAINED, 0, "", "", ""), strict=True))
    counts = (len(got), len(listed), len(read))
    assert (found["shown"], counts) == (TRAINED, (1, 1, 1)), "the run, and those of its group"
    assert [found[name]["elem_classes"] for name in ("buttons", "below", "curves")] == [["buttons"], [], []]
    assert json.loads(found["Loss"])["data"][0]["x"] == list(range(1, 121))
    rewards = found["Reward"]
    assert (rewards["value"], rewards["visible"]) == ("", "hidden"), "it has learned from samples"


def test_a_zoom_reads_the_steps_in_sight_and_those_next_to_them(workspace):
    zoom = f"run {TRAINED} steps:30.5:33"
    found = drawn(workspace, TRAINED, zoom)
    for figure in map(json.loads, (found["Loss"], found["Learning rate"])):
        assert figure["data"][0]["x"] == [30, 31, 32, 33, 34]
        assert figure["layout"]["xaxis"]["range"] == [30.5, 33]


def test_a_run_without_curves_has_none_and_no_zoom(workspace):
    found = drawn(workspace, 1, "run 1 steps:3:4")
    assert (found["curves"]["elem_classes"], found["Loss"]) == (["gone"], "")


def test_rewards_are_drawn_where_a_run_has_some(workspace, monkeypatch):
    points = [(1, 0.25, 0.0), (2, 0.5, 1.0)]
    read = Curves({"reward": points, "reward_tests": points}, {})
    monkeypatch.setattr(workspace.curves, "read", lambda *args, **more: read)
    rewards = drawn(workspace, TRAINED)["Reward"]
    assert rewards["visible"] is True
    assert [(each["name"], each["y"]) for each in json.loads(rewards["value"])["data"]] == [
        ("all parts together", [0.25, 0.5]),
        ("tests", [0.25, 0.5]),
    ]


def test_a_run_whose_plug_in_is_gone_is_shown_but_for_its_settings(workspace):
    with workspace._database.write() as session:
        run = session.get_one(Run, TRAINED)
        run.spec = {**run.spec, "trainer": {"name": "<b>gone"}}
    found = drawn(workspace, TRAINED)
    assert (found["shown"], "repair-lora" in found["strip"], bool(found["Loss"])) == (TRAINED, True, True)
    assert "no trainers plug-in called &#x27;&lt;b&gt;gone&#x27;" in found["recipe"]


def test_the_totals_of_a_benchmark_run_are_read_once(workspace, count):
    drawing = part(workspace, "patches", "draw_run")
    read = count(workspace.patches, "totals")
    _, _, summary, _, results = drawing.draw(0, None, 0, "")
    assert (len(read), results["elem_classes"]) == (1, ["page"])
    assert summary


def later(workspace, kind, state="done", **more):
    """Another run of a kind, with a number after all others."""
    with workspace._database.write() as session:
        first = session.scalars(select(Run).where(col(Run.kind) == kind)).first()
        run = Run(kind=kind, name="later", state=state, spec=first.spec, folder=first.folder, created_at=time.time(),
                  started_at=time.time(), **more)  # fmt: skip
        session.add(run)
        session.flush()
        return run.id


def test_the_run_on_the_monitor_stays_when_another_starts(workspace):
    draw = part(workspace, "monitor", "draw_run").draw
    shown = draw(0, 0, "", "", "")[0]
    assert later(workspace, "train", "running") != shown
    assert draw(0, shown, "", "", "")[0] == shown
    assert draw(0, 0, "", "", "")[0] != shown, "somebody who comes now sees what trains now"
    chosen = part(workspace, "monitor", "draw_list").draw("", "", "", 0, shown, "")[0].partition('card chosen"')[2]
    assert f'data-pick="{shown}"' in chosen[:60]


def test_the_benchmark_run_that_is_read_stays_when_another_starts_and_that_one_is_offered(workspace):
    draw = part(workspace, "patches", "draw_run").draw
    shown = draw(0, None, 0, "")[0]["value"]
    other = later(workspace, "benchmark", "running")
    picker, opened, _, state, _ = draw(0, shown, 0, "")
    assert (picker["value"], opened) == (shown, shown)
    assert f'href="?patches={other}"' in state
    assert draw(other, shown, 0, "")[0]["value"] == other


def test_the_address_names_no_run_while_a_link_has_opened_the_form(workspace):
    draw = part(workspace, "patches", "draw_run").draw
    assert [draw(5, None, *asked)[1] for asked in ((0, ""), (4, ""), (0, "model:x"))] == [5, 0, 0]


def test_the_dataset_that_is_read_stays_when_a_newer_one_is_built(workspace):
    draw = part(workspace, "datasets", "draw").draw
    shown = draw("", None)[1]["value"]
    with workspace._database.write() as session:
        row = session.scalars(select(Dataset)).one()
        session.add(Dataset(**{**row.model_dump(exclude={"id"}), "name": "newer"}))
    assert draw("", None)[1]["value"] == "newer"
    assert draw("", shown)[1]["value"] == shown


def test_the_runs_that_are_compared_stay_when_another_has_ended(workspace):
    draw = part(workspace, "compare", "draw_runs").draw
    shown = draw("", "", 0)[2]
    assert shown == "4,5"
    later(workspace, "benchmark")
    assert draw("", shown, 0)[2] == shown
    assert draw("", "", 0)[2] != shown


def test_a_run_behind_the_newest_200_is_shown_when_it_is_asked_for(workspace):
    with workspace._database.write() as session:
        old = session.get_one(Run, 5)
        session.add_all([Run(kind="benchmark", name=f"b-{n}", state="done", spec=old.spec, created_at=0.0)
                         for n in range(201)])  # fmt: skip
    picker = part(workspace, "patches", "draw_run").draw(5, None, 0, "")[0]
    assert picker["value"] == 5
    assert 5 in [number for _, number in picker["choices"]]
    assert part(workspace, "compare", "draw_runs").draw("4,5", "", 0)[0]["value"] == [4, 5]


def test_what_counts_in_a_comparison_is_said_and_the_rest_is_dim(workspace):
    with workspace._database.write() as session:
        run = session.get_one(Run, 4)
        run.spec = {**run.spec, "candidates": 3}
    runs = part(workspace, "compare", "draw_runs").draw("4,5", "", 0)
    assert runs[1]["choices"][0] == ("first 3, which all runs have", 0)
    table = part(workspace, "compare", "draw_bugs").draw("4,5", "", 0, "", "", 1, "")[0]
    assert re.search(r'class="cell v-\w+" [^>]* title="candidate 3: [^;]*"', table)
    assert re.search(r'class="cell v-\w+ beyond" [^>]* title="candidate 4: .*; only the first 3 count here"', table)
    assert not re.search(r'beyond" [^>]* title="candidate 3', table)


def test_a_candidate_that_was_never_made_leaves_its_cell_blank_once_the_run_is_done(workspace):
    draw = part(workspace, "patches", "draw_table").draw
    with workspace._database.write() as session:
        run = session.get_one(Run, 5)
        run.spec = {**run.spec, "candidates": 12}
    assert "v-waiting" not in draw(5, "", "all", "", "", "bug", 1, 10, "", "")[0]
    with workspace._database.write() as session:
        session.get_one(Run, 5).state = "running"
    assert draw(5, "", "all", "", "", "bug", 1, 10, "", "")[0].count("v-waiting") == 2 * 6  # four are skipped


def test_a_run_that_is_not_there_takes_no_other_out_of_a_comparison(workspace):
    with gr.Blocks():
        frame = Frame(workspace, Live("compare", workspace.stamp), gr.Textbox())
        compare.build(frame)
    checked = next(each for each in frame.choices if each.name == "compare").check
    checked("4,9999")
    runs = part(workspace, "compare", "draw_runs").draw("4,9999", "", 0)
    assert runs[0]["value"] == [4]
    assert "There is no run 9999" in runs[3]
    with pytest.raises(UserError, match="no run 9998"):
        checked("9999,9998")


def test_a_patch_that_is_not_there_is_said_where_it_would_be(workspace):
    [said] = part(workspace, "patches", "draw_patch").draw(5, "pocket/zzz", "3")
    assert "No such patch" in said


def test_a_page_past_the_end_is_the_last_one(workspace):
    draw = part(workspace, "patches", "draw_table").draw
    table, said, _, before, after = draw(5, "", "all", "", "", "bug", 99, 10, "", "")
    assert said == "page 3 of 3, 24 bugs"
    assert (before["interactive"], after["interactive"]) == (True, False)
    assert table.count("<tr") == 1 + 4


def test_a_conversation_begins_with_a_bug_that_its_model_repairs_where_that_is_known(workspace):
    known = [entry.id for entry in workspace.chats.bug_entries()]
    with workspace._database.write() as session:
        for row, bug_id, rank in zip(session.scalars(select(Bug).where(col(Bug.run_id) == 5)), known[3:6], (4, 1, 2),
                                     strict=False):  # fmt: skip
            row.bug_id, row.first_plausible = bug_id, rank
            row.known_fix, row.buggy_code, row.skipped = "plausible", "test_failed", ""
    drawing = part(workspace, "chat", "choices")
    model_at = [field.label for field in drawing.inputs].index("Model")

    def drawn(model, bug=""):
        values = [field.value for field in drawing.inputs]
        values[0], values[model_at] = bug, model
        return drawing.draw(*values)[1]

    assert drawn("repair-lora")["value"] == known[4], "of the smallest rank"
    assert drawn("starter")["value"] == known[0], "nothing is known of this model"
    assert drawn("starter-adapter")["value"] == "pocket/py-stock-check", "as its folder says"
    assert "value" not in drawn("repair-lora", bug=known[1]), "what is chosen stays"
    marked = [bug_id for label, bug_id in drawn("repair-lora")["choices"] if "known to be repaired" in label]
    assert marked == known[3:6]
