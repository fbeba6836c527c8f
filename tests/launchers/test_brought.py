"""What comes back: whole lines only, each once, and no event before the files that it names."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from engine.domain import Model
from engine.events import Checkpoint, Progress, State
from engine.launchers import brought, remote
from engine.launchers.brought import OURS, Bringing, Link, read_link
from engine.launchers.host import Unreachable
from engine.launchers.local import boot_id, start_time
from engine.rundir import Inputs, RunDir

ENDED = f"{boot_id()}:{2**22 + 1}:1"  # no process has this number


class Near:
    """A host that is this machine, without a link; `breaks`: what cannot be reached just now."""

    name = "near"

    def __init__(self):
        self.breaks, self.asked = set(), []

    def ask(self, verb, **request):
        self.asked.append(verb)
        if verb in self.breaks:
            raise Unreachable(self.name, "Connection timed out")
        answer = remote.VERBS[verb](**json.loads(json.dumps(request)))
        return json.loads(json.dumps(answer.values)), list(answer.parts)

    def fetch(self, there, folder, excluded):
        if "fetch" in self.breaks:
            raise Unreachable(self.name, "Connection timed out")
        shutil.copytree(
            there, folder, dirs_exist_ok=True, ignore=lambda _, names: {*names} & {*remote.BY_ITSELF, *excluded}
        )


@pytest.fixture
def sides(tmp_path):
    spec = {"kind": "benchmark"}
    here = RunDir.create(tmp_path / "here", spec, Inputs(Model("mine", "base", "/here/model")))
    there = RunDir.create(tmp_path / "there", spec, Inputs(Model("mine", "base", "/there/data/model")))
    host = Near()
    return host, here, there, Bringing(host, str(there.path), here, False)


def look(bringing, worker=ENDED):
    return bringing.look(worker, 0)


def test_events_come_whole_and_once(sides):
    _, here, there, bringing = sides
    alive = f"{boot_id()}:{os.getpid()}:{start_time(os.getpid())}"
    for done in range(3):
        there.emit(Progress(done))
        with there.events_path.open("ab") as file:
            file.write(b'{"seq": 9')  # a line that is being written
        assert look(bringing, alive).is_alive
        assert here.events_path.read_bytes() == there.events_path.read_bytes().removesuffix(b'{"seq": 9')
        os.truncate(there.events_path, there.events_path.stat().st_size - 9)
    assert [event.seq for event in here.events().events] == [1, 2, 3]
    assert not look(bringing).is_alive


def test_a_line_that_a_killed_studio_began_is_brought_again(sides):
    _, here, there, bringing = sides
    for done in range(3):
        there.emit(Progress(done, text="x" * 100_000))
    whole = there.events_path.read_bytes()
    here.events_path.write_bytes(whole[:-150_000])
    look(bringing)
    assert here.events_path.read_bytes() == whole


def test_more_than_one_answer_holds(sides, monkeypatch):
    host, here, there, bringing = sides
    monkeypatch.setattr(remote, "AT_ONCE_BYTES", 5000)
    for done in range(40):
        there.emit(Progress(done, text="x" * 700))
    there.emit(Progress(41, text="y" * 9000))  # one line that is longer than an answer
    there.emit(State("done", {}))
    there.log.write_bytes(b"z" * 12_345)
    link = look(bringing)
    assert (here.events_path.read_bytes(), here.log.read_bytes()) == (
        there.events_path.read_bytes(),
        there.log.read_bytes(),
    )
    assert not link.is_alive
    assert host.asked.count("look") > 5


@pytest.mark.parametrize(
    "named",
    [Checkpoint(2), State("done", {}), State("failed", error="no"), State("stopped")],
    ids=lambda each: str(each)[:25],
)
def test_an_event_waits_for_the_files_that_it_names(sides, named):
    host, here, there, bringing = sides
    there.emit(State("running"))
    there.emit(Progress(1))
    (there.artifacts / "weights").write_text("w")
    there.emit(named)
    there.emit(Progress(2))
    host.breaks = {"fetch"}
    link = look(bringing)
    assert link.is_alive, "an end is not known before all has come"
    assert [type(event.payload) for event in here.events().events] == [State, Progress]
    assert "Connection timed out" in link.why
    host.breaks = set()
    assert not look(bringing).is_alive
    assert (here.artifacts / "weights").read_text() == "w"
    assert here.events_path.read_bytes() == there.events_path.read_bytes()


def test_an_end_is_known_when_the_worker_has_written_its_log(sides, monkeypatch):
    _, here, there, bringing = sides
    exiting = f"{boot_id()}:{os.getpid()}:{start_time(os.getpid())}"
    there.emit(Progress(1))
    there.emit(State("done", {}))
    for _ in range(2):
        assert look(bringing, exiting).is_alive
        assert [type(event.payload) for event in here.events().events] == [Progress]
    there.log.write_text("done")
    monkeypatch.setattr(brought, "EXIT_S", 0.0)  # one that does not exit has ended all the same
    assert look(bringing, exiting).is_alive
    assert here.events_path.read_bytes() == there.events_path.read_bytes()
    assert here.log.read_text() == "done"


def test_a_cut_link_changes_nothing_but_the_reason(sides):
    host, here, there, bringing = sides
    there.emit(Progress(1))
    host.breaks = {"look"}
    first, second = look(bringing), look(bringing)
    assert first.is_alive
    assert second.is_alive
    assert first.why == second.why == "near cannot be reached: Connection timed out"
    assert first.since == second.since > 0
    assert read_link(here.path) == second
    host.breaks = set()
    found = look(bringing)
    assert (found.why, found.since, found.is_alive) == ("", 0.0, False)


def test_an_answer_of_another_version_ends_no_worker(sides, monkeypatch):
    _, here, there, bringing = sides
    there.emit(Progress(1))
    with monkeypatch.context() as patch:
        patch.setitem(remote.VERBS, "look", lambda **request: remote.Answer({"lives": True}, (b"", b"")))
        link = look(bringing)
    assert link.is_alive
    assert link.why.startswith("near answers otherwise than this version of Repair Studio (KeyError(")
    assert not look(bringing).why
    assert here.events_path.read_bytes() == there.events_path.read_bytes()


@pytest.mark.parametrize("mask", [0o022, 0o002])
def test_the_home_there_is_for_its_user_alone(tmp_path, mask):
    before = os.umask(mask)
    try:
        home = Path(remote.hello(str(tmp_path / "far" / "runs")).values["home"])
    finally:
        os.umask(before)
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o750)
    remote.hello(str(home))
    assert home.stat().st_mode & 0o777 == 0o750, "its owner shares it"


def test_a_worker_that_ended_is_not_asked_for_again(sides):
    host, _, there, bringing = sides
    assert not look(bringing).is_alive
    assert not look(bringing).is_alive
    assert host.asked == ["look"]
    look(bringing, f"{boot_id()}:{2**22 + 2}:1")  # the run was resumed
    assert host.asked == ["look", "look"]


def test_looks_are_not_more_often_than_they_may_be(sides):
    host, _, _, bringing = sides
    host.breaks = {"look"}
    for _ in range(3):
        assert bringing.look(ENDED, 60).is_alive
    assert host.asked == ["look"]


def test_a_folder_that_was_removed_there_is_an_interruption(sides):
    _, _, there, bringing = sides
    shutil.rmtree(there.path)
    link = look(bringing)
    assert not link.is_alive
    assert link.interruption == f"{there.path} was removed"


def test_a_machine_that_was_restarted_is_an_interruption(sides):
    assert look(sides[-1], "another-boot:1:1").interruption == "near was restarted while it ran"


def test_inputs_keep_their_names_here(sides):
    _, here, there, bringing = sides
    there.write_inputs(Inputs(Model("mine", "base", "/there/data/model"), weights_hash="abc", versions={"torch": "2"}))
    look(bringing)
    assert asdict(here.inputs()) == asdict(
        Inputs(Model("mine", "base", "/here/model"), weights_hash="abc", versions={"torch": "2"})
    )


def test_what_the_worker_found_out_of_a_model_of_the_hub_is_kept(sides):
    _, here, there, bringing = sides
    here.write_inputs(Inputs(Model("o/adapter", "", "o/adapter")))
    cache = "/root/.cache/huggingface/hub/models--o--{}/snapshots/0123"
    there.write_inputs(Inputs(Model("o/adapter", "adapter", cache.format("adapter"), cache.format("base"))))
    look(bringing)
    assert here.inputs().model == Model("o/adapter", "adapter", "o/adapter", "o/base")


def test_an_adapter_names_its_base_as_it_is_called_here(sides, tmp_path):
    _, here, there, bringing = sides
    base = tmp_path / "base"
    base.mkdir()
    (tmp_path / "elsewhere").mkdir()  # a folder of this name may be here too, and is not meant
    here.write_inputs(Inputs(Model("mine", "base", str(base))))
    (there.artifacts / "model").mkdir()
    (there.artifacts / "model" / "adapter_config.json").write_text(
        '{"r": 8, "base_model_name_or_path": "%s"}' % (tmp_path / "elsewhere")
    )
    there.emit(State("done", {}))
    look(bringing)
    told = json.loads((here.artifacts / "model" / "adapter_config.json").read_text())
    assert told == {"r": 8, "base_model_name_or_path": str(base)}


def test_the_files_of_this_side_stay(sides):
    _, here, there, bringing = sides
    for name in (*OURS, "spec.json", "lock", "call.lock"):
        (there.path / name).write_text("theirs")
    before = {name: (here.path / name).read_bytes() for name in ("spec.json",)}
    there.emit(State("done", {}))
    look(bringing)
    assert {name: (here.path / name).read_bytes() for name in before} == before
    assert read_link(here.path).worker == ENDED
    assert not (here.path / "call.lock").exists()


def test_an_unreadable_link_is_none(tmp_path):
    (tmp_path / "link.json").write_text("{")
    assert read_link(tmp_path) == Link()
