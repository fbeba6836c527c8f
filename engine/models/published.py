"""The shapes of published models, from their config.json, and of the rows that they are measured with.

Weights are not needed to measure how fast a model is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.models.shape import read_config

STARTER = "starter"  # the shipped model

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


@dataclass(frozen=True)
class RowLengths:
    """Tokens of the rows that such a model is trained on: a beta distribution between none and the longest."""

    mean: int
    longest: int
    target_share: float  # of a row's tokens that have a loss

    def within(self, context: int) -> RowLengths:
        """The same in a model that takes no longer rows than `context` tokens."""
        longest = min(self.longest, context)
        return replace(self, mean=self.mean * longest // self.longest, longest=longest)

    def draw(self, count: int, seed: int) -> list[int]:
        """The lengths of some rows, the same for the same seed."""
        import numpy as np  # the shell's other verbs do without

        share = self.mean / self.longest
        drawn = np.random.default_rng([seed, 1]).beta(2, 2 * (1 - share) / share, size=count)
        return [max(4, round(self.longest * float(one))) for one in drawn]


STARTER_ROWS = RowLengths(119, 256, 0.11)  # the shipped demo's
FUNCTION_ROWS = RowLengths(588, 1024, 0.25)  # whole functions, cut at 1,024 tokens as RepairLLaMA's

NAMES = (STARTER, *SHAPES)  # in any case


def rows_of(shape: str) -> RowLengths:
    """The lengths of the rows that a shape is measured with."""
    return STARTER_ROWS if shape.lower() == STARTER else FUNCTION_ROWS


def config_of(shape: str) -> dict[str, Any]:
    """The configuration of a published shape, or that in a config.json or in its folder. Raises UserError."""
    if shape.lower() == STARTER:
        return read_config(STARTER_MODEL)
    for name, values in SHAPES.items():
        if shape.lower() == name.lower():
            return dict(values)
    path = Path(shape)
    if path.is_dir():
        return read_config(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"shape: {shape!r} is neither one of {', '.join(NAMES)} nor a readable config.json ({error})"
        ) from None
    if not isinstance(found, dict):
        raise UserError(f"shape: {shape} is no config.json, which is a JSON object")
    return found
