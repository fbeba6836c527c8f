"""Every bug of pocket, its fix written in each of the usual forms of an answer: the patch is the known fix."""

from __future__ import annotations

import difflib
import re
import textwrap
from dataclasses import replace

import pytest

from engine.benchmarks.pocket import Pocket
from engine.domain import lines_of
from engine.plugins import REPRESENTATIONS
from engine.representations.answers.place import place_of

INSTRUCT = REPRESENTATIONS.from_value({"name": "instruct"})
BUGS = list(Pocket(Pocket.Params()).bugs())


def fixed(bug):
    return place_of(bug).bug.fixed_lines.rstrip("\n")


def buggy(bug):
    return place_of(bug).bug.buggy_lines.rstrip("\n")


def diff(old, new, context=3):
    return "".join(difflib.unified_diff(lines_of(old), lines_of(new), "a/x", "b/x", n=context))


def of_functions(bug, context, form):
    """A diff of the two functions alone, without its first two lines."""
    return diff(form(buggy(bug)) + "\n", form(fixed(bug)) + "\n", context).split("\n", 2)[2]


FORMS = {
    "fence:function": lambda bug: f"Here it is:\n```{bug.language}\n{bug.fixed}```\nIt works now.",
    "bare:function": lambda bug: f"Sure, here is the function:\n\n{fixed(bug)}\n\nIt handles the case now.",
    "file, bare:function": lambda bug: bug.fixed,
    "column 0, fence:function": lambda bug: f"```\n{textwrap.dedent(fixed(bug))}\n```",
    "thoughts, bare:function": lambda bug: f"<think>{buggy(bug)}</think>\n{fixed(bug)}<|im_end|>",
    "faulty code first, fence:function": lambda bug: (
        f"Original:\n```{bug.language}\n{buggy(bug)}\n```\nNew:\n```{bug.language}\n{fixed(bug)}\n```"
    ),
    "open_fence:function": lambda bug: f"```{bug.language}\n{fixed(bug)}\n\nThis is the fix.",
    "fence:numbered_diff": lambda bug: f"```diff\n{diff(bug.buggy, bug.fixed)}```",
    "bare:numbered_diff": lambda bug: f"Patch:\n\n{diff(bug.buggy, bug.fixed)}\nDone.",
    "fence:diff": lambda bug: "```diff\n" + re.sub(r"@@ .* @@", "@@", of_functions(bug, 1, str)) + "```",
    "column 0, fence:numbered_diff": lambda bug: f"```diff\n{of_functions(bug, 2, textwrap.dedent)}```",
    "bare:search_replace": lambda bug: f"<<<<<<< SEARCH\n{bug.buggy_lines}=======\n{bug.fixed_lines}>>>>>>> REPLACE\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_known_fix_is_found_in_an_answer(form):
    assert len(BUGS) == 60
    for bug in BUGS:
        patch = INSTRUCT.decode(FORMS[form](bug), bug)
        assert (patch.text, patch.rule) == (bug.fixed, form.rpartition(", ")[2]), bug.id


@pytest.mark.parametrize("form", [form for form in FORMS if form.endswith("function")])
def test_the_faulty_code_changes_nothing(form):
    for bug in BUGS:
        patch = INSTRUCT.decode(FORMS[form](replace(bug, fixed=bug.buggy)), bug)
        assert (patch.text, patch.reason) == (None, f"the answer changes nothing in the {place_of(bug).what}"), bug.id
