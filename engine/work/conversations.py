"""Conversations of a benchmark run: one about each bug, each attempt after the verdict on the one before.

The model writes in one thread; the tests of other bugs run meanwhile, and the prompts of several are one batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from engine.domain import Bug, Completion, Outcome, Patch, Prompt, Turn, Verdict, as_text
from engine.errors import OutsideFailure, UserError
from engine.events import Answered, TurnEvent
from engine.failures.budget import most_tokens
from engine.generators import TOO_LONG, Generator, NoAnswer, PromptTooLong
from engine.rundir import RunDir
from engine.strategies import Strategy
from engine.strategies.answer import answer
from engine.strategies.budget import Budget, Limits, Spent
from engine.strategies.conversation import Conversation
from engine.work.encoding import Asked
from engine.work.validation import Validation

AT_ONCE = 32  # conversations whose prompts may be one batch
TRIES = 2  # to run the tests of one patch
QUESTION = 1  # a bug's conversation answers one question: how is it repaired


@dataclass(frozen=True)
class Ended:
    """How far a conversation came; `skipped`: why nothing was attempted, "too_long: ..."."""

    bug: Bug
    patches: int  # of all workers of the run, with one that could not be run
    made: int = 0  # attempts of this worker
    skipped: str = ""


class Conversations:
    """Holds a conversation about each bug, and goes on with those that an earlier worker of this run began."""

    def __init__(
        self, strategy: Strategy, generator: Generator, validation: Validation, run: RunDir, most: int
    ) -> None:
        """`most`: attempts for each bug."""
        self.strategy, self.validation, self.run, self.most = strategy, validation, run, most
        self.desk = Writing(generator, most)
        self._said: dict[int, list[TurnEvent]] = {}
        self._over: set[int] = set()
        for event in run.all_events():
            if isinstance(said := event.payload, TurnEvent):
                self._said.setdefault(said.conversation, []).append(said)
            elif isinstance(said, Answered):
                self._over.add(said.conversation)

    def hold(self, bugs: Mapping[int, Bug], asked: Mapping[str, Asked]) -> Iterator[Ended]:
        """Each bug as its conversation ends; `bugs`: by the number of its conversation, the same in every worker.

        Raises what the generator raises; the patches that were written before have their verdicts then.
        """
        talks = [
            _Talk(self, number, bug, asked[bug.id], self._said.get(number, ()))
            for number, bug in bugs.items()
        ]  # fmt: skip
        for talk in talks:
            if talk.number in self._over:
                yield Ended(talk.bug, talk.attempts)
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="conversation")
        held = [pool.submit(talk.go_on) for talk in talks if talk.number not in self._over]
        try:
            for each in held:
                each.add_done_callback(self.desk.tell)
            for ended in self.desk.answer(len(held)):
                yield ended.result()
        except (OutsideFailure, UserError):
            self.desk.close()
            wait(held)
            raise
        finally:
            self.desk.close()
            pool.shutdown(wait=False, cancel_futures=True)


@dataclass(eq=False)
class _Question:
    """What a conversation wants of the model: completions of a prompt, or the length of a text in tokens."""

    prompt: Prompt
    draw: int | None  # None: only its length is asked for
    answer: Future[Any] = field(default_factory=Future)


class Writing:
    """The one thread that asks the generator, for all conversations."""

    def __init__(self, generator: Generator, most: int) -> None:
        self._generator = generator
        self.draws_again = bool(getattr(generator, "draws_again", False))
        # one that cannot draw again is asked for as many completions as there may be attempts
        self._at_once = 1 if self.draws_again else most
        self._waiting: SimpleQueue[_Question | Future[Ended]] = SimpleQueue()
        self._open: set[_Question] = set()
        self._is_closed = False
        self._lock = Lock()

    # -- the thread of a conversation ---------------------------------------------------------------------------

    def completions(self, prompt: Prompt, draw: int) -> list[Completion] | NoAnswer:
        """Best first. Raises CancelledError if the run ends."""
        found: list[Completion] | NoAnswer = self._ask(_Question(prompt, draw))
        return found

    def count(self, text: str) -> int:
        """The length in tokens. Raises CancelledError if the run ends."""
        counted: int = self._ask(_Question(text, None))
        return counted

    def _ask(self, question: _Question) -> Any:
        with self._lock:
            if self._is_closed:
                raise CancelledError
            self._open.add(question)
        self._waiting.put(question)
        return question.answer.result()

    def tell(self, ended: Future[Ended]) -> None:
        """That a conversation is over."""
        self._waiting.put(ended)

    # -- the thread of the model --------------------------------------------------------------------------------

    def answer(self, conversations: int) -> Iterator[Future[Ended]]:
        """Answer until so many conversations have ended; yields each as it does. Raises what the generator raises."""
        while conversations:
            told: list[_Question | Future[Ended]] = [self._waiting.get()]
            try:
                while True:
                    told.append(self._waiting.get_nowait())
            except Empty:
                pass
            for each in told:
                if isinstance(each, Future):
                    conversations -= 1
                    yield each
            questions = [each for each in told if isinstance(each, _Question)]
            for draw in sorted({-1 if each.draw is None else each.draw for each in questions}):
                same = [each for each in questions if each.draw == (None if draw < 0 else draw)]
                self._count(same) if draw < 0 else self._write(same, draw)

    def _count(self, questions: Sequence[_Question]) -> None:
        texts = [as_text(each.prompt) for each in questions]
        counted = self._generator.count(texts) or map(most_tokens, texts)
        for each, number in zip(questions, counted, strict=True):
            self._set(each, number)

    def _write(self, questions: Sequence[_Question], draw: int) -> None:
        more = (draw,) if draw else ()
        prompts = [each.prompt for each in questions]
        for index, found in self._generator.generate(prompts, self._at_once, *more):
            self._set(questions[index], found)

    def _set(self, question: _Question, answer: Any) -> None:
        with self._lock:
            self._open.discard(question)
        question.answer.set_result(answer)

    def close(self) -> None:
        """Nothing more is answered: conversations that wait for an answer end."""
        with self._lock:
            self._is_closed = True
            left, self._open = self._open, set()
        for question in left:
            question.answer.set_exception(CancelledError())


class _NotRun(Exception):
    """The tests of a patch could not be run, or it could not be written: nothing that a model may be told."""

    def __init__(self, patch: Patch, verdict: Verdict, *, is_written: bool = True) -> None:
        super().__init__(verdict.reason)
        self.patch, self.verdict, self.is_written = patch, verdict, is_written


class _Talk:
    """The conversation about one bug, which one thread holds."""

    def __init__(self, held: Conversations, number: int, bug: Bug, asked: Asked, said: Sequence[TurnEvent]) -> None:
        self.number, self.bug = number, bug
        self._held, self._shown = held, asked.shown
        self._tree = Conversation((each.turn(bug.id) for each in said), first=1)
        self.attempts = sum(each.turn(bug.id).is_attempt for each in said)
        self._before = self.attempts  # by earlier workers
        self._draws: Counter[Prompt] = Counter()
        self._found: dict[Prompt, list[Completion]] = {}  # of a generator that cannot draw again
        self._written: list[Completion] = []  # since the last attempt
        self._read: list[tuple[Prompt, str, Completion]] = []  # of these, what the strategy was given

    def go_on(self) -> Ended:
        """Attempt until it is repaired, nothing is left to attempt, or its tests cannot be run."""
        try:
            for turn in self._turns():
                self._say(turn)
        except CancelledError:
            return self._ended()
        except _NotRun as failed:
            return self._stopped(failed)
        except PromptTooLong as error:
            if self.attempts:
                raise
            return Ended(self.bug, 0, skipped=f"too_long: {error}")
        self._held.run.emit(Answered(self.number, QUESTION))
        return self._ended()

    def _ended(self) -> Ended:
        return Ended(self.bug, self.attempts, self.attempts - self._before)

    def _turns(self) -> Iterator[Turn]:
        budget = Budget(Limits(self._held.most), Spent(self.attempts))
        count = self._held.desk.count
        return answer(
            self._held.strategy, self.bug, self._tree, budget, self._shown, self._complete, self._evaluate, count
        )

    def _complete(self, prompt: Prompt) -> str:
        draw, again = self._draws[prompt], self._held.desk.draws_again
        self._draws[prompt] += 1
        if again or prompt not in self._found:
            written = self._held.desk.completions(prompt, draw if again else 0)
            if isinstance(written, NoAnswer):
                if written == TOO_LONG:
                    raise PromptTooLong(written.reason.partition(": ")[2])
                nothing = Patch(self.bug.id, None), Verdict(Outcome.NOT_RUN, written.reason)
                raise _NotRun(*nothing, is_written=False)
            self._written += written
            self._found[prompt] = written
        found = self._found[prompt]
        completion = found[0 if again else min(draw, len(found) - 1)]  # after the last one it has no other
        text = completion.text if completion.is_finished else self._shown.trim(completion.text, self.bug)
        self._read.append((prompt, text, completion))
        return text

    def _evaluate(self, bug: Bug, patch: Patch) -> Verdict:
        for _ in range(TRIES):
            verdict = self._held.validation.verdict(bug, patch)
            if verdict.outcome is not Outcome.NOT_RUN:
                return verdict
        raise _NotRun(patch, verdict)

    def _say(self, turn: Turn) -> None:
        """The patch first: a worker that is killed between the two attempts it again, and has the same rank for it."""
        if turn.patch is not None and turn.verdict is not None:
            self.attempts += 1
            made = self._completion(turn.prompt, turn.text)
            self._emit(self.attempts, made, turn.patch, turn.verdict, turn.prompt)
        self._held.run.emit(TurnEvent.of(self.number, turn))

    def _stopped(self, failed: _NotRun) -> Ended:
        """As no attempt: a resumed run tries it again."""
        if not (failed.is_written or self.attempts):
            return Ended(self.bug, 0, skipped=failed.verdict.reason)
        prompt, text = self._read[-1][:2] if self._read else ("", "")
        self._emit(self.attempts + 1, self._completion(prompt, text), failed.patch, failed.verdict, prompt)
        return replace(self._ended(), patches=self.attempts + 1)

    def _emit(self, rank: int, made: Completion, patch: Patch, verdict: Verdict, prompt: Prompt) -> None:
        self._held.validation.attempt(self.bug, rank, made, patch, verdict, as_text(prompt))

    def _completion(self, prompt: Prompt, text: str) -> Completion:
        """The one that was chosen, with the tokens of all that were written for this attempt."""
        same = [each for asked, said, each in self._read if (asked, said) == (prompt, text)]
        chosen = same[-1] if same else Completion(text)
        written = _sum([each.n_tokens for each in self._written])
        read = _sum([each.prompt_tokens for each in self._written])
        self._written, self._read = [], []
        return Completion(chosen.text, chosen.score, written, read, chosen.is_finished)


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [each for each in numbers if each is not None]
    return sum(known) if len(known) == len(numbers) else None
