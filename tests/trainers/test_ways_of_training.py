"""However a step is divided and computed, it has the same loss; what `speed` auto chose is kept and said."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from engine.domain import Model
from engine.errors import UserError
from engine.models.loading import load
from engine.rundir import Inputs, RunDir
from engine.trainers import contract, layer_compile
from engine.trainers.sft import Sft

pytestmark = pytest.mark.slow

TRAINER = {
    "learning_rate": 1e-2, "batch_size": 4, "accumulation": 2, "rank": 4, "logging_steps": 1, "save_steps": 2,
    "max_steps": 3, "evaluation": "no",
}  # fmt: skip


def train(tmp_path, model, dataset, name="run", **settings):
    run = RunDir.create(tmp_path / "runs" / name, {}, Inputs())
    figures = Sft(Sft.Params(**{**TRAINER, **settings})).train(model, dataset, 0, run)
    values = [asdict(event.payload)["values"] for event in run.events().events if event.kind == "metric"]
    return run, figures, [each["loss"] for each in values if "loss" in each]


@pytest.fixture(scope="module")
def plain(tmp_path_factory, tiny):
    from tiny_models import write_dataset

    folder = tmp_path_factory.mktemp("plain")
    return train(folder, tiny, write_dataset(folder / "set"))[2]


@pytest.mark.parametrize(
    "settings",
    [
        {"packing": True},
        {"packing": True, "batch_tokens": 128},
        {"packing": True, "attention": "sdpa"},
        {"batch_tokens": 128},
        {"batch_tokens": 10_000, "activation_checkpointing": True, "checkpoint_every": 2},
        {"packing": True, "activation_checkpointing": True},
        {"speed": "auto"},
    ],
    ids=lambda settings: "-".join(f"{name}={value}" for name, value in settings.items()),
)
def test_every_way_has_the_losses_of_equal_padded_batches(tmp_path, tiny, dataset, plain, settings):
    _, figures, losses = train(tmp_path, tiny, dataset, **settings)
    assert losses == pytest.approx(plain, abs=1e-5)
    assert (figures["steps"], figures["samples_seen"]) == (3, 24)


def test_the_tiled_loss_of_a_gpu_is_the_same(tmp_path, tiny, dataset, plain, monkeypatch):
    monkeypatch.setattr("engine.trainers.exact_loss.CHANGED_LOGITS", ("vocab_size",))  # as if logits were changed
    _, _, losses = train(tmp_path, tiny, dataset, packing=True)
    assert losses == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize(
    "settings", [{"packing": True, "batch_tokens": 128}, {"speed": "auto"}], ids=["stated", "auto"]
)
def test_an_interrupted_training_is_continued_to_the_same_weights(tmp_path, tiny, dataset, settings):
    params = Sft.Params(**{**TRAINER, "max_steps": 6, "dropout": 0.1, **settings})
    contract.check(Sft, params, tiny, dataset, tmp_path)


def test_what_auto_chose_is_in_the_result_and_holds_for_a_resumed_run(tmp_path, tiny, dataset, monkeypatch):
    run, figures, losses = train(tmp_path, tiny, dataset, speed="auto")
    assert figures["speed"].startswith("rows are packed: no padding")
    kept = json.loads((run.artifacts / "speed.json").read_text())
    assert kept["settings"] == figures["speed_settings"]
    _, _, stated = train(tmp_path, tiny, dataset, "stated", **figures["speed_settings"])
    assert stated == losses, "stated as settings, it is the same run"
    monkeypatch.setattr("engine.trainers.speed.choose", None)  # another choice would be made: it is not asked
    again = Sft(Sft.Params(**{**TRAINER, "speed": "auto", "max_steps": 4}))
    again.train(tiny, dataset, 0, run)
    for odd in (
        b"{}",
        b"[]",
        b"\xff",
        json.dumps(kept | {"settings": kept["settings"] | {"batch_tokens": -1}}).encode(),
    ):
        (run.artifacts / "speed.json").write_bytes(odd)
        with pytest.raises(UserError, match="is not as this run wrote it"):
            again.train(tiny, dataset, 0, run)


def test_compiled_layers_keep_their_names_and_their_losses(tmp_path, tiny, dataset, plain, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    run, _, losses = train(tmp_path, tiny, dataset, compile_layers=True, packing=True, max_steps=2)
    assert losses == pytest.approx(plain[:2], abs=1e-4)
    assert any((tmp_path / layer_compile.CACHE).rglob("*")), "what was compiled is kept in the home"
    from safetensors.torch import load_file

    usual, _, _ = train(tmp_path, tiny, dataset, "usual", packing=True, max_steps=1)
    files = [each.artifacts / "model" / "adapter_model.safetensors" for each in (run, usual)]
    assert load_file(files[0]).keys() == load_file(files[1]).keys()
    load(Model("new", "adapter", str(run.artifacts / "model"), tiny.path))
    assert "varlen" not in (run.artifacts / "model" / "adapter_config.json").read_text()


def test_without_a_compiler_the_layers_stay_as_they_are(tmp_path, tiny, dataset, monkeypatch, caplog):
    monkeypatch.setattr(layer_compile, "obstacle", lambda device: "there is no C++ compiler")
    train(tmp_path, tiny, dataset, compile_layers=True, packing=True, max_steps=1)
    assert "the layers are not compiled: there is no C++ compiler" in caplog.text


def test_every_weight_trained_on_packed_rows_makes_an_ordinary_model(tmp_path, tiny, dataset):
    run, _, _ = train(tmp_path, tiny, dataset, method="full", packing=True, learning_rate=1e-4)
    assert "varlen" not in (run.artifacts / "model" / "config.json").read_text()
    load(Model("new", "base", str(run.artifacts / "model")))


def test_flex_attention_is_refused_on_a_cpu(tmp_path, tiny, dataset, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="flex is trained with on a GPU only"):
        train(tmp_path, tiny, dataset, packing=True, attention="flex")
