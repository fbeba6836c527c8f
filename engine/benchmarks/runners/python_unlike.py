"""Runs inside the sandbox: another value of the same form, so that an object cannot tell a twin from its test.

A number for a number, a text as long for a text, a container of as many for a container: what is equal to both is equal
to anything. Of what has no such form it is a random text. Numbers differ by more than a test's tolerance usually is.
"""

from __future__ import annotations

import datetime
import numbers
import random
import secrets

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from typing import Any

CHANCE = random.SystemRandom()  # a patch cannot seed it
KINDS = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " .,;:-_/")


def unlike(value: Any) -> Any:
    """Differs from `value`, in one place where it has several. Raises whatever odd values do."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (numbers.Number, datetime.timedelta, datetime.date)):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (bytes, bytearray)):
        changed = bytearray(value) or bytearray(1)
        changed[CHANCE.randrange(len(changed))] ^= 1
        return type(value)(changed) if value else b"a"
    if isinstance(value, (list, tuple)):
        items = list(value) or [0]
        place = CHANCE.randrange(len(items))
        items[place] = unlike(items[place]) if value else 0
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, (set, frozenset)):
        left = CHANCE.choice(list(value)) if value else 0
        made = {*value} - {left} | {unlike(left)}
        made = made if made != value else {*value, secrets.token_hex(4)}
        return made if isinstance(value, set) else frozenset(made)
    if isinstance(value, dict):
        key = CHANCE.choice(list(value)) if value else 0
        return {**value, key: unlike(value[key]) if value else 0}
    return 0 if value is None else secrets.token_hex(8)


def _number(value: Any) -> Any:
    times = CHANCE.randrange(3, 9)
    if isinstance(value, (datetime.timedelta, datetime.date)):
        return value + datetime.timedelta(days=times)
    more = value + times if isinstance(value, complex) else value + max(1, abs(value)) * times
    return times if more == value else more  # as of infinity


def _text(value: str) -> str:
    if not value:
        return " "
    place = CHANCE.randrange(len(value))
    kind = next((kind for kind in KINDS if value[place] in kind), KINDS[0])
    other = CHANCE.choice([letter for letter in kind if letter != value[place]])
    return value[:place] + other + value[place + 1 :]
