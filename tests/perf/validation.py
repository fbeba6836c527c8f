"""Patches judged in a second: warm beside fresh, Python and Java, and all of pocket's 46 x 10 in one go."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.benchmarks.pocket import Pocket
from engine.domain import Bug, Completion, Model, Outcome, Patch, Verdict
from engine.generators.beam import Beam
from engine.plugins import REPRESENTATIONS, SANDBOXES
from engine.rundir import Inputs, RunDir
from engine.sandboxes.auto import usable
from engine.work.validation import Validation

WORKERS = 2
CANDIDATES = 10
PLAUSIBLE = 0.05  # of the candidates; the demo's models write fewer


def measure() -> Iterator[Figure]:
    for language, bugs, bar in (("python", 12, 29), ("java", 12, 13.5)):
        found = {way: rate(way, language, bugs) for way in ("reference", "warm")}
        assert found["reference"][1] == found["warm"][1], "another verdict"
        per_s = {way: each[0] for way, each in found.items()}
        print(f"{language}: {per_s}")
        yield Figure(f"{language} patches judged", per_s["warm"], "patches/s", bar, is_least=True)
        times = per_s["warm"] / per_s["reference"]
        yield Figure(f"{language} patches judged, warm over fresh", times, "times", 5, is_least=True)
    benchmark = Pocket(Pocket.Params(languages=("python",)))
    proposed = by_the_shipped_adapter(benchmark.bugs())
    seconds = as_a_run(benchmark, proposed)
    yield Figure("all of pocket's 46 x 10 patches and their controls", seconds, "s", 15)


def as_a_run(benchmark: Pocket, proposed: dict[str, list[str]]) -> float:
    """Seconds that the worker of a benchmark run needs for the controls and all patches; nothing is kept from earlier."""
    with TemporaryDirectory() as home, ThreadPoolExecutor(WORKERS) as pool:
        run = RunDir.create(Path(home) / "runs" / "1", {}, Inputs())
        validation = Validation(benchmark, usable(SANDBOXES.params("auto")), run, pool, WORKERS)
        began = time.monotonic()
        for bug in benchmark.bugs():
            validation.start(bug)
        for bug in benchmark.bugs():
            texts = enumerate(proposed[bug.id], start=1)
            validation.candidates(bug, ((rank, Completion(text), Patch(bug.id, text)) for rank, text in texts))
        controls = validation.wait()
        seconds = time.monotonic() - began
    assert not [control.trouble for control in controls.values() if control.trouble]
    assert len(validation.verdicts) == sum(len(texts) + 2 for texts in proposed.values())
    return seconds


def rate(way: str, language: str, bugs: int) -> tuple[float, list[Outcome]]:
    """Patches in a second, as many wrong ones as a model writes and few right ones; each way is warm when it begins."""
    benchmark = made(way, language)
    chosen = [bug for bug in benchmark.bugs() if bug.id not in ENDLESS][:bugs]
    candidates = [(bug, text) for bug in chosen for text in written(bug)[: CANDIDATES if way == "warm" else 5]]
    judged(benchmark, [(bug, bug.fixed) for bug in chosen])
    began = time.monotonic()
    verdicts = judged(benchmark, candidates)
    seconds = time.monotonic() - began
    first = {key: [v.outcome for _, v in found][:5] for key, found in by_bug(candidates, verdicts)}
    return len(candidates) / seconds, list(itertools.chain.from_iterable(first.values()))


# Whose buggy code never ends: what such a patch costs is its time limit, however it is run.
ENDLESS = {"pocket/py-expression-tokens", "pocket/java-retry-runner"}


def by_bug(candidates: Sequence[tuple[Bug, str]], verdicts: Sequence[Verdict]) -> Iterator[tuple[str, list]]:
    pairs = zip((bug.id for bug, _ in candidates), verdicts, strict=True)
    for key, found in itertools.groupby(pairs, key=lambda pair: pair[0]):
        yield key, list(found)


def written(bug: Bug) -> list[str]:
    """What a model might write in place of the faulty lines: other words of the file, sometimes no program, sometimes
    the fix; the same every time."""
    chance = random.Random(bug.id)
    words = ("+ 1", "- 1", "0", "None", "not ", "<", ">=", "==", "]", "* 2")
    texts = []
    for number in range(CANDIDATES):
        line = bug.buggy_lines or "\n"
        place = chance.randrange(len(line.rstrip()) + 1)
        comment = "//" if bug.language == "java" else "#"
        mark = f"  {comment} {number}\n"
        wrong = (
            bug.buggy_lines.rstrip("\n") + mark
            if chance.random() < 0.6
            else line[:place] + chance.choice(words) + line[place:]
        )
        texts.append(bug.fixed + mark if chance.random() < PLAUSIBLE else bug.replace_span(wrong))
    return texts


def by_the_shipped_adapter(bugs: Sequence[Bug]) -> dict[str, list[str]]:
    """Bug id -> the different patches among the ten that the demo's adapter writes, as a benchmark run tests them."""
    beam, shown = Beam(Beam.Params()), REPRESENTATIONS.from_value("ir4_or2")
    beam.load(Model("starter-adapter", "adapter", str(STARTER_ADAPTER), str(STARTER_MODEL)), 0)
    drawn = dict(beam.generate([shown.encode(bug).prompt for bug in bugs], CANDIDATES))
    patches = {bug.id: [shown.decode(one.text, bug).text for one in drawn[at]] for at, bug in enumerate(bugs)}
    return {bug_id: list(dict.fromkeys(text for text in texts if text)) for bug_id, texts in patches.items()}


def made(way: str, language: str) -> Pocket:
    return Pocket(Pocket.Params(languages=(language,), runner=way, timeout_s=2.0))


def judged(benchmark: Pocket, candidates: Sequence[tuple[Bug, str]]) -> list[Verdict]:
    sandbox = usable(SANDBOXES.params("auto"))
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda each: benchmark.evaluate(each[0], Patch(each[0].id, each[1]), sandbox), candidates))
