"""The contract test of a strategy, run on every registered one."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.domain import Bug, Outcome, Patch, Prompt, Sample, Span, Turn, Verdict
from engine.representations import Representation
from engine.strategies import Strategy
from engine.strategies.budget import Budget, Limits
from engine.strategies.conversation import Conversation

BUG = Bug(
    "contract/add",
    "python",
    "add.py",
    "def add(a, b):\n    return a - b\n",
    "def add(a, b):\n    return a + b\n",
    Span(2, 2),
)
TOOK, TOOK_S = (7, 3), 10.0  # tokens read and written for each completion; its seconds
MOST = 500  # completions in all conversations with one stub


@dataclass
class Stub:
    """A stub for model and tests, with fixed answers and fixed verdicts."""

    answers: list[str]
    budget: Budget = field(init=False)
    seconds: float = 0.0
    evaluated: list[str | None] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)

    name: str = "table"

    def encode(self, bug: Bug, notes: object = ()) -> Sample:
        return Sample.of(bug, bug.buggy, bug.fixed_lines)

    def question(self, bug: Bug, notes: object = ()) -> Prompt:
        return f"explain {bug.buggy}"

    def trim(self, completion: str, bug: Bug) -> str:
        return completion

    def decode(self, completion: str, bug: Bug) -> Patch:
        return Patch(bug.id, bug.replace_span(completion))

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Representation:
        return self

    def complete(self, prompt: Prompt) -> str:
        assert self.budget.has_room(), f"asked for a completion when the {self.budget.ended_by} were spent"
        assert len(self.prompts) < MOST, f"asked for more than {MOST} completions"
        self.prompts.append(prompt)
        self.budget.took(*TOOK)
        self.seconds += TOOK_S
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def evaluate(self, bug: Bug, patch: Patch) -> Verdict:
        self.evaluated.append(patch.text)
        is_fixed = patch.text == bug.fixed
        return Verdict(Outcome.PLAUSIBLE if is_fixed else Outcome.TEST_FAILED, log="E   assert 3 == 7")


def check(strategy: Strategy, attempts: int = 4) -> None:
    """Hold conversations with stubs that fail and one that succeeds. Raises AssertionError on a violation."""
    wrong = [f"    return a * {number}\n" for number in range(20)]
    for answers in (wrong[:1], wrong, [*wrong[:2], BUG.fixed_lines, *wrong[2:]], [""], [BUG.fixed_lines]):
        stub = Stub(list(answers))
        conversation = Conversation()
        turns = _replied(strategy, conversation, stub, Limits(attempts))
        if answers == [BUG.fixed_lines]:
            said = [turn for turn in turns if turn.is_attempt]
            assert said, "no patch was tried"
            assert said[-1].verdict is not None, "the last patch has no verdict"
            assert any(turn.is_plausible for turn in turns), "a model that knows the fix did not get it through"
            assert not strategy.ends_at_plausible or turns[-1] is said[-1], "something was said after a plausible patch"
        conversation.add(Turn("user", "try harder"))
        _replied(strategy, Conversation(conversation.turns), stub, Limits(1))
    for limits in (Limits(20, tokens=3 * sum(TOOK) - 1), Limits(20, seconds=3 * TOOK_S)):
        stub = Stub(list(wrong))
        _replied(strategy, Conversation(), stub, limits)
        assert len(stub.prompts) <= 3, f"{len(stub.prompts)} completions within {limits}"


def _replied(strategy: Strategy, conversation: Conversation, stub: Stub, limits: Limits) -> list[Turn]:
    """The turns of one reply, added to the conversation while they come, as the worker does it."""
    known = {turn.number for turn in conversation.turns}
    stub.budget = Budget(limits, clock=lambda: stub.seconds)
    turns = []
    for turn in strategy.reply(BUG, conversation, stub.budget, stub, stub.complete, stub.evaluate):
        if turn.is_attempt:
            stub.budget.attempted()
        turns.append(conversation.add(turn))
        number, parent = turns[-1].number, turns[-1].parent
        assert not parent or parent in known, f"turn {number} names {parent} as its parent, which is no earlier turn"
        known.add(number)
    _check_turns(strategy, turns, stub)
    return turns


def _check_turns(strategy: Strategy, turns: list[Turn], stub: Stub) -> None:
    assert turns, "nothing was said"
    most = stub.budget.limits.attempts
    patches = [turn for turn in turns if turn.is_attempt]
    assert len(patches) <= most, f"{len(patches)} patches with a budget of {most}"
    for turn in turns:
        assert turn.role in ("tool", "assistant"), f"{turn.role!r} is not for a strategy to say"
        assert turn.patch is None or turn.role == "assistant", "patches are the assistant's"
        assert turn.patch is not None or turn.verdict is None, "there is a verdict without a patch"
        if turn.role == "assistant":
            assert turn.prompt in stub.prompts, f"turn {turn.number} is not shown with the prompt that it answers"
    for number, turn in enumerate(patches):
        assert turn.patch is not None
        assert turn.verdict is not None, f"patch {number} was shown without a verdict"
        assert turn.patch.text in stub.evaluated, f"the verdict on patch {number} came from no test run"
        is_last = number == len(patches) - 1
        may_go_on = is_last or not strategy.ends_at_plausible
        assert may_go_on or not turn.is_plausible, "the conversation went on after a plausible patch"
