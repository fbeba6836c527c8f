"""Every kind of plug-in with its built-in plug-ins; installed packages add more through entry points.

A package adds a plug-in with an entry point in the group `repair_studio.<kind>`; forms, specs, shell and contract tests
find it there. A built-in plug-in is one line in a table below.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from pydantic import ValidationError

from engine.errors import UserError
from engine.params import Params, explain, shown

if TYPE_CHECKING:
    from engine.benchmarks import Benchmark
    from engine.builders import Builder
    from engine.generators import Generator
    from engine.launchers import Launcher
    from engine.representations import Representation
    from engine.sandboxes import Sandbox
    from engine.strategies import Strategy
    from engine.trainers import Trainer

P = TypeVar("P")
log = logging.getLogger(__name__)
Made = TypeVar("Made", covariant=True)
Settings = Params  # by a name that `Plugin` does not have for its own


class Plugin(Protocol[Made]):
    """A plug-in's class: the settings that it declares, and the call that makes it of them."""

    @property
    def Params(self) -> type[Settings]: ...

    def __call__(self, params: Settings, /) -> Made: ...


class Registry(Generic[P]):
    """The plug-ins of one kind."""

    def __init__(
        self, kind: str, field: str, built_in: Mapping[str, str], renamed: Mapping[str, str] | None = None
    ) -> None:
        """`kind`: "trainers"; `field`: the field of a spec that chooses one, "trainer".

        `built_in`: name -> "module:Class", imported only when asked for.
        `renamed`: name that older specs or other programs use -> name.
        """
        self.kind, self.field = kind, field
        self._built_in = dict(built_in)
        self._renamed = dict(renamed or {})

    @cached_property
    def _paths(self) -> dict[str, str]:
        found = dict(self._built_in)
        for each in entry_points(group=f"repair_studio.{self.kind}"):
            if found.setdefault(each.name, each.value) != each.value:
                used = found[each.name]
                log.warning("%s of %s: %s is used, and %s is not", each.name, self.kind, used, each.value)
        return found

    def current(self, text: str) -> str:
        """A plug-in's name, or an id that begins with one ("quixbugs/gcd"), as it is called today."""
        name, slash, rest = text.partition("/")
        return self._renamed.get(name, name) + slash + rest

    def names(self) -> list[str]:
        """The built-in ones in the order of their table, then those of installed packages."""
        return list(self._paths)

    def built_in(self) -> list[str]:
        """The built-in ones, in the order of their table."""
        return list(self._built_in)

    def plugin(self, name: str) -> Plugin[P]:
        """The plug-in's class. Raises UserError if `name` is unknown, or an installed package does not provide it."""
        if name not in self._paths:
            known = ", ".join(sorted(self._paths))
            raise UserError(f"there is no {self.kind} plug-in called {shown(name)}; choose one of: {known}")
        path = self._paths[name]
        if name in self._built_in:
            return cast("Plugin[P]", _loaded(path))
        try:
            found = _loaded(path)
            if not issubclass(found.Params, Params):
                raise TypeError("its Params are no engine.params.Params")
        except (Exception, SystemExit) as error:  # whatever a package does when it is imported
            raise UserError(
                f"the {self.kind} plug-in {name!r} cannot be loaded from {path}: {type(error).__name__}: {error}; "
                "repair the package, or uninstall it",
                field=self.field,
            ) from None
        return cast("Plugin[P]", found)

    def title(self, name: str) -> str:
        """The plug-in's label on a page: its `title`, or its name if it has none."""
        return str(getattr(self.plugin(name), "title", name))

    def params(self, value: Any) -> Params:
        """`value` (a name, a dict with "name", or Params) as validated settings; pydantic errors pass through."""
        if isinstance(value, Params):
            return value
        if isinstance(value, str):
            value = {"name": value}
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            value = {**value, "name": self.current(value["name"])}
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise ValueError(f'expected a plug-in as {{"name": one of {", ".join(self.names())}}}, got {shown(value)}')
        try:
            declared = self.plugin(value["name"])
        except UserError as unknown:
            raise ValueError(str(unknown)) from None
        return declared.Params.model_validate(value)

    def from_value(self, value: Any) -> P:
        """The plug-in described by `value`, as in `params`. Raises UserError if there is none or a setting is wrong."""
        try:
            params = self.params(value)
        except ValidationError as error:
            raise explain(error) from None
        except ValueError as error:
            raise UserError(str(error), field=self.field) from None
        return self.create(params)

    def create(self, params: Params) -> P:
        """The plug-in with these settings."""
        return self.plugin(params.name)(params)


def _loaded(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)


BUILDERS: Registry[Builder] = Registry(
    "builders",
    "builder",
    {
        "faults": "engine.builders.faults:FaultInjection",
        "tested_faults": "engine.builders.tested_faults:NoticedFaults",
        "columns": "engine.builders.columns:Columns",
        "infilling": "engine.builders.infilling:Infilling",
        "instructions": "engine.builders.instructions:Instructions",
        "texts": "engine.builders.texts:Texts",
        "conversations": "engine.builders.conversations:Conversations",
        "preferences": "engine.builders.preferences:Preferences",
        "verdict_answers": "engine.builders.verdict_answers:VerdictAnswers",
        "diffs": "engine.builders.diffs:Diffs",
        "git_history": "engine.builders.git_history:GitHistory",
        "juliet": "engine.builders.juliet:Juliet",
        "sven": "engine.builders.sven:Sven",
        "code_instructions": "engine.builders.code_instructions:CodeInstructions",
        "self_instruct": "engine.builders.self_instruct:SelfInstruct",
        "snapshots": "engine.builders.snapshots:Snapshots",
        "mixer": "engine.builders.mixer:Mixer",
        "verdicts": "engine.builders.verdicts:Verdicts",
        "verdict_pairs": "engine.builders.verdict_pairs:VerdictPairs",
    },
)
REPRESENTATIONS: Registry[Representation] = Registry(
    "representations",
    "representation",
    {
        "ir4_or2": "engine.representations.ir4_or2:Ir4Or2",
        "ir3_or2": "engine.representations.ir3_or2:Ir3Or2",
        "ir2_or2": "engine.representations.ir2_or2:Ir2Or2",
        "ir1_or1": "engine.representations.ir1_or1:Ir1Or1",
        "ir1_or3": "engine.representations.ir1_or3:Ir1Or3",
        "ir1_or4": "engine.representations.ir1_or4:Ir1Or4",
        "instruct": "engine.representations.instruct:Instruct",
        "left_to_right": "engine.representations.left_to_right:LeftToRight",
    },
)
TRAINERS: Registry[Trainer] = Registry(
    "trainers",
    "trainer",
    {
        "sft": "engine.trainers.sft:Sft",
        "dpo": "engine.trainers.dpo:Dpo",
        "kto": "engine.trainers.kto:Kto",
        "grpo": "engine.trainers.grpo:Grpo",
    },
)
GENERATORS: Registry[Generator] = Registry(
    "generators",
    "generator",
    {
        "beam": "engine.generators.beam:Beam",
        "sampling": "engine.generators.sampling:Sampling",
        "endpoint": "engine.generators.endpoint:Endpoint",
    },
)
BENCHMARKS: Registry[Benchmark] = Registry(
    "benchmarks",
    "benchmark",
    {
        "pocket": "engine.benchmarks.pocket:Pocket",
        "quixbugs-python": "engine.benchmarks.quixbugs:QuixBugs",
        "quixbugs-java": "engine.benchmarks.quixbugs_java:QuixBugsJava",
        "completion": "engine.benchmarks.completion:Completion",
        "defects4j": "engine.benchmarks.defects4j:Defects4J",
        "folder": "engine.benchmarks.folder:Folder",
        "humaneval": "engine.benchmarks.humaneval:HumanEval",
        "humaneval-java": "engine.benchmarks.humaneval_java:HumanEvalJava",
        "mbpp": "engine.benchmarks.mbpp:Mbpp",
        "tests-for-methods": "engine.benchmarks.tests_for_methods:TestsForMethods",
    },
    renamed={"quixbugs": "quixbugs-python", "HumanEval": "humaneval", "MBPP": "mbpp"},
)
SANDBOXES: Registry[Sandbox] = Registry(
    "sandboxes",
    "sandbox",
    {  # the strongest first, as `auto` tries them
        "bubblewrap": "engine.sandboxes.bubblewrap:Bubblewrap",
        "landlock": "engine.sandboxes.landlock:Landlock",
        "auto": "engine.sandboxes.auto:Auto",
    },
)
LAUNCHERS: Registry[Launcher] = Registry(
    "launchers",
    "launcher",
    {
        "local": "engine.launchers.local:Local",
        "torchrun": "engine.launchers.torchrun:Torchrun",
        "slurm": "engine.launchers.slurm:Slurm",
        "ray": "engine.launchers.ray:Ray",
        "ssh": "engine.launchers.ssh:Ssh",
    },
)
STRATEGIES: Registry[Strategy] = Registry(
    "strategies",
    "strategy",
    {
        "alternatives": "engine.strategies.alternatives:Alternatives",
        "parallel": "engine.strategies.parallel:Parallel",
        "single_shot": "engine.strategies.single_shot:SingleShot",
        "test_feedback": "engine.strategies.test_feedback:TestFeedback",
        "two_stage": "engine.strategies.two_stage:TwoStage",
    },
)
KINDS: tuple[Registry[Any], ...] = (
    BUILDERS,
    REPRESENTATIONS,
    TRAINERS,
    GENERATORS,
    BENCHMARKS,
    SANDBOXES,
    LAUNCHERS,
    STRATEGIES,
)
BY_FIELD: dict[str, Registry[Any]] = {registry.field: registry for registry in KINDS}
