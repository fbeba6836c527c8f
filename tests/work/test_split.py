"""Rows are split by project, by the day of the fix, by chance or by order, and a project has no more than its share."""

from __future__ import annotations

import json
from time import process_time

import pytest
from small_dataset import bug, pair

from engine.builders import Funnel
from engine.errors import UserError
from engine.fingerprint import dataset_hash
from engine.listed import MOST_REASONS, OTHERS, listed
from engine.work.build import _steps


def reasons(report):
    return {step["reason"]: step["count"] for step in report["funnel"]["steps"]}


def test_by_time_the_newest_fixes_are_for_evaluation_whatever_their_order(build_of):
    days = [f"20{10 + n % 10}-0{1 + n % 9}-1{n % 7}T10:00:00+02:00" for n in range(100)]
    bugs = [bug(n, day, "p") for n, day in enumerate(days)]
    run, report, train, valid = build_of(*bugs, split="time", valid_fraction=0.2)
    assert 15 <= len(valid) <= 40
    assert max(row["date"][:10] for row in train) < min(row["date"][:10] for row in valid)
    assert (report["undated"], report["split"], report["cwes"]) == (0, "time", {"CWE-1": 100})
    assert report["rows"] == {"train": len(train), "valid": len(valid)}
    assert dataset_hash(run.artifacts) == report["hash"]
    _, _, _, late = build_of(*bugs, split="time", split_day="2019-01-01")
    assert {row["date"][:4] for row in late} == {"2019"}


def test_by_time_fixes_of_an_unknown_day_are_trained_on_and_counted(build_of):
    bugs = [bug(n, "not a day" if n < 5 else f"2020-01-{10 + n}") for n in range(15)]
    _, report, train, valid = build_of(*bugs, split="time", valid_fraction=0.2)
    assert {f"b{n}" for n in range(5)} <= {row["bug_id"] for row in train}
    assert {row["bug_id"] for row in valid} == {"b13", "b14"}
    assert report["undated"] == 5
    with pytest.raises(UserError, match="none of these bugs has the day of its fix"):
        build_of(bug(1), bug(2), split="time")


def test_by_time_some_fixes_are_always_for_training(build_of):
    one_day = [bug(n, "2020-01-01") for n in range(8)]
    _, report, train, valid = build_of(*one_day, split="time")
    assert (len(train), len(valid)) == (8, 0)
    later = [bug(n, "2021-01-01") for n in range(8, 28)]
    _, report, train, valid = build_of(*one_day, *later, split="time")
    assert (len(train), len(valid)) == (8, 20)
    with pytest.raises(UserError, match="split_day: all 8 samples .* choose a later day than 2019-12-31"):
        build_of(*one_day, split="time", split_day="2019-12-31")


def test_by_chance_a_project_is_on_both_sides(make):
    _, report, train, valid = make([pair(n, "one") for n in range(200)], split="random", valid_fraction=0.25)
    assert 30 <= len(valid) <= 70
    assert len(train) + len(valid) == 200
    _, _, few, some = make([pair(n, "one") for n in range(5)], split="random", valid_fraction=0.2)
    assert (len(few), len(some)) == (4, 1)


def test_the_first_samples_can_be_for_evaluation(make):
    _, _, train, valid = make([pair(n) for n in range(20)], split="first", valid_rows=6)
    assert [row["bug_id"].partition(":")[2] for row in valid] == [str(n) for n in range(1, 7)]
    assert len(train) == 14
    with pytest.raises(UserError, match="valid_rows: all 20 samples .* choose fewer than 20"):
        make([pair(n) for n in range(20)], split="first", valid_rows=20)


def test_a_project_has_at_most_so_many_samples(make):
    rows = [pair(n, f"p{n % 3}") for n in range(60)]
    run, report, train, valid = make(rows, per_project=4, valid_fraction=0)
    assert len(train) == 12
    assert reasons(report) == {"more than 4 samples of its project": 48}
    assert listed(run.artifacts / "left_out.jsonl", "more than 4 samples of its project").total == 48
    assert report["projects"] == {"p0": 4, "p1": 4, "p2": 4}


@pytest.mark.parametrize("seed", range(4))
def test_of_a_project_at_most_so_many_are_for_evaluation_and_the_rest_is_not_trained_on(make, seed):
    """S3: 256 rows for evaluation, at most 5 of a repository."""
    rows = [pair(n, f"p{n % 12}") for n in range(240)]
    _, report, train, valid = make(rows, valid_per_project=5, valid_rows=20, valid_fraction=0.4, seed=seed)
    of_projects = [row["project"] for row in valid]
    assert 0 < len(valid) <= 20
    assert max(map(of_projects.count, of_projects)) <= 5
    assert not set(of_projects) & {row["project"] for row in train}
    assert sum(reasons(report).values()) + len(train) + len(valid) == 240
    assert sum(report["projects"].values()) == len(train) + len(valid)


@pytest.mark.parametrize("seed", range(4))
def test_no_row_is_lost_to_a_limit_before_its_side_is_known(make, seed):
    """The hash puts all rows of a single project, or of both of two, on the evaluation side for half of the seeds."""
    limits = {"valid_rows": 10, "valid_per_project": 5, "valid_fraction": 0.5, "seed": seed}
    _, report, train, valid = make([pair(n, "one") for n in range(40)], **limits)
    assert (len(train), len(valid), reasons(report)) == (40, 0, {})
    _, report, train, valid = make([pair(n, f"p{n % 2}") for n in range(40)], **limits)
    assert (len(train), len(valid)) == (20, 5)
    assert reasons(report) == {"more than 5 evaluation samples of its project": 15}


def test_lengths_are_capped_on_each_side_and_what_a_window_would_cut_is_told(make):
    long = pair(50)
    prompt = {key: code.replace("    c =", "    z = [" + "1, " * 200 + "]\n    c =") for key, code in long.items()}
    target = {**pair(51), "fixed_function": pair(51)["fixed_function"].replace("b *", "b * " + "xyz * " * 60)}
    rows = [pair(1), prompt, target]
    run, report, train, _ = make(rows, max_prompt=150, max_target=100, max_tokens=300, valid_fraction=0)
    assert len(train) == 1
    assert reasons(report) == {"prompt longer than 150 tokens": 1, "target longer than 100 tokens": 1}
    windows = {each["tokens"]: each for each in report["windows"]}
    assert sorted(windows) == [300, 1024, 2048, 4096]
    assert windows[1024]["kept"] == 3
    assert windows[300]["kept"] == 2
    assert windows[300]["cut"] == {"fix": 1, "mark": 1, "faulty lines": 1, "all that is learned": 1}
    (row,) = listed(run.artifacts / "left_out.jsonl", "prompt longer than 150 tokens").rows
    assert row["n_tokens"] == row["n_prompt"] + row["n_target"]
    assert row["cut"] == "fix, mark, faulty lines, all that is learned"
    assert [sum(report[side]["counts"]) for side in ("histogram", "prompts", "targets")] == [3, 3, 3]


def test_of_expected_ids_the_missing_ones_are_told_with_the_reason(make, tmp_path):
    source = tmp_path / "rows.jsonl"
    rows = [{**pair(n), "id": f"Lang-{n}"} for n in range(6)]
    rows[1]["fixed_function"] = ""
    rows[3] = {**rows[2], "id": "Lang-3"}
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "ids.txt").write_text("Lang-0\nLang-1\n\nLang-3\nLang-99\nLang-5\nLang-5\n")
    builder = {"name": "columns", "file": str(source), "id": "id"}
    run, report, _, _ = make(builder=builder, expected=str(tmp_path / "ids.txt"), valid_fraction=0)
    missing = {"empty": 1, "duplicate": 1, "not in the source": 1}
    assert report["expected"] == {"wanted": 5, "found": 2, "missing": missing}
    rows = {row["bug_id"]: row["reason"] for row in listed(run.artifacts / "missing.jsonl").rows}
    assert rows == {"Lang-1": "empty", "Lang-3": "duplicate", "Lang-99": "not in the source"}
    (tmp_path / "empty.txt").write_text("\n")
    for name, said in (("empty.txt", "holds no id"), ("none.txt", "cannot be read")):
        with pytest.raises(UserError, match=said):
            make(builder=builder, expected=str(tmp_path / name))


def test_a_report_has_no_more_reasons_than_a_page_can_show(make, monkeypatch):
    from engine import results

    class Picky:
        name, makes = "faults", "bugs"

        def stream(self, seed, funnel):
            yield bug(1)
            for number in range(1500):
                funnel.lose(f"{number} is wrong: {'x' * 3000}", f"row {number}" * 900)
            for _ in range(5):
                funnel.lose("often", "row 1")

        def total(self):
            return None

    monkeypatch.setattr("engine.work.build.BUILDERS.create", lambda params: Picky())
    run, report, _, _ = make([], builder={"name": "faults"}, valid_fraction=0)
    steps = report["funnel"]["steps"]
    assert len(steps) == 201
    assert sum(step["count"] for step in steps) == 1505
    assert results.read("dataset", report).funnel.steps[-1].count == 1301
    assert listed(run.artifacts / "left_out.jsonl", "often").total == 5


def test_of_very_many_reasons_each_loss_is_counted_and_soon():
    """The last of the reasons is one of the builder's and one of the selection's, with the same example."""
    source, left_out = (Funnel(source=1, lost={"same": 1}, examples={"same": "row 1"}) for _ in range(2))
    source.lost = {**{f"reason {n}": 2 for n in range(MOST_REASONS - 1)}, **source.lost}
    steps = _steps(source, left_out)["steps"]
    assert [step["reason"] for step in steps[-2:]] == ["same", OTHERS]
    assert sum(step["count"] for step in steps) == 2 * MOST_REASONS
    began = process_time()
    steps = _steps(Funnel(lost={f"reason {n}": 1 for n in range(30_000)}), Funnel())["steps"]
    assert steps[-1]["count"] == 30_000 - MOST_REASONS
    assert process_time() - began < 5, "it is linear: compared in pairs, they take 40 s"
