"""How long a training will take, from the speed of the newest one like it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from engine.control.datasets import Datasets
from engine.control.runs import Runs
from engine.control.views import DatasetView
from engine.errors import UserError
from engine.specs import TrainingSpec

SPEED = "tokens_per_s"  # a metric
MOST_RUNS = 200  # newest ones that are looked through


@dataclass(frozen=True)
class ExpectedTime:
    """The seconds that the steps of a training will take, at the speed of another run."""

    seconds: float
    run_id: int
    tokens_per_s: float


def expected_time(spec: TrainingSpec, runs: Runs, datasets: Datasets) -> ExpectedTime | None:
    """None without a dataset whose lengths are known, or an earlier training of this model by this method."""
    try:
        tokens = _tokens(spec, datasets.get(spec.dataset))
    except UserError:
        return None
    wanted = _like(spec.model_dump(mode="json"))
    for run in runs.list(kind="train", limit=MOST_RUNS) if tokens else ():
        if _like(dict(run.spec)) == wanted and (speed := runs.last_metrics(run.id).get(SPEED, 0.0)) > 0:
            return ExpectedTime(tokens / speed, run.id, speed)
    return None


def _like(spec: dict[str, object]) -> tuple[object, ...]:
    """What has to be the same for a training to be as fast as another."""
    trainer = spec.get("trainer")
    values = trainer if isinstance(trainer, dict) else {}
    names = ("name", "method", "base_bits", "packing", "activation_checkpointing", "precision", "speed")
    launcher = spec.get("launcher")
    return (spec.get("model"), *(values.get(name) for name in names), str(launcher))


def _tokens(spec: TrainingSpec, data: DatasetView) -> float:
    """The tokens of all steps, padding not counted; of each sample the middle of its bar of the histogram."""
    edges, counts = data.histogram["edges"], data.histogram["counts"]
    middles = ((low + high) / 2 for low, high in pairwise(edges))
    mean = sum(middle * count for middle, count in zip(middles, counts, strict=True)) / max(sum(counts), 1)
    samples = data.train_rows * float(getattr(spec.trainer, "epochs", 1))
    if steps := getattr(spec.trainer, "max_steps", None):
        a_step = getattr(spec.trainer, "batch_size", 1) * getattr(spec.trainer, "accumulation", 1)
        samples = min(samples, steps * a_step) if samples else steps * a_step
    return mean * samples
