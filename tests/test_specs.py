"""Specs: one declaration, read from files, presets and overrides, with errors that name the field."""

from __future__ import annotations

import json

import pytest

from engine.errors import UserError
from engine.spec_files import read_spec
from engine.specs import KINDS, TrainSpec, overrides_of, parse


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_go_through_json_unchanged(kind):
    spec = read_spec(kind)
    assert parse(json.loads(spec.model_dump_json())) == spec


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("trainer.rank=0", r"trainer\.rank: should be greater than 0 \(got 0\)"),
        ("trainer.learning_rate=fast", r"trainer\.learning_rate: should be a number \(got 'fast'\)"),
        ("trainer.ranks=8", r"trainer\.ranks: there is no such setting among .*rank.* .got 8."),
        ("trainer.name=magic", r"no trainers plug-in called 'magic'; choose one of: dpo, grpo, kto, sft"),
        ("seed=-1", r"seed: should be greater than or equal to 0 \(got -1\)"),
        ("rank", r"--set needs field=value"),
        ("", r"--set needs field=value"),
        ("=1", r"--set needs field=value"),
        ("a..b=1", r"--set needs field=value, as in trainer\.learning_rate=1e-4; got 'a\.\.b=1'"),
        ("a.=1", r"--set needs field=value"),
        (".a=1", r"--set needs field=value"),
        ("seed=99999999999999999999", r"seed: should be less than 4294967296 \(got 99999999999999999999\)"),
        (
            "seed=" + "9" * 5000,
            r"seed: contains a number with thousands of digits \(got '9{99}\.\.\. of 5,000 characters\)",
        ),
        ("seed=" + "[" * 50_000, r"seed: nested too deeply"),
        ("seed=NaN", r"seed: should be a finite number \(got nan\)"),
        ("trainer.learning_rate=Infinity", r"trainer\.learning_rate: should be a finite number \(got inf\)"),
        ("trainer.warmup_steps=NaN", r"trainer\.warmup_steps: should be a finite number"),
        ("trainer.max_steps=1e30", r"trainer\.max_steps: .*\(got 1e\+30\)"),
        ('model={"a": 1, "a": 2}', r"model: 'a' occurs twice; remove one of them"),
        ("name=a\udcff", r"name: should be at most 100 letters.*\(got 'a\\udcff'\)"),
        ("model=a\udcff", r"model: is not valid Unicode, so no page can show it \(got '\"a\\udcff\"'\)"),
        ("trainer.target_modules=,", r"trainer\.target_modules: write all-linear, .*; got ','$"),
        ("name=../x", r"name: should be at most 100 letters, digits.*\(got '\.\./x'\)"),
    ],
)
def test_a_wrong_override_is_one_sentence_that_names_the_field(override, sentence):
    with pytest.raises(UserError, match=sentence):
        read_spec("train", "", [override])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("near_share=0.5", r"near_share: should be greater than or equal to 0\.7 \(got 0\.5\)"),
        ("split_day=2023-99-99", r"split_day: should be a day such as 2024-12-31 \(got '2023-99-99'\)"),
    ],
)
def test_a_setting_of_a_dataset_that_would_have_no_effect_is_refused(override, sentence):
    with pytest.raises(UserError, match=sentence):
        read_spec("dataset", "", [override])


def test_an_override_reaches_into_a_plugin():
    spec = read_spec("train", "", ["trainer.learning_rate=1e-4", "dataset=mine"])
    assert (spec.trainer.learning_rate, spec.dataset) == (1e-4, "mine")


@pytest.mark.parametrize(("kind", "default"), [("benchmark", "beam"), ("chat", "sampling")])
def test_an_override_of_a_plugin_that_is_not_named_is_of_the_default_of_this_kind_of_run(kind, default):
    spec = read_spec(kind, "", ["generator.max_new_tokens=32"])
    assert (spec.generator.name, spec.generator.max_new_tokens) == (default, 32)


def test_the_overrides_of_a_spec_make_it_again():
    spec = read_spec("train", "demo", ["trainer.dropout=0.5", "seed=7"])
    assert read_spec("train", "", overrides_of(spec)) == spec
    assert overrides_of(TrainSpec()) == []


def test_a_broken_file_names_its_line(tmp_path):
    path = tmp_path / "spec.json"
    path.write_text('{"model": "starter",\n "dataset": }')
    with pytest.raises(UserError, match=r"spec\.json, line 2: not JSON"):
        read_spec("train", str(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"seed": 1, "seed": 2}', "'seed' occurs twice; remove one of them"),
        (b'{"trainer": {"name": "sft", "rank": 4, "rank": 8}}', "'rank' occurs twice; remove one of them"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "contains a number with thousands of digits"),
        (b" " * 1_000_001, "longer than 1,000,000 bytes, so it is not a spec"),
        (b"[1]", "expected a JSON object with the spec's fields, got a list"),
    ],
    ids=["deep list", "deep object", "twice", "twice inside", "digits", "long", "list"],
)
def test_a_file_that_is_not_a_spec_is_named_with_the_reason(tmp_path, content, said):
    path = tmp_path / "spec.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_spec("train", str(path))
    assert str(error.value) == f"{path}: {said}"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "spec.json"
    path.write_bytes(b'\xef\xbb\xbf{"seed": 3}')
    assert read_spec("train", str(path)).seed == 3


@pytest.mark.parametrize("source", ["x" * 300, ".", "/dev/null/x", "/dev/zero"])
def test_a_source_that_is_not_a_file_gives_one_sentence(source):
    with pytest.raises(UserError, match=r"is neither a file nor a preset|cannot be read: |longer than 1,000,000 bytes"):
        read_spec("train", source)


def test_a_file_that_is_not_utf8_says_so(tmp_path):
    path = tmp_path / "spec.json"
    path.write_bytes(b'{"model": "\xff"}')
    with pytest.raises(UserError, match="not UTF-8"):
        read_spec("train", str(path))


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(UserError, match="neither a file nor a preset for 'train'; presets: .*demo, .*repairllama"):
        read_spec("train", "demoo")


def test_a_builder_is_named_in_the_place_of_a_preset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "diffs").mkdir()
    spec = read_spec("dataset", "diffs", ["builder.path=diffs", "builder.reverse=true"])
    assert (spec.builder.name, spec.builder.path, spec.builder.reverse) == ("diffs", str(tmp_path / "diffs"), True)
    assert read_spec("dataset", "demo").builder.name == "faults"
    with pytest.raises(UserError, match="presets: demo, .*; builders: faults, .*columns, .*diffs"):
        read_spec("dataset", "nothing")
    with pytest.raises(UserError, match="neither a file nor a preset for 'train'"):
        read_spec("train", "sft")


def test_a_spec_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "spec.json"
    path.write_text('{"kind": "merge"}')
    with pytest.raises(UserError, match="this spec is for 'merge', not for 'train'"):
        read_spec("train", str(path))


def test_a_path_is_relative_to_the_users_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = read_spec("dataset", "", ["builder=columns", "builder.file=fixes.jsonl"])
    assert spec.builder.file == str(tmp_path / "fixes.jsonl")
    monkeypatch.chdir("/")
    assert parse(spec.model_dump(mode="json")) == spec
    assert read_spec("dataset").builder.folder == "", "empty stays empty"


def test_a_benchmark_that_was_renamed_is_read_from_an_older_spec():
    spec = parse({"kind": "chat", "benchmark": {"name": "quixbugs", "folder": "/q"}, "bug": "quixbugs/gcd"})
    assert (spec.benchmark.name, spec.bug) == ("quixbugs-python", "quixbugs-python/gcd")
    assert parse({"kind": "chat", "bug": "pocket/quixbugs/gcd"}).bug == "pocket/quixbugs/gcd"
