"""Verdicts in a worker that its scheduler may end: each waits a moment, in which other patches are tested."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import requeued
from engine.domain import Bug, Outcome, Patch, Span, Verdict
from engine.judging import WAITING, Judge, threads_for

TEST_S, PATCHES = 0.03, 24


class Failing:
    """A benchmark whose tests all fail; it counts how many run at a time."""

    def __init__(self):
        self.now = self.most = 0
        self._lock = threading.Lock()

    def version(self, bug):
        return "1"

    def describe(self):
        return "none"

    def evaluate(self, bug, patch, sandbox):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(TEST_S)
        with self._lock:
            self.now -= 1
        return Verdict(Outcome.TEST_FAILED)


@pytest.fixture
def may_be_ended(monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setenv(requeued.NOTICED, str(reading))
    yield
    os.close(reading)
    os.close(writing)


def test_no_place_stands_empty_while_a_verdict_waits(may_be_ended, tmp_path):
    bug, tests = Bug("b", "python", "a.py", "x", "y", Span(1, 1)), Failing()
    judge = Judge(tests, tests, tmp_path, 2)
    assert threads_for(2) == 2 * WAITING
    began = time.monotonic()
    with ThreadPoolExecutor(threads_for(2)) as pool:
        verdicts = [*pool.map(lambda n: judge.verdict(bug, Patch("b", str(n))), range(PATCHES))]
    took = time.monotonic() - began
    assert {each.outcome for each in verdicts} == {Outcome.TEST_FAILED}
    assert tests.most == 2
    assert PATCHES * TEST_S / 2 <= took < PATCHES * (TEST_S + requeued.NEARLY_S) / 2, "as without waiting, nearly"
    assert judge.seconds == pytest.approx(PATCHES * TEST_S, rel=0.5), "waiting is not a part of testing"


def test_a_worker_that_nobody_ends_needs_no_more_threads(monkeypatch):
    monkeypatch.delenv(requeued.NOTICED, raising=False)
    assert threads_for(3) == 3
