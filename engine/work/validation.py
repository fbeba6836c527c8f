"""Judges the candidates of many bugs in a pool of threads, each patch text once, and says every verdict as it comes.

A bug counts only if its tests tell right from wrong here: its known fix has to pass and its buggy code must not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock

from engine.benchmarks import Benchmark, Versioned
from engine.domain import Bug, Completion, Outcome, Patch, Verdict
from engine.events import BUGGY_CODE, KNOWN_FIX, MODEL, PatchJudged
from engine.representations import Representation
from engine.rundir import RunDir
from engine.sandboxes import Sandbox
from engine.scoring import control_trouble
from engine.work.verdict_cache import VerdictCache
from engine.work.verdicts import as_json, from_json

Key = tuple[str, str, int]  # bug id, source, rank
PAUSE_S = 0.5  # between two words of progress


@dataclass(frozen=True)
class Control:
    """What the tests say of a bug's known fix and of its buggy code."""

    known_fix: Verdict
    buggy_code: Verdict

    @property
    def trouble(self) -> str:
        """Why the bug cannot be scored here; empty where it can."""
        trouble = control_trouble(self.known_fix.outcome, self.buggy_code.outcome)
        not_run = [verdict for verdict in (self.known_fix, self.buggy_code) if verdict.outcome is Outcome.NOT_RUN]
        why = f" ({not_run[0].reason or 'no reason given'})" if not_run else ""
        return f"not scored: {trouble}{why}" if trouble else ""


@dataclass(frozen=True)
class Judged:
    """What was said last of one patch; a verdict is of a text, and not of whatever stands at its rank later."""

    text: str | None
    same_as: int | None  # rank of an equal patch
    verdict: Verdict


class Validation:
    """Holds the verdicts of one benchmark run, those of an earlier, interrupted one included."""

    def __init__(
        self,
        benchmark: Benchmark,
        representation: Representation,
        sandbox: Sandbox,
        run: RunDir,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._judged = judged_so_far(run)
        # by bug and text: a model that writes a text again may write it at another rank
        self._known: dict[tuple[str, str | None], Verdict] = {
            (bug_id, judged.text): judged.verdict
            for (bug_id, source, _), judged in self._judged.items()
            if source == MODEL and judged.text is not None and judged.verdict.outcome is not Outcome.NOT_RUN
        }
        self.total = 0  # candidates to judge in all
        self._benchmark = benchmark
        self._representation = representation
        self._sandbox = sandbox
        self._run = run
        self._pool = pool
        self._controls: dict[str, Future[Control]] = {}
        self._tasks: list[Future[None]] = []
        self._cache = VerdictCache(run.path.parent.parent / "verdicts")
        self._extract_s: dict[tuple[str, int], float] = {}  # bug id and rank -> time to read the patch from its answer
        self._saying = Lock()
        self._said = 0.0

    @property
    def verdicts(self) -> dict[Key, Verdict]:
        """The verdicts so far, those of an earlier worker included."""
        return {key: judged.verdict for key, judged in list(self._judged.items())}

    def start(self, bug: Bug) -> None:
        """Judge the known fix and the buggy code; call once for each bug before its candidates come."""
        self._controls[bug.id] = self._pool.submit(self._judge_controls, bug)

    def candidates(self, bug: Bug, completions: Sequence[Completion]) -> None:
        """Judge what the model wrote, best first; returns at once."""
        by_text: dict[str | None, list[tuple[int, Completion, Patch]]] = {}
        for rank, completion in enumerate(completions, start=1):
            began = time.perf_counter()
            is_whole, shown = completion.is_finished, self._representation
            patch = shown.decode(completion.text if is_whole else shown.trim(completion.text, bug), bug)
            self._extract_s[bug.id, rank] = round(time.perf_counter() - began, 4)
            by_text.setdefault(patch.text, []).append((rank, completion, patch))
        for equal in by_text.values():
            self._tasks.append(self._pool.submit(self._judge_equal, bug, equal))

    def wait(self) -> dict[str, Control]:
        """Until every verdict is there; what a judge raised is raised here."""
        for task in self._tasks:
            task.result()
        controls = {bug_id: future.result() for bug_id, future in self._controls.items()}
        self.progress(always=True)
        return controls

    def progress(self, text: str = "", *, always: bool = False) -> None:
        """Say how many candidates are judged, at most twice a second."""
        with self._saying:
            if not always and time.monotonic() - self._said < PAUSE_S:
                return
            self._said = time.monotonic()
            judged = [verdict for key, verdict in self.verdicts.items() if key[1] == MODEL]
            plausible = sum(verdict.is_plausible for verdict in judged)
            words = f"{len(judged)} of {self.total} patches judged, {plausible} plausible"
            self._run.emit("progress", done=len(judged), total=self.total, text=f"{text}, {words}" if text else words)

    def is_settled(self, key: Key) -> bool:
        """Whether there is a verdict that need not be sought again; `not_run` is tried again."""
        judged = self._judged.get(key)
        return judged is not None and judged.verdict.outcome is not Outcome.NOT_RUN

    def _judge_controls(self, bug: Bug) -> Control:
        made = [
            self._settle((bug.id, source, 0), None, Patch(bug.id, text), bug)
            for source, text in ((KNOWN_FIX, bug.fixed), (BUGGY_CODE, bug.buggy))
        ]
        return Control(*made)

    def _judge_equal(self, bug: Bug, equal: list[tuple[int, Completion, Patch]]) -> None:
        """Candidates with the same patch text: one verdict for all of them."""
        control = self._controls[bug.id].result()  # was submitted before, so it never waits for this thread
        first = equal[0][0]
        verdict = self._known.get((bug.id, equal[0][2].text))
        for rank, completion, patch in equal:
            known = verdict or self._without_running(bug, patch, control)
            same_as = first if rank != first and patch.text is not None else None
            verdict = self._settle((bug.id, MODEL, rank), completion, patch, bug, known, same_as)
        self.progress()

    def _without_running(self, bug: Bug, patch: Patch, control: Control) -> Verdict | None:
        if control.trouble:
            return Verdict(Outcome.NOT_RUN, control.trouble)
        if patch.text is None:
            return Verdict(Outcome.NO_PATCH, patch.reason)
        return control.buggy_code if patch.text == bug.buggy else None

    def _settle(
        self,
        key: Key,
        completion: Completion | None,
        patch: Patch,
        bug: Bug,
        known: Verdict | None = None,
        same_as: int | None = None,
    ) -> Verdict:
        """The verdict that an earlier worker said of this text, or the known one, or a new one by running the tests."""
        before = self._judged.get(key)
        if before and self.is_settled(key) and (before.text, before.same_as) == (patch.text, same_as):
            return before.verdict
        bug_id, source, rank = key
        verdict = known or self._evaluated(bug, patch, is_cached=source == MODEL)
        if (bug_id, rank) in self._extract_s and source == MODEL:
            verdict = replace(verdict, stages={"extract": self._extract_s[bug_id, rank], **verdict.stages})
        self._run.emit(
            "patch",
            bug_id=bug_id,
            source=source,
            rank=rank,
            completion=completion.text if completion else "",
            text=patch.text,
            score=completion.score if completion else None,
            same_as=same_as,
            verdict=as_json(verdict),
        )
        self._judged[key] = Judged(patch.text, same_as, verdict)
        return verdict

    def _evaluated(self, bug: Bug, patch: Patch, *, is_cached: bool) -> Verdict:
        """By running the tests, unless an earlier run of this home did so under the same conditions."""
        version = self._benchmark.version(bug) if isinstance(self._benchmark, Versioned) else ""
        if not (is_cached and version and patch.text is not None):
            return self._benchmark.evaluate(bug, patch, self._sandbox)
        conditions = (bug.id, version, patch.text, self._sandbox.describe())
        verdict = self._cache.get(*conditions)
        if verdict is None:
            verdict = self._benchmark.evaluate(bug, patch, self._sandbox)
            self._cache.put(verdict, *conditions)
        return verdict


def judged_so_far(run: RunDir) -> dict[Key, Judged]:
    """What was said last of each patch, from the run's own events."""
    found: dict[Key, Judged] = {}
    for event in run.events().events:
        if isinstance(said := event.said, PatchJudged):
            verdict = from_json(event.fields["verdict"])
            found[said.bug_id, said.source, said.rank] = Judged(said.text, said.same_as, verdict)
    return found
