"""What was read lately is not read again for a while; what could not be read is."""

from __future__ import annotations

import pytest

from engine.control.lately import Lately
from engine.errors import UserError


def test_the_same_is_read_once_and_again_when_it_is_old():
    asked = []
    lately = Lately(lambda what: asked.append(what) or [what], seconds=60)
    assert [lately({"name": "a"}), lately({"name": "a"}), lately("b")] == [[{"name": "a"}], [{"name": "a"}], ["b"]]
    assert asked == [{"name": "a"}, "b"]
    old = Lately(lambda what: asked.append(what) or [what], seconds=-1)
    old("c"), old("c")
    assert asked[2:] == ["c", "c"]


def test_what_could_not_be_read_is_tried_again():
    answers = [UserError("away"), ["there"]]

    def read(_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    lately = Lately(read)
    with pytest.raises(UserError):
        lately("x")
    assert lately("x") == ["there"]
