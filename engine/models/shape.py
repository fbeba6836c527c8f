"""The sizes of a model, from its config.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UserError


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama-like decoder (Llama, Mistral, Qwen2, StableLM ...), from its config.json."""

    layers: int
    hidden: int
    ffn: int
    query_width: int  # heads x head size
    kv_width: int  # key-value heads x head size
    vocab: int
    is_tied: bool  # input and output embeddings are one matrix
    biases: int  # numbers in bias vectors, a layer

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Raises UserError naming the size that is missing."""
        config = config.get("text_config", config)
        try:
            hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
            head = int(config.get("head_dim") or hidden // heads)
            query, kv = heads * head, int(config.get("num_key_value_heads") or heads) * head
            has_biases = bool(config.get("attention_bias")) or config.get("model_type") in ("qwen2", "starcoder2")
            return cls(
                layers=int(config["num_hidden_layers"]),
                hidden=hidden,
                ffn=int(config["intermediate_size"]),
                query_width=query,
                kv_width=kv,
                vocab=int(config["vocab_size"]),
                is_tied=bool(config.get("tie_word_embeddings", False)),
                biases=query + 2 * kv if has_biases else 0,
            )
        except KeyError as missing:
            raise UserError(f"config.json has no {missing.args[0]!r}, so the memory cannot be estimated") from None

    @property
    def linear(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one decoder layer: name -> (inputs, outputs)."""
        h, q, kv, f = self.hidden, self.query_width, self.kv_width, self.ffn
        return {
            "q_proj": (h, q), "k_proj": (h, kv), "v_proj": (h, kv), "o_proj": (q, h),
            "gate_proj": (h, f), "up_proj": (h, f), "down_proj": (f, h),
        }  # fmt: skip

    @property
    def linear_parameters(self) -> int:
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linear.values())

    @property
    def other_parameters(self) -> int:
        """Embeddings, the output head where it is its own matrix, norms and biases."""
        embeddings = self.vocab * self.hidden * (1 if self.is_tied else 2)
        return embeddings + self.layers * (2 * self.hidden + self.biases) + self.hidden

    @property
    def parameters(self) -> int:
        return self.linear_parameters + self.other_parameters

    def lora_parameters(self, rank: int, layer_names: str | list[str]) -> int:
        """rank x (inputs + outputs) of each adapted layer. Raises UserError for a layer the model does not have."""
        linear = self.linear
        names = list(linear) if isinstance(layer_names, str) else list(dict.fromkeys(layer_names))
        unknown = [name for name in names if name not in linear]
        if unknown:
            raise UserError(
                f"this model has no linear layer called {unknown[0]!r}; choose among: {', '.join(linear)}",
                field="trainer.target_modules",
            )
        return self.layers * sum(rank * sum(linear[name]) for name in names)


def read_config(model_folder: Path) -> dict[str, Any]:
    """A model folder's config.json. Raises UserError where there is none."""
    try:
        return dict(json.loads((model_folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{model_folder} holds no readable config.json ({error})") from None
