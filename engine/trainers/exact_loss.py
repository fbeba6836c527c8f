"""TRL's trainer with a faster loss, exact token accuracy, steps by a plan, and an evaluation that can be interrupted.

With Triton, on a GPU, TRL computes logits of the target's tokens only. On a CPU it would compute those of every token
of the prompt, twice, and also the entropy, which takes a third of a small model's training time. On a GPU TRL reads
three numbers back after each batch and waits for the device; here what is counted stays there until it is logged.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch.nn import functional
from trl import SFTTrainer
from trl.trainer.utils import add_fused_lm_head

from engine.trainers.interruptible import Interruptible
from engine.trainers.step_batches import Steps

# Settings of models whose logits are more than hidden state times head (TRL's `add_fused_lm_head` knows the same)
CHANGED_LOGITS = (
    "final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling"
)  # fmt: skip


class LeanSFTTrainer(Interruptible, SFTTrainer):  # type: ignore[misc]
    """The same mean negative log-likelihood of the target tokens, to the last few bits.

    Token accuracy is the share of target tokens that are the most likely next token given all before them: the label at
    position t is compared with the logits at t - 1, and prompt and padding do not count. The loss of an evaluation is
    the mean over its target tokens too, where TRL's is one over batches, and so another for each size of them.
    """

    def __init__(self, *args: Any, steps: Steps | None = None, **kwargs: Any) -> None:
        """`steps`: the plan of all optimizer steps; None: as many equal batches as the arguments say."""
        self._steps = steps
        super().__init__(*args, **kwargs)
        self._counts: dict[str, Any] = defaultdict(int)  # "train" or "eval" -> (right, tokens, loss) since the last log
        if not self.aux_loss_enabled:  # of experts, which TRL's own loss adds
            causal = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
            add_fused_lm_head(causal, outputs=("log_probs", "is_top1"))  # in place of TRL's, which has the entropy too

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As TRL's; what an interrupted evaluation counted does not go into the next one."""
        with torch.compiler.set_stance("force_eager"):  # its batches have other shapes than those of the training
            figures = super().evaluate(*args, **kwargs)
        self._counts.pop("eval", None)
        return figures

    def get_train_dataloader(self) -> Any:
        """As TRL's, or the steps of the plan."""
        if self._steps is None:
            return super().get_train_dataloader()
        return self.accelerator.prepare(self._steps.loader(pinned=self.args.dataloader_pin_memory))

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], Any]:
        """As TRL's; of a planned step, its share and how many target tokens all of the step has."""
        if self._steps is None:
            samples, targets = super().get_batch_samples(epoch_iterator, num_batches, device)
            return samples, targets
        share = next(epoch_iterator)
        return [share], share["targets"]

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """As TRL's, for each batch of a planned step; the loss is divided by the target tokens of the whole step."""
        if "batches" not in inputs:
            loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
            return loss
        *first, last = inputs["batches"]
        losses = []
        for batch in first:
            with self.accelerator.no_sync(model):
                losses.append(self.training_step(model, batch, num_items_in_batch))
        losses.append(self.training_step(model, last, num_items_in_batch))
        return torch.stack(losses).sum()

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        config = self.model.config.get_text_config()
        is_plain = not any(getattr(config, name, None) for name in CHANGED_LOGITS)
        if self.aux_loss_enabled:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        assert not return_outputs, "nothing asks for logits: evaluations need the loss alone"
        is_alone = model is self.model and self.accelerator.num_processes < 2  # else the wrapper is called
        if inputs["input_ids"].device.type != "cpu" or not (is_plain and is_alone):
            return self._tiled_loss(model, inputs, num_items_in_batch)
        labels = inputs["labels"][:, 1:]  # (B, T - 1): the label at position t is token t + 1
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        read = causal.base_model(**{name: value for name, value in inputs.items() if name != "labels"}, use_cache=False)
        has_loss = labels != -100
        hidden = read.last_hidden_state[:, :-1][has_loss]  # (tokens with loss, h)
        logits = causal.get_output_embeddings()(hidden)  # (tokens with loss, V)
        wanted = labels[has_loss]
        summed = functional.cross_entropy(logits.float(), wanted, reduction="sum")
        self._count((logits.detach().argmax(-1) == wanted).sum(), has_loss.sum(), summed)
        return self._divided(summed, has_loss.sum(), num_items_in_batch)

    def _tiled_loss(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any) -> torch.Tensor:
        """TRL's own loss, which builds logits for some tokens at a time."""
        read = model(**inputs, use_cache=False, fused_lm_head=True)
        summed = -read.log_probs.sum()
        self._count(read.is_top1.sum(), read.label_mask.sum(), summed)
        return self._divided(summed, read.label_mask.sum(), num_items_in_batch)

    def _divided(self, summed: torch.Tensor, own: torch.Tensor, whole_step: Any) -> torch.Tensor:
        """`summed` by the target tokens of the step, or of this batch alone; processes then average their gradients."""
        loss = summed / torch.as_tensor(own if whole_step is None else whole_step).clamp(min=1)
        return loss if whole_step is None else loss * self.accelerator.num_processes

    def _count(self, *sums: torch.Tensor) -> None:
        """Add (right, tokens, loss) of a batch."""
        exact = torch.stack([one.detach().double() for one in sums])
        self._counts[self._mode] = self._counts[self._mode] + exact

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As TRL's, with the token accuracy since the last time, and an evaluation's loss over all its tokens."""
        prefix = "eval_" if self._mode == "eval" else ""
        counts = self._counts.pop(self._mode, None)
        if counts is not None and ("loss" in logs or f"{prefix}loss" in logs):
            right, tokens, loss = self.accelerator.reduce(counts).tolist()
            logs[f"{prefix}mean_token_accuracy"] = right / max(tokens, 1)
            if prefix:
                logs["eval_loss"] = loss / max(tokens, 1)
        super().log(logs, start_time)

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"
