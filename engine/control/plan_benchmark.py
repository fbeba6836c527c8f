"""The plan of a benchmark run: how long the model writes and the tests run, and which of both decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.control.bench_files import Bench
from engine.control.lately import Lately
from engine.control.measured import Measured, bytes_a_patch, launcher_of, measured, tokens_of
from engine.control.models import Models
from engine.control.plan_place import shards_of
from engine.control.runs import Runs
from engine.errors import UserError
from engine.models.shape import Shape
from engine.params import Params
from engine.plan import COST, DISK, READ, TESTS, TIME, WRITTEN, Cluster, Line, Plan, Repairing, repairing
from engine.plugins import BENCHMARKS, GENERATORS
from engine.scoring import money
from engine.spec_files import changed
from engine.specs import BenchmarkSpec
from storage.database import Database

FEW = 12  # bugs of a short run


def _like(spec: Mapping[str, Any]) -> object:
    """What has to be the same for a run to write as fast as another."""
    names = ("model", "benchmark", "representation", "generator", "strategy", "candidates", "devices", "shorten")
    return [*(spec.get(name) for name in names), launcher_of(spec)]


def _like_tests(spec: Mapping[str, Any]) -> object:
    """What has to be the same for tests to take as long."""
    return [spec.get("benchmark"), spec.get("sandbox"), launcher_of(spec)]


class BenchmarkPlans:
    """Plans of benchmark runs; the bugs of a benchmark are counted once in a while."""

    def __init__(self, runs: Runs, models: Models, database: Database) -> None:
        self._runs, self._models, self._database = runs, models, database
        self._bugs = Lately(_scorable, 60.0)

    def plan(self, spec: BenchmarkSpec, cluster: Cluster, bench: Sequence[Bench]) -> Plan:
        """Raises UserError where the benchmark's bugs cannot be read."""
        values = spec.model_dump(mode="json")
        bugs = min(self._bugs(spec.benchmark), spec.limit or self._bugs(spec.benchmark))
        one = measured(self._runs, "benchmark", _like, values, "made")
        tested = one or measured(self._runs, "benchmark", _like_tests, values, "tested")
        is_remote = GENERATORS.create(spec.generator).is_remote
        if one and not is_remote and (cluster.cards(one.cards) > 0) != (one.cards > 0):
            one = None  # a card's rate says nothing about a processor's
        found = None if one or is_remote else self._of_bench(spec, bench, tested, cluster)
        each, cards = (self._each(one, spec), cluster.cards(one.cards)) if one else (None, cluster.cards(0))
        patches = bugs * spec.candidates
        head = [Line(TESTS, *self._tests(tested, spec, bugs))]
        if one and each:
            seconds, decides = repairing(bugs, each, cluster, spec.workers or cluster.cores)
            start = max(0.0, one.seconds - one.rates["working"])
            made = one.rates["made"]
            source = one.said(f"{made:,.0f} patches in {one.rates['working']:,.0f} s, after {start:,.0f} s to start")
            time = Line(TIME, start + seconds, "s", source)
            is_more = max(cards, cluster.nodes) > max(one.cards, 1)
            notes = (decides, *([_as_if_shared(one)] if is_more else []))
            return Plan((time, *head, *self._more(one, spec, patches)), cluster.nodes, cards, start, notes)
        if found:
            return Plan((found[0], *head), cluster.nodes, cards, None, found[1], self._first(spec))
        where = "on such cards" if cards else "here"
        why = f"no run like it is done {where}, and no bench of a model of its size is given"
        return Plan((Line(TIME, None, "s", why), *head), cluster.nodes, cards, None, (), self._first(spec))

    def _first(self, spec: BenchmarkSpec) -> str:
        """A run with a few bugs, which tells all rates."""
        few = changed(spec, [f"limit={min(FEW, spec.limit or FEW)}", 'name=""'])
        return self._runs.command(few)

    def _each(self, one: Measured, spec: BenchmarkSpec) -> Repairing:
        """What a bug took; verdicts that came from earlier runs as if they had been tested then."""
        rates = one.rates
        bugs, cores = max(rates["made"] / spec.candidates, 1e-9), max(rates["workers"], 1)
        a_test = _a_test(rates)
        tests = rates["asked"] * a_test
        unasked = (rates["asked"] - rates["tested"]) * a_test
        return Repairing(
            writing_s=rates["writing"] * max(one.cards, 1) / bugs,
            testing_s=tests / bugs,
            together_s=(rates["working"] + unasked / cores) / bugs,
            cards=one.cards,
            workers=int(cores),
        )

    def _tests(self, tested: Measured | None, spec: BenchmarkSpec, bugs: int) -> tuple[float, str, str]:
        """(patches, unit, where the number is from)."""
        most = bugs * (spec.candidates + 2)
        if tested is None or not tested.rates.get("asked_bugs"):
            why = f"at most: {spec.candidates} of each of {bugs:,} bugs, its known fix and its buggy code"
            return most, "patches", why
        share = tested.rates["asked"] / max(tested.rates["asked_bugs"] * (tested.run.spec["candidates"] + 2), 1)
        return round(most * share), "patches", tested.said(
            f"{share:.0%} of all patches, known fixes and buggy code included; the others are equal to one, or no patch"
        )  # fmt: skip

    def _more(self, one: Measured, spec: BenchmarkSpec, patches: int) -> list[Line]:
        """Tokens, their price where a service has one, and disk."""
        lines, totals, made = [], tokens_of(self._database, one.run.id), one.rates["made"]
        per = [None if each is None else each / made * patches for each in totals]
        if None not in per:
            lines += [Line(name, value, "tokens", one.said("as many a patch")) for name, value in
                      zip((WRITTEN, READ), per, strict=True)]  # fmt: skip
        prices = [getattr(spec.generator, name, None) for name in ("written_price", "prompt_price")]
        if None not in prices:
            written, read = (None if each is None else round(each) for each in per)
            price = money(written, read, *prices)
            unit = getattr(spec.generator, "currency", "")
            why = "the prices of the generator" if price is not None else "its tokens are not known"
            lines.append(Line(COST, price, unit, why))
        kept = one.bytes + (one.told_bytes if shards_of(spec) > 1 else 0)
        size = (kept / made + bytes_a_patch(self._database)) * patches
        lines.append(Line(DISK, size, "bytes", one.said("its folder, and as much a patch as this home's database has")))
        return lines

    def _of_bench(
        self, spec: BenchmarkSpec, bench: Sequence[Bench], tested: Measured | None, cluster: Cluster
    ) -> tuple[Line, tuple[str, ...]] | None:
        """The time by `bench generate` and the tests of an earlier run; None where either is not known."""
        try:
            size = Shape.of(self._models.config(self._models.resolve(spec.model))).parameters
        except UserError:
            return None
        rate = next((each for each in bench if each.prompts_per_s and each.fits(size)), None)
        if rate is None or rate.prompts_per_s is None or tested is None or not cluster.cards(0):
            return None
        bugs = min(self._bugs(spec.benchmark), spec.limit or self._bugs(spec.benchmark))
        tests = _a_test(tested.rates) * self._tests(tested, spec, bugs)[0] / bugs
        writing = spec.candidates / rate.beams / rate.prompts_per_s
        each = Repairing(writing, tests, writing + tests, 1, int(tested.rates["workers"]))
        seconds, decides = repairing(bugs, each, cluster, spec.workers or cluster.cores)
        source = f"{rate.said}: {rate.prompts_per_s:,.2f} prompts/s with {rate.beams} completions"
        return Line(TIME, seconds, "s", f"{source}; tests: run {tested.run.id}"), (
            decides,
            "the start is not counted: no run like it is done",
        )


def _a_test(rates: Mapping[str, float]) -> float:
    """Seconds of a test in one thread, without those at the beginning for which a sandbox had to be started."""
    others = rates["tested"] - rates["workers"]
    if others < rates["workers"]:
        return rates["testing"] / max(rates["tested"], 1)
    return max(rates["testing"] - rates["workers"] * rates["first_test"], 0.0) / others


def _places(cards: int) -> str:
    return ("cards" if cards > 1 else "card") if cards else "machine"


def _as_if_shared(one: Measured) -> str:
    """What a plan for more cards than were measured assumes."""
    return (
        f"the rate of {max(one.cards, 1)} {_places(one.cards)} is multiplied: every process loads the "
        "model at the same time, and each has bugs until the end"
    )


def _scorable(benchmark: object) -> int:
    """How many bugs of a benchmark can be tested here."""
    assert isinstance(benchmark, Params)
    source = BENCHMARKS.create(benchmark)
    skipped = source.skipped()
    return sum(bug.id not in skipped for bug in source.bugs())
