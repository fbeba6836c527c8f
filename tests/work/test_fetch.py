"""A model named by its hub id becomes a folder before the work begins; what cannot be had is said with what to do."""

from __future__ import annotations

from fnmatch import fnmatch

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

from engine.domain import Model
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.work.fetch import fetched


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


@pytest.fixture
def hub(monkeypatch):
    """In place of the hub: the calls that were made, and what they come to."""

    class Hub:
        def __init__(self):
            self.calls, self.error = [], None

        def download(self, reference, allow_patterns):
            self.calls.append((reference, allow_patterns))
            if self.error:
                raise self.error
            return f"/cache/{reference}"

    hub = Hub()
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.download)
    return hub


def said(run):
    return [event.fields["text"] for event in run.events().events if event.kind == "progress"]


def test_a_folder_stays_as_it_is(run, hub, tmp_path):
    inputs = Inputs(Model("mine", "adapter", str(tmp_path), str(tmp_path)), dataset="/data")
    assert fetched(inputs, run) == inputs
    assert fetched(Inputs(), run) == Inputs()
    assert hub.calls == []
    assert said(run) == []


def test_a_hub_id_is_downloaded_for_model_and_base(run, hub, tmp_path):
    both = Inputs(Model("theirs", "adapter", "org/adapter", "org/base"), dataset="/data", dataset_hash="abc")
    model = Model("theirs", "adapter", "/cache/org/adapter", "/cache/org/base")
    assert fetched(both, run) == Inputs(model, dataset="/data", dataset_hash="abc")
    assert [reference for reference, _ in hub.calls] == ["org/adapter", "org/base"]
    assert said(run) == ["downloading org/adapter", "downloading org/base"]
    hub.calls.clear()
    half = Inputs(Model("mine", "adapter", str(tmp_path), "org/base"))
    assert fetched(half, run).model == Model("mine", "adapter", str(tmp_path), "/cache/org/base")
    assert [reference for reference, _ in hub.calls] == ["org/base"]


def test_weights_and_settings_are_asked_for_and_neither_pickles_nor_code(run, hub):
    fetched(Inputs(Model("theirs", "base", "org/base")), run)
    ((_, patterns),) = hub.calls

    def wanted(*names):
        return [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]

    needed = ("model-00001-of-00002.safetensors", "config.json", "tokenizer.json", "tokenizer.model", "merges.txt",
              "chat_template.jinja")  # fmt: skip
    assert wanted(*needed) == [*needed]
    assert wanted("pytorch_model.bin", "model.pt", "x.pkl", "x.ckpt", "modeling_theirs.py", "x.h5", "x.msgpack") == []


RESPONSE = httpx2.Response(404, request=httpx2.Request("GET", "https://huggingface.co/api/models/org/base"))


@pytest.mark.parametrize(
    "error",
    [
        HfHubHTTPError("404 Client Error\nRequest ID: 7", response=RESPONSE),
        RepositoryNotFoundError("404 Client Error\nRequest ID: 7", response=RESPONSE),
        HFValidationError("404 Client Error"),
        LocalEntryNotFoundError("404 Client Error\nand more"),
        OfflineModeIsEnabled("404 Client Error"),
        httpx2.ReadTimeout("404 Client Error"),
        httpx2.ProxyError("404 Client Error"),
        OSError("404 Client Error"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_had_is_said_with_what_to_do(run, hub, error):
    hub.error = error
    with pytest.raises(UserError) as refused:
        fetched(Inputs(Model("theirs", "base", "org/base")), run)
    text = str(refused.value)
    assert text.startswith(
        "model: 'org/base' is no folder here and cannot be had from the Hugging Face hub (404 Client"
    )
    assert "check the name, the network and HF_TOKEN, or give the folder of a model you have" in text
    assert "\n" not in text
    assert refused.value.field == "model"


def test_without_a_network_the_hubs_own_client_says_so(run):
    assert constants.HF_HUB_OFFLINE, "no test asks the hub"
    with pytest.raises(UserError, match="'org/none' is no folder here and cannot be had from the Hugging Face hub"):
        fetched(Inputs(Model("theirs", "base", "org/none")), run)


def test_an_error_without_words_is_named(run, hub):
    hub.error = ConnectionResetError()
    with pytest.raises(UserError, match=r"\(ConnectionResetError\)"):
        fetched(Inputs(Model("theirs", "base", "org/base")), run)
