"""Reads a file of training arguments of Firefly (github.com/yangjianxin1/Firefly, train_args/sft) as a training's spec.

The file is one JSON object of Hugging Face's `TrainingArguments` and Firefly's own `CustomizedArguments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import UserError

SAME = {  # Firefly's name -> ours, where the value means the same
    "learning_rate": "learning_rate",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "per_device_eval_batch_size": "eval_batch_size",
    "gradient_accumulation_steps": "accumulation",
    "warmup_steps": "warmup_steps",
    "warmup_ratio": "warmup_steps",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
    "adam_beta1": "beta1",
    "adam_beta2": "beta2",
    "lora_rank": "rank",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
    "logging_steps": "logging_steps",
    "save_steps": "save_steps",
    "eval_steps": "eval_steps",
    "eval_delay": "eval_delay",
    "neftune_noise_alpha": "neftune_alpha",
    "gradient_checkpointing": "activation_checkpointing",
}
SCHEDULERS = {"linear": "linear", "cosine": "cosine", "constant": "constant", "constant_with_warmup": "constant"}
OPTIMIZERS = {
    "adamw_hf": "adamw", "adamw_torch": "adamw", "adamw_torch_fused": "adamw", "adamw_bnb_8bit": "adamw_8bit",
    "adamw_8bit": "adamw_8bit", "paged_adamw_8bit": "paged_adamw_8bit", "paged_adamw_32bit": "paged_adamw_32bit",
    "paged_adamw": "paged_adamw_32bit", "sgd": "sgd",
}  # fmt: skip
MODES = ("lora", "qlora", "full")
EVALUATIONS = ("no", "steps", "epoch")
ELSEWHERE = {  # what has no counterpart in a training's spec -> where it is said
    "train_file": "build a dataset of it with the builder conversations, and name that with --set dataset=NAME",
    "eval_file": "rows for evaluation are held out when the dataset is built",
    "max_seq_length": "it is the dataset's max_tokens",
    "template_name": "the representation of the dataset decides how a prompt is written",
    "output_dir": "results are in the folder of the run",
    "deepspeed": "it is not used",
    "report_to": "curves are on Monitor; --set trainer.report_to_wandb=true sends them to Weights & Biases too",
    "use_unsloth": "it is not used",
}
OTHERS = {  # what is read in another way, or changes nothing that a user would see
    "disable_tqdm", "remove_unused_columns", "dataloader_num_workers", "save_strategy", "seed", "bf16", "fp16",
    "task_type", "train_mode", "model_name_or_path", "lr_scheduler_type", "optim", "max_steps", "save_total_limit",
    "evaluation_strategy", "eval_strategy", "tokenize_num_workers", "gradient_checkpointing_kwargs", "logging_strategy",
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """The values of a training's spec, and a sentence for each argument that these do not hold."""

    spec: dict[str, Any]
    notes: tuple[str, ...]


def is_such(values: Mapping[str, Any]) -> bool:
    """Whether a JSON object holds Firefly's arguments: no spec of ours names its model or batch so."""
    return "model_name_or_path" in values and "kind" not in values and "trainer" not in values


def spec_of(values: Mapping[str, Any]) -> Read:
    """Raises UserError naming an argument that is not known, or whose value has no counterpart here."""
    unknown = sorted(values.keys() - SAME.keys() - ELSEWHERE.keys() - OTHERS)
    if unknown:
        raise UserError(
            f"{', '.join(unknown)}: no such arguments of Firefly are known here; take them out of the file, and "
            "set what they stand for with --set"
        )
    if values.get("task_type", "sft") != "sft":
        raise UserError(f"task_type: only sft is read from Firefly's arguments (got {values['task_type']!r})")
    mode = _one_of("train_mode", values.get("train_mode", "qlora"), {each: each for each in MODES})
    trainer: dict[str, Any] = {"name": "sft", "method": mode}
    trainer |= {} if mode == "full" else {"target_modules": "all-linear"}  # Firefly finds all linear layers itself
    trainer |= {ours: values[theirs] for theirs, ours in SAME.items() if theirs in values}
    trainer["scheduler"] = _one_of("lr_scheduler_type", values.get("lr_scheduler_type", "linear"), SCHEDULERS)
    trainer["optimizer"] = _one_of("optim", values.get("optim", "adamw_torch"), OPTIMIZERS)
    if mode == "full":
        trainer = {name: value for name, value in trainer.items() if name not in ("rank", "alpha", "dropout")}
    if (steps := _whole("max_steps", values.get("max_steps", -1))) > 0:
        trainer["max_steps"] = steps
    trainer["keep_checkpoints"] = max(2, _whole("save_total_limit", values.get("save_total_limit", 2)))
    trainer["precision"] = (
        "bf16" if values.get("bf16") else "fp16" if values.get("fp16") and mode != "qlora" else "auto"
    )
    evaluation = values.get("eval_strategy", values.get("evaluation_strategy", "no"))
    trainer["evaluation"] = _one_of("eval_strategy", evaluation, {each: each for each in EVALUATIONS})
    if trainer["evaluation"] != "steps":
        trainer.pop("eval_steps", None)
    spec = {"kind": "train", "model": values["model_name_or_path"], "trainer": trainer}
    spec |= {"seed": values["seed"]} if "seed" in values else {}
    notes = tuple(f"{name} is not taken over: {where}" for name, where in ELSEWHERE.items() if values.get(name))
    return Read(spec, notes)


def _whole(argument: str, value: object) -> int:
    if not isinstance(value, int):
        raise UserError(f"{argument}: should be a whole number (got {value!r})")
    return value


def _one_of(argument: str, value: object, known: Mapping[str, str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise UserError(f"{argument}: should be one of {', '.join(known)} (got {value!r})")
    return known[value]
