"""The settings of supervised fine-tuning."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from engine import params
from engine.params import setting


class SftParams(params.Params):
    """Settings of supervised fine-tuning; the most important ones come first."""

    name: Literal["sft"] = "sft"
    method: Literal["lora", "qlora", "full"] = setting(
        "lora", "lora: small matrices added to frozen weights; qlora: the same on a 4-bit base; full: every weight"
    )
    rank: int = setting(16, "width of the added matrices; not used by full", gt=0, le=1024)
    alpha: int = setting(32, "the added matrices are scaled by alpha / rank; not used by full", gt=0, le=8192)
    learning_rate: float = setting(2e-4, "peak value, per optimizer step", gt=0, le=1)
    epochs: float = setting(1.0, "passes over the dataset; may be a fraction", unit="epochs", gt=0, le=1000)
    batch_size: int = setting(8, "samples per forward pass", unit="samples", gt=0, le=4096)
    accumulation: int = setting(1, "forward passes per optimizer step", unit="passes", more=True, gt=0, le=4096)
    max_steps: int | None = setting(
        None, "stop after this many optimizer steps; empty: by epochs", unit="steps", more=True, gt=0, le=10**8
    )
    dropout: float = setting(0.0, "share of the added matrices' input set to zero at random", more=True, ge=0, lt=1)
    target_modules: str = setting(
        "all-linear", "layers that get added matrices: all-linear, or names as in q_proj,v_proj", more=True
    )
    base_bits: Literal[16, 8] = setting(
        16, "lora only: 8 keeps the frozen weights in 8 bits (LLM.int8); qlora always has 4", unit="bits", more=True
    )
    scheduler: Literal["linear", "cosine", "constant"] = setting(
        "linear", "how the learning rate changes after the warm-up", more=True
    )
    warmup_steps: float = setting(
        0.0,
        "steps until the learning rate is at its peak; below 1: a share of all steps",
        more=True,
        ge=0,
        le=10**8,
    )
    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "paged_adamw_32bit", "sgd"] = setting(
        "adamw", "paged optimizers use main memory when the GPU is full", more=True
    )
    beta1: float = setting(0.9, "AdamW's decay of the mean gradient", more=True, ge=0, lt=1)
    beta2: float = setting(0.999, "AdamW's decay of the mean squared gradient", more=True, ge=0, lt=1)
    weight_decay: float = setting(0.0, "AdamW's decay of the weights towards zero", more=True, ge=0, le=10)
    max_grad_norm: float = setting(1.0, "larger gradients are clipped to this norm; 0: never", more=True, ge=0)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = setting(
        "auto", "of the computation; auto: bf16 on a GPU that has it, fp32 on a CPU", more=True
    )
    packing: bool = setting(False, "fill each row with several samples instead of padding", more=True)
    group_by_length: bool = setting(False, "batches of samples of similar length: less padding", more=True)
    activation_checkpointing: bool = setting(
        False, "compute activations twice instead of keeping them: less memory, about a third slower", more=True
    )
    logging_steps: int = setting(5, "between two points of the loss curve", unit="steps", more=True, gt=0, le=10**8)
    eval_steps: int | None = setting(
        None, "between two evaluations; empty: after each epoch", unit="steps", more=True, gt=0, le=10**8
    )
    save_steps: int | None = setting(
        None, "between two checkpoints; empty: after each epoch", unit="steps", more=True, gt=0, le=10**8
    )
    keep_checkpoints: int = setting(2, "older ones are deleted", unit="checkpoints", more=True, ge=2, le=100)
    report_to_wandb: bool = setting(
        False, "also send the curves to Weights & Biases; needs WANDB_API_KEY in the environment", more=True
    )

    @field_validator("target_modules")
    @classmethod
    def _names_of_layers(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")]
        if not all(name.replace("-", "_").replace(".", "_").isidentifier() for name in names):
            raise ValueError(f"write all-linear, or names of layers as in q_proj,v_proj; got {value!r}")
        return ",".join(names)

    @model_validator(mode="after")
    def _fits_together(self) -> SftParams:
        if self.base_bits == 8 and self.method != "lora":
            raise ValueError(f"base_bits 8 needs method lora (got {self.method}); set base_bits to 16")
        if self.method == "qlora" and self.precision == "fp16":
            raise ValueError("qlora computes in bf16 or fp32; set precision to auto")
        if self.packing and self.group_by_length:
            raise ValueError("packing has no padding that group_by_length could save; switch one of them off")
        return self

    @property
    def layer_names(self) -> str | list[str]:
        """As PEFT wants them: "all-linear" or a list of names."""
        return self.target_modules if self.target_modules == "all-linear" else self.target_modules.split(",")
