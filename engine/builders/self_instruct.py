"""Tasks that a service makes up after the pattern of seed tasks: Self-Instruct (Wang et al. 2022, arXiv 2212.10560).

Each request shows tasks from the pool and asks for more, with input and output, as Stanford Alpaca simplified it. A new
task joins the pool unless its instruction is like one that is there: ROUGE-L of 0.7 or more, as in both.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal

from engine.builders import Funnel
from engine.builders.asking.service import FromService, Service, ServiceParams
from engine.builders.records import lines_within
from engine.domain import Completion, Rows, Sample
from engine.errors import UserError
from engine.generators import NoAnswer
from engine.params import Place, in_unicode, setting
from engine.representations import alpaca

LONGEST = 1 << 20  # bytes of a seed task
MOST_BYTES = 64 << 20  # of all seed tasks, which are held in memory
MOST_WORDS = 150  # of an instruction, as in Self-Instruct
MOST_CHARACTERS = 20_000  # of a new task, which is shown in later requests
ALIKE = 0.7  # ROUGE-L from which on two instructions are alike
EMPTY_ROUNDS = 3  # rounds without a new task after which the service has no more
_HEAD = re.compile(r"\W*(?P<number>\d+\.\s*)?(?P<part>Instruction|Input|Output):")  # of a line
_AFTER = {"Instruction": "Input", "Input": "Output"}
NOTHING = {"", "<noinput>", "none", "n/a"}  # inputs that mean that there is none
TEMPLATE = """Here are {shown} tasks for a programmer, each with an instruction, an input and an output. Write {new}
more.

Requirements:
1. No task repeats another one; their wording and their kind vary.
2. Each can be done by a language model, with code or text alone.
3. The input is short and real; where none is needed, write <noinput>.
4. The output is right and complete.

{tasks}"""


@dataclass(frozen=True)
class Task:
    """An instruction, what goes with it (perhaps nothing), and the answer."""

    instruction: str
    given: str
    answer: str


class SelfInstruct(FromService["SelfInstruct.Params"]):
    """Asks a service for more tasks like some seed tasks, and for their answers."""

    name: ClassVar[str] = "self_instruct"
    title: ClassVar[str] = "Tasks made up after seed tasks"
    makes: ClassVar[Rows] = "samples"

    class Params(ServiceParams):
        """The seed tasks, and who makes up more."""

        name: Literal["self_instruct"] = "self_instruct"  # type: ignore[assignment]
        seeds: Place = setting(
            "",
            "a .jsonl file of tasks with instruction, input and output, or with instances as Self-Instruct has them",
            upload=".jsonl",
            title="Seed tasks",
        )
        samples: int = setting(200, "new tasks wanted", ge=1, le=1_000_000)
        shown: int = setting(3, "in a request", ge=1, le=20, more=True, title="Tasks shown")
        new: int = setting(5, "in a request", ge=1, le=20, more=True, title="Tasks asked for")
        template: str = setting(
            TEMPLATE, "what the service is asked; {tasks}, {shown} and {new} are filled in", more=True
        )

    def check(self) -> None:
        """Raises UserError if no model is named, there are no seeds, or the template has no place for them."""
        super().check()
        if "{tasks}" not in self.params.template:
            raise UserError("template: has no {tasks}, where tasks are filled in", field="builder.template")
        if not self._seeds(Funnel()):
            raise UserError(
                f"seeds: {self.params.seeds} holds no task with an instruction and an output", field="builder.seeds"
            )

    def total(self) -> int:
        return self.params.samples

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Sample]:
        """The new tasks in the order of the requests; the seeds are not among them."""
        service, random = Service(self.params, seed, self._cache, funnel), Random(seed)
        pool = _Pool(self._seeds(Funnel()))
        made = empty = asked = 0
        while made < self.params.samples and empty < EMPTY_ROUNDS:
            prompts = [self._asked(pool.some(self.params.shown, random)) for _ in range(service.at_once)]
            before = made
            for number, answer in enumerate(service.answers(prompts), start=asked + 1):
                if isinstance(answer, NoAnswer):
                    funnel.source += 1
                    funnel.lose(answer.reason, f"request {number}")
                    continue
                tasks = [*_tasks(answer)]
                if not tasks:
                    funnel.source += 1
                    funnel.lose("the service wrote no task", f"request {number}")
                for place, task in enumerate(tasks, start=1):
                    where = f"request {number}, task {place}"
                    funnel.source += 1
                    if made == self.params.samples:
                        funnel.lose("more than are wanted", where)
                    elif reason := self.unfit(task.instruction, task.given, task.answer) or pool.refuses(task):
                        funnel.lose(reason, where)
                    else:
                        pool.add(task)
                        made += 1
                        yield Sample(
                            where, alpaca.segments(task.instruction, task.given, task.answer, self.params.form)
                        )
            asked += len(prompts)
            empty = empty + 1 if made == before else 0

    def _asked(self, tasks: Sequence[Task]) -> str:
        shown = "\n".join(
            f"###\n{number}. Instruction: {each.instruction}\n{number}. Input:\n{each.given or '<noinput>'}\n"
            f"{number}. Output:\n{each.answer}"
            for number, each in enumerate(tasks, start=1)
        )
        filled = {"{shown}": str(len(tasks)), "{new}": str(self.params.new), "{tasks}": f"{shown}\n###\n"}
        text = self.params.template
        for name, value in filled.items():
            text = text.replace(name, value)
        return text

    def _seeds(self, funnel: Funnel) -> list[Task]:
        if not self.params.seeds:
            raise UserError("seeds: no file is named; name a .jsonl file of tasks", field="builder.seeds")
        path = Path(self.params.seeds)
        try:
            if path.exists() and not path.is_file():
                raise UserError(f"seeds: {path} is no ordinary file", field="builder.seeds")
            if path.stat().st_size > MOST_BYTES:
                raise UserError(
                    f"seeds: {path} is larger than {MOST_BYTES >> 20} MiB; a few hundred tasks are enough",
                    field="builder.seeds",
                )
            found = [_seed(line) for _, line in lines_within(path, LONGEST) if line is not None]
        except OSError as error:
            raise UserError(f"seeds: {path} cannot be read: {error.strerror}", field="builder.seeds") from None
        return [task for task in found if task is not None]


class _Pool:
    """The tasks so far, and which new ones are like one of them."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = list(tasks)
        self._words = [_words(task.instruction) for task in tasks]

    def some(self, n: int, random: Random) -> list[Task]:
        return random.sample(self._tasks, min(n, len(self._tasks)))

    def refuses(self, task: Task) -> str:
        """Why the task does not join; empty if it may."""
        if not task.instruction or not task.answer:
            return "the service wrote no instruction or no output"
        if sum(map(len, (task.instruction, task.given, task.answer))) > MOST_CHARACTERS:
            return f"longer than {MOST_CHARACTERS:,} characters"
        words = _words(task.instruction)
        if len(words) > MOST_WORDS:
            return f"its instruction is longer than {MOST_WORDS} words"
        if any(rouge_l(words, other) >= ALIKE for other in self._words):
            return "its instruction is like an earlier one"
        return ""

    def add(self, task: Task) -> None:
        self._tasks.append(task)
        self._words.append(_words(task.instruction))


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of the longest common subsequence of words (Lin 2004, "ROUGE: A Package for Automatic Evaluation")."""
    if not one or not other:
        return 0.0
    if 2 * (Counter(one) & Counter(other)).total() / (len(one) + len(other)) < ALIKE:
        return 0.0  # the subsequence is no longer than what both have in any order; it only matters from `ALIKE` on
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for at, each in enumerate(other, start=1):
            diagonal, row[at] = row[at], diagonal + 1 if word == each else max(row[at], row[at - 1])
    return 2 * row[-1] / (len(one) + len(other))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _tasks(answer: Completion) -> Iterator[Task]:
    """The tasks in what the service wrote, without the last one of an answer that was cut off.

    Line by line, so that it takes no longer than the answer is long, whatever is in it.
    """
    parts: dict[str, list[str]] = {}  # of the current task, in their order, with their lines
    for line in answer.text.split("\n"):
        head = _HEAD.match(line)
        part, is_first = (head["part"], bool(head["number"])) if head else ("", False)
        begins = part == "Instruction" and (is_first or not parts)
        if "Output" in parts and (begins or line.startswith("###")):
            yield _task(parts)
            parts = {}
        if head and begins:
            parts = {part: [line[head.end() :]]}
        elif head and parts and _AFTER.get(next(reversed(parts))) == part:
            parts[part] = [line[head.end() :]]
        elif parts:
            parts[next(reversed(parts))].append(line)
    if "Output" in parts and answer.is_finished:
        yield _task(parts)


def _task(parts: Mapping[str, Sequence[str]]) -> Task:
    instruction, given, output = ("\n".join(lines).strip() for lines in parts.values())
    return Task(instruction, "" if given.lower() in NOTHING else given, output)


def _seed(line: bytes) -> Task | None:
    try:
        row: Any = json.loads(line)
        first = row["instances"][0] if "instances" in row else row
        texts = row["instruction"], first.get("input") or "", first["output"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if not all(isinstance(each, str) for each in texts) or not texts[0].strip() or not texts[2].strip():
        return None
    return Task(*(in_unicode(each) for each in texts))
