"""A link opens its page with what it names; one that names nothing that is here says so and opens the page anyway."""

from __future__ import annotations

import gradio as gr
import pytest

from engine.errors import UserError
from engine.specs import KINDS
from studio.addresses import link, page_of, read_query, value_of
from studio.page import Choice
from studio.pages import PAGES


def known(value):
    if value in (9, "gone"):
        raise UserError(f"there is no {value}")


@pytest.fixture(scope="module")
def choices():
    with gr.Blocks():
        run, text, same = gr.Number(0, precision=0), gr.Textbox(""), gr.Textbox("")
        show = gr.Radio([("All", "all"), ("Some", "some")], value="all")
        sort = gr.Dropdown([("bug", "bug"), ("kind", "kind")], value="bug")
        yes = gr.Checkbox(False)
    return {
        "monitor": [Choice("run", run, run, known, True), Choice("q", text, text, known, False)],
        "patches": [
            Choice("patches", same, same, None, True), Choice("show", show, show, None, False),
            Choice("sort", sort, sort, None, False), Choice("yes", yes, yes, None, False)
        ],
        "train": [Choice("again", run, run, known, False)],
    }  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("validate", "measure")])  # no forms
def test_every_kind_of_run_has_a_page_with_its_form(kind):
    assert KINDS[kind].page in {page.key for page in PAGES}


def test_a_link_contains_the_values_that_are_not_empty():
    address = link(patches=6, bug="pocket/py gcd&x", rank="", run=0)
    assert address == "?patches=6&bug=pocket/py%20gcd%26x"
    assert read_query(address) == {"patches": "6", "bug": "pocket/py gcd&x"}


@pytest.mark.parametrize(
    ("query", "key"),
    [({"run": "8"}, "monitor"), ({"patches": "6", "show": "some"}, "patches"), ({"tab": "train", "again": "8"}, "train"),
     ({"tab": "patches", "run": "8"}, "patches"), ({"again": "8"}, ""), ({"tab": "nowhere"}, ""), ({"run": ""}, ""), ({}, "")],
)  # fmt: skip
def test_a_query_opens_one_page(choices, query, key):
    assert page_of(query, choices) == key


@pytest.mark.parametrize(
    ("key", "place", "text", "value"),
    [("monitor", 0, "8", 8), ("monitor", 0, "", 0), ("monitor", 1, "csv", "csv"), ("patches", 0, "a\0", ""), ("patches", 1, "some", "some"), ("patches", 1, "<b>", "all"), ("patches", 2, "kind", "kind"),
     ("patches", 2, "", "bug"), ("patches", 3, "1", True), ("patches", 3, "x", False)],
)  # fmt: skip
def test_a_link_gives_a_field_only_values_of_its_type(choices, key, place, text, value):
    assert value_of(choices[key][place], text) == (value, "")


@pytest.mark.parametrize("text", ["x", "-1", "0", "9" * 40, "<img>", "1.5"])
def test_a_link_to_what_is_no_number_gives_a_message(choices, text):
    value, problem = value_of(choices["monitor"][0], text)
    assert (value, problem) == (0, f"run: there is no {text!r} here")
    assert value_of(choices["patches"][3], text)[1] == "", "of what is not checked, the default is shown"


def test_a_link_to_something_unknown_gives_a_message(choices):
    assert value_of(choices["monitor"][0], "9") == (0, "there is no 9")
    assert value_of(choices["monitor"][1], "gone") == ("", "there is no gone")


@pytest.mark.parametrize("text", ["", "?", "&&&", "?a", "=" * 200, "a=1&" * 200, "%ff"])
def test_a_query_that_makes_no_sense_is_nothing_much(choices, text):
    assert page_of(read_query(text), choices) == ""
