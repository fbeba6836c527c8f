"""The studio's settings as TRL's arguments, for the library versions of pyproject.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engine import ranks
from engine.trainers import together
from engine.trainers.sft_settings import SftParams
from engine.trainers.steps import Plan as Plan
from engine.trainers.training_settings import TrainingParams

OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw_8bit": "adamw_bnb_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
    "paged_adamw_32bit": "paged_adamw_32bit",
    "sgd": "sgd",
}
SCHEDULERS = {"constant": "constant_with_warmup"}  # the others have the names of transformers


def arguments(params: SftParams, plan: Plan, compute: torch.dtype, folder: Path, seed: int, *, evaluates: bool) -> Any:
    """TRL's SFTConfig."""
    from trl import SFTConfig

    shared = shared_arguments(params, plan, compute, folder, seed, evaluates=evaluates)
    if params.plans_steps:  # an item of the loader is a whole step, which LeanSFTTrainer divides
        shared |= {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 1}
    return SFTConfig(
        **shared,
        activation_checkpointing_kwargs={"use_reentrant": False, "every_n_layers": params.checkpoint_every},
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
    )


def shared_arguments(
    params: TrainingParams, plan: Plan, compute: torch.dtype, folder: Path, seed: int, *, evaluates: bool
) -> dict[str, Any]:
    """What the configurations of all of TRL's trainers have."""
    scheduler, least = params.scheduler, params.min_learning_rate
    batch, passes = together.share(params.batch_size, params.accumulation)
    return dict(
        **together.arguments(params.activation_checkpointing),
        output_dir=str(folder),
        max_steps=plan.steps,
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=max(1, (params.eval_batch_size or params.batch_size) // ranks.count()),
        gradient_accumulation_steps=passes,
        learning_rate=params.learning_rate,
        lr_scheduler_type="cosine_with_min_lr" if least else SCHEDULERS.get(scheduler, scheduler),
        lr_scheduler_kwargs={"min_lr": least} if least else {},
        warmup_steps=params.warmup_steps,
        optim=OPTIMIZERS[params.optimizer],
        optim_args=f"momentum={params.momentum}" if params.optimizer == "sgd" else None,
        adam_beta1=params.beta1,
        adam_beta2=params.beta2,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        neftune_noise_alpha=params.neftune_alpha,
        bf16=compute is torch.bfloat16,
        fp16=compute is torch.float16,
        logging_steps=params.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number is reported and ends the run
        eval_strategy="steps" if evaluates else "no",
        eval_steps=plan.eval_every,
        eval_delay=params.eval_delay,
        save_strategy="steps",
        save_steps=plan.save_every,
        save_total_limit=None,  # engine.trainers.checkpoint deletes old ones, after the new one is complete
        train_sampling_strategy="sequential",  # the rows are already in their order
        prediction_loss_only=True,
        seed=seed,
        data_seed=seed,
        report_to="none",  # engine.trainers.wandb_report sends the curves
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
    )
