"""What a worker downloads from the hub: only what its run needs, and an adapter with its base model."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import filter_repo_objects

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.specs import parse
from engine.work import __main__ as worker
from engine.work.fetch import fetch_model

RESPONSE = httpx2.Response(404, request=httpx2.Request("GET", "https://huggingface.co/api/models/org/base"))
MORE = ("pytorch_model.bin", "modeling.py", "consolidated.safetensors", "checkpoint-5/adapter_model.safetensors")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """`snapshot_download` over two repositories, made of the shipped model and adapter; returns what it fetch_model."""
    there, here = tmp_path / "there", tmp_path / "here"
    for repo, folder in (("some/model", STARTER_MODEL), ("some/adapter", STARTER_ADAPTER)):
        shutil.copytree(folder, there / repo)
        for name in MORE:
            (there / repo / name).parent.mkdir(exist_ok=True)
            (there / repo / name).touch()
    config = there / "some/adapter/adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "some/model"}))
    fetched_files = {}

    def snapshot_download(repo, *, allow_patterns, ignore_patterns):
        if not (there / repo).is_dir():
            raise LocalEntryNotFoundError("Cannot find it.\nCheck your network.")
        files = [path.relative_to(there / repo).as_posix() for path in (there / repo).rglob("*") if path.is_file()]
        wanted = set(filter_repo_objects(files, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns))
        fetched_files[repo] = wanted
        for name in wanted:
            (here / repo).mkdir(parents=True, exist_ok=True)
            shutil.copy(there / repo / name, here / repo / name)
        return str(here / repo)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    return fetched_files


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


def run_of(tmp_path, spec, model):
    spec = parse(spec).model_dump(mode="json")
    return RunDir.create(tmp_path / "run", spec, Inputs(model=model))


def ended(run):
    return [asdict(event.payload) for event in run.events().events if event.kind == "state"][-1]


@pytest.mark.parametrize("kind", ["", "adapter", "base"])
def test_an_adapter_is_recognised_by_its_files(tmp_path, hub, kind):
    run = run_of(tmp_path, {"kind": "chat"}, Model("some/adapter", kind, "some/adapter"))
    model = fetch_model(run.inputs(), run, "chat").model
    assert model.kind == "adapter"
    assert (Path(model.path) / "adapter_model.safetensors").is_file()
    assert len(list(Path(model.base).glob("*.safetensors"))) == 2
    assert not {name for files in hub.values() for name in files} & set(MORE)
    assert "downloading some/model" in [event.payload.text for event in run.events().events if event.kind == "progress"]


@pytest.mark.parametrize("reference", ["some/model", "some/adapter"])
def test_a_data_set_needs_no_weights(tmp_path, hub, reference):
    spec = {"kind": "dataset", "builder": {"name": "faults", "samples": 5}, "exclude": ()}
    run = run_of(tmp_path, spec, Model(reference, "", reference))
    assert worker.work(run) == 0
    assert ended(run)["state"] == "done"
    assert hub["some/model"] == {"tokenizer.json", "tokenizer_config.json", "config.json", "chat_template.jinja"}
    assert not any(name.endswith("safetensors") for files in hub.values() for name in files)


def test_a_base_model_of_the_hub_is_not_merged(tmp_path, hub):
    run = run_of(tmp_path, {"kind": "merge", "adapter": "some/model"}, Model("some/model", "", "some/model"))
    assert worker.work(run) == 1
    assert ended(run)["cause"] == "user"
    assert ended(run)["error"] == "only an adapter can be merged, and 'some/model' is a base model"


def test_what_the_hub_does_not_have_is_reported_with_what_to_do(tmp_path, hub):
    run = run_of(tmp_path, {"kind": "benchmark", "model": "some/typo"}, Model("some/typo", "", "some/typo"))
    assert worker.work(run) == 1
    assert ended(run)["error"] == (
        "model: 'some/typo' is not a folder here and cannot be downloaded from the Hugging Face hub (Cannot find it.); check the "
        "name, the network and HF_TOKEN, or give the folder of a model you have"
    )


@pytest.mark.parametrize(
    "error",
    [
        HfHubHTTPError("404 Client Error\nRequest ID: 7", response=RESPONSE),
        RepositoryNotFoundError("404 Client Error\nRequest ID: 7", response=RESPONSE),
        HFValidationError("404 Client Error"),
        OfflineModeIsEnabled("404 Client Error"),
        httpx2.ReadTimeout("404 Client Error"),
        httpx2.ProxyError("404 Client Error"),
        OSError("404 Client Error"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_the_hubs_client_raises_is_one_sentence(tmp_path, monkeypatch, error):
    monkeypatch.setattr("huggingface_hub.snapshot_download", raising(error))
    run = run_of(tmp_path, {"kind": "chat"}, Model("org/base", "base", "org/base"))
    with pytest.raises(UserError) as refused:
        fetch_model(run.inputs(), run, "chat")
    text = str(refused.value)
    assert text.startswith(
        "model: 'org/base' is not a folder here and cannot be downloaded from the Hugging Face hub (404 Client"
    )
    assert "\n" not in text
    assert refused.value.field == "model"


def test_an_error_without_a_message_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", raising(ConnectionResetError()))
    run = run_of(tmp_path, {"kind": "chat"}, Model("org/base", "base", "org/base"))
    with pytest.raises(UserError, match=r"\(ConnectionResetError\)"):
        fetch_model(run.inputs(), run, "chat")


def test_without_a_network_the_hubs_own_client_says_so(tmp_path):
    assert constants.HF_HUB_OFFLINE, "no test asks the hub"
    run = run_of(tmp_path, {"kind": "chat"}, Model("org/none", "", "org/none"))
    with pytest.raises(
        UserError, match="'org/none' is not a folder here and cannot be downloaded from the Hugging Face hub"
    ):
        fetch_model(run.inputs(), run, "chat")


@pytest.mark.parametrize(("path", "base", "name"), [("gone", "", "mine"), ("", "gone", "the base model of mine")])
def test_missing_files_are_a_user_error(tmp_path, hub, path, base, name):
    gone = tmp_path / "gone"
    here = str(STARTER_ADAPTER)
    model = Model("mine", "adapter", str(gone) if path else here, str(gone) if base else "")
    run = run_of(tmp_path, {"kind": "merge", "adapter": "mine"}, model)
    assert worker.work(run) == 1
    assert ended(run)["cause"] == "user"
    assert ended(run)["error"] == (
        f"adapter: the files of {name!r} are no longer in {gone}; train it again or choose another model"
    )


def test_a_full_disk_is_not_the_users_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", raising(OSError(28, "No space left on device")))
    run = run_of(tmp_path, {"kind": "chat"}, Model("some/model", "", "some/model"))
    assert worker.work(run) == 1
    assert ended(run)["cause"] == "disk_full"


def test_a_local_folder_is_used_unchanged(tmp_path, hub):
    model = Model("starter", "base", str(STARTER_MODEL))
    run = run_of(tmp_path, {"kind": "chat"}, model)
    assert fetch_model(run.inputs(), run, "chat").model == model
    assert hub == {}
    with pytest.raises(UserError, match="are no longer in /gone"):
        fetch_model(Inputs(model=Model("x", "base", "/gone")), run, "chat")
