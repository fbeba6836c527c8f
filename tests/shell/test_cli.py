"""What the shell's verbs answer, called in this process; `e2e/test_shell.py` runs them as a person does."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.assets import STARTER_MODEL
from engine.control.workspace import Workspace
from engine.fingerprint import library_versions
from engine.rundir import Inputs, RunDir
from engine.shell.cli import app
from engine.spec_files import preset_names, read_spec
from storage.tables import Run


@pytest.fixture
def said(home):
    """Run a verb; returns what it says of the user's mistake, in one line, and asserts exit code 2."""

    def run(*words):
        done = CliRunner().invoke(app, [*words, "--home", str(home)])
        assert done.exit_code == 2, done.output
        assert len(done.stderr.splitlines()) == 1, done.stderr
        return done.stderr.removeprefix("repair-studio: ").rstrip("\n")

    return run


@pytest.mark.parametrize(
    ("override", "field"),
    [
        ("trainer.rank=0", "trainer.rank"),
        ("trainer.learning_rate=fast", "trainer.learning_rate"),
        ("trainer.rnk=8", "trainer.rnk"),
        ("trainer=gan", "trainer"),
        ("dataset=nothing", "dataset"),
        ("name=../x", "name"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_its_field(said, override, field):
    assert said("train", "demo", "--set", override).startswith(f"{field}: ")


def test_a_spec_that_is_no_json_names_the_line(said, tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text('{"kind": "train",\n "model" "starter"}')
    assert said("train", str(spec)) == f"{spec}, line 2: not JSON: Expecting ':' delimiter"
    spec.write_bytes(b'{"model": "caf\xe9"}')
    assert said("train", str(spec)) == f"{spec}: not UTF-8 text (byte 14); save the file as UTF-8"
    spec.write_text('{"kind": "merge"}')
    assert said("train", str(spec)) == "kind: this spec is for 'merge', not for 'train'"


def test_a_spec_that_is_not_there_names_the_presets(said):
    assert said("train", "dmo") == (
        f"'dmo' is neither a file nor a preset for 'train'; presets: {', '.join(preset_names('train'))}"
    )


def test_a_model_folder_says_what_it_lacks(said, tmp_path):
    def of(folder):
        return said("benchmark", "--set", f"model={folder}")

    assert of(tmp_path) == f"model: {tmp_path} contains no model: config.json is missing"
    shutil.copy(STARTER_MODEL / "config.json", tmp_path)
    assert "contains no weights: no .safetensors file" in of(tmp_path)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/nowhere/base"}))
    assert "adapter_model.safetensors is missing" in of(tmp_path)
    (tmp_path / "adapter_model.safetensors").touch()
    assert "the base model of the adapter" in of(tmp_path)
    assert "'/nowhere/base', which is not here" in of(tmp_path)


def test_an_unknown_run_is_the_users_error(said):
    assert "there is no run 99" in said("runs", "show", "99")
    assert "there is no run 99" in said("runs", "stop", "99")
    assert "there is no run 99" in said("export", "99")


HUGE = ("0", "9223372036854775807", "9223372036854775808", "9" * 23)


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("verb", ["show", "stop", "resume", "log", "export"])
def test_any_number_is_at_most_an_unknown_run(said, verb, number):
    words = [verb] if verb == "export" else ["runs", verb]
    assert said(*words, number) == f"there is no run {number}; `repair-studio runs list` lists all runs"


@pytest.mark.parametrize("verb", ["show", "stop", "resume", "log"])
def test_a_negative_number_is_an_unknown_run_too(home, verb):
    done = CliRunner().invoke(app, ["runs", verb, "--home", str(home), "--", "-1"])
    assert (done.exit_code, done.stderr.partition(";")[0]) == (2, "repair-studio: there is no run -1")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["benchmark", "--set", "model=~nobody-here/m"], "model: there is no model or folder '~nobody-here/m'; known"),
        (["benchmark", "--set", "model=" + "m" * 300], "model: no file or folder can have the name 'mmm"),
        (["merge", "--set", "adapter=" + "m" * 300], "adapter: no file or folder can have the name 'mmm"),
        (["train", "--set", "dataset=" + "m" * 300], "dataset: no file or folder can have the name 'mmm"),
        (["train", "--set", "dataset="], "dataset: choose a dataset; known: none yet; build one first"),
        (
            ["train", "--set", "dataset=x", "--set", "model=a\x1b[31m"],
            "model: there is no model or folder 'a\\x1b[31m'",
        ),
        (
            ["dataset", "build", "--set", "builder.folder=" + "f" * 300],
            "builder.folder: no file or folder can have the name",
        ),
        (["dataset", "build", "--set", "exclude=pocket"], 'exclude: should be a list, as in ["one", "two"] (got'),
        (["train", "--set", "name=" + "n" * 101], "name: should be at most 100 letters, digits, spaces and . _ + -"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_wrong_input_of_any_kind_is_one_sentence(said, words, sentence):
    assert said(*words).startswith(sentence)


def test_messages_contain_no_control_characters(said, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\x1b[2Jbefore,after\n")
    sentence = said("dataset", "build", "--set", "builder=columns", "--set", f"builder.file={path}")
    assert "\\x1b[2Jbefo" in sentence
    assert "\x1b" not in sentence


@pytest.mark.parametrize("place", ["a file", "under a file", "nobody's", "a circle"])
def test_a_home_that_cannot_be_used_is_reported(tmp_path, place):
    file, circle = tmp_path / "file", tmp_path / "circle"
    file.touch()
    circle.symlink_to(circle)
    home = {"a file": file, "under a file": file / "x", "nobody's": "~nobody-here/x", "a circle": circle}[place]
    for words in (["runs"], ["train"], ["doctor"], ["export", "1"], ["demo", "--set", "train.seed=1"]):
        done = CliRunner().invoke(app, [*words, "--home", str(home)])
        assert done.exit_code == 2
        assert done.stderr.startswith(f"repair-studio: the home folder {home} cannot be used: ")
        assert len(done.stderr.splitlines()) == 1


def test_an_empty_home_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["runs", "--home", ""], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "it is empty; name a folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_be_read_is_a_user_error(said, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/data/x.jsonl")

    monkeypatch.setattr("engine.control.runs.Runs.submit", refuse)
    assert said("benchmark") == "/data/x.jsonl: Permission denied; allow it, or name another file or folder"


@pytest.mark.parametrize(("cause", "code"), [("user", 2), ("outside", 1)])
def test_a_resumed_run_has_the_exit_code_of_its_cause(home, monkeypatch, cause, code):
    def end(workspace, run_id, *, quiet):
        return replace(workspace.runs.get(run_id), state="failed", cause=cause, error="no")

    monkeypatch.setattr("engine.control.supervise.Supervisor.tick", lambda self: None)  # nothing is ever started
    monkeypatch.setattr("engine.shell.follow.wait_for_end", end)
    run_id = json.loads(CliRunner().invoke(app, ["merge", "--json", "--home", str(home)]).output)["id"]
    CliRunner().invoke(app, ["runs", "stop", str(run_id), "--home", str(home)])
    done = CliRunner().invoke(app, ["runs", "resume", str(run_id), "--wait", "--home", str(home)])
    assert done.exit_code == code, done.output


def test_an_empty_home_says_what_to_do(home):
    assert "try `repair-studio demo`" in CliRunner().invoke(app, ["runs", "--home", str(home)]).output


def test_the_home_option_may_come_before_or_after_the_verb(home, tmp_path):
    def homes(*words):
        CliRunner().invoke(app, list(words), env={"REPAIR_STUDIO_HOME": str(tmp_path / "environment")})
        made = {path.name for path in tmp_path.iterdir()}
        for path in tmp_path.iterdir():
            shutil.rmtree(path)
        return made

    assert homes("runs") == {"environment"}
    for words in (
        ["--home", str(home), "runs"],
        ["runs", "--home", str(home), "list"],
        ["runs", "list", "--home", str(home)],
    ):
        assert homes(*words) == {home.name}, words


def test_doctor_says_what_this_machine_can_do(home):
    said = json.loads(CliRunner().invoke(app, ["doctor", "--json", "--home", str(home)]).output)
    assert {check["what"] for check in said["checks"]} >= {"GPU", "sandbox bubblewrap", "sandbox landlock"}
    assert said["versions"] == library_versions()


def test_doctor_ends_with_1_where_the_named_launcher_cannot_start_runs(home):
    asked = ["doctor", "--home", str(home), "--set", "launcher=ssh", "--set"]
    assert CliRunner().invoke(app, [*asked, "launcher.host=nowhere.invalid"]).exit_code == 1
    assert CliRunner().invoke(app, ["doctor", "--home", str(home), "--set", "launcher=local"]).exit_code == 0


@pytest.mark.parametrize("words", [["train"], ["dataset", "build"], ["merge"], ["benchmark"], ["chat"], ["demo"]])
def test_every_verb_explains_itself(words):
    said = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert "--set" in said.output


def test_cancelling_without_a_demo_is_a_user_error(said):
    assert said("demo", "--cancel") == "no demo is running, so there is none to cancel"


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_chat_of_the_shell_that_ends_leaves_the_model_to_other_conversations(home, monkeypatch, is_shared):
    """A page may be reading its answer, or about to ask again."""
    monkeypatch.setattr("engine.control.supervise.Supervisor.tick", lambda self: None)  # nothing is ever started
    monkeypatch.setattr(
        "engine.shell.follow.conversation", lambda workspace, number, *, quiet: workspace.chats.view(number)
    )
    words = ["bug=pocket/py-clock-format", "model=starter"]
    workspace = Workspace(home)
    if is_shared:
        on_the_page = workspace.chats.start(read_spec("chat", "", words))
        workspace.chats.send(on_the_page)
    done = CliRunner().invoke(app, ["chat", "--set", words[0], "--set", words[1], "--home", str(home)])
    assert done.exit_code == 0, done.output
    (worker,) = workspace.runs.list()
    assert worker.state == ("queued" if is_shared else "stopped")
    note = f"the model stays loaded for another conversation; `repair-studio runs stop {worker.id}` unloads it"
    assert (note in done.stderr) == is_shared
    workspace.close()


@pytest.mark.parametrize("inputs", ["{torn", '{"unknown": 1}', "[]"])
def test_a_run_that_cannot_be_compared_with_the_one_it_repeats_is_not_queued(home, tmp_path, inputs):
    folder = RunDir.create(tmp_path / "3", read_spec("benchmark").model_dump(mode="json"), Inputs())
    (folder.path / "inputs.json").write_text(inputs)
    done = CliRunner().invoke(app, ["benchmark", str(folder.path / "spec.json"), "--home", str(home)])
    assert Workspace(home).runs.list() == []
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1), done.output
    assert "inputs.json " in done.stderr
    assert done.stderr.endswith("with a copy of its spec.json in another folder\n")


class AnotherBoot:
    """A launcher whose workers ended when the machine did."""

    def check(self, spec):
        pass

    def room(self):
        return {"machine": 1}

    needs = room

    def submit(self, run_dir, environment):
        return "of this boot"

    def is_alive(self, handle):
        return handle == "of this boot"

    def interruption(self, handle):
        return "the machine was restarted while it ran"


def test_a_run_can_go_on_right_after_the_machine_was_restarted(home, monkeypatch):
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: AnotherBoot())
    workspace = Workspace(home)
    run_id = workspace.runs.submit(read_spec("benchmark"))
    workspace.tick()
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.handle = "running", "of the boot before"
    done = CliRunner().invoke(app, ["runs", "resume", str(run_id), "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert workspace.runs.row(run_id).state == "starting"
    workspace.close()


def test_the_log_of_a_run_holds_nothing_that_a_terminal_would_obey(home):
    workspace = Workspace(home)
    run_id = workspace.runs.submit(read_spec("dataset", "demo"))
    folder = RunDir.create(Path(workspace.runs.row(run_id).folder), {}, Inputs())
    folder.log.write_text("a\tb\x1b]0;owned\x07\x1b[2J\nstep 1\rstep 2\n")
    workspace.close()
    done = CliRunner().invoke(app, ["runs", "log", str(run_id), "--home", str(home)])
    assert done.stdout == "a\tb\\x1b]0;owned\\x07\\x1b[2J\nstep 1\nstep 2\n"
