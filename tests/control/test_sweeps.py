"""Sweeps: one run for each combination, compared by settings and figures."""

from __future__ import annotations

import pytest

from engine.control.sweeps import differing
from engine.errors import UserError
from engine.spec_files import read_spec
from engine.sweep_specs import specs_of

RATES = "trainer.learning_rate=1e-4,2e-4"


def test_every_combination_is_a_run_with_a_name_of_its_own():
    specs = specs_of(read_spec("train", "", ["name=x", "dataset=d"]), [RATES, "trainer.epochs=1,2,3"])
    settings = [(spec.name, spec.trainer.learning_rate, spec.trainer.epochs) for spec in specs]
    assert settings[:4] == [("x-1", 1e-4, 1), ("x-2", 1e-4, 2), ("x-3", 1e-4, 3), ("x-4", 2e-4, 1)]
    assert len({spec.name for spec in specs}) == len(specs) == 6


def test_in_step_the_values_of_all_settings_go_together():
    specs = specs_of(read_spec("train", "", ["dataset=d"]), [RATES, "dataset=a,b"], in_step=True)
    assert [(spec.trainer.learning_rate, spec.dataset) for spec in specs] == [(1e-4, "a"), (2e-4, "b")]
    with pytest.raises(UserError, match="learning_rate has 2, dataset has 3"):
        specs_of(read_spec("train", "", []), [RATES, "dataset=a,b,c"], in_step=True)


def test_values_with_commas_are_a_json_list():
    specs = specs_of(read_spec("dataset", "", []), ['representation.instruction=["a, b","c"]'])
    assert [spec.representation.instruction for spec in specs] == ["a, b", "c"]


def test_plugins_and_models_can_be_tried_too():
    specs = specs_of(read_spec("dataset", "", []), ["representation=ir4_or2,ir1_or1"])
    assert [spec.representation.name for spec in specs] == ["ir4_or2", "ir1_or1"]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ([], "a sweep needs values"),
        (["trainer.learning_rate"], "needs field=value"),
        (["trainer.learning_rate=fast,slow"], "learning_rate"),
        (["trainer.unknown=1,2"], "unknown"),
        ([f"seed={','.join(map(str, range(201)))}"], "make 201 runs; a sweep has at most 200"),
        (["seed=[1,"], "not a JSON list"),
    ],
)
def test_wrong_values_are_refused(over, said):
    with pytest.raises(UserError, match=said):
        specs_of(read_spec("train", "", ["dataset=d"]), over)


def test_only_what_differs_is_compared():
    found = differing(
        [
            {"name": "a", "seed": 0, "trainer": {"name": "sft", "rate": 1}},
            {"name": "b", "seed": 0, "trainer": {"name": "dpo", "rate": 1, "beta": 2}},
        ]
    )
    assert found == {"trainer": ("sft", "dpo"), "trainer.beta": (None, 2)}


def test_the_best_run_of_a_sweep_is_marked(workspace, dataset, mute, finished):
    mute.room = lambda: {"machine": 3}
    specs = specs_of(read_spec("train", "", [f"dataset={dataset}"]), ["trainer.learning_rate=1e-4,2e-4,4e-4"])
    group = workspace.sweeps.start(specs)
    assert group == "sweep-1"
    ids = [run.id for run in workspace.sweeps.runs(group)]
    workspace.tick()
    for run_id, loss in zip(ids, (0.5, 0.25, 0.1), strict=True):
        if loss != 0.1:
            finished(run_id, train_loss=loss)
    compared = workspace.sweeps.compared(ids)
    assert compared.settings == {"trainer.learning_rate": (1e-4, 2e-4, 4e-4)}
    assert compared.metric == "train_loss"
    assert compared.figures["train_loss"] == (0.5, 0.25, None)
    assert compared.best == ids[1], "the third has not ended"
    with pytest.raises(UserError, match="none of these runs has the figure 'speed'"):
        workspace.sweeps.compared(ids, "speed")


def test_benchmark_runs_are_compared_by_their_plausible_bugs(workspace, judged, finished):
    finished(judged)
    compared = workspace.sweeps.compared([judged])
    assert compared.metric == "plausible@1"
    assert compared.figures["plausible@1"] == (pytest.approx(1 / 3),)
    assert compared.best is None, "one run is no comparison"


def test_a_sweep_with_one_wrong_run_queues_none(workspace):
    with pytest.raises(UserError, match="nowhere"):
        workspace.sweeps.start(specs_of(read_spec("benchmark", "", []), ["model=starter,nowhere"]))
    assert workspace.runs.list() == []
    with pytest.raises(UserError, match="no sweep 'sweep-1'; known: none yet"):
        workspace.sweeps.runs("sweep-1")
