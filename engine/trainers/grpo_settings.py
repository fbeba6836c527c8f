"""The settings of learning from verdicts."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from engine import plugin_text
from engine.params import setting
from engine.plugins import BENCHMARKS, REPRESENTATIONS, SANDBOXES
from engine.trainers.training_settings import TrainingParams


def _benchmark(value: Any) -> str:
    return plugin_text.written(value, BENCHMARKS, "folder")


def _representation(value: Any) -> str:
    return plugin_text.written(value, REPRESENTATIONS, "ir4_or2")


def _sandbox(value: Any) -> str:
    return plugin_text.written(value, SANDBOXES, "auto")


class GrpoParams(TrainingParams):
    """Settings of group-relative policy optimisation (Shao et al. 2024, arXiv 2402.03300)."""

    name: Literal["grpo"] = "grpo"
    benchmark: Annotated[str, BeforeValidator(_benchmark)] = setting(
        "folder",
        'the bugs to learn from, a benchmark by name, or with its settings: {"name": "folder", "folder": "/bugs"}; '
        "it cannot be scored with the model afterwards",
    )
    representation: Annotated[str, BeforeValidator(_representation)] = setting(
        "ir4_or2", "how a bug is shown to the model; as for benchmark"
    )
    limit: int | None = setting(None, "only the first so many bugs; empty: all", more=True, ge=1, le=10_000_000)
    learning_rate: float = setting(5e-5, "peak value, per optimizer step", gt=0, le=1)
    candidates: int = setting(8, "patches written for each bug, which are compared with each other", ge=2, le=1024)
    batch_size: int = setting(8, "patches per forward pass", unit="patches", gt=0, le=4096)
    accumulation: int = setting(
        4, "forward passes per optimizer step, all with patches of the same weights", unit="passes", more=True, gt=0,
        le=4096,
    )  # fmt: skip
    max_new_tokens: int = setting(64, "the longest completion", unit="tokens", ge=1, le=8192)
    temperature: float = setting(1.0, "of the patches that are written; 1: as the model has it", gt=0, le=5)
    beta: float = setting(
        0.0, "how much it costs to differ from the model before training; 0: nothing, and less to compute", more=True,
        ge=0, le=100,
    )  # fmt: skip
    loss: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = setting(
        "dapo", "how the tokens of a step are averaged; dapo: all alike (arXiv 2503.14476)", more=True
    )
    weight_compiles: float = setting(0.2, "of a patch that compiles", title="Reward for compiling", ge=0, le=1000)
    weight_tests: float = setting(
        1.0, "of a patch with which every test passes; up to half of it for some of the failing ones",
        title="Reward for tests", ge=0, le=1000,
    )  # fmt: skip
    weight_length: float = setting(
        0.1, "of a plausible patch, the more the shorter it is", title="Reward for shortness", ge=0, le=1000
    )
    workers: int | None = setting(None, "patches tested at a time; empty: one per core", ge=1, le=256, more=True)
    sandbox: Annotated[str, BeforeValidator(_sandbox)] = setting("auto", "what runs the patches", more=True)

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        per_step = self.batch_size * self.accumulation
        if per_step % self.candidates:
            raise ValueError(
                f"batch_size x accumulation ({per_step}) should be a whole number of groups of candidates "
                f"({self.candidates}); change one of the three"
            )
        if not self.weight_compiles + self.weight_tests + self.weight_length:
            raise ValueError("every part of the reward has weight 0, so nothing would be learned; set one of them")
        if self.chooses_by_loss or self.eval_steps is not None:
            raise ValueError(
                "no rows are held out from verdicts, so there is nothing to evaluate; leave eval_steps, early_stopping "
                "and best_checkpoint out, or choose by a panel of other bugs (panel, and choose_by panel)"
            )
        return self

    @property
    def bugs_per_step(self) -> int:
        """How many bugs an optimizer step has patches of."""
        return self.batch_size * self.accumulation // self.candidates
