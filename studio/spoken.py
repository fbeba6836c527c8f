"""What a model is just writing, as a stream of events for one page (https://html.spec.whatwg.org/#server-sent-events)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict

from starlette.concurrency import run_in_threadpool

from engine.control.chat_live import Said, Saying
from engine.control.chats import Chats
from engine.errors import UserError

LOOK_S = 0.04  # between two looks into the worker's events
ASK_S = 2.0  # between two questions whether it is still answering: its worker may have been killed


def spoken(chats: Chats, conversation: int) -> AsyncIterator[str]:
    """A line for each change, until the answer is over. Raises UserError on an unknown conversation."""
    return _changes(chats, conversation, chats.saying(conversation))


async def _changes(chats: Chats, conversation: int, saying: Saying) -> AsyncIterator[str]:
    sent: Said | None = None
    asked = time.monotonic()
    while True:
        said = await run_in_threadpool(saying.now)
        if time.monotonic() - asked > ASK_S:
            asked = time.monotonic()
            if not await run_in_threadpool(_is_busy, chats, conversation):
                said = Said(is_over=True, turns=said.turns)
        if said != sent:
            sent = said
            yield f"data: {json.dumps(asdict(said))}\n\n"
        if said.is_over:
            return
        await asyncio.sleep(LOOK_S)


def _is_busy(chats: Chats, conversation: int) -> bool:
    try:
        return chats.is_busy(conversation)
    except UserError:  # it was deleted
        return False
