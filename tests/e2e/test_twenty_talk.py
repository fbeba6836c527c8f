"""Twenty people talk to one loaded model at the same time: none waits longer than in turn, none sees another's text."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.events import Answered, Delta, TurnEvent
from engine.rundir import RunDir
from engine.spec_files import read_spec

PEOPLE, ATTEMPTS = 20, 3


class Listener(threading.Thread):
    """What one person's page is sent while the model answers."""

    def __init__(self, server, conversation):
        super().__init__()
        self.address = f"{server.url}/studio/chat/{conversation}/live"
        self.drafts, self.doing, self.turns = [], set(), 0

    def run(self):
        with urllib.request.urlopen(self.address, timeout=600) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    said = json.loads(line[5:])
                    self.drafts.append(said["text"])
                    self.doing.add(said["doing"])
                    self.turns = said["turns"]


def asked(server, workspace, talks, budget, spec=None):
    """All ask at once; what each page was sent until the answer was over."""
    sending = [
        threading.Thread(target=workspace.chats.send, args=(talk, "and now?", budget, None, spec)) for talk in talks
    ]
    for each in sending:
        each.start()
    for each in sending:
        each.join()
    listeners = [Listener(server, talk) for talk in talks]
    for each in listeners:
        each.start()
    for each in listeners:
        each.join(600)
        assert not each.is_alive()
    workspace.tick()
    return listeners


def answers(view):
    return [turn for turn in view.turns if turn.role == "assistant"]


@pytest.mark.slow
def test_each_is_answered_in_turn_and_reads_only_what_is_said_to_it(server, home):
    workspace = Workspace(home)
    bugs = [each.id for each in workspace.chats.bug_entries() if each.language == "python"][:PEOPLE]
    drawn = ["generator=sampling", "generator.temperature=1.0", "generator.max_new_tokens=24"]
    once = [read_spec("chat", "demo", [f"bug={bug}", "strategy=single_shot", *drawn]) for bug in bugs]
    talks = [workspace.chats.start(spec) for spec in once]
    assert len(talks) == PEOPLE

    first = asked(server, workspace, talks, 1)
    for listener, talk in zip(first, talks, strict=True):
        (answer,) = answers(workspace.chats.view(talk))
        assert all(answer.text.startswith(draft) for draft in listener.drafts), "text of somebody else"
    assert any(draft for each in first for draft in each.drafts), "nothing was seen while it was written"

    again = read_spec("chat", "demo", [f"bug={bugs[0]}", "strategy=test_feedback", "strategy.redraws=2", *drawn])
    second = asked(server, workspace, talks, ATTEMPTS, again)
    assert any("other conversation" in doing for each in second for doing in each.doing), "who waits is told so"
    views = [workspace.chats.view(talk) for talk in talks]
    assert all(not view.is_busy and len(view.turns) > 3 for view in views), "everybody has a word in answer"
    assert sum(len(answers(view)) - 1 for view in views) > PEOPLE, "most of them several patches"
    (run,) = {workspace.chats.get(talk).run_id for talk in talks}  # the model is loaded once
    spoken: dict[int, Counter[int]] = {}  # who waits -> how often each other was answered since it has waited
    for event in RunDir(Path(workspace.runs.row(run).folder)).events(0).events:
        said = event.payload
        if isinstance(said, Delta) and said.doing.startswith("waiting"):  # its question was read
            spoken[said.conversation] = Counter()
        elif isinstance(said, Answered):
            spoken.pop(said.conversation)
        elif isinstance(said, TurnEvent):
            spoken[said.conversation] = Counter()
            for waiting in spoken.keys() - {said.conversation}:
                spoken[waiting][said.conversation] += 1
                assert spoken[waiting][said.conversation] == 1, "somebody is answered twice while another one waits"
    assert spoken == {}
    workspace.chats.unload(talks[0])
    workspace.close()
