"""The contract test of a strategy, run on every registered one."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.domain import Bug, Outcome, Patch, Prompt, Sample, Span, Turn, Verdict
from engine.representations import Representation
from engine.strategies import Strategy
from engine.strategies.conversation import Conversation

BUG = Bug(
    "contract/add",
    "python",
    "add.py",
    "def add(a, b):\n    return a - b\n",
    "def add(a, b):\n    return a + b\n",
    Span(2, 2),
)


@dataclass
class Stub:
    """A stub for model and tests, with fixed answers and fixed verdicts."""

    answers: list[str]
    evaluated: list[str | None] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)

    name: str = "table"

    def encode(self, bug: Bug, notes: object = ()) -> Sample:
        return Sample.of(bug, bug.buggy, bug.fixed_lines)

    def trim(self, completion: str, bug: Bug) -> str:
        return completion

    def decode(self, completion: str, bug: Bug) -> Patch:
        return Patch(bug.id, bug.replace_span(completion))

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Representation:
        return self

    def complete(self, prompt: Prompt) -> str:
        self.prompts.append(prompt)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def evaluate(self, bug: Bug, patch: Patch) -> Verdict:
        self.evaluated.append(patch.text)
        is_fixed = patch.text == bug.fixed
        return Verdict(Outcome.PLAUSIBLE if is_fixed else Outcome.TEST_FAILED, log="E   assert 3 == 7")


def check(strategy: Strategy, budget: int = 4) -> None:
    """Hold conversations with stubs that fail and one that succeeds. Raises AssertionError on a violation."""
    wrong = [f"    return a * {number}\n" for number in range(20)]
    for answers in (wrong[:1], wrong, [*wrong[:2], BUG.fixed_lines, *wrong[2:]], [""], [BUG.fixed_lines]):
        stub = Stub(list(answers))
        conversation = Conversation()
        turns = _replied(strategy, conversation, stub, budget)
        if answers == [BUG.fixed_lines]:
            assert turns[-1].verdict is not None, "the last turn has no verdict"
            assert turns[-1].verdict.is_plausible, "a model that knows the fix did not get it through"
        conversation.add(Turn("user", "try harder"))
        _replied(strategy, conversation, stub, 1)


def _replied(strategy: Strategy, conversation: Conversation, stub: Stub, budget: int) -> list[Turn]:
    """The turns of one reply, numbered while they come, as the worker does it."""
    known = {turn.number for turn in conversation.path}
    turns = []
    for turn in strategy.reply(BUG, conversation.path, budget, stub, stub.complete, stub.evaluate):
        turns.append(conversation.add(turn))
        number, parent = turns[-1].number, turns[-1].parent
        is_earlier = parent in known or (parent is None and number == 1)
        assert is_earlier, f"turn {number} names {parent} as its parent, which is no earlier turn"
        known.add(number)
    _check_turns(turns, stub, budget)
    return turns


def _check_turns(turns: list[Turn], stub: Stub, budget: int) -> None:
    assert turns, "nothing was said"
    patches = [turn for turn in turns if turn.role == "assistant"]
    assert len(patches) <= budget, f"{len(patches)} patches with a budget of {budget}"
    for turn in turns:
        assert turn.role in ("tool", "assistant"), f"{turn.role!r} is not for a strategy to say"
        assert (turn.patch is None) == (turn.role == "tool"), "patches are the assistant's"
    for number, turn in enumerate(patches):
        assert turn.patch is not None
        assert turn.verdict is not None, f"patch {number} was shown without a verdict"
        assert turn.prompt in stub.prompts, f"patch {number} is not shown with the prompt that it answers"
        assert turn.patch.text in stub.evaluated, f"the verdict on patch {number} came from no test run"
        is_last = number == len(patches) - 1
        assert is_last or not turn.verdict.is_plausible, "the conversation went on after a plausible patch"
