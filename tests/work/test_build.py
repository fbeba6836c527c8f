"""A dataset from end to end, with the starter model's tokenizer: rows, masks, losses, split, report, repetition."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest
from pydantic import ValidationError
from small_dataset import STARTER, pair
from tokenizers import Tokenizer

from engine import results
from engine.assets import STARTER_MODEL
from engine.domain import Bug, Model, span_of_change
from engine.errors import UserError
from engine.fingerprint import dataset_hash
from engine.params import Params
from engine.plugins import BENCHMARKS, Registry
from engine.rundir import Inputs, RunDir


def test_a_row_is_prompt_then_learned_target_then_end(make):
    run, report, train, _ = make([pair(1)], valid_fraction=0)
    (row,) = train
    tokenizer = Tokenizer.from_file(str(run.artifacts / "tokenizer" / "tokenizer.json"))
    end = tokenizer.token_to_id("<|endoftext|>")
    prompt, learned = row["input_ids"][: row["n_prompt"]], row["input_ids"][row["n_prompt"] :]
    assert tokenizer.decode(prompt, skip_special_tokens=False) == row["prompt"]
    assert tokenizer.decode(learned[:-1], skip_special_tokens=False) == row["target"] == "    return b * c\n"
    assert learned[-1] == end
    assert row["n_tokens"] == len(row["input_ids"])
    assert tokenizer.token_to_id("<|fim_prefix|>") in prompt
    assert report["learned_tokens"] == len(learned)
    assert (row["project"], row["language"], row["buggy"]) == ("p1", "python", pair(1)["buggy_function"])


def test_no_project_is_on_both_sides_and_the_share_is_about_right(make):
    _, report, train, valid = make([pair(n, f"p{n % 40}") for n in range(400)], valid_fraction=0.2)
    assert report["rows"] == {"train": len(train), "valid": len(valid)}
    assert len(train) + len(valid) == 400
    assert not {row["project"] for row in train} & {row["project"] for row in valid}
    assert 0.06 <= len(valid) / 400 <= 0.6


@pytest.mark.parametrize("seed", range(6))
def test_two_projects_are_enough_for_validation(make, seed):
    rows = [pair(n, "large" if n % 10 else "small") for n in range(50)]
    run, report, train, valid = make(rows, valid_fraction=0.05, seed=seed)
    assert {row["project"] for row in valid} == {"small"}
    assert {row["project"] for row in train} == {"large"}
    assert report["rows"] == {"train": 45, "valid": 5}
    assert dataset_hash(run.artifacts) == report["hash"], "also where the rows were divided once more"


def test_one_project_is_all_for_training(make):
    for seed in range(4):
        _, report, _, _ = make([pair(n, "one") for n in range(20)], valid_fraction=0.5, seed=seed)
        assert report["rows"] == {"train": 20, "valid": 0}


def test_rows_without_a_project_are_split_one_by_one(make):
    rows = [{**pair(n), "project": None} for n in range(200)]
    _, report, _, _ = make(rows, valid_fraction=0.2)
    assert 10 < report["rows"]["valid"] < 120


def test_every_loss_is_counted_and_named(make):
    long = pair(9)
    long = {**long, "fixed_function": long["fixed_function"].replace("b *", "b * " + "xyz * " * 200)}
    token = {key: value.replace("a +", "'<|fim_prefix|>' +") for key, value in pair(8).items()}
    rows = [pair(1), pair(1), {**pair(2), "fixed_function": ""}, long, token]
    run, report, train, _ = make(rows, valid_fraction=0, max_tokens=100)
    assert len(train) == 1
    steps = {step["reason"]: (step["count"], step["example"]) for step in report["funnel"]["steps"]}
    name = train[0]["bug_id"].split(":")[0]
    assert steps == {
        "empty": (1, "row 3"),
        "duplicate": (1, f"{name}:2"),
        "longer than 100 tokens": (1, f"{name}:4"),
        "the code holds the special token <|fim_prefix|>": (1, f"{name}:5"),
    }
    assert report["funnel"]["source"] == 5
    left_out = [json.loads(line) for line in (run.artifacts / "left_out.jsonl").read_text().splitlines()]
    assert [one.get("bug_id") or one["where"] for one in left_out] == ["row 3", f"{name}:5", f"{name}:2", f"{name}:4"]
    assert [one.get("like") for one in left_out] == [None, None, f"{name}:1", None]
    assert left_out[-1]["n_tokens"] == left_out[-1]["n_prompt"] + left_out[-1]["n_target"] > 100
    assert left_out[-1]["cut"] == "fix"
    assert sum(report["histogram"]["counts"]) == 2
    assert len(report["histogram"]["edges"]) == len(report["histogram"]["counts"]) + 1


class Known:
    """A benchmark of one bug, laid out otherwise than the row that leaks it."""

    name = "known"

    class Params(Params):
        name: str = "known"
        line: str = "/"

    def __init__(self, params) -> None:
        self.params = params

    def bugs(self) -> list[Bug]:
        code = pair(1)["buggy_function"].replace("return", "# returns\n    return")
        buggy, fixed = (
            "class A:\n    pass\n\n" + text for text in (code.replace("-", self.params.line), code.replace("-", "*"))
        )
        return [Bug("known/1", "python", "a.py", buggy, fixed, span_of_change(buggy, fixed))]


@pytest.fixture
def known(monkeypatch):
    """The only benchmark there is."""
    monkeypatch.setitem(sys.modules, "known_benchmark", type(sys)("known_benchmark"))
    sys.modules["known_benchmark"].Known = Known
    registry = Registry("benchmarks", "benchmark", {"known": "known_benchmark:Known"})
    for user in ("engine.work.overlap", "engine.spec"):
        monkeypatch.setattr(f"{user}.BENCHMARKS", registry)


@pytest.mark.parametrize("named", ["known", {"name": "known", "line": "/"}])
def test_code_of_a_benchmark_is_left_out_also_where_it_needs_settings(make, known, named):
    _, report, train, _ = make([pair(1), pair(2)], exclude=(named,), valid_fraction=0)
    assert [step["reason"] for step in report["funnel"]["steps"]] == ["in the benchmark known"]
    assert [row["bug_id"][-2:] for row in train] == [":2"]


def test_an_unknown_benchmark_is_named(make):
    with pytest.raises(ValidationError, match="no benchmarks plug-in called 'nothing'"):
        make([pair(1)], exclude=("nothing",))


def test_the_same_spec_gives_the_same_set_and_another_seed_another(make):
    builder = {"name": "faults", "samples": 60}
    reports = [make(builder=builder, seed=seed)[1] for seed in (1, 1, 2)]
    assert reports[0] | {"rates": {}} == reports[1] | {"rates": {}}, "all but the time that it took"
    assert reports[0]["hash"] != reports[2]["hash"]
    assert sum(reports[0]["rows"].values()) == 60
    run, report, _, _ = make(builder=builder, seed=1)
    assert dataset_hash(run.artifacts) == report["hash"] == reports[0]["hash"]
    assert sum(reports[0]["kinds"].values()) == 60
    assert reports[0]["representation"] == {
        "name": "ir4_or2",
        "mark": "fim",
        "context": "function",
        "instruction": "",
        "begin": "",
        "strip": True,
        "fim": "qwen",
    }


def test_the_report_is_written_and_progress_is_emitted(make):
    run, report, _, _ = make([pair(n) for n in range(30)])
    assert report["rates"]["read"] == 30
    assert json.loads((run.artifacts / "report.json").read_text()) | {"rates": report["rates"]} == report
    said = [asdict(event.payload) for event in run.events().events if event.kind == "progress"]
    assert said[-1] == {"done": 30, "total": 30, "text": "30 bugs read, 30 samples kept"}
    assert len(said) <= 10
    assert 0 < report["mean_tokens"] <= report["max_tokens"]


def test_a_dataset_without_samples_names_the_reasons(make):
    with pytest.raises(
        UserError, match=r"no sample is left of 3 read: 3 \(longer than 16 tokens\); raise max_tokens \(16\)"
    ):
        make([pair(1), pair(1), pair(2)], max_tokens=16)


def test_a_model_without_a_tokenizer_is_named(make, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder, said in ((tmp_path / "none", "does not exist"), (tmp_path / "empty", "no usable tokenizer")):
        with pytest.raises(UserError, match=said) as error:
            make([pair(1)], inputs=Inputs(model=Model("m", "base", str(folder))))
        assert error.value.field == "model"
    with pytest.raises(UserError, match="no model was named"):
        make([pair(1)], inputs=Inputs())


def test_a_tokenizer_without_fill_in_the_middle_is_refused(make, tmp_path):
    weights = tmp_path / "plain"
    weights.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (weights / name).write_text((STARTER_MODEL / name).read_text().replace("<|fim_middle|>", "<|other|>"))
    with pytest.raises(UserError, match=r"qwen needs <\|fim_middle\|>"):
        make([pair(1)], inputs=Inputs(model=Model("m", "base", str(weights))))


def test_the_quick_tokenizer_agrees_with_transformers():
    from engine.models.tokenizer import FromFile, FromTransformers

    quick, full = FromFile(STARTER_MODEL, "<|endoftext|>"), FromTransformers(STARTER_MODEL)
    texts = ["<|fim_prefix|>def f():\n# é\n<|fim_suffix|>\r\n\t<|fim_middle|>", "", "    return 123\n\n"]
    assert quick.encode(texts) == full.encode(texts)
    assert quick.vocabulary() == full.vocabulary()
    assert quick.end == full.end


# Prints a command's peak in KiB. A process of its own: a child's peak begins with what its parent had at the fork.
PEAK = (
    "import os, subprocess, sys; child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL); "
    "_, status, usage = os.wait4(child.pid, 0); print(usage.ru_maxrss); sys.exit(os.waitstatus_to_exitcode(status))"
)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet", "endless"])
def test_one_huge_row_takes_no_more_memory_than_a_few_hundred_megabytes(tmp_path, ending):
    def peak(name, *, is_huge):
        source = write_rows(tmp_path / f"{name}.{ending.replace('endless', 'jsonl')}", ending, is_huge)
        spec = {"kind": "dataset", "builder": {"name": "columns", "file": str(source)}, "exclude": ()}
        run = RunDir.create(tmp_path / name, spec, STARTER)
        command = [sys.executable, "-c", PEAK, sys.executable, "-m", "engine.work", str(run.path)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
        return int(done.stdout) / 1024, json.loads((run.artifacts / "report.json").read_text())

    usual, _ = peak("small", is_huge=False)
    most, report = peak("huge", is_huge=True)
    assert most - usual <= 300, f"{most:.0f} MiB instead of {usual:.0f}"
    assert sum(report["rows"].values()) == 20
    assert [(step["reason"], step["count"]) for step in report["funnel"]["steps"]] == [("rows longer than 4 MiB", 1)]


def write_rows(path, ending, is_huge):
    """Ten good rows, a huge one if asked for (100 MB; in CSV 200 MB; endless: 1 GB without an end), ten good rows."""
    rows = [
        {"buggy_function": pair(n)["buggy_function"], "fixed_function": pair(n)["fixed_function"]} for n in range(20)
    ]
    line = "x = 1  # a line of some length that is like any other\n"
    if ending == "parquet":
        import pyarrow
        from pyarrow import parquet

        huge = [{"buggy_function": line * (100_000_000 // len(line)), "fixed_function": "y"}] if is_huge else []
        parquet.write_table(pyarrow.Table.from_pylist([*rows[:10], *huge, *rows[10:]]), path)
        return path
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        if ending == "csv":
            writer.writeheader()
        for number, row in enumerate(rows):
            if number == 10 and is_huge and ending == "csv":
                file.write('"')
                file.writelines(line for _ in range(200_000_000 // len(line)))
                file.write('","y"\n')
            elif number == 10 and is_huge and ending == "jsonl":
                file.write(
                    json.dumps({"buggy_function": line * (100_000_000 // len(line)), "fixed_function": "y"}) + "\n"
                )
            writer.writerow(row) if ending == "csv" else file.write(json.dumps(row) + "\n")
        if is_huge and ending == "endless":
            file.flush()
            os.truncate(path, path.stat().st_size + 1_000_000_000)
    return path


def test_many_long_samples_are_tokenised_and_written_a_few_at_a_time(make, monkeypatch):
    from pyarrow import parquet

    monkeypatch.setattr("engine.work.rows.CHARACTERS", 500)
    monkeypatch.setattr("engine.training_set.BYTES_A_GROUP", 5000)
    run, report, train, _ = make([pair(n) for n in range(40)], valid_fraction=0)
    assert parquet.ParquetFile(run.artifacts / "train.parquet").metadata.num_row_groups > 5
    monkeypatch.undo()
    again, same, rows, _ = make([pair(n) for n in range(40)], valid_fraction=0)
    assert [row["input_ids"] for row in train] == [row["input_ids"] for row in rows]
    assert parquet.ParquetFile(again.artifacts / "train.parquet").metadata.num_row_groups == 1


def test_building_needs_neither_torch_nor_transformers():
    code = "import sys, engine.work.build; assert not {'torch', 'transformers', 'pyarrow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_what_a_builder_keeps_stays_with_the_dataset_and_is_a_benchmark(make, tmp_path):
    code = "def less(a, b):\n    if a < b:\n        return a\n    return b\n"
    tests = (
        "from lesser import less\n\n\ndef test_less():\n    assert less(1, 2) == 1\n\n\ndef test_nothing():\n    pass\n"
    )
    (tmp_path / "project").mkdir()
    (tmp_path / "project/lesser.py").write_text(code)
    (tmp_path / "project/test_lesser.py").write_text(tests)
    builder = {"name": "tested_faults", "folder": str(tmp_path / "project"), "samples": 3}
    run, report, train, _ = make(builder=builder)
    assert len(train) == 3
    assert sum(report["counts"]["Faults that tests notice"].values()) == 3
    benchmark = BENCHMARKS.from_value({"name": "folder", "folder": str(run.artifacts / "kept")})
    assert {bug.id.partition("/")[2] for bug in benchmark.bugs()} == {row["bug_id"].partition("/")[2] for row in train}
    assert results.read("dataset", report).counts == report["counts"]
