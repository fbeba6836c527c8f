"""Several datasets become one: all of them or in proportions, each sample as it was built, and none of it twice."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from engine.assets import STARTER_MODEL
from engine.builders import Funnel
from engine.builders.mixer import Mixer
from engine.domain import Model, Sample, Segment
from engine.errors import UserError
from engine.rundir import Inputs

sys.path.append(str(Path(__file__).resolve().parents[1] / "work"))
from small_dataset import make, pair, read  # noqa: F401


def mixed(*datasets, seed=0, **settings):
    funnel = Funnel()
    mixer = Mixer(Mixer.Params(datasets=datasets, **settings))
    return list(mixer.stream(seed, funnel)), funnel, mixer


@pytest.fixture
def two(make):  # noqa: F811
    """Folders of 40 and 10 samples."""
    large = make([pair(n) for n in range(40)], name="large", licence="MIT")[0]
    small = make([pair(n) for n in range(100, 110)], name="small", valid_fraction=0)[0]
    return str(large.artifacts), str(small.artifacts)


def test_without_weights_all_samples_are_taken_as_they_were(two):
    samples, funnel, mixer = mixed(*two)
    assert len(samples) == mixer.total() == funnel.source == 50
    assert {sample.bug_id.partition("/")[0] for sample in samples} == {"large", "small"}
    sources = {each["name"]: (each["taken"], each["rows"], each["licence"]) for each in funnel.facts["sources"]}
    assert sources == {"large": (40, 40, "MIT"), "small": (10, 10, "")}
    first = samples[-1]
    assert first.prompt.startswith("<|fim_prefix|>")
    assert first.target == "    return b * c\n"
    assert first.bug.buggy == pair(109)["buggy_function"]
    assert first.bug.project == first.project == pair(109)["project"]
    assert first.bug.is_function, "as the builder of the first dataset said"


def test_weights_are_proportions_and_as_many_are_taken_as_there_are(two):
    samples, funnel, mixer = mixed(f"{two[0]}=1", f"{two[1]}=2")
    taken = [sample.bug_id.partition("/")[0] for sample in samples]
    assert (taken.count("large"), taken.count("small")) == (5, 10)
    assert funnel.lost == {"more than the weight of large asks for": 35}
    assert len({sample.bug_id for sample in samples}) == 15 == mixer.total()
    again, other = (mixed(f"{two[0]}=1", f"{two[1]}=2", seed=seed)[0] for seed in (0, 1))
    assert again == samples != other


def test_the_side_for_evaluation_can_be_left_away(two):
    assert len(mixed(*two, side="train")[0]) < 50


def test_a_mixed_dataset_is_built_with_the_same_tokens(two, make, monkeypatch):  # noqa: F811
    run, report, train, valid = make(builder={"name": "mixer", "datasets": list(two)}, duplicates="keep")
    known = {}
    for folder in two:
        for side in ("train", "valid"):
            known |= {row["bug_id"]: row["input_ids"] for row in read_folder(folder, side)}
    assert len(train) + len(valid) == 50
    assert all(known[row["bug_id"].partition("/")[2]] == row["input_ids"] for row in [*train, *valid])
    assert [each["name"] for each in report["facts"]["sources"]] == ["large", "small"]
    assert "representation" not in report, "which ones its samples were made in is not known"
    assert "| large | 40 | 40 | MIT |" in (run.artifacts / "README.md").read_text()


def test_what_another_models_tokenizer_made_is_not_mixed(two, make, tmp_path):  # noqa: F811
    weights = tmp_path / "weights"
    shutil.copytree(STARTER_MODEL, weights)
    words = weights / "tokenizer.json"
    words.write_text(words.read_text() + " ")
    inputs = Inputs(model=Model("other", "base", str(weights)))
    with pytest.raises(UserError, match="model: 'large' was built with another model's tokenizer"):
        make(builder={"name": "mixer", "datasets": list(two)}, inputs=inputs)


def read_folder(folder, side):
    from pyarrow import parquet

    return parquet.read_table(Path(folder) / f"{side}.parquet").to_pylist()


def test_samples_of_many_segments_keep_them(make, monkeypatch):  # noqa: F811
    talk = (Segment("fix:"), Segment(" x = 1\n", True), Segment("wrong\n"), Segment(" x = 2\n", True))
    closed = (Segment("fix:"), Segment(" x = 1\n", True), Segment(" thanks\n"))
    chat = tuple(
        Segment(text, role == "assistant", role)
        for text, role in (("a?", "user"), ("b", "assistant"), ("c?", "user"), ("d", "assistant"))
    )

    class Given:
        name, makes = "faults", "samples"

        def stream(self, seed, funnel):
            yield from (Sample("a", talk), Sample("b", closed), Sample("c", chat))

        def total(self):
            return 3

    with monkeypatch.context() as patched:
        patched.setattr("engine.work.build.BUILDERS.create", lambda params: Given())
        run = make([], builder={"name": "faults"}, valid_fraction=0, name="talks")[0]
    before = {row["bug_id"]: row for row in read(run, "train")}
    again = make(builder={"name": "mixer", "datasets": [str(run.artifacts)]}, valid_fraction=0)[2]
    assert len(again) == 3
    for row in again:
        old = before[row["bug_id"].partition("/")[2]]
        assert (row["input_ids"], row["learned"]) == (old["input_ids"], old["learned"])


def test_what_cannot_be_mixed_is_named(two, tmp_path):
    with pytest.raises(UserError, match="no dataset is named"):
        mixed()
    with pytest.raises(UserError, match="there is no dataset '/nowhere'"):
        mixed("/nowhere")
    with pytest.raises(UserError, match="named twice"):
        mixed(two[0], f"{two[0]}=3")
    with pytest.raises(UserError, match="greater than 0"):
        mixed(f"{two[0]}=0", two[1])
    other = tmp_path / "other" / "artifacts"
    shutil.copytree(two[1], other)
    words = other / "tokenizer" / "tokenizer.json"
    words.write_text(words.read_text() + " ")
    with pytest.raises(UserError, match="different models' tokenizers"):
        mixed(two[0], str(other))
    (other / "report.json").write_text('{"holds": "preferences"}')
    with pytest.raises(UserError, match="holds preferences"):
        mixed(str(other))
