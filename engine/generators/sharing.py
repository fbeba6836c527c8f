"""Several GPUs share the prompts of a run: a process for each, and the generator that asks all of them.

What is generated does not depend on which process does it: a prompt's samples have a seed of their own, and beam search
finds the same completions in any batch, up to the rounding of what else is computed in it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, ClassVar

from engine.domain import Completion, Model, Prompt
from engine.errors import OutsideFailure, UserError
from engine.generators import Generator, NoAnswer, Stream
from engine.generators.device import KINDS
from engine.params import Params
from engine.plugins import GENERATORS

log = logging.getLogger(__name__)
DEVICE = "engine.generators.device"
ANSWERS = frozenset({"index", "value", "error"})  # one of them is in each of its lines
Told = dict[str, Any] | None  # a line of `engine.generators.device`; None: the process has ended


@dataclass(frozen=True)
class Place:
    """Where one process works: its name, and what of the environment differs there."""

    name: str
    environment: Mapping[str, str]
    is_gpu: bool = False


@contextmanager
def generator_on(params: Params, devices: int) -> Iterator[Generator]:
    """The generator with these settings, in processes on so many GPUs if there are several; they end with the context.

    `devices` as in `engine.specs.BenchmarkSpec`. Raises UserError where there are not as many.
    """
    alone = GENERATORS.create(params)
    shared = [] if alone.is_remote else places(devices)
    with closing(Shared(params, shared)) if len(shared) > 1 else nullcontext(alone) as generator:
        yield generator


def places(devices: int) -> list[Place]:
    """One for each GPU that is used, or for each process that shares the processor. Raises UserError.

    Which GPUs are visible, and how CUDA numbers them, is said by CUDA_VISIBLE_DEVICES:
    https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    """
    import torch

    visible = torch.cuda.device_count()
    if visible and devices > visible:
        raise UserError(
            f"devices: {devices} GPUs are asked for, and {visible} can be seen here; ask for fewer, or 0 for all",
            field="devices",
        )
    count = devices or visible or 1
    stated = os.environ.get("OMP_NUM_THREADS", "")  # may be a list, one number for each level
    cores = int(stated) if stated.isdigit() else len(os.sched_getaffinity(0))
    threads = {"OMP_NUM_THREADS": str(max(1, cores // count))}
    if not visible:
        return [Place(f"process {number}", threads) for number in range(1, count + 1)]
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = listed.split(",") if listed else [str(number) for number in range(visible)]
    return [Place(f"GPU {name}", {**threads, "CUDA_VISIBLE_DEVICES": name}, True) for name in names[:count]]


class Shared:
    """A generator in several processes. One that ends gives its prompts back, and the others generate for these."""

    is_remote: ClassVar[bool] = False

    def __init__(self, params: Params, shared: Sequence[Place]) -> None:
        self.name = params.name
        self._params = params
        self._places = shared
        self._heard: SimpleQueue[tuple[_Process, Told]] = SimpleQueue()
        self._started: list[_Process] = []
        self._living: list[_Process] = []

    def load(self, model: Model, seed: int) -> None:
        if not self._started:
            for place in self._places:
                self._started.append(_Process(place, self._params, self._heard))
            self._living = list(self._started)
        for process in self._living:
            process.ask("load", asdict(model), seed)
        waiting = set(self._living)
        while waiting:
            process, told = self._hear()
            waiting.discard(process)
            if told is None:
                self._lose(process)

    def vocabulary(self) -> frozenset[str] | None:
        found = self._ask("vocabulary")
        return None if found is None else frozenset(found)

    def count(self, prompts: Sequence[Prompt]) -> list[int] | None:
        counted: list[int] | None = self._ask("count", list(prompts))
        return counted

    def room(self) -> int | None:
        tokens: int | None = self._ask("room")
        return tokens

    @property
    def draws_again(self) -> bool:
        return bool(getattr(GENERATORS.plugin(self.name), "draws_again", False))

    def generate(
        self, prompts: Sequence[Prompt], n: int, draw: int = 0
    ) -> Iterator[tuple[int, list[Completion] | NoAnswer]]:
        more = (draw,) if draw else ()
        waiting = deque(sorted(range(len(prompts)), key=lambda index: -len(prompts[index])))
        least = -(-len(prompts) // (4 * len(self._living)))
        given: dict[_Process, list[int]] = {}  # process -> the prompts that it was given
        left: dict[_Process, set[int]] = {}  # process -> those of them that it has not answered

        def hand_out() -> None:
            for process in self._living:
                if waiting and process not in left:
                    size = part(len(waiting), len(self._living), least)
                    given[process] = [waiting.popleft() for _ in range(size)]
                    left[process] = set(given[process])
                    process.ask("generate", [prompts[index] for index in given[process]], n, *more)

        hand_out()
        while left:
            process, told = self._hear()
            if told is None:
                back = left.pop(process, set())
                self._lose(process, len(back))
                waiting.extendleft(back)
            elif "index" in told:
                index = given[process][told["index"]]
                left[process].remove(index)
                yield index, _read(told)
            else:
                del left[process]
            hand_out()

    def stream(self, prompt: Prompt) -> Stream:
        raise UserError("a generator in several processes cannot stream; ask for one", field="devices")

    def gpus(self) -> int:
        return sum(place.is_gpu for place in self._places)

    def lost(self) -> int:
        """How many of the processes ended before their time."""
        return len(self._started) - len(self._living)

    def close(self) -> None:
        """End all processes."""
        for process in self._started:
            process.end()

    def _ask(self, method: str, *given: Any) -> Any:
        """The answer of one process, or of the next where that one has ended."""
        while True:
            self._living[0].ask(method, *given)
            process, told = self._hear()
            while told is None and process is not self._living[0]:
                self._lose(process)
                process, told = self._hear()
            if told is not None:
                return told["value"]
            self._lose(process)

    def _hear(self) -> tuple[_Process, Told]:
        """The next line of any process. Raises what was raised there."""
        process, told = self._heard.get()
        if told is not None and "error" in told:
            said = f"{process.place.name}: {told['error']}"
            if told["kind"] == "user":
                raise UserError(told["error"], field=told["field"])
            raise KINDS.get(told["kind"], RuntimeError)(said)
        return process, told

    def _lose(self, process: _Process, prompts: int = 0) -> None:
        """Go on without it, whose `prompts` are generated by others. Raises OutsideFailure where it was the last."""
        how = process.end()
        self._living.remove(process)
        if not self._living:
            raise OutsideFailure(
                f"all {len(self._started)} processes that generate have ended, the last one ({process.place.name}) "
                f"{how}; resume the run to go on, with a smaller generator.batch_tokens if memory ran out"
            )
        log.warning("%s has ended, %s; the others generate for its %d bugs", process.place.name, how, prompts)


class _Process:
    """A started `engine.generators.device`; a thread puts what it says into `heard`."""

    def __init__(self, place: Place, params: Params, heard: SimpleQueue[tuple[_Process, Told]]) -> None:
        self.place = place
        settings = json.dumps(params.model_dump(mode="json"))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore::FutureWarning", "-m", DEVICE, str(os.getpid()), settings],
            env={**os.environ, **place.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._garbage = b""  # the line that was no answer, if there was one
        self._reader = Thread(target=self._read, args=(heard,), name=f"reader of {place.name}", daemon=True)
        self._reader.start()

    def ask(self, *question: Any) -> None:
        """Send a question; it takes none before it has answered the last one."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, as the thread will say
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()

    def end(self) -> str:
        """Kill it unless it has ended; how it ended, in words."""
        self._process.kill()
        code = self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        if self._garbage:
            return f"after a line that is no answer: {self._garbage[:100]!r}"
        if code == -signal.SIGKILL:
            return "killed (possibly out of memory)"
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"

    def _read(self, heard: SimpleQueue[tuple[_Process, Told]]) -> None:
        """Up to its end, or to the first line that is no answer: what comes after that cannot be trusted either."""
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                if not line.endswith(b"\n"):  # it was killed while it wrote
                    break
                if (told := _told(line)) is None:
                    self._garbage = line
                    break
                heard.put((self, told))
        finally:
            heard.put((self, None))  # whatever happened here: else the run would wait for ever


def _told(line: bytes) -> Told:
    """None for a line that `engine.generators.device` does not write: something else wrote to its pipe."""
    with suppress(ValueError, RecursionError):
        told = json.loads(line)
        if isinstance(told, dict) and not ANSWERS.isdisjoint(told):
            return told
    return None


def part(left: int, processes: int, least: int) -> int:
    """How many of the prompts that are left one process gets next: half of its even share of them, if not `least`.

    Large parts fill the batches, and small ones at the end let all processes end together (guided self-scheduling,
    Polychronopoulos and Kuck 1987).
    """
    return min(left, max(1, least, -(-left // (2 * processes))))


def _read(told: Mapping[str, Any]) -> list[Completion] | NoAnswer:
    return NoAnswer(told["reason"]) if "reason" in told else [Completion(**each) for each in told["completions"]]
