"""A run's folder with judged answers of the shipped model, as a worker writes it."""

from __future__ import annotations

import json

from engine.assets import STARTER_MODEL
from engine.benchmarks.pocket import Pocket
from engine.domain import Model
from engine.events import BugEvent, PatchEvent, TurnEvent, VerdictFields
from engine.rundir import Inputs, RunDir

STARTER = Model("starter", "base", str(STARTER_MODEL))
BUGS = {bug.id: bug for bug in Pocket(Pocket.Params()).bugs()}
ONE, OTHER = "pocket/py-unique-records", "pocket/py-stock-check"


def new_run(folder, kind="benchmark", model=STARTER, **spec):
    spec = {"kind": kind, "benchmark": {"name": "pocket"}, "representation": {"name": "ir4_or2"}, **spec}
    return RunDir.create(folder, spec, Inputs(model=model))


def say_bug(run, bug_id=ONE, buggy=None, whole_tokens=None):
    bug = BUGS[bug_id]
    text = bug.buggy if buggy is None else buggy
    told = (bug.id, bug.language, bug.path, bug.span.start, bug.span.end, text, bug.fixed)
    run.emit(BugEvent(*told, prompt_tokens=10, whole_tokens=whole_tokens))


def say_patch(run, rank, outcome="plausible", text=None, *, bug_id=ONE, isolation="isolated", source="model", **more):
    """`text`: the lines that the model wrote."""
    text = f"        number = {rank}\n" if text is None else text
    verdict = VerdictFields(outcome, isolation=isolation)
    patch = BUGS[bug_id].replace_span(text)
    run.emit(PatchEvent(bug_id, source, rank, verdict, text, patch, **more))


def say_turn(run, conversation, number, outcome, text, prompt="<prompt>"):
    patch, verdict = BUGS[ONE].replace_span(text), VerdictFields(outcome, isolation="isolated")
    run.emit(TurnEvent(conversation, number, "assistant", text, patch, prompt=prompt, verdict=verdict))


def ask(run, conversation, bug_id=ONE):
    with (run.path / "inbox.jsonl").open("a") as file:
        file.write(json.dumps({"conversation": conversation, "question": 1, "bug": bug_id}) + "\n")
