"""Models by name, folder or hub id, and the errors for a folder without a model."""

from __future__ import annotations

import json
import shutil
import threading
import time
from types import SimpleNamespace

import pytest
from httpx2 import Request, Response
from huggingface_hub import errors

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from engine.spec_files import read_spec


def test_the_shipped_models_are_always_there(workspace):
    assert workspace.models.names("base") == ["starter"]
    assert workspace.models.resolve("starter-adapter").base == str(STARTER_MODEL)


def test_a_folder_is_a_model_too(workspace, tmp_path):
    shutil.copytree(STARTER_MODEL, tmp_path / "mine")
    assert workspace.models.resolve(str(tmp_path / "mine")).kind == "base"


def test_a_folder_without_weights_says_so(workspace, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_text("")
    with pytest.raises(UserError, match=r"contains no weights: no \.safetensors file"):
        workspace.models.resolve(str(tmp_path))


def test_a_folder_that_is_no_model_says_so(workspace, tmp_path):
    with pytest.raises(UserError, match=r"contains no model: config\.json is missing"):
        workspace.models.resolve(str(tmp_path))


def test_an_adapter_whose_base_is_not_here_says_which(workspace, tmp_path):
    shutil.copytree(STARTER_ADAPTER, tmp_path / "a")
    path = tmp_path / "a" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": "/gone/model"}))
    with pytest.raises(UserError, match="the base model of the adapter .* is '/gone/model', which is not here"):
        workspace.models.resolve(str(tmp_path / "a"))


def test_without_the_hub_a_hub_id_is_left_to_the_worker(workspace):
    assert workspace.models.resolve("codellama/CodeLlama-7b-hf") == Model(
        "codellama/CodeLlama-7b-hf", "", "codellama/CodeLlama-7b-hf"
    )
    workspace.runs.submit(read_spec("merge", "", ["adapter=codellama/CodeLlama-7b-hf"]))
    with pytest.raises(UserError, match="'a/b' is not on this machine yet, so its memory cannot be estimated"):
        workspace.preflight(read_spec("train", "", ["model=a/b"]))


MISSING = Response(404, request=Request("HEAD", "https://huggingface.co"))


class FakeHub:
    """The hub's functions, over repositories that are dicts of file name -> text."""

    def __init__(self, folder, repositories):
        self.folder = folder
        self.repositories = repositories
        self.asked = []

    def get_hf_file_metadata(self, url, *, timeout):
        repo, _, name = url.removeprefix("https://huggingface.co/").partition("/resolve/main/")
        self.asked.append((repo, name))
        if repo == "slow/model":
            threading.Event().wait(1)
        if repo not in self.repositories:
            raise errors.RepositoryNotFoundError("404", response=MISSING)
        if name not in self.repositories[repo]:
            raise errors.RemoteEntryNotFoundError("404", response=MISSING)
        return SimpleNamespace(size=len(self.repositories[repo][name]))

    def hf_hub_download(self, repo, name, *, etag_timeout):
        path = self.folder / repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.repositories[repo][name])
        return str(path)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    shipped = (STARTER_ADAPTER / "adapter_config.json").read_text()
    adapter = json.loads(shipped) | {"base_model_name_or_path": "some/model"}
    fake = FakeHub(
        tmp_path / "hub",
        {
            "some/model": {"config.json": (STARTER_MODEL / "config.json").read_text()},
            "some/adapter": {"adapter_config.json": json.dumps(adapter)},
            "some/stray": {"adapter_config.json": json.dumps(adapter | {"base_model_name_or_path": "/home/me/model"})},
            "some/large": {"adapter_config.json": " " * 10_000_001},
            "slow/model": {},
        },
    )
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda repo, name: None)
    for name in ("get_hf_file_metadata", "hf_hub_download"):
        monkeypatch.setattr(f"huggingface_hub.{name}", getattr(fake, name))
    return fake


def test_an_adapter_on_the_hub_is_an_adapter_with_its_own_base(workspace, hub):
    assert workspace.models.resolve("some/adapter") == Model("some/adapter", "adapter", "some/adapter", "some/model")
    assert workspace.models.resolve("some/model") == Model("some/model", "base", "some/model")
    asked = len(hub.asked)
    workspace.models.resolve("some/adapter")
    assert len(hub.asked) == asked, "what is known is not asked again"
    workspace.runs.submit(read_spec("merge", "", ["adapter=some/adapter"]))
    with pytest.raises(UserError, match="adapter: 'some/model' is a base model, not an adapter"):
        workspace.runs.submit(read_spec("merge", "", ["adapter=some/model"]))


def test_a_hub_model_that_is_not_here_can_be_estimated(workspace, hub):
    here = workspace.preflight(read_spec("train", "", ["model=starter"]))
    assert workspace.preflight(read_spec("train", "", ["model=some/model"])) == here
    assert workspace.preflight(read_spec("train", "", ["model=some/adapter"])).estimate.trainable == 1_589_248
    with pytest.raises(UserError, match=r"trainer\.rank: the adapter has 32, not 16; 'some/adapter' can only"):
        workspace.preflight(read_spec("train", "", ["model=some/adapter", "trainer.rank=16"]))


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("some/typo", "model: 'some/typo' is not a folder here, and the Hugging Face hub has no model of that name"),
        ("some/stray", "the base model of the adapter .* is '/home/me/model', which is not here"),
        ("some/x--y", "model: 'some/x--y' is not a folder here, and not a valid name of a model"),
    ],
)
def test_what_the_hub_does_not_have_is_a_user_error(workspace, hub, reference, said):
    with pytest.raises(UserError, match=said):
        workspace.models.resolve(reference)


def test_no_page_waits_for_a_slow_hub_and_nothing_large_is_fetched(workspace, hub, monkeypatch):
    monkeypatch.setattr("engine.control.hub.WAIT_S", 0.2)
    for reference in ("slow/model", "slow/model", "some/large"):
        began = time.monotonic()
        assert workspace.models.resolve(reference).kind == ""
        assert time.monotonic() - began < 0.9
    assert hub.asked.count(("slow/model", "adapter_config.json")) == 1
    assert not hub.folder.exists()


def test_a_hub_that_cannot_be_reached_is_not_asked_again_and_again(workspace, hub, monkeypatch):
    def unreachable(url, *, timeout):
        asked.append(url)
        raise OSError("no network")

    asked = []
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", unreachable)
    for reference in ("some/model", "some/adapter", "some/model"):
        assert workspace.models.resolve(reference).kind == ""
        with pytest.raises(UserError, match="is not on this machine yet, so its memory cannot be estimated"):
            workspace.preflight(read_spec("train", "", [f"model={reference}"]))
    assert len(asked) == 1
    monkeypatch.setattr("engine.control.hub.RETRY_S", 0.0)
    with pytest.raises(UserError):
        workspace.preflight(read_spec("train", "", ["model=some/model"]))
    assert len(asked) > 1, "after a while it is"


def test_a_model_without_its_files_is_a_user_error(workspace, started, dataset):
    _, folder = started("train", "name=mine", f"dataset={dataset}")
    model = folder.artifacts / "model"
    shutil.copytree(STARTER_ADAPTER, model)
    folder.append("state", state="done", result={})
    workspace.tick()
    assert workspace.models.resolve("mine").kind == "adapter"
    shutil.rmtree(model)
    for kind, field in (("benchmark", "model"), ("merge", "adapter")):
        with pytest.raises(UserError) as error:
            workspace.runs.submit(read_spec(kind, "", [f"{field}=mine"]))
        assert str(error.value) == (
            f"{field}: the files of 'mine' are no longer in {model}; train it again or choose another model"
        )
