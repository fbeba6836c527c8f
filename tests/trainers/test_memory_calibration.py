from __future__ import annotations

import pytest

from engine.assets import STARTER_MODEL
from engine.models.shape import read_config
from engine.trainers.memory_calibration import Calibration, Point, key_of, read
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft import Sft

CONFIG = read_config(STARTER_MODEL)
MB = 10**6


def point(growing, measured, fixed=600):
    return Point(fixed * MB, growing * MB, measured * MB)


def test_points_on_a_line_give_that_line():
    """Measured: 20 MB more than the fixed part, and 1.1 times what grows."""
    found = Calibration.of([point(500, 1170), point(2000, 2820)])
    for growing in (800, 4000):
        truth = 600 + 20 + 1.1 * growing
        assert (600 * MB + found.offset + found.factor * growing * MB) / MB == pytest.approx(truth, rel=0.02)


def test_one_point_is_met_and_spread_over_both():
    found = Calibration.of([point(1000, 1920)])
    assert 600 * MB + found.offset + found.factor * 1000 * MB == pytest.approx(1920 * MB, rel=0.01)
    assert found.offset > 0
    assert found.factor > 1


def test_a_measurement_that_is_off_by_a_tenth_bends_the_line_little():
    found = Calibration.of([point(400, 0.9 * 1000), point(800, 1400)])  # in truth 1,000 and 1,400
    assert 0.95 < found.factor < 1.2, "the two points alone would say 1.25"
    predicted = (600 * MB + found.offset + found.factor * 1600 * MB) / MB
    assert predicted == pytest.approx(2200, rel=0.06), "they would say 2,400"


def test_what_the_formulas_meet_stays():
    found = Calibration.of([point(500, 1100), point(1000, 1600)])
    assert (found.offset, found.factor) == (pytest.approx(0, abs=10), pytest.approx(1.0))


def test_a_correction_changes_the_parts_and_says_so():
    params = Sft.Params().filled()
    found = estimate(CONFIG, params, 256, "cpu")
    corrected = Calibration(-50 * MB, 1.2, 7).applied(found)
    assert corrected.weights == found.weights
    assert corrected.activations == round(1.2 * found.activations)
    assert corrected.context == found.context - 50 * MB
    assert "run 7 measured" in corrected.notes[-1]


def test_a_measurement_holds_for_other_batches_but_for_no_other_method_or_device():
    one = key_of(CONFIG, Sft.Params(batch_size=8, rank=4).filled(), "CPU")
    assert key_of(CONFIG, Sft.Params(batch_size=2, rank=64, optimizer="sgd", learning_rate=0.1).filled(), "CPU") == one
    for changed in (dict(method="qlora"), dict(activation_checkpointing=True), dict(target_modules="q_proj")):
        assert key_of(CONFIG, Sft.Params(**changed).filled(), "CPU") != one
    assert key_of(CONFIG, Sft.Params().filled(), "NVIDIA H200") != one
    assert key_of(CONFIG | {"hidden_size": 640}, Sft.Params().filled(), "CPU") != one


def test_it_is_read_as_it_stands_in_the_inputs_of_a_run():
    assert read({"abc": {"offset": 5, "factor": 1.5, "run": 3}}) == {"abc": Calibration(5, 1.5, 3)}


def test_what_no_measurement_can_have_told_is_not_read():
    good = {"offset": 5, "factor": 1.5, "run": 3}
    odd = [{"factor": 1e308}, {"factor": float("nan")}, {"factor": -1}, {"offset": 1 << 60}, {"offset": "x"}]
    stored = {"good": good, **{str(number): good | each for number, each in enumerate(odd)}, "none": {}, "text": "x"}
    assert read(stored) == {"good": Calibration(5, 1.5, 3)}
