"""Settings that every trainer shares: which weights are trained, and how those that are not are kept."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from engine import params
from engine.models.adapters import HEAD, Lora
from engine.params import setting

RANK = 16  # of new matrices where no other is named
ALL_LINEAR = "all-linear"
TIED_HEAD = (
    "train_head: this model's output head is one with its input embeddings, which an adapter cannot hold; leave it "
    "out, or choose last_layers or full"
)
ADDING = ("lora", "qlora")  # the methods that add matrices to frozen weights


class WeightParams(params.Params):
    """Which weights are trained. What is left open is an existing adapter's own; `filled` says what it is else."""

    method: Literal["lora", "qlora", "full", "last_layers"] = setting(
        "lora",
        "lora: small matrices added to frozen weights; qlora: the same on a 4-bit base; full: every weight; "
        "last_layers: only the last layers, or the head, all else frozen",
    )
    rank: int | None = setting(
        None, f"width of the added matrices; empty: {RANK}, or that of the adapter trained further", gt=0, le=1024
    )
    alpha: int | None = setting(
        None, "the added matrices are scaled by alpha / rank; empty: twice the rank, or the adapter's", gt=0, le=8192
    )
    dropout: float | None = setting(
        None,
        "share of the added matrices' input set to zero at random; empty: 0, or the adapter's",
        more=True,
        ge=0,
        lt=1,
    )
    target_modules: str | None = setting(
        None,
        "layers that get added matrices: all-linear, or names as in q_proj,v_proj or 7.mlp.down_proj; empty: "
        "all-linear, or the adapter's",
        more=True,
    )
    rslora: bool | None = setting(
        None,
        "scale the added matrices by alpha / the square root of the rank, which suits ranks above 32 (rsLoRA)",
        title="rsLoRA",
        more=True,
    )
    dora: bool | None = setting(
        None,
        "also train the size of each adapted row of weights: closer to full training, slower (DoRA)",
        title="DoRA",
        more=True,
    )
    train_head: bool | None = setting(
        None,
        "also train the output head, every weight of it; where it is one with the input embeddings, these too, and "
        "lora cannot",
        more=True,
    )
    last_layers: int = setting(
        2, "last_layers only: how many layers are trained, the last ones; 0: the head alone", more=True, ge=0, le=1000
    )
    base_bits: Literal[16, 8] = setting(
        16, "lora only: 8 keeps the frozen weights in 8 bits (LLM.int8); qlora always has 4", unit="bits", more=True
    )

    @field_validator("target_modules")
    @classmethod
    def _names_of_layers(cls, value: str | None) -> str | None:
        if value is None:
            return None
        names = [name.strip() for name in value.split(",")]
        if not all(name.replace("-", "_").replace(".", "_").lstrip("0123456789").isidentifier() for name in names):
            raise ValueError(f"write all-linear, or names of layers as in q_proj,v_proj; got {value!r}")
        if any(name.rpartition(".")[2] == HEAD for name in names):
            raise ValueError(f"no matrices are added to the head {HEAD}; leave it out and set train_head to true")
        return ",".join(names)

    @model_validator(mode="after")
    def _weights_fit_together(self) -> Self:
        if self.base_bits == 8 and self.method != "lora":
            raise ValueError(f"base_bits 8 needs method lora (got {self.method}); set base_bits to 16")
        if self.method == "last_layers" and not self.last_layers and not self.train_head:
            raise ValueError("last_layers 0 trains nothing; set train_head to true, or last_layers to 1 or more")
        for name in ("rslora", "dora"):
            if getattr(self, name) and self.method not in ADDING:
                raise ValueError(f"{name} needs method lora or qlora (got {self.method}); leave it out")
        return self

    @property
    def adds_matrices(self) -> bool:
        """Whether the result is an adapter, and not a whole model."""
        return self.method in ADDING

    @property
    def layer_names(self) -> str | list[str]:
        """As PEFT wants them: "all-linear" or a list of names."""
        asked = self.target_modules or ALL_LINEAR
        return asked if asked == ALL_LINEAR else asked.split(",")

    def filled(self, own: Lora | None = None) -> Self:
        """With a value for all that was left open: that of the adapter `own`, or of a new one."""
        new: dict[str, Any] = {
            "rank": RANK,
            "alpha": 2 * (self.rank or RANK),
            "dropout": 0.0,
            "target_modules": ALL_LINEAR,
            "rslora": False,
            "dora": False,
            "train_head": False,
        }
        if own is not None:
            new |= {name: getattr(own, name) for name in ("rank", "alpha", "dropout", "rslora", "dora", "train_head")}
        return self.model_copy(update={name: value for name, value in new.items() if getattr(self, name) is None})
