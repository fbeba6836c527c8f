"""A dataset built in parts has the rows, the report and the lists of one that is built at once."""

from __future__ import annotations

import json

import pytest
from built_in_parts import bugs, result
from small_dataset import pair

from engine.domain import Preference, Sample, Segment
from engine.errors import UserError
from engine.launchers.leading import Leading
from engine.launchers.local import Local
from engine.specs import DatasetSpec

pytestmark = pytest.mark.usefixtures("small_blocks")
PARTS = (1, 2, 5)


@pytest.mark.parametrize(
    "settings",
    [
        {"compare": ["pocket", "pocket"]},
        {"duplicates": "renamed", "split": "random", "valid_fraction": 0.3},
        {"duplicates": "near", "near_share": 0.7, "per_project": 3},
        {"duplicates": "exact", "exclude": ["pocket"]},
        {"duplicates": "keep", "split": "first", "valid_rows": 4},
    ],
    ids=lambda each: each.get("duplicates", "layout"),
)
def test_bugs_are_the_same_in_any_number_of_parts(in_parts, given, tmp_path, settings):
    builder = given("bugs", list(bugs()))
    (tmp_path / "ids.txt").write_text("b0.0\nb5.1\nb3.3\nnobody\n")
    whole = {"builder": "faults", "max_tokens": 200, "expected": str(tmp_path / "ids.txt"), **settings}
    alone, *shared = [result(*in_parts(whole, count)) for count in PARTS]
    assert sum(alone[1]["rows"].values()) > 5
    assert builder.read == sum(PARTS), "what the shards have read is not read again"
    reasons = {step["reason"] for step in alone[1]["funnel"]["steps"]}
    assert {"longer than 200 tokens", "the code holds the special token <|fim_prefix|>"} <= reasons
    assert {"nothing in it", "broken", "never told"} <= reasons
    assert any("is longer than 1,000 characters" in reason for reason in reasons)
    assert ("in the benchmark pocket" in reasons) == ("exclude" in settings)
    assert ("of a benchmark" in alone[0]["overlap.jsonl"]) == ("exclude" not in settings)
    for each in shared:
        assert each == alone


def samples():
    for number in range(20):
        segments = (Segment(f"fix {number % 13}:"), Segment(f" x = {number % 13}\n", True), Segment("wrong\n"))
        more = {"lines": (("random", (0,)),), "is_wrong": True} if number % 3 else {}
        yield Sample(f"s{number}", segments, "talk", "python", f"p{number % 3}", **more)
    talk = (Segment("Fix it.", role="user"), Segment("x = 1\n", True, "assistant"))
    yield Sample("chat", talk, project="p1")
    yield Sample("made from a bug", (Segment("a"), Segment("b", True)), bug=next(bugs()))


def preferences():
    for number in range(11):
        yield Preference(f"q{number}", f"fix {number % 7}:", " good\n", " very bad indeed\n", project=f"p{number % 3}")


@pytest.mark.parametrize(("makes", "made"), [("samples", samples), ("preferences", preferences)])
def test_samples_and_preferences_are_too(in_parts, given, makes, made):
    given(makes, list(made()))
    alone, *shared = [result(*in_parts({"builder": "faults"}, count)) for count in PARTS]
    assert alone[2]
    for each in shared:
        assert each == alone


def test_a_source_of_losses_alone_names_them_in_parts_too(in_parts, given):
    given("bugs", [("broken", f"row {number}") for number in range(10)])
    said = []
    for count in PARTS:
        with pytest.raises(UserError, match=r"no sample is left of 10 read: 10 \(broken\)") as error:
            in_parts({"builder": "faults"}, count)
        said.append(str(error.value))
    assert len(set(said)) == 1


def test_a_built_in_builder_reads_its_source_once_a_shard_and_the_files_are_removed(in_parts, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(pair(n % 17)) + "\n" for n in range(30)) + "broken\n")
    columns = {"builder": {"name": "columns", "file": str(source), "project": "project"}}
    left = []

    def gone(run):
        left.extend(path for shard in (1, 2) for path in run.shard(shard).artifacts.glob("prepared.bin"))
        source.rename(tmp_path / "elsewhere.jsonl")
        source.write_text("broken\n")

    alone = result(*in_parts(columns, 1))
    assert result(*in_parts(columns, 2, gone)) == alone
    assert len(left) == 2
    assert not any(path.exists() for path in left)


@pytest.mark.parametrize("builder", ["self_instruct", "code_instructions"])
def test_a_builder_that_pays_for_answers_is_not_shared(builder):
    spec = DatasetSpec.model_validate({"builder": {"name": builder}, "shards": 2})
    with pytest.raises(UserError, match=f"shards: {builder} waits for a service .* build it with shards=1") as error:
        Leading(Local(), 2).check(spec)
    assert error.value.field == "shards"


@pytest.mark.parametrize("builder", ["faults", "diffs", "tested_faults", "mixer"])
def test_all_others_are(builder):
    Leading(Local(), 2).check(DatasetSpec.model_validate({"builder": {"name": builder}, "shards": 2}))
