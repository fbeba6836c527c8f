"""A loaded model with everything that a conversation needs, which another adapter or other settings can replace."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.benchmarks import Benchmark
from engine.domain import Bug, Model, Patch, Verdict
from engine.errors import UserError
from engine.events import Progress
from engine.fingerprint import weights_hash
from engine.generators import Generator, SharesModel
from engine.params import Params
from engine.plugins import BENCHMARKS, GENERATORS, REPRESENTATIONS, STRATEGIES, Registry
from engine.representations import Representation
from engine.representations.chat_template import for_model
from engine.rundir import Inputs, RunDir
from engine.sandboxes.auto import usable
from engine.specs import ChatSpec
from engine.strategies import Strategy
from engine.strategies.budget import Budget, Limits, Prices, Spent

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What one question is answered with."""

    bug: Bug
    generator: Generator
    representation: Representation
    strategy: Strategy


class LoadedModel:
    """One model at a time. Raises UserError where none is named, or it cannot be loaded."""

    def __init__(self, spec: ChatSpec, inputs: Inputs, run: RunDir) -> None:
        if inputs.model is None:
            raise UserError("no model was named", field="model")
        self._spec, self._own, self._run = spec, inputs.model, run
        self._sandbox = usable(spec.sandbox)
        self._benchmarks: dict[str, _Bugs] = {}
        self._tools: dict[str, Tools] = {}  # of the last question that asked for them
        self._params: Params = spec.generator
        self._generator: Generator = GENERATORS.create(spec.generator)
        self._model: Model | None = None
        self._benchmark_of(spec.benchmark)
        self._load(inputs.model, spec.generator)

    def tools(self, bug_id: str, model: Model | None, settings: dict[str, Any]) -> Tools:
        """Load `model`, the worker's own where None, unless it is loaded, and use these settings of the spec.

        Raises UserError if the bug cannot be tested here, or the model cannot be loaded.
        """
        key = json.dumps([bug_id, asdict(model) if model else None, settings], sort_keys=True, default=str)
        if key in self._tools:  # nothing else was loaded since
            return self._tools[key]
        self._tools.clear()
        bug = self._benchmark_of(self._wanted(settings, "benchmark", BENCHMARKS)).bug(bug_id)
        self._load(model or self._own, self._wanted(settings, "generator", GENERATORS))
        assert self._model is not None, "it is loaded"
        shown = REPRESENTATIONS.create(self._wanted(settings, "representation", REPRESENTATIONS))
        self._tools[key] = Tools(
            bug,
            self._generator,
            for_model(shown, self._model, self._generator.vocabulary()),
            STRATEGIES.create(self._wanted(settings, "strategy", STRATEGIES)),
        )
        return self._tools[key]

    def evaluate(self, settings: dict[str, Any], bug: Bug, patch: Patch) -> Verdict:
        """The verdict of the benchmark's tests, in the sandbox."""
        made = self._benchmark_of(self._wanted(settings, "benchmark", BENCHMARKS))
        return made.benchmark.evaluate(bug, patch, self._sandbox)

    def budget(self, attempts: int, settings: dict[str, Any], spent: Spent, clock: Callable[[], float]) -> Budget:
        """What one answer may take. Raises UserError where it is limited in money and the prices are not known."""
        tokens, seconds, money = (settings.get(each, getattr(self._spec, each)) for each in ChatSpec.limits)
        prices = Prices()
        if self._generator.is_remote:
            read, written = (getattr(self._params, each, None) for each in ("prompt_price", "written_price"))
            if money is not None and (read is None or written is None):
                raise UserError(
                    f"budget_money: a budget of {money:g} needs to know what the service costs; set "
                    "generator.prompt_price and generator.written_price, or leave the budget empty",
                    field="budget_money",
                )
            prices = Prices(read or 0.0, written or 0.0, getattr(self._params, "currency", ""))
        return Budget(Limits(attempts, tokens, seconds, money), spent, prices, clock)

    def _wanted(self, settings: dict[str, Any], place: str, registry: Registry[Any]) -> Any:
        return registry.params(settings[place]) if place in settings else getattr(self._spec, place)

    def _benchmark_of(self, params: Any) -> _Bugs:
        key = json.dumps(params.model_dump(mode="json"), sort_keys=True)
        if key not in self._benchmarks:
            self._benchmarks[key] = _Bugs(BENCHMARKS.create(params))
        return self._benchmarks[key]

    def _load(self, model: Model, params: Params) -> None:
        if params != self._params:
            made = GENERATORS.create(params)
            takes = isinstance(made, SharesModel) and made.take_over(self._generator)
            self._generator, self._params = made, params
            self._model = self._model if takes else None
        if model == self._model:
            return
        self._run.emit(Progress(0, text=f"loading {model.name}" if self._model else "loading the model"))
        self._model = None
        self._generator.load(model, self._spec.seed)
        self._model = model
        if model != self._own:  # whose hashes are recorded with the inputs of the run
            log.info("%s is loaded from %s, weights %s", model.name, model.path, weights_hash(Path(model.path)))


class _Bugs:
    """The bugs of a benchmark, read once."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self._bugs = {bug.id: bug for bug in benchmark.bugs()}
        self._skipped = benchmark.skipped()

    def bug(self, bug_id: str) -> Bug:
        """Raises UserError if there is none of this id, or it cannot be tested here."""
        if bug_id not in self._bugs:
            raise UserError(f"there is no bug {bug_id!r} in this benchmark", field="bug")
        if bug_id in self._skipped:
            raise UserError(f"{bug_id} cannot be tested here: {self._skipped[bug_id]}", field="bug")
        return self._bugs[bug_id]
