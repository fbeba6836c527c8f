"""Evaluates the candidates of many bugs in a pool of threads, each patch text once, and emits every verdict.

A bug counts only if its tests work here: its known fix has to pass and its buggy code has to fail.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any

from engine.benchmarks import Benchmark
from engine.domain import Bug, Completion, Outcome, Patch, Verdict
from engine.events import BUGGY_CODE, KNOWN_FIX, MODEL, BugEvent, PatchEvent, Progress, Source, VerdictFields
from engine.judging import Control, Evaluate, Judge
from engine.languages.trees import edit_size, tree_digest
from engine.plugins import BENCHMARKS
from engine.rundir import RunDir
from engine.sandboxes import Sandbox
from engine.scoring import BugOutcomes, CandidateSummary, figures

Key = tuple[str, Source, int]  # bug id, source, rank
Proposed = tuple[int, Completion, Patch]  # rank from 1, what was written, and the patch read from it
PAUSE_S = 0.5  # between two progress events


@dataclass(frozen=True)
class KnownVerdict:
    """The last verdict on one patch, with a digest of the patch: a later candidate of the same rank may be another."""

    digest: bytes  # of the text
    same_as: int | None  # rank of an equal patch
    verdict: Verdict


class Validation:
    """Holds the verdicts of one run, including those of an earlier worker that was interrupted."""

    def __init__(
        self,
        benchmark: Benchmark, sandbox: Sandbox, run: RunDir, pool: ThreadPoolExecutor, at_once: int,
        evaluate: Evaluate | None = None,
    ) -> None:  # fmt: skip
        """`pool`: of `judging.threads_for(at_once)` threads, for so many tests at a time."""
        self._verdicts = known_verdicts(run)
        # by bug and text: a model that writes the same text again may do so at another rank
        self._known: dict[tuple[str, bytes], Verdict] = {
            (bug_id, known.digest): known.verdict
            for (bug_id, source, _), known in self._verdicts.items()
            if source == MODEL and known.digest and known.verdict.outcome is not Outcome.NOT_RUN
        }
        self._outcomes = Counter(known.verdict.outcome for key, known in self._verdicts.items() if key[1] == MODEL)
        self.total = 0  # candidates to evaluate
        self._run = run
        self._pool = pool
        self._controls: dict[str, Future[Control]] = {}
        self._tasks: list[Future[None]] = []
        self._judge = Judge(benchmark, sandbox, run.home, at_once, evaluate)
        self._extract_s: dict[tuple[str, int], float] = {}  # bug id and rank -> time to read the patch from its answer
        self._progress_lock = Lock()
        self._progress_at = 0.0

    @property
    def verdicts(self) -> dict[Key, Verdict]:
        """The verdicts so far, including those of an earlier worker."""
        return {key: known.verdict for key, known in list(self._verdicts.items())}

    @property
    def tested(self) -> dict[str, float]:
        """How many verdicts this worker asked for, how many tests it ran, and how long they took in all threads."""
        judge = self._judge
        seconds = {"testing": round(judge.seconds, 2), "first_test": round(judge.first_s, 2)}
        return {"asked": judge.asked, "tested": judge.tested, **seconds}

    def start(self, bug: Bug) -> None:
        """Evaluate the known fix and the buggy code; call it once for each bug, before `candidates`."""
        self._controls[bug.id] = self._pool.submit(self._evaluate_controls, bug)

    def candidates(self, bug: Bug, proposed: Iterable[Proposed]) -> None:
        """Evaluate a bug's candidates, best first; returns at once."""
        by_text: dict[str | None, list[Proposed]] = {}
        waiting = iter(proposed)
        began = time.perf_counter()
        while each := next(waiting, None):  # reads the patch from what was written
            self._extract_s[bug.id, each[0]] = round(time.perf_counter() - began, 4)
            by_text.setdefault(each[2].text, []).append(each)
            began = time.perf_counter()
        for equal in by_text.values():
            self._tasks.append(self._pool.submit(self._evaluate_equal, bug, equal))

    def verdict(self, bug: Bug, patch: Patch) -> Verdict:
        """The verdict on a patch about which the model may be asked again; waits for it and emits nothing."""
        known = self._known.get((bug.id, digest_of(patch.text)))
        verdict = self._without_running(bug, patch, self._controls[bug.id].result()) or known
        verdict = verdict or self._pool.submit(self._judge.verdict, bug, patch).result()
        if patch.text is not None and verdict.outcome is not Outcome.NOT_RUN:
            self._known[bug.id, digest_of(patch.text)] = verdict
        return verdict

    def attempt(self, bug: Bug, rank: int, completion: Completion, patch: Patch, verdict: Verdict, prompt: str) -> None:
        """Emit an attempt and its verdict; those before it have been emitted."""
        digest = digest_of(patch.text)
        before = (self._verdicts.get((bug.id, MODEL, earlier)) for earlier in range(1, rank))
        equal = (at for at, each in enumerate(before, 1) if digest and each and each.digest == digest)
        self._evaluate((bug.id, MODEL, rank), completion, patch, bug, verdict, next(equal, None), prompt)
        self.progress()

    def wait(self) -> dict[str, Control]:
        """Wait for all verdicts, and return the controls by bug id. Raises what an evaluation raised."""
        self.wait_for_candidates()
        controls = {bug_id: future.result() for bug_id, future in self._controls.items()}
        self.progress(always=True)
        return controls

    def wait_for_candidates(self) -> None:
        """Wait for the verdicts of all candidates so far. Raises what an evaluation raised."""
        for task in self._tasks:
            task.result()

    def progress(self, text: str = "", *, always: bool = False) -> None:
        """Emit how many candidates are evaluated, at most twice a second."""
        with self._progress_lock:
            if not always and time.monotonic() - self._progress_at < PAUSE_S:
                return
            self._progress_at = time.monotonic()
            evaluated = self._outcomes.total()
            words = f"{evaluated} of {self.total} patches evaluated, {self._outcomes[Outcome.PLAUSIBLE]} plausible"
            self._run.emit(Progress(evaluated, self.total, f"{text}, {words}" if text else words))

    def has_verdict(self, key: Key) -> bool:
        """Whether a patch has a verdict; `not_run` does not count, since it is tried again."""
        known = self._verdicts.get(key)
        return known is not None and known.verdict.outcome is not Outcome.NOT_RUN

    def _evaluate_controls(self, bug: Bug) -> Control:
        made = [
            self._evaluate((bug.id, source, 0), None, Patch(bug.id, text), bug)
            for source, text in ((KNOWN_FIX, bug.fixed), (BUGGY_CODE, bug.buggy))
        ]
        return Control(*made)

    def _evaluate_equal(self, bug: Bug, equal: list[Proposed]) -> None:
        """Candidates with the same patch text: one verdict for all of them, except those without a patch."""
        control = self._controls[bug.id].result()  # submitted earlier, so it cannot wait for this thread
        first = equal[0][0]
        known = self._known.get((bug.id, digest_of(equal[0][2].text)))
        for rank, completion, patch in equal:
            same_as = first if rank != first and patch.text is not None else None
            quick = known or self._without_running(bug, patch, control)
            verdict = self._evaluate((bug.id, MODEL, rank), completion, patch, bug, quick, same_as)
            known = verdict if patch.text is not None else None  # each candidate without a patch has its own reason
        self.progress()

    def _without_running(self, bug: Bug, patch: Patch, control: Control) -> Verdict | None:
        if control.trouble:
            return Verdict(Outcome.NOT_RUN, control.trouble)
        if patch.text is None:
            return Verdict(Outcome.NO_PATCH, patch.reason)
        return control.buggy_code if patch.text == bug.buggy else None

    def _evaluate(
        self,
        key: Key,
        completion: Completion | None,
        patch: Patch,
        bug: Bug,
        known: Verdict | None = None,
        same_as: int | None = None,
        prompt: str = "",
    ) -> Verdict:
        """An earlier worker's verdict on this text, or `known`, or a new one from running the tests."""
        before, digest = self._verdicts.get(key), digest_of(patch.text)
        if before and self.has_verdict(key) and (before.digest, before.same_as) == (digest, same_as):
            return before.verdict
        bug_id, source, rank = key
        verdict = known or self._judge.verdict(bug, patch, is_cached=source == MODEL)
        if (bug_id, rank) in self._extract_s and source == MODEL:
            verdict = replace(verdict, stages={"extract": self._extract_s[bug_id, rank], **verdict.stages})
        say_patch(self._run, bug, key, VerdictFields.of(verdict), completion, patch.text, same_as, patch.rule, prompt)
        with self._progress_lock:
            self._verdicts[key] = KnownVerdict(digest, same_as, verdict)
            if source == MODEL:
                self._outcomes[verdict.outcome] += 1
                if before:
                    self._outcomes[before.verdict.outcome] -= 1
        return verdict


def known_verdicts(run: RunDir) -> dict[Key, KnownVerdict]:
    """The last verdict on each patch, from the run's own events."""
    found: dict[Key, KnownVerdict] = {}
    for event in run.all_events():
        if isinstance(patch := event.payload, PatchEvent):
            known = KnownVerdict(digest_of(patch.text), patch.same_as, patch.verdict.verdict)
            found[BENCHMARKS.current(patch.bug_id), patch.source, patch.rank] = known
    return found


def digest_of(text: str | None) -> bytes:
    """By which texts are compared, so that they need not be held; empty where there is no patch."""
    return b"" if text is None else blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


def first_figures(benchmark: Benchmark, verdicts: Mapping[Key, Verdict]) -> dict[str, Any]:
    """What a benchmark that gives partial credit makes of the first candidates; nothing for any other."""
    figures_of = getattr(benchmark, "figures", None)
    first = {bug_id: verdict for (bug_id, source, rank), verdict in verdicts.items() if (source, rank) == (MODEL, 1)}
    return {"figures": figures_of(first)} if figures_of and first else {}


def say_patch(
    run: RunDir,
    bug: Bug,
    key: Key,
    verdict: VerdictFields,
    completion: Completion | None,
    text: str | None,
    same_as: int | None = None,
    rule: str = "",
    prompt: str = "",
) -> None:
    """Emit a patch with its verdict; `completion`: what was written, None of a control; `same_as`: an equal one."""
    made = completion or Completion("")
    took = made.n_tokens, made.prompt_tokens
    more = {**_against(bug, text), "rule": rule, "prompt": prompt}
    run.emit(PatchEvent(*key, verdict, made.text, text, made.score, same_as, *took, **more))


def _against(bug: Bug, text: str | None) -> dict[str, Any]:
    """What a patch's event says of its text beside the buggy file and the known fix; nothing where there is none."""
    if text is None:
        return {}
    tree, known = _tree_of(text, bug.language), _tree_of(bug.fixed, bug.language)
    is_known = None if tree is None else bool(tree) and tree == known
    return {"tree": tree, "is_known_tree": is_known, "edit": edit_size(bug.buggy, text)}


@lru_cache(maxsize=256)  # equal candidates come together, and each is compared with the same known fix
def _tree_of(text: str, language: str) -> str | None:
    return tree_digest(text, language)


def say_bug(
    run: RunDir, bug: Bug, skipped: str = "", prompt_tokens: int | None = None, whole_tokens: int | None = None
) -> None:
    """Emit a bug; `skipped`: why it is not judged; `whole_tokens`: of its prompt before that was shortened."""
    run.emit(
        BugEvent(
            bug.id,
            bug.language,
            bug.path,
            bug.span.start,
            bug.span.end,
            bug.buggy,
            bug.fixed,
            bug.kind,
            bug.cwe,
            skipped,
            prompt_tokens,
            whole_tokens,
            "" if bug.project == bug.id else bug.project,  # a bug of no known project is one of its own
        )
    )


def counts(verdicts: Mapping[Key, Verdict], controls: Mapping[str, Control | None], candidates: int) -> dict[str, Any]:
    """As `engine.scoring` counts; of `counted_at[k]` bugs it is known whether one of the first k is plausible.

    A bug without controls (None) is one whose verdicts were made elsewhere.
    """
    judged: dict[str, dict[int, str]] = {bug_id: {} for bug_id in controls}
    for (bug_id, source, rank), verdict in verdicts.items():
        if source == MODEL and bug_id in controls and rank <= candidates:
            judged[bug_id][rank] = verdict.outcome.value
    bugs = Counter(
        BugOutcomes(
            control.known_fix.outcome if control else None,
            control.buggy_code.outcome if control else None,
            CandidateSummary.of(judged[bug_id], is_over=True),
        )
        for bug_id, control in controls.items()
    )
    outcomes = Counter(outcome for each in judged.values() for outcome in each.values())
    found = figures(bugs, candidates)
    return {
        "scored": found.scored,
        "control_failures": found.control_failures,
        "plausible_at": {str(k): share.hits for k, share in found.plausible_at.items()},
        "counted_at": {str(k): share.total for k, share in found.plausible_at.items()},
        "outcomes": {outcome.value: outcomes[outcome.value] for outcome in Outcome},
        "patches": outcomes.total(),
    }
