"""Training in the starter's shape: what most tools do by default against what `speed` auto chooses."""

from __future__ import annotations

from collections.abc import Iterator

from figures import Figure

from engine.models.published import config_of, rows_of
from engine.trainers.training_speed import measure as measure_training

STEPS = 12


def measure() -> Iterator[Figure]:
    found = measure_training(config_of("starter"), rows_of("starter"), STEPS)
    yield Figure("training, starter's shape, against the padded default", found.ratio, "times", 1.5, is_least=True)
    yield Figure("training, starter's shape", found.ours.tokens_per_s, "tokens/s", 1000, is_least=True)
