"""Keeps one base model loaded and answers the questions of repair conversations until it is stopped."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from engine.events import Delta, Progress
from engine.rundir import Inputs, RunDir
from engine.specs import ChatSpec
from engine.work.desk import Desk
from engine.work.loaded_model import LoadedModel
from engine.work.replies import Reply

POLL_S = 0.1
IDLE_S = 30 * 60.0  # without a question, after which the model is unloaded to free its memory


def chat(spec: ChatSpec, inputs: Inputs, run: RunDir, idle_s: float = IDLE_S) -> dict[str, Any]:
    """Answer until {"ask": "stop"} or `idle_s` seconds without a question; returns counts of what was answered.

    Conversations take turns: each gets one message of its answer, then the next one. Emits progress "ready" once the
    model is loaded and whenever nothing is asked; `answered` ends each question. A worker that is started again in the
    same folder continues the answers during which it was stopped.
    """
    desk, loaded = Desk(run), LoadedModel(spec, inputs, run)
    run.emit(Progress(0, text="ready"))
    replies: deque[Reply] = deque()
    asked: Counter[int] = Counter()  # conversation -> questions
    said, last = 0, time.monotonic()
    while replies or (not desk.is_closing and time.monotonic() - last < idle_s):
        for question in desk.look():
            asked[question.conversation] += 1
            run.emit(Delta(question.conversation, "", doing=waiting(len(replies))))
            replies.append(Reply(question, desk, loaded, run))
        if not replies:
            time.sleep(POLL_S)
            continue
        reply = replies.popleft()
        if reply.go_on():
            replies.append(reply)
        said += reply.said_now
        last = time.monotonic()
        if not replies:
            run.emit(Progress(said, text="ready"))
    return {"conversations": len(asked), "questions": asked.total(), "turns": said}


def waiting(others: int) -> str:
    """What a new question waits for."""
    if not others:
        return "waiting for the model"
    return f"waiting in turn with {others} other conversation{'s' if others > 1 else ''}"
