"""What the pages draw: figures, badges, diffs, tokens; hostile text is escaped everywhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import gradio as gr
import pytest
from filled import CHAT_BUG, HOSTILE, fill

from engine.builders import Funnel
from engine.builders.previews import Preview
from engine.control.chat_views import View
from engine.control.datasets import ShownSample
from engine.control.turns import ShownTurn
from engine.control.views import RunView
from engine.control.workspace import Workspace
from engine.domain import Outcome
from engine.errors import OutsideFailure, UserError
from engine.spec_files import read_spec
from engine.strategies.messages import STUCK, limit_reached
from engine.trainers.memory_advice import Advice
from studio import charts
from studio.guard import check_bind, guarded
from studio.html import basics as show
from studio.html import code, comparison, conversation, guide, memory, merging, patch, patch_table, several
from studio.html import dataset as datasets
from studio.html import header as page
from studio.pages import monitor
from studio.training_curves import CHARTS


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def dangers(text):
    """Script tags, images, event handlers and javascript links that a browser would act on."""
    tags = Tags()
    tags.feed(text)
    assert tags.found
    return [
        (tag, attributes) for tag, attributes in tags.found
        if tag in ("script", "img", "iframe") or any(name.startswith("on") for name in attributes)
        or (tag == "a" and not attributes["href"].startswith(("?", "studio/")))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    home = tmp_path_factory.mktemp("filled")
    fill(home, hostile=True)
    made = Workspace(home)
    yield made
    made.close()


def drawn(workspace):
    """Every piece of HTML that shows something of a used workspace."""
    runs = workspace.runs.list()
    for run in runs:
        yield show.run_strip(run)
        yield monitor.settings(run, workspace.runs.command(monitor.parse(dict(run.spec))))
        yield code.log(workspace.runs.log(run.id))
        if run.kind == "merge":
            yield merging.section(run)
    yield show.run_list(runs, 1)
    yield page.header("<b onclick=x>", runs, workspace.runs.newest())
    dataset = workspace.datasets.list()[0]
    yield "".join(datasets.report(dataset, 1024)) + datasets.actions(dataset)
    bad = Funnel(source=2, lost={"not a table": 1}, examples={"not a table": HOSTILE})
    yield datasets.preview(Preview([HOSTILE, "b"], [{HOSTILE: HOSTILE, "b": "x"}], bad, ""), {HOSTILE: HOSTILE}, "x")
    yield datasets.preview(Preview(["b"], [], Funnel(), HOSTILE), {}, "x")
    yield guide.about(workspace.demo.stages(), workspace.demo.table(), workspace.machine(), under_way=True)
    yield guide.stages(workspace.demo.stages())
    yield datasets.sample(workspace.datasets.sample("stdlib-faults", 3))
    run = next(run for run in workspace.patches.runs() if run.started_at)
    compared = workspace.compare.runs([each.id for each in workspace.patches.runs() if each.started_at])
    yield comparison.runs_table(compared) + comparison.patterns(compared, "10")
    yield comparison.groups_table(compared, compared.groups("kind"))
    cells = workspace.compare.cells([each.run for each in compared.runs], [bug.bug_id for bug in compared.bugs], 10)
    yield comparison.bugs_table(compared.bugs, cells, compared, compared.bugs[-1].bug_id)
    beside = [workspace.patches.detail(each.run, compared.bugs[-1].bug_id, "model", 3) for each in compared.runs]
    yield comparison.side_by_side([*beside, None], compared, compared.bugs[-1].bug_id)
    rows, total = workspace.patches.page(run.id)
    assert total == 24
    yield patch_table.strip(workspace.patches.totals(run.id))
    yield patch_table.table(rows, 10, "")
    for row in rows[-2:]:
        for source, rank in (("model", 3), ("known_fix", 0), ("buggy_code", 0)):
            yield patch.detail(workspace.patches.detail(run.id, row.bug_id, source, rank))
    yield conversation.shown(workspace.chats.view(1))
    yield conversation.earlier(workspace.chats.entries(), 1)


def test_hostile_text_is_escaped_wherever_it_is_shown(workspace):
    pieces = list(drawn(workspace))
    assert len(pieces) > 30
    assert sum("&lt;img src=x" in piece for piece in pieces) > 10
    assert [dangers(piece) for piece in pieces if dangers(piece)] == []


@pytest.mark.parametrize(
    ("kind", "stop_now", "words"),
    [
        ("train", False, "finishing its step and saving a checkpoint, 10 minutes at most"),
        ("train", True, "ending without saving"),
        ("benchmark", False, "ending"),
        ("chat", True, "ending"),
    ],
)
def test_a_stopping_run_says_once_what_it_still_does_and_since_when(kind, stop_now, words):
    run = SimpleNamespace(
        id=1, kind=kind, name="mine", state="stopping", stop_now=stop_now, stop_asked_at=1e9, started_at=9e8,
        ended_at=None, progress_text="step 3 of 9", progress_done=3, progress_total=9, error="", after=None, spec={}, note="", group="",
        created_at=8e8, result={}, folder="", cause="", broken_lines=0,
    )  # fmt: skip
    run = RunView.of(run)
    shown = re.sub("<[^>]*>", "", show.run_strip(run, is_linked=False))
    assert shown == f"minerun 1stopping{words}; asked  ago"
    assert '; asked <time data-since="1000000000.000"></time> ago' in show.run_strip(run)


def test_each_verdict_has_one_glyph_and_words():
    assert {glyph for glyph, _, _ in show.GLYPHS.values()} == set("✓✗CT–·")
    assert set(show.GLYPHS) == set(Outcome)
    assert all(words in show.verdict(outcome) for outcome, (_, words, _) in show.GLYPHS.items())


def test_a_cell_says_what_it_is_without_colour(workspace):
    run = next(run for run in workspace.patches.runs() if run.started_at)
    rows, _ = workspace.patches.page(run.id)
    assert 'aria-label="candidate 3 of pocket/py-' in patch_table.table(rows, 10, "")


@pytest.mark.parametrize("key", ["", ":", "3", "3:", "model:a", "x:y", "../:a", "-1:a", "٣:a", "99999999:a", HOSTILE])
def test_forged_keys_are_nothing(key):
    assert patch_table.read_key(key) is None


@pytest.mark.parametrize("place", [("model", 7), ("known_fix", 0), ("buggy_code", 0)])
def test_a_key_names_its_patch(place):
    assert patch_table.read_key(patch_table.patch_key("pocket/a:b", *place)) == ("pocket/a:b", *place)


def test_tokens_are_coloured_by_mask():
    shown = code.tokens([("def", False), ("<x>\n", True)])
    assert '<span class="context">def</span>' in shown
    assert '<span class="learned">&lt;x&gt;<u>↵</u>' in shown


def test_the_faulty_lines_are_marked(workspace):
    assert conversation.chosen_bug(workspace.chats.bug(CHAT_BUG)).count('class="marked"') >= 1


@pytest.mark.parametrize("said", ["", "run 3", "run 4:1:2", "run 3:1", "run 3:1:2:3", "run 3:2:1", "run 3:1:1", "run 3:x:y",
                                  "run 3:nan:2", "run 3:1:inf", "run 3:-1e300:1e300", HOSTILE])  # fmt: skip
def test_a_zoom_of_another_run_or_without_sense_shows_all(said):
    view = charts.View.read("run 3", said)
    assert view.sight is None


def test_plotly_accepts_every_figure(workspace):
    import plotly.graph_objects as go

    curves = workspace.runs.metrics(2)
    histogram = workspace.datasets.list()[0].histogram
    figures = [chart.draw({"": curves}) for chart in CHARTS if not chart.is_rare] + [
        charts.lengths({"histogram": histogram, "targets": histogram}, 1024),
        charts.shares("Kinds", {"a<b>": 3, "b": 2}, 5, 9),
    ]
    for figure in figures:
        assert len(go.Figure(json.loads(figure)).data) >= 1


def test_the_histogram_leaves_out_empty_ends():
    figure = json.loads(charts.lengths({"histogram": {"edges": [0, 10, 20, 30], "counts": [1, 2, 0]}}, 25))
    assert figure["data"][0]["y"] == [1, 2]


def test_memory_that_does_not_fit_says_what_to_do(workspace):
    spec = train_spec()
    needed = workspace.preflight(spec)
    assert "does not fit" not in memory.memory_bar(needed)
    advice = (Advice("batch_size 4 and accumulation 2", {}, 1), Advice("method <qlora>", {}, 1))
    small = memory.memory_bar(replace(needed, machine_bytes=1, advice=advice))
    assert "it would fit with batch_size 4 and accumulation 2, or with method &lt;qlora&gt;" in small
    assert "no change of batch" in memory.memory_bar(replace(needed, machine_bytes=1))


def test_what_writing_patches_takes_is_said_where_this_machine_writes_them(workspace):
    line = memory.generation_line(workspace.generation(read_spec("benchmark", "", ["model=starter"])))
    assert "at 6 bytes a parameter" in line
    assert "fewer" not in line
    remote = ["model=x", "generator=endpoint", "generator.url=http://127.0.0.1:1/v1"]
    assert memory.generation_line(workspace.generation(read_spec("benchmark", "", remote))) == ""
    assert workspace.generation(read_spec("benchmark", "", ["model=not-there"])) is None


def train_spec():
    from engine.specs import TrainSpec

    return TrainSpec(dataset="stdlib-faults")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UserError("rank <b>0</b>"), "rank &lt;b&gt;0"),
        (OutsideFailure("disk full"), "disk full"),
        (KeyError("x"), "An internal error of the studio"),
    ],
)
def test_the_guard_turns_trouble_into_escaped_sentences(error, text):
    def handler():
        raise error

    with pytest.raises(gr.Error) as raised:
        guarded(handler)()
    assert text in raised.value.message


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.4", "studio.example"])
def test_only_loopback_is_open_without_a_password(host):
    with pytest.raises(UserError, match="REPAIR_STUDIO_AUTH"):
        check_bind(host, has_auth=False)
    check_bind(host, has_auth=True)
    check_bind("127.0.0.1", has_auth=False)
    check_bind("::1", has_auth=False)


def test_a_merge_whose_numbers_are_not_finite_is_shown_as_no_proof():
    run = SimpleNamespace(state="done", result={"usable": False, "max_logit_difference": None, "tolerance": None})
    assert ">nan<" in merging.parity_check(merging.Parity.of(run))


@pytest.mark.parametrize(
    ("usable", "same", "look", "words"),
    [
        (True, 5, "good", "It answers like the adapter and can be chosen"),
        (True, 3, "caution", "Caution: the numbers agree up to rounding, but not all patches are the same."),
        (False, 5, "bad", "It does not answer like the adapter, so it cannot be chosen on other pages."),
    ],
)
def test_a_merge_is_a_success_only_if_every_patch_is_the_same(usable, same, look, words):
    shown = merging.parity_check(merging.Parity(usable, 1e-6, 1e-5, same, 5))
    assert f'class="parity {look}"' in shown
    assert words in shown


@pytest.mark.parametrize(("language", "colours"), [("java", True), ("python", False), ("", False)])
def test_a_sample_has_the_colours_of_its_language(language, colours):
    before, after = "final int a = 1;\n", "final int a = 2;\n"
    shown = ShownSample(0, 1, True, "Main", "k", "p", "t", before, after, (("p", False),), language)
    assert (">final<" in datasets.sample(shown)) == colours


@pytest.mark.parametrize(("said", "words"), [((STUCK,), "Write a hint"), ((), "Press Repair to continue")])
def test_the_last_line_of_a_conversation_says_the_same_as_its_last_turn(said, words):
    turns = [ShownTurn(1, "assistant", "x", False, "", "test_failed", "", "")]
    turns += [ShownTurn(2, "tool", text, False, "", "", "", "") for text in said]
    shown = conversation.shown(View(1, "b", "m", "s", "test_failed", "running", "ready", False, "", tuple(turns), ""))
    assert words in shown


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        (STUCK, "Studio"),
        (limit_reached("2,000 tokens", "1,900 read and 130 written"), "Studio"),
        ("tried: x\ntest: y", "Told to the model"),
    ],
)
def test_the_page_tells_what_the_model_is_told_from_what_the_user_is(text, heading):
    turn = ShownTurn(1, "tool", text, False, "", "", "", "")
    shown = conversation.shown(View(1, "b", "m", "s", "test_failed", "running", "ready", False, "", (turn,), ""))
    assert f"<b>{heading}</b>" in shown


def test_of_a_long_queue_the_first_runs_are_listed_and_the_others_counted(workspace):
    waiting = [replace(workspace.runs.list()[0], id=number, state="queued") for number in range(1, 1003)]
    shown = several.waiting(waiting)
    assert (shown.count("<li>"), "and 952 more" in shown) == (50, True)
    assert "more" not in several.waiting(waiting[:50])
