"""Tests of patches as tasks of Ray, each on one core of any node, while the worker's own node tests as ever.

A task whose node is lost is run again. Whatever else goes wrong there, the worker tests the patch itself: a verdict
is always that of tests that were run to their end.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from threading import Semaphore
from typing import Any

from engine.benchmarks import Benchmark
from engine.domain import Bug, Outcome, Patch, Verdict
from engine.judging import Evaluate
from engine.launchers.ray_settings import TESTS
from engine.params import Params
from engine.plugins import BENCHMARKS, SANDBOXES
from engine.sandboxes import Sandbox
from engine.sandboxes.auto import usable

log = logging.getLogger(__name__)
LOOK_S = 0.5
# not again by Ray itself: it would not say that a task waits again, for which there may be no room
OF_A_TASK = {"num_cpus": 1, "num_returns": "streaming", "max_retries": 0}
TRIES = 3  # to have a test run elsewhere, each on a node that is there


def spread(benchmark: Benchmark, wanted: Params, sandbox: Params, here: int) -> tuple[Evaluate, int]:
    """What evaluates patches, and for how many at a time; `here`: on this node. Called in the main thread.

    `wanted`, `sandbox`: the settings by which another node makes the same benchmark and sandbox.
    """
    tasks = int(os.environ.get(TESTS, "0"))
    if not tasks:
        return benchmark.evaluate, here
    try:
        ray, task = _connected()
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("all patches are tested on this node, since Ray cannot be used from here: %s", error)
        return benchmark.evaluate, here
    settings = wanted.model_dump_json(), sandbox.model_dump_json()
    return Spread(benchmark, ray, partial(task, *settings), here).evaluate, here + tasks


def _connected() -> tuple[Any, Callable[..., Any]]:
    """Ray, connected with this job's cluster, and what begins a task. Raises OSError, RuntimeError or ImportError."""
    import ray

    kept = signal.getsignal(signal.SIGTERM)
    ray.init(log_to_driver=False, configure_logging=False)
    signal.signal(signal.SIGTERM, kept)  # Ray has replaced it
    same_python = {"py_executable": sys.executable}
    return ray, ray.remote(told).options(**OF_A_TASK, runtime_env=same_python).remote


class Spread:
    """Evaluates patches of one benchmark on this node and by tasks. Safe to use from several threads."""

    def __init__(self, benchmark: Benchmark, ray: Any, begin: Callable[..., Any], here: int) -> None:
        """`begin(sandbox, bug, patch)`: begins a task, which tells what `told` does; `here`: places on this node."""
        self._benchmark, self._ray, self._begin, self._here = benchmark, ray, begin, Semaphore(here)

    def evaluate(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict:
        """As a benchmark does: here where a place is free, also if that is before Ray has room for the task."""
        is_here = patch.text is None or self._here.acquire(blocking=False)
        verdict = None if is_here else self._by_task(bug, patch, sandbox)
        if verdict is not None:
            return verdict
        try:
            return self._benchmark.evaluate(bug, patch, sandbox)
        finally:
            if patch.text is not None:
                self._here.release()

    def _by_task(self, bug: Bug, patch: Patch, sandbox: Sandbox) -> Verdict | None:
        """The verdict of another node; None, with a place here taken, if there is none."""
        for _ in range(TRIES):
            try:
                return self._of_one_task(sandbox.describe(), bug, patch)
            except self._ray.exceptions.RayTaskError as error:
                log.warning("a patch of %s is tested here, since elsewhere it failed: %s", bug.id, str(error)[-500:])
                break
            except self._ray.exceptions.RayError as error:
                log.info("a test of %s is run again, since its node is lost: %s", bug.id, type(error).__name__)
        self._here.acquire()
        return None

    def _of_one_task(self, *asked: object) -> Verdict | None:
        """As `_by_task`. Raises RayError if the task failed or its node was lost."""
        said, is_begun = self._begin(*asked), False
        while True:
            if self._ray.wait([said], timeout=LOOK_S)[0]:
                try:
                    verdict: Verdict | None = self._ray.get(next(said))
                except StopIteration:  # the tests do not work there
                    self._here.acquire()
                    return None
                if is_begun:
                    return verdict
                is_begun = True
            elif not is_begun and self._here.acquire(blocking=False):
                self._ray.cancel(said)
                return None


def told(benchmark: str, sandbox: str, described: str, bug: Bug, patch: Patch) -> Iterator[Verdict | None]:
    """The task: says None when it begins, and then the verdict, unless the tests do not work on this node."""
    yield None
    source, place = _made(benchmark, sandbox)
    if place.describe() == described:
        verdict = source.evaluate(bug, patch, place)
        if verdict.outcome is not Outcome.NOT_RUN:
            yield verdict


@lru_cache(maxsize=4)
def _made(benchmark: str, sandbox: str) -> tuple[Any, Sandbox]:
    return (
        BENCHMARKS.create(BENCHMARKS.params(json.loads(benchmark))),
        usable(SANDBOXES.params(json.loads(sandbox))),
    )
