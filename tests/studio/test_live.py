"""A page is drawn when something may have changed, once for all who look, and gets what differs from what it has."""

from __future__ import annotations

import threading

import gradio as gr
import pytest

from engine.errors import UserError
from studio.live import Live


class Shown:
    """A page with a part that follows the workspace and its field, and one that follows its field only."""

    def __init__(self):
        self.stamp, self.drawn, self.text = "one", [], "a"
        with gr.Blocks():
            self.live = Live("test", lambda: self.stamp)
            self.field, alone = gr.Textbox(""), gr.Number(0, precision=0)
            self.live.show(self.follow, [self.field], [gr.HTML(), gr.HTML()], also=[self.field.change])
            self.live.show(self.alone, [alone], [gr.Dropdown([])], ticks=False)
            self.live.watch()

    def follow(self, typed):
        self.drawn.append("follow")
        if typed == "bad":
            raise UserError("<b>bad</b>")
        return [self.text, f"typed {typed}"]

    def alone(self, number):
        self.drawn.append("alone")
        return [gr.update(choices=["x", ("name", "y")], value=number)]

    def look(self, sent=None, typed="", number=0):
        self.drawn.clear()
        return self.live.look(sent, [typed, number])


@pytest.fixture
def shown():
    return Shown()


def test_the_first_look_sends_all_and_the_next_draws_nothing(shown):
    first = shown.look()
    assert first["pieces"][1] == "a"
    assert first["pieces"][2] == "typed "
    assert first["pieces"][3]["choices"] == [["x", "x"], ["name", "y"]]
    assert first["length"] == 4
    again = shown.look(first["sent"])
    assert (again["pieces"], shown.drawn) == ({0: ""}, [])


def test_another_stamp_draws_the_parts_and_sends_only_changes(shown):
    first = shown.look()
    shown.stamp = "two"
    same = shown.look(first["sent"])
    assert (same["pieces"], shown.drawn) == ({0: ""}, ["follow"])
    assert same["stamp"] == "two"
    shown.stamp, shown.text = "three", "b"
    assert shown.look(same["sent"])["pieces"] == {0: "", 1: "b"}


def test_another_value_draws_its_parts_only(shown):
    first = shown.look()
    typed = shown.look(first["sent"], typed="t")
    assert (typed["pieces"], shown.drawn) == ({0: "", 2: "typed t"}, ["follow"])
    shown.look(typed["sent"], typed="t", number=3)
    assert shown.drawn == ["alone"]


def test_a_part_that_cannot_be_drawn_shows_an_error_and_the_others_are_drawn(shown):
    failed = shown.look(typed="bad")
    assert "&lt;b&gt;bad&lt;/b&gt;" in failed["pieces"][0]
    assert set(failed["pieces"]) == {0, 3}
    assert failed["stamp"] == "", "it is tried again"
    mended = shown.look(failed["sent"], typed="good")
    assert mended["pieces"] == {0: "", 1: "a", 2: "typed good"}


def test_many_who_look_at_the_same_have_it_drawn_once(shown):
    entered, go_on = threading.Event(), threading.Event()
    plain = shown.live.parts[0].draw

    def slow(typed):
        entered.set()
        assert go_on.wait(10)
        return plain(typed)

    object.__setattr__(shown.live.parts[0], "draw", slow)
    looks, got = [], []
    for _ in range(5):
        looks.append(threading.Thread(target=lambda: got.append(shown.live.look(None, ["", 0]))))
        looks[-1].start()
    assert entered.wait(10)
    go_on.set()
    for each in looks:
        each.join(10)
    assert [each["pieces"][1] for each in got] == ["a"] * 5
    assert shown.drawn.count("follow") == 1


@pytest.mark.parametrize("sent", [7, "text", {"a": 1}, [[]], [1, 2], [["a"]], [None, None], [["a", []], [{}]]])
def test_invalid_digests_of_a_page_are_ignored(shown, sent):
    assert shown.look(sent)["pieces"][1] == "a"


@pytest.mark.parametrize("values", [[], ["", 0, 1], [{}, 0], ["\ud800", 0], ["a\0", 0], ["", "x"], ["", 1e300], ["", 0.5],
                                    ["", float("nan")], ["", True], ["", 10**30], [["a"], 0]])  # fmt: skip
def test_values_that_no_page_sends_are_refused_in_a_sentence(shown, values):
    with pytest.raises(UserError, match="reload"):
        shown.live.look(None, values)
