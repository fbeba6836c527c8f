"""Several processes share the prompts of a run: the same completions as one, whatever happens to one of them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from engine.errors import OutsideFailure, UserError
from engine.generators import TOO_LONG, sharing
from engine.generators.device import answers
from engine.generators.sharing import Place, generator_on, part, places
from engine.plugins import GENERATORS

PROMPTS = [
    "def add(a, b):\n    return a",
    "x",
    "x = 1\n" * 400,
    *(f"def f{n}(x):\n    return " for n in range(9)),
    "",
    "x",
]
SETTINGS = {
    "beam": GENERATORS.params({"name": "beam", "max_new_tokens": 8}),
    "sampling": GENERATORS.params({"name": "sampling", "max_new_tokens": 8, "temperature": 1.5}),
}
MANY = GENERATORS.params({"name": "sampling", "max_new_tokens": 128, "batch_tokens": 1})  # a prompt at a time


def written_by(generator, model, seed=3, n=4):
    generator.load(model, seed)
    return dict(generator.generate(PROMPTS, n))


def same(found, expected):
    """Whether all completions are the same; a score's last digits depend on what else is in a batch."""
    return {index: exact(each) for index, each in found.items()} == {
        i: exact(each) for i, each in expected.items()
    } and all(
        one.score == pytest.approx(other.score, abs=1e-5)
        for index, each in expected.items()
        if each != TOO_LONG
        for one, other in zip(found[index], each, strict=True)
    )


def exact(completions):
    return completions if completions == TOO_LONG else [replace(each, score=None) for each in completions]


def processes(of=None):
    """The generating processes below this one, or below another."""
    below = psutil.Process(of).children(recursive=True)
    running = [process for process in below if process.status() != psutil.STATUS_ZOMBIE]
    return [process for process in running if "engine.generators.device" in process.cmdline()]


@pytest.mark.slow  # each process imports torch and transformers
@pytest.mark.parametrize("name", list(SETTINGS))
def test_two_processes_give_exactly_what_one_gives(name, tiny_adapter):
    alone = GENERATORS.create(SETTINGS[name])
    expected = written_by(alone, tiny_adapter)
    assert expected[2] == TOO_LONG
    with generator_on(SETTINGS[name], 2) as shared:
        found = written_by(shared, tiny_adapter)
        assert len(processes()) == 2
        assert same(found, expected)
        assert (shared.room(), shared.vocabulary()) == (alone.room(), alone.vocabulary())
        assert shared.count(PROMPTS) == alone.count(PROMPTS)
        assert shared.draws_again == (name == "sampling")
        if shared.draws_again:
            assert same(dict(shared.generate(PROMPTS, 2, 5)), dict(alone.generate(PROMPTS, 2, 5)))
        assert same(written_by(shared, tiny_adapter), expected), "loaded a second time, in the same processes"
        assert len(processes()) == 2
        assert (shared.gpus(), shared.lost()) == (0, 0)
    assert processes() == []


def test_one_device_needs_no_process_of_its_own(tiny):
    for devices in (0, 1):
        with generator_on(SETTINGS["beam"], devices) as alone:
            assert type(alone) is GENERATORS.plugin("beam")


@pytest.mark.slow
def test_the_others_generate_for_the_prompts_of_one_that_is_killed(tiny, caplog):
    alone = GENERATORS.create(MANY)
    expected = written_by(alone, tiny)
    with generator_on(MANY, 2) as shared, caplog.at_level(logging.WARNING):
        shared.load(tiny, 3)
        found = {}
        for index, completions in shared.generate(PROMPTS, 4):
            assert index not in found, "a finished prompt is not generated again"
            found[index] = completions
            if len(found) == 1:
                processes()[0].kill()
        assert same(found, expected)
        assert shared.lost() == 1
        assert "process 1 has ended, killed (possibly out of memory); the others generate for its " in caplog.text
        assert same(dict(shared.generate(PROMPTS, 4)), expected), "the one that is left goes on alone"
        assert shared.count(["x"]) == alone.count(["x"])


GARBAGE = [b"garbage {\n", b"\xff\n", b"{}\n", b"[]\n", b"null\n", b"[" * 100_000 + b"\n"]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_a_process_that_says_no_answer_has_ended(garbage, tmp_path, monkeypatch):
    """Its prompts go to the others; with the last one the run fails, and says what was read."""
    program = f"import sys\nsys.stdout.buffer.write({garbage!r})\nsys.stdout.flush()\nsys.stdin.read()\n"
    (tmp_path / "says_garbage.py").write_text(program)
    monkeypatch.setattr(sharing, "DEVICE", "says_garbage")
    heard = SimpleQueue()
    process = sharing._Process(Place("process 1", {"PYTHONPATH": str(tmp_path)}), SETTINGS["beam"], heard)
    assert heard.get(timeout=30) == (process, None)
    assert process.end() == f"after a line that is no answer: {garbage[:100]!r}"
    assert heard.empty()


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2])
def test_a_line_of_garbage_on_a_pipe_hangs_no_run(number, tiny, caplog):
    with generator_on(MANY, 2) as shared, caplog.at_level(logging.WARNING):
        shared.load(tiny, 3)
        answered = shared.generate(PROMPTS, 4)
        first = next(answered)
        for process in processes()[:number]:
            pipe = next(each for each in Path(f"/proc/{process.pid}/fd").iterdir() if is_written_pipe(each))
            pipe.write_bytes(b"garbage {\n")
        if number == 2:
            with pytest.raises(OutsideFailure, match=r"all 2 processes .* after a line that is no answer: b'.*resume"):
                list(answered)
        else:
            assert dict([first, *answered]).keys() == {*range(len(PROMPTS))}
            assert shared.lost() == 1
            assert "has ended, after a line that is no answer: b'garbage" in caplog.text


def is_written_pipe(descriptor):
    number = int(descriptor.name)
    return number > 2 and os.readlink(descriptor).startswith("pipe:") and os.access(descriptor, os.W_OK)


@pytest.mark.slow
def test_the_end_of_the_last_process_is_a_failure_that_says_what_to_do(tiny):
    with generator_on(MANY, 2) as shared:
        shared.load(tiny, 3)
        answered = shared.generate(PROMPTS, 4)
        next(answered)
        for process in processes():
            process.kill()
        with pytest.raises(
            OutsideFailure, match=r"all 2 processes .* killed \(possibly out of memory\); resume the run"
        ):
            list(answered)


@pytest.mark.slow
def test_what_is_wrong_with_a_model_is_said_as_by_one_process(tiny, tmp_path):
    broken = replace(tiny, path=str(tmp_path))
    with pytest.raises(UserError) as alone:
        GENERATORS.create(SETTINGS["beam"]).load(broken, 0)
    with generator_on(SETTINGS["beam"], 2) as shared, pytest.raises(UserError) as said:
        shared.load(broken, 0)
    assert (str(said.value), said.value.field) == (str(alone.value), alone.value.field)


class Failing:
    """A generator that raises one error."""

    def __init__(self, error):
        self.error = error

    def generate(self, prompts, n):
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UserError("wrong", field="model"), "user"),
        (OutsideFailure("gone"), "outside"),
        (RuntimeError("[enforce fail] can't allocate memory: you tried 9 bytes"), "memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "memory"),
        (KeyError("of ours"), ""),
    ],
)
def test_an_error_is_told_with_its_kind(error, kind, capsys):
    (told,) = answers(Failing(error), "generate", [], 1)
    assert told["kind"] == kind
    assert str(error) in told["error"]
    assert ("Traceback" in capsys.readouterr().err) == (not kind), "only a bug of ours needs one"


ENDLESS = """
import sys, time
from engine.domain import Model
from engine.generators.sharing import generator_on
from engine.plugins import GENERATORS

settings = GENERATORS.params({"name": "sampling", "max_new_tokens": 200, "batch_tokens": 1})
with generator_on(settings, 2) as shared:
    shared.load(Model("tiny", "base", sys.argv[1]), 0)
    answered = shared.generate(["x"] * 100_000, 20)
    next(answered)
    print("at work", flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_processes_end_with_the_one_that_asks(number, tiny):
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS, tiny.path], stdout=subprocess.PIPE)
    try:
        assert parent.stdout.readline() == b"at work\n"
        started = processes(parent.pid)
        assert len(started) == 2
        os.kill(parent.pid, number)
        parent.wait()
        deadline = time.monotonic() + 10
        while any(is_alive(each) for each in started):
            assert time.monotonic() < deadline, "a process is left behind"
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.stdout.close()


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("visible", "listed", "devices", "names"),
    [
        (0, None, 0, ["process 1"]),
        (0, "", 3, ["process 1", "process 2", "process 3"]),
        (1, None, 0, ["GPU 0"]),
        (4, None, 0, ["GPU 0", "GPU 1", "GPU 2", "GPU 3"]),
        (4, None, 1, ["GPU 0"]),
        (3, "2,5,7", 2, ["GPU 2", "GPU 5"]),
        (1, "5,-1,7", 0, ["GPU 5"]),
    ],
)
def test_where_the_processes_work(visible, listed, devices, names, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: visible)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    if listed is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    found = places(devices)
    assert [place.name for place in found] == names
    for place in found:
        assert place.environment["OMP_NUM_THREADS"] == str(8 // len(names))
        assert place.is_gpu == (visible > 0)
        assert place.environment.get("CUDA_VISIBLE_DEVICES") == (place.name.removeprefix("GPU ") if visible else None)


def test_more_gpus_than_there_are_cannot_be_asked_for(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(UserError, match="3 GPUs are asked for, and 2 can be seen here") as error:
        places(3)
    assert error.value.field == "devices"


@pytest.mark.slow
def test_the_environment_of_a_place_reaches_its_process(tiny):
    from engine.generators.sharing import Shared

    shared = Shared(SETTINGS["beam"], [Place("one", {"WHERE": "here"}), Place("other", {"WHERE": "there"})])
    try:
        shared.load(tiny, 0)
        assert [process.environ()["WHERE"] for process in processes()] == ["here", "there"]
    finally:
        shared.close()


@pytest.mark.parametrize(("prompts", "count"), [(1, 2), (2, 2), (3, 8), (46, 2), (164, 8), (1000, 3)])
def test_parts_become_smaller_and_hold_every_prompt(prompts, count):
    least, left, sizes = -(-prompts // (4 * count)), prompts, []
    while left:
        sizes.append(part(left, count, least))
        left -= sizes[-1]
    assert sum(sizes) == prompts
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= 4 * count
    assert max(sizes) <= -(-prompts // count)
