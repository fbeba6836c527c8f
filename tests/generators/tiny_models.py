"""A random two-layer model with the starter's tokenizer, quick to load and always wrong, and a small training set."""

from __future__ import annotations

import shutil

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Model


def make_model(folder, hidden=64, seed=0, context=256):
    """A Llama of 0.6 M parameters in `folder`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=8192,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        eos_token_id=0,
        pad_token_id=6,
        bos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(3)  # a peaked distribution, or every beam would tie
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STARTER_MODEL / name, folder)
    return Model("tiny", "base", str(folder))


def make_adapter(folder, base, rank=4, seed=1):
    """A LoRA adapter for `base` that changes its answers."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base.path, local_files_only=True)
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
    )
    get_peft_model(model, config).save_pretrained(folder)
    return Model("tiny-adapter", "adapter", str(folder), base.path)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_adapter(tmp_path_factory, tiny):
    return make_adapter(tmp_path_factory.mktemp("tiny-adapter"), tiny)


def write_dataset(folder, rows=24, long_row=0):
    """Rows of 8 to 39 tokens, the last 3 to 6 of them with loss."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    for name, count in (("train", rows), ("valid", rows // 4)):
        lengths = [8 + (7 * n) % 32 for n in range(count)]
        if long_row and name == "train":
            lengths[0] = long_row
        ids = [[100 + (13 * n + place) % 500 for place in range(length - 1)] + [0] for n, length in enumerate(lengths)]
        table = pa.table(
            {
                "bug_id": [f"b{n}" for n in range(count)],
                "input_ids": pa.array(ids, pa.list_(pa.int32())),
                "n_prompt": [length - 3 - n % 4 for n, length in enumerate(lengths)],
                "n_tokens": lengths,
            }
        )
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "tokenizer").mkdir()
    shutil.copy(STARTER_MODEL / "tokenizer.json", folder / "tokenizer")
    return folder


def write_preferences(folder, rows=24):
    """The same as preferences: behind each prompt a worse answer of 2 to 4 tokens."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_dataset(folder, rows)
    for name in ("train", "valid"):
        table = pq.read_table(folder / f"{name}.parquet")
        rejected = [[600 + (7 * n + place) % 300 for place in range(1 + n % 3)] + [0] for n in range(len(table))]
        table = table.append_column("rejected_ids", pa.array(rejected, pa.list_(pa.int32())))
        pq.write_table(table, folder / f"{name}.parquet")
    return folder
