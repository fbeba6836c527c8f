"""A service writes the instruction for each function of a folder; what it wrote is kept and never paid for twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.builders import Funnel
from engine.builders.asking.service import COUNTED
from engine.builders.code_instructions import CodeInstructions
from engine.builders.contract import check
from engine.errors import OutsideFailure, UserError

sys.path.append(str(Path(__file__).resolve().parents[1] / "work"))
from small_dataset import make  # noqa: F401

SERVICE = Path(__file__).with_name("writing_service.py")
CODE = "def add(a, b):\n    total = a + b\n    return total\n\n\ndef less(a, b):\n    total = a - b\n    return total\n"


@pytest.fixture
def service(tmp_path):
    """The folder of a running service, which answers with answer.txt."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "answer.txt").write_text('Instruction: "Write `f`, number {n}."')
    process = subprocess.Popen([sys.executable, str(SERVICE), str(folder)], stdout=subprocess.PIPE, text=True)
    (folder / "port").write_text(process.stdout.readline().strip())
    yield folder
    process.terminate()
    process.wait(20)


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "sums.py").write_text(CODE)
    (folder / "package" / "short.py").write_text("def f():\n    pass\n")
    (folder / "__init__.py").touch()
    return folder


def settings(service, code, **more):
    url = f"http://127.0.0.1:{(service / 'port').read_text()}/v1"
    return {"url": url, "writer": "writer", "folder": str(code), "retries": 0, "parallel": 2} | more


def built(given, cache=None, seed=0):
    funnel = Funnel()
    builder = CodeInstructions(CodeInstructions.Params(**given))
    if cache:
        builder.cache_in(cache)
    return list(builder.stream(seed, funnel)), funnel


def asked(service):
    log = service / "asked.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_each_function_is_the_answer_to_what_the_service_wrote(service, code):
    samples, funnel = built(settings(service, code, prompt_price=2, written_price=10, currency="EUR"))
    first, second = samples
    assert {sample.bug_id for sample in samples} == {"package/sums.py:1:add", "package/sums.py:6:less"}
    assert first.project == "package"
    assert first.target == "def add(a, b):\n    total = a + b\n    return total\n"
    assert first.prompt.startswith("Below is an instruction that describes a task. Write a response")
    assert "### Instruction:\nWrite `f`, number " in first.prompt, "without its heading and its quotation marks"
    assert first.prompt.endswith("### Response:")
    assert all("{" not in text and ("def add" in text or "def less" in text) for text in asked(service))
    assert funnel.lost == {"functions shorter than 3 lines": 1}
    assert funnel.counts[COUNTED] == {"answers": 2, "known from before": 0, "tokens read": 200, "tokens written": 20}
    assert funnel.facts["cost"] == {"amount": 0.0006, "currency": "EUR"}


def test_the_functions_of_one_file_are_of_one_project(service, tmp_path):
    for name in ("one/sums.py", "one/inner/sums.py", "two.py"):
        path = tmp_path / "src" / "main" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CODE)
    samples, _ = built(settings(service, tmp_path / "src"))
    found = {sample.bug_id.partition(":")[0]: sample.project for sample in samples}
    assert found == {"main/one/sums.py": "one", "main/one/inner/sums.py": "one", "main/two.py": "two"}


def test_an_answer_is_paid_for_once(service, code, tmp_path):
    given = settings(service, code)
    first, _ = built(given, tmp_path / "cache")
    again, funnel = built(given, tmp_path / "cache")
    assert again == first
    assert len(asked(service)) == 2
    assert funnel.counts[COUNTED]["known from before"] == 2
    built(given | {"temperature": 0.1}, tmp_path / "cache")
    assert len(asked(service)) == 4, "otherwise drawn, it is another answer"


def test_a_build_that_failed_goes_on_where_it_was(service, code, tmp_path, make):  # noqa: F811
    builder = {"name": "code_instructions", **settings(service, code, parallel=1)}
    (service / "fail").touch()
    with pytest.raises(OutsideFailure, match="failed: "):
        make(builder=builder, valid_fraction=0)
    (service / "fail").unlink()
    report = make(builder=builder, valid_fraction=0)[1]
    assert sum(report["rows"].values()) == 2
    again = make(builder=builder, valid_fraction=0)[1]
    assert again["counts"][COUNTED]["known from before"] == 2


@pytest.mark.parametrize(
    ("answer", "finish", "reason"),
    [
        ("  ", "stop", "the service wrote no instruction"),
        ("Write a", "length", "the instruction was cut off at the token limit"),
        (f"Write this:\n{CODE}", "stop", "the instruction holds the code"),
    ],
)
def test_answers_that_are_no_instruction_are_counted(service, code, answer, finish, reason):
    (service / "answer.txt").write_text(answer)
    (service / "finish.txt").write_text(finish)
    samples, funnel = built(settings(service, code))
    assert samples == []
    assert funnel.lost[reason] == 2


def test_as_messages(service, code):
    sample = built(settings(service, code, form="chat"))[0][0]
    assert [segment.role for segment in sample.segments] == ["user", "assistant"]


def test_what_is_wrong_is_said_before_anything_is_asked(service, code, tmp_path):
    def refused(words, **more):
        with pytest.raises(UserError, match=words):
            CodeInstructions(CodeInstructions.Params(**settings(service, code, **more))).check()

    refused("builder.writer: name the model", writer="")
    refused(r"template: has no \{code\}", template="write")
    refused("does not exist", folder=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="has no model 'other'"):
        built(settings(service, code, writer="other"))
    assert asked(service) == []


def test_contract(service, code, tmp_path):
    builder = CodeInstructions(CodeInstructions.Params(**settings(service, code)))
    builder.cache_in(tmp_path / "cache")  # the numbers in its answers are else other ones the second time
    check(builder)


def test_links_are_not_followed_and_nothing_else_is_sent(service, code, tmp_path):
    (tmp_path / "private.py").write_text(CODE.replace("add", "secret"))
    (code / "link.py").symlink_to(tmp_path / "private.py")
    os.mkfifo(code / "pipe.py")
    _, funnel = built(settings(service, code))
    assert (funnel.lost["files are links"], funnel.lost["files are no ordinary files"]) == (1, 1)
    assert funnel.examples["files are links"] == "link.py"
    assert not any("secret" in each for each in asked(service))
