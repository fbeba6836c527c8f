"""The shapes of published models, from their config.json; their weights are not needed to measure how fast they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.models.shape import read_config

_LLAMA_7B = {  # the file of https://huggingface.co/codellama/CodeLlama-7b-hf
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32016, "max_position_embeddings": 16384,
    "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
}  # fmt: skip
_QWEN_7B = {  # the file of https://huggingface.co/Qwen/Qwen2.5-7B; Qwen2.5-Coder-7B has the same sizes
    "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
    "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-6, "tie_word_embeddings": False,
}  # fmt: skip
_QWEN_1_5B = {  # the file of https://huggingface.co/Qwen/Qwen2.5-1.5B; Qwen2.5-Coder-1.5B has the same sizes
    "model_type": "qwen2", "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
    "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 151936, "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "CodeLlama-7B": _LLAMA_7B,
    "Qwen2.5-7B": _QWEN_7B,
    "Qwen2.5-1.5B": _QWEN_1_5B,
}


def config_of(shape: str) -> dict[str, Any]:
    """The configuration of a published shape, or that in a config.json or in its folder. Raises UserError."""
    if shape in SHAPES:
        return dict(SHAPES[shape])
    path = Path(shape)
    if path.is_dir():
        return read_config(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"shape: {shape!r} is neither one of {', '.join(SHAPES)} nor a readable config.json ({error})"
        ) from None
    if not isinstance(found, dict):
        raise UserError(f"shape: {shape} is no config.json, which is a JSON object")
    return found
