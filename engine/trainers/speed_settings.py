"""Settings of how fast rows are trained on; none of them changes which rows a step has, or what it counts as loss."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine import params
from engine.params import setting

# What `speed` auto chooses, so that nobody can ask for it beside auto.
CHOSEN = (
    "packing", "group_by_length", "batch_tokens", "checkpoint_every", "compile_layers", "attention",
    "activation_checkpointing",
)  # fmt: skip


class SpeedParams(params.Params):
    """How the rows of a step become batches, and how these are computed."""

    speed: Literal["as_set", "auto"] = setting(
        "as_set",
        "auto: packing, tokens at a time, checkpointing and compiling are chosen when the run starts, from the "
        "estimated memory and what is free; the samples of a step stay batch_size x accumulation",
        more=True,
    )
    packing: bool = setting(
        False, "join the samples of a batch to one row without padding; each sees only itself", more=True
    )
    group_by_length: bool = setting(False, "steps of samples of similar length: less padding", more=True)
    batch_tokens: int | None = setting(
        None,
        "computed at a time, padding included, instead of batch_size samples; a step still has batch_size x "
        "accumulation samples; a longer sample is computed alone",
        title="Tokens at a time",
        unit="tokens",
        more=True,
        gt=0,
        le=10**7,
    )
    checkpoint_every: int = setting(
        1, "with activation checkpointing: only every n-th layer is computed twice", unit="layers", more=True,
        gt=0, le=1000,
    )  # fmt: skip
    compile_layers: bool = setting(
        False, "compile the decoder layers; the first steps take longer, until it is done", more=True
    )
    attention: Literal["auto", "sdpa", "flex", "varlen"] = setting(
        "auto",
        "of packed rows; varlen: each sample by itself; sdpa: a mask of all tokens by all tokens; flex: blocks of it, "
        "on a GPU; auto: varlen where the model allows it",
        more=True,
    )

    @model_validator(mode="after")
    def _speed_fits_together(self) -> Self:
        if self.packing and self.group_by_length:
            raise ValueError("packing has no padding that group_by_length could save; switch one of them off")
        if self.attention == "varlen" and not self.packing:
            raise ValueError("attention varlen is for packed rows; set packing to true, or attention to auto")
        if self.speed == "auto":
            fields = type(self).model_fields
            for name in CHOSEN:
                if getattr(self, name) != fields[name].default:
                    raise ValueError(f"speed auto chooses {name} itself; leave {name} out, or set speed to as_set")
        elif self.checkpoint_every > 1 and not getattr(self, "activation_checkpointing", True):
            raise ValueError("checkpoint_every needs activation_checkpointing; set it to true")
        return self

    @property
    def plans_steps(self) -> bool:
        """Whether each step is divided into batches by a plan, and not into `accumulation` equal ones."""
        return self.packing or self.batch_tokens is not None
