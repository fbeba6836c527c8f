"""The sizes of a model, from its config.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.models.adapters import named


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
            "self_attn.q_proj": (h, q), "self_attn.k_proj": (h, kv), "self_attn.v_proj": (h, kv),
            "self_attn.o_proj": (q, h), "mlp.gate_proj": (h, f), "mlp.up_proj": (h, f), "mlp.down_proj": (f, h),
        }  # fmt: skip

    @property
    def linear_parameters(self) -> int:
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linear.values())

    @property
    def layer_parameters(self) -> int:
        """Of one decoder layer, with its norms and biases."""
        return self.linear_parameters // self.layers + 2 * self.hidden + self.biases

    @property
    def head_parameters(self) -> int:
        """Of the output head, also where it is one with the input embeddings."""
        return self.vocab * self.hidden

    @property
    def other_parameters(self) -> int:
        """Embeddings, the output head where it is its own matrix, norms and biases."""
        embeddings = self.vocab * self.hidden * (1 if self.is_tied else 2)
        return embeddings + self.layers * (2 * self.hidden + self.biases) + self.hidden

    @property
    def parameters(self) -> int:
        return self.linear_parameters + self.other_parameters

    def adapted(self, layer_names: str | list[str]) -> list[tuple[int, int]]:
        """(inputs, outputs) of each adapted layer, named by the end of its name, as PEFT reads target modules.

        Raises UserError for a name that no layer of the model has.
        """
        layers = {
            f"model.layers.{index}.{name}": size for index in range(self.layers) for name, size in self.linear.items()
        }
        if isinstance(layer_names, str):
            return list(layers.values())
        for name in layer_names:
            if not named([name], layers):
                known = ", ".join(each.rpartition(".")[2] for each in self.linear)
                raise UserError(
                    f"this model has no linear layer called {name!r}; choose among: {known}",
                    field="trainer.target_modules",
                )
        return [layers[name] for name in named(layer_names, layers)]

    def lora_parameters(self, rank: int, layer_names: str | list[str], *, dora: bool = False) -> int:
        """rank x (inputs + outputs) of each adapted layer, for DoRA one more for each output. Raises as `adapted`."""
        return sum(rank * (inputs + outputs) + dora * outputs for inputs, outputs in self.adapted(layer_names))


def read_config(model_folder: Path) -> dict[str, Any]:
    """A model folder's config.json. Raises UserError where there is none."""
    try:
        return dict(json.loads((model_folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"{model_folder} holds no readable config.json ({error})") from None
