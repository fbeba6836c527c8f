"""What looks wrong in the curves of a training: diverging, flat, overfitting.

Each curve is a list of (step, value); a long one as the means of equal parts (`storage.curves.averages`), so a single
spike says nothing. None of these ends a training; they are defined so that noise alone is no reason for one:

- *diverging*, of the loss: the median of the last 5 values is more than a quarter above the mean of the best fifth of
  the curve (5 values at least), and by more than twice the standard deviation within a fifth, the mean of all fifths.
- *flat*, of the loss, or of the mean reward where there is one: even at the end of the 95 % interval that is better,
  the mean of the last third is less than 5 % of the first third's mean better than that. From 30 values on.
- *overfitting*, of the evaluation loss: the last two evaluations or more are all above the lowest, the last one by
  more than 3 %, while the loss of the training went on falling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev
from typing import Literal

LAST = 5  # values that tell where a curve is now
RISE, SPREADS = 0.25, 2.0
FEWEST, GAIN, Z = 30, 0.05, 1.959964
WORSE, AFTER = 0.03, 2
NEEDED = ("loss", "eval_loss", "reward")  # the metrics that are looked at
FAR = 1e100  # a larger value is taken for this one, whose square is a number
Curve = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class CurveWarning:
    """One thing that looks wrong, the step at which it is seen, and a sentence with what can be done."""

    kind: Literal["diverging", "flat", "overfitting"]
    step: int
    text: str


def warnings_of(curves: Mapping[str, Curve]) -> list[CurveWarning]:
    """All that is found in the curves of one training, by the names of their metrics."""
    loss, evaluations, reward = (
        [(step, min(max(value, -FAR), FAR)) for step, value in curves.get(name, ())] for name in NEEDED
    )
    found = [_overfitting(evaluations, loss)]
    if reward:  # the loss of a training on rewards goes up and down around nothing
        found.append(_flat([(step, -value) for step, value in reward], "mean reward", "no patch gets better"))
    else:
        found.append(_diverging(loss) or _flat(loss, "loss", "nothing is learned"))
    return [each for each in found if each]


def _diverging(loss: Curve) -> CurveWarning | None:
    if len(loss) < 2 * LAST:
        return None
    values = [value for _, value in loss]
    width = max(LAST, len(values) // 5)
    before = values[:-LAST]
    parts = [before[start : start + width] for start in range(0, len(before) - LAST + 1, width)]
    low, now = min(map(fmean, parts)), median(values[-LAST:])
    if now - low <= max(RISE * abs(low), SPREADS * fmean(map(pstdev, parts))):
        return None
    return CurveWarning(
        "diverging", loss[-1][0],
        f"diverging: the loss rose from {low:.3g} to {now:.3g}; a lower learning rate, a longer warm-up or a smaller "
        "max_grad_norm may help",
    )  # fmt: skip


def _flat(falling: Curve, what: str, why: str) -> CurveWarning | None:
    if len(falling) < FEWEST:
        return None
    values = [value for _, value in falling]
    third = len(values) // 3
    first, last = values[:third], values[-third:]
    before, now = fmean(first), fmean(last)
    error = ((pstdev(first) ** 2 + pstdev(last) ** 2) / third) ** 0.5
    if before - now + Z * error > GAIN * abs(before):
        return None
    return CurveWarning(
        "flat", falling[-1][0],
        f"flat: the {what} was {abs(before):.3g} in the first third of the steps and is {abs(now):.3g} now, so {why}; "
        "another learning rate, other layers or other data may help",
    )  # fmt: skip


def _overfitting(evaluations: Curve, loss: Curve) -> CurveWarning | None:
    if len(evaluations) <= AFTER:
        return None
    place = min(range(len(evaluations)), key=lambda at: evaluations[at][1])
    at, lowest = evaluations[place]
    later = evaluations[place + 1 :]
    step, now = evaluations[-1]
    if len(later) < AFTER or now <= lowest * (1 + WORSE) or any(value <= lowest for _, value in later):
        return None
    before, after = ([value for when, value in loss if (when <= at) == early][-LAST:] for early in (True, False))
    if not before or not after or fmean(after) >= fmean(before):
        return None
    return CurveWarning(
        "overfitting", step,
        f"overfitting: the evaluation loss was lowest at step {at} ({lowest:.3g}) and is {now:.3g} now, while the "
        "training loss falls; fewer epochs, best_checkpoint or early_stopping may help",
    )  # fmt: skip
