"""A model that learned from a benchmark's verdicts is not scored on it, nor is anything that was made of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from engine import trained_on
from engine.domain import Bug, Model, Span
from engine.errors import UserError
from engine.plugins import BENCHMARKS
from engine.rundir import Inputs, RunDir

POCKET = BENCHMARKS.params({"name": "pocket", "languages": ["python"]})
BUG = Bug("mine/1", "python", "a.py", "def f(a):\n    return a - 1\n", "def f(a):\n    return a + 1\n", Span(2, 2))


def made(tmp_path, name, *, of=None, learned=()):
    """A run with the model that it made."""
    run = RunDir.create(tmp_path / name, {}, Inputs(model=of))
    folder = run.artifacts / "model"
    folder.mkdir()
    if learned:
        trained_on.write(folder, BENCHMARKS.params("folder"), learned)
    return Model(name, "adapter", str(folder), "/nowhere/base")


def bench(monkeypatch, *bugs, **more):
    monkeypatch.setattr(BENCHMARKS, "create", lambda params: SimpleNamespace(bugs=lambda: [*bugs], **more))


def test_a_model_without_records_is_scored_and_nothing_is_read(tmp_path, monkeypatch):
    bench(monkeypatch, reads_slowly=True, bugs_are_not_read=True)
    trained_on.check_not_trained_on(made(tmp_path, "a"), POCKET)


def test_the_same_bug_in_another_benchmark_is_found_whatever_its_file_and_layout(tmp_path, monkeypatch):
    model = made(tmp_path, "a", learned=[BUG])
    moved = replace(
        BUG, id="pocket/x", path="b.py", buggy=f"# moved\n{BUG.buggy}", fixed=f"# moved\n{BUG.fixed}", span=Span(3, 3)
    )
    bench(monkeypatch, moved, replace(BUG, buggy="def g():\n    return 1\n", fixed="def g():\n    return 2\n"))
    with pytest.raises(UserError, match=r"'a' learned from 1 of its 2 bugs by their tests .*grpo on folder"):
        trained_on.check_not_trained_on(model, POCKET)


def test_other_bugs_are_scored(tmp_path, monkeypatch):
    bench(monkeypatch, replace(BUG, buggy="def g():\n    return 1\n", fixed="def g():\n    return 2\n"))
    trained_on.check_not_trained_on(made(tmp_path, "a", learned=[BUG]), POCKET)


def test_what_was_made_of_such_a_model_is_refused_too(tmp_path, monkeypatch):
    bench(monkeypatch, BUG)
    first = made(tmp_path, "first", learned=[BUG])
    merged = replace(made(tmp_path, "merged", of=first), kind="merged", base="")
    again = replace(made(tmp_path, "again", of=merged), base=merged.path)
    with pytest.raises(UserError, match="'again' learned from 1 of its 1 bugs"):
        trained_on.check_not_trained_on(again, POCKET)
    on_top = Model("on-top", "adapter", str(tmp_path), merged.path)  # only its base was made so
    with pytest.raises(UserError, match="'on-top'"):
        trained_on.check_not_trained_on(on_top, POCKET)


def test_a_benchmark_that_reads_slowly_is_known_by_its_name(tmp_path, monkeypatch):
    bench(monkeypatch, reads_slowly=True)
    model = made(tmp_path, "a", learned=[BUG])
    trained_on.check_not_trained_on(model, POCKET)
    with pytest.raises(UserError, match="the bugs of this benchmark"):
        trained_on.check_not_trained_on(model, BENCHMARKS.params("folder"))


def test_a_record_that_cannot_be_read_is_a_sentence(tmp_path, monkeypatch):
    bench(monkeypatch, BUG)
    model = made(tmp_path, "a", learned=[BUG])
    for damage in ("", "[]", "{", '{"benchmark": {}}', "[" * 100_000):
        (tmp_path / "a" / "artifacts" / "model" / trained_on.RECORD).write_text(damage)
        with pytest.raises(UserError, match="is damaged"):
            trained_on.check_not_trained_on(model, POCKET)
