"""What the shell's verbs answer, called in this process; `e2e/test_shell.py` runs them as a person does."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from engine.assets import STARTER_MODEL
from engine.cli import app


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
    assert said("train", str(spec)) == "kind: this is a spec for 'merge', not for 'train'"


def test_a_spec_that_is_not_there_names_the_presets(said):
    assert said("train", "dmo") == (
        "'dmo' is neither a file nor a preset for 'train'; presets: demo, qlora-10gb, repairllama"
    )


def test_a_model_folder_says_what_it_lacks(said, tmp_path):
    def of(folder):
        return said("benchmark", "--set", f"model={folder}")

    assert of(tmp_path) == f"model: {tmp_path} holds no model: config.json is missing"
    shutil.copy(STARTER_MODEL / "config.json", tmp_path)
    assert "holds no weights: no .safetensors file" in of(tmp_path)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/nowhere/base"}))
    assert "adapter_model.safetensors is missing" in of(tmp_path)
    (tmp_path / "adapter_model.safetensors").touch()
    assert "the base model of the adapter" in of(tmp_path)
    assert "'/nowhere/base', which is not here" in of(tmp_path)


def test_an_unknown_run_is_the_users_error(said):
    assert "there is no run 99" in said("runs", "show", "99")
    assert "there is no run 99" in said("runs", "stop", "99")
    assert "there is no run 99" in said("export", "99")


def test_an_empty_home_says_what_to_do(home):
    assert "try `repair-studio demo`" in CliRunner().invoke(app, ["runs", "--home", str(home)]).output


def test_the_home_may_stand_before_the_verb_or_after_it(home, tmp_path):
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
    assert said["versions"]["torch"].startswith("2.13.0")


@pytest.mark.parametrize("words", [["train"], ["dataset", "build"], ["merge"], ["benchmark"], ["chat"], ["demo"]])
def test_every_verb_explains_itself(words):
    said = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert "--set" in said.output


def test_cancelling_a_demo_where_there_is_none_says_so(said):
    assert said("demo", "--cancel") == "no demo is under way, so there is none to cancel"
