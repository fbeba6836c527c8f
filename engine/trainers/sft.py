"""Supervised fine-tuning on prompts and targets: LoRA, QLoRA or every weight, by TRL's `SFTTrainer`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator, model_validator

from engine import params
from engine.domain import Model
from engine.errors import UserError
from engine.models import adapters
from engine.params import setting

if TYPE_CHECKING:
    from engine.rundir import RunDir


class Sft:
    """Trains on the target tokens of each sample; the prompt's tokens carry no loss."""

    name: ClassVar[str] = "sft"
    title: ClassVar[str] = "Supervised fine-tuning (SFT)"

    class Params(params.Params):
        """What may be set; the few that matter first."""

        name: Literal["sft"] = "sft"
        method: Literal["lora", "qlora", "full"] = setting(
            "lora", "lora: small matrices beside frozen weights; qlora: the same on a 4-bit base; full: every weight"
        )
        rank: int = setting(16, "width of the added matrices; not used by full", gt=0, le=1024)
        alpha: int = setting(32, "the added matrices count alpha / rank times; not used by full", gt=0, le=8192)
        learning_rate: float = setting(2e-4, "at its peak, per optimizer step", gt=0, le=1)
        epochs: float = setting(1.0, "passes over the training set; fractions are fine", unit="epochs", gt=0, le=1000)
        batch_size: int = setting(8, "samples a forward pass", unit="samples", gt=0, le=4096)
        accumulation: int = setting(1, "forward passes an optimizer step", unit="passes", more=True, gt=0, le=4096)
        max_steps: int | None = setting(
            None, "stop after so many optimizer steps; empty: by epochs", unit="steps", more=True, gt=0, le=10**8
        )
        dropout: float = setting(0.0, "share of the added matrices' input left out at random", more=True, ge=0, lt=1)
        target_modules: str = setting(
            "all-linear", "layers that get added matrices: all-linear, or names as in q_proj,v_proj", more=True
        )
        base_bits: Literal[16, 8] = setting(
            16, "lora only: 8 keeps the frozen weights in 8 bits (LLM.int8); qlora always has 4", unit="bits", more=True
        )
        scheduler: Literal["linear", "cosine", "constant"] = setting(
            "linear", "how the learning rate goes on after warm-up", more=True
        )
        warmup_steps: float = setting(
            0.0,
            "steps until the learning rate is at its peak; below 1: a share of all steps",
            more=True,
            ge=0,
            le=10**8,
        )
        optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "paged_adamw_32bit", "sgd"] = setting(
            "adamw", "paged ones move to main memory when the GPU is full", more=True
        )
        beta1: float = setting(0.9, "AdamW's decay of the mean gradient", more=True, ge=0, lt=1)
        beta2: float = setting(0.999, "AdamW's decay of the mean squared gradient", more=True, ge=0, lt=1)
        weight_decay: float = setting(0.0, "AdamW's pull of the weights towards zero", more=True, ge=0, le=10)
        max_grad_norm: float = setting(1.0, "longer gradients are cut to this length; 0: never", more=True, ge=0)
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
        keep_checkpoints: int = setting(2, "the newest are kept", unit="checkpoints", more=True, ge=2, le=100)
        report_to_wandb: bool = setting(
            False, "send the curves to Weights & Biases too; the key comes from WANDB_API_KEY only", more=True
        )

        @field_validator("target_modules")
        @classmethod
        def _names_of_layers(cls, value: str) -> str:
            names = [name.strip() for name in value.split(",")]
            if not all(name.replace("-", "_").replace(".", "_").isidentifier() for name in names):
                raise ValueError(f"write all-linear, or names of layers as in q_proj,v_proj; got {value!r}")
            return ",".join(names)

        @model_validator(mode="after")
        def _fits_together(self) -> Sft.Params:
            if self.base_bits == 8 and self.method != "lora":
                raise ValueError(f"base_bits 8 goes with method lora only, and this is {self.method}; set base_bits 16")
            if self.method == "qlora" and self.precision == "fp16":
                raise ValueError("qlora computes in bf16 or fp32; set precision to auto")
            if self.packing and self.group_by_length:
                raise ValueError("packing leaves no padding to save; switch either packing or group_by_length off")
            return self

        @property
        def layer_names(self) -> str | list[str]:
            """As PEFT wants them: "all-linear" or a list of names."""
            return self.target_modules if self.target_modules == "all-linear" else self.target_modules.split(",")

    def __init__(self, params: Sft.Params) -> None:
        self.params = params

    def check(self, model: Model) -> None:
        """Raises UserError naming every setting in which an adapter that goes on differs from what is asked for."""
        if model.kind != "adapter":
            return
        if self.params.method == "full":
            raise UserError(
                f"trainer.method: full trains every weight, and {model.name!r} is an adapter; merge it first, or "
                "choose lora",
                field="trainer.method",
            )
        if not Path(model.path).is_dir():
            return
        own = adapters.lora_of(Path(model.path))
        kept = {
            "rank": own.rank,
            "alpha": own.alpha,
            "dropout": own.dropout,
            "target_modules": self._layers(own, model),
        }
        differing = {
            f"trainer.{name}": (value, getattr(self.params, name))
            for name, value in kept.items()
            if value != getattr(self.params, name)
        }
        if differing:
            shown = {name: (_shown(own), _shown(asked)) for name, (own, asked) in differing.items()}
            has = "; ".join(f"{name}: the adapter has {own}, not {asked}" for name, (own, asked) in shown.items())
            options = " ".join(f"--set {name}={own}" for name, (own, _) in shown.items())
            raise UserError(
                f"{has}; {model.name!r} can only go on as it was made: use {options}, or merge it and train the merged "
                "model",
                field=next(iter(differing)),
            )

    def _layers(self, own: adapters.Lora, model: Model) -> str:
        """The adapter's layers as the setting spells them; the setting itself where both mean the same."""
        asked = self.params.layer_names
        linear = adapters.linear_layers(Path(model.weights))
        wanted = linear if isinstance(asked, str) else frozenset(name.rpartition(".")[2] for name in asked)
        if not own.layers or not wanted or own.layers == wanted:
            return self.params.target_modules
        return "all-linear" if own.layers == linear else ",".join(sorted(own.layers))

    def train(self, model: Model, dataset: Path, seed: int, run: RunDir) -> dict[str, Any]:
        """See `engine.trainers.Trainer.train`."""
        self.check(model)
        # by name, as the registry does: whoever imports this file for its Params must not come near the worker's side
        session = import_module("engine.trainers.session")
        return dict(session.train(self.params, model, dataset, seed, run))


def _shown(value: object) -> str:
    """As a person would type it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
