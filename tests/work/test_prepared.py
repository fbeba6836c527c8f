"""What a shard of a build left is used only if it fits; the dataset is the same where it does not."""

from __future__ import annotations

import json
import logging
import tracemalloc
from dataclasses import replace

import pytest
from built_in_parts import bugs, result
from small_dataset import STARTER

from engine.builders import Funnel
from engine.domain import Bug, Sample, Segment, Span
from engine.run_inputs import Part
from engine.rundir import RunDir
from engine.specs import DatasetSpec
from engine.work import prepared
from engine.work.build import build

pytestmark = pytest.mark.usefixtures("small_blocks")


def cut(run):
    path = run.shard(2).artifacts / prepared.FILE
    path.write_bytes(path.read_bytes()[:-7])


def changed(run):
    path = run.shard(1).artifacts / prepared.FILE
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def without_an_end(run):
    (run.shard(2).artifacts / prepared.SUMMARY).unlink()


def torn(run):
    (run.shard(2).artifacts / prepared.SUMMARY).write_text('{"part": {"num')


def strange(run):
    (run.shard(2).artifacts / prepared.SUMMARY).write_text("[]")


def swapped(run):
    folders = [run.shard(number).artifacts for number in (1, 2)]
    folders[0].rename(run.path / "other")
    folders[1].rename(folders[0])
    (run.path / "other").rename(folders[1])


def of_another_version(run):
    for number in (1, 2):
        path = run.shard(number).artifacts / prepared.SUMMARY
        summary = json.loads(path.read_text())
        summary["about"]["version"] = "0.0.1"
        path.write_text(json.dumps(summary))


DAMAGES = {
    cut: "the file of shard 2 is not as it was written",
    changed: "the file of shard 1 is not as it was written",
    without_an_end: "shard 2 has left nothing that can be read",
    torn: "shard 2 has left nothing that can be read",
    strange: "shard 2 has left nothing that can be read",
    swapped: "shard 1 had another part",
    of_another_version: "shard 1 had another part, version",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_what_does_not_fit_is_not_used_and_the_dataset_is_the_same(in_parts, given, caplog, damage):
    builder = given("bugs", list(bugs()))
    alone = result(*in_parts({"builder": "faults", "exclude": ["pocket"]}, 1))
    with caplog.at_level(logging.WARNING):
        assert result(*in_parts({"builder": "faults", "exclude": ["pocket"]}, 2, damage)) == alone
    assert builder.read == 1 + 2 + 1
    assert DAMAGES[damage] in caplog.text
    assert "all of the dataset is built here" in caplog.text


def test_a_source_that_changes_between_two_shards_is_read_once_more(in_parts, given, caplog):
    entries = [next(bugs()), ("broken", "row 2")]

    class Changing(list):
        """One more row at each reading."""

        def __iter__(self):
            self.append(replace(entries[0], id=f"later{len(self)}", buggy=f"x = {len(self)}\n", span=Span(1, 1)))
            return super().__iter__()

    given("bugs", Changing(entries))
    run, report = in_parts({"builder": "faults", "valid_fraction": 0}, 2)
    assert report["funnel"]["source"] == 5, "as it is when the dataset is built"
    assert "shard 2 did not read the same as shard 1" in caplog.text


def test_a_shard_that_begins_again_leaves_nothing_of_its_first_try(in_parts, given, tmp_path, monkeypatch):
    given("bugs", list(bugs()))
    settings = {"builder": "faults", "valid_fraction": 0.2}
    alone = result(*in_parts(settings, 1))
    make, made = prepared.Writer.make, []

    def killed(writer, each):
        made.append(each)
        if len(made) == 15:
            raise SystemExit
        make(writer, each)

    monkeypatch.setattr(prepared.Writer, "make", killed)
    with pytest.raises(SystemExit):
        in_parts(settings, 2)
    left = tmp_path / "runs" / "2" / "shards" / "1" / "artifacts"
    assert (left / prepared.FILE).stat().st_size > 0
    assert not (left / prepared.SUMMARY).exists()
    run = RunDir(tmp_path / "runs" / "2")
    for number in (1, 2):
        again = replace(STARTER, part=Part(number, 2))
        RunDir.create(run.shard(number).path, run.spec(), again)
        build(DatasetSpec.model_validate(run.spec()), again, run.shard(number))
    report = build(
        DatasetSpec.model_validate(run.spec()), STARTER, run, [run.shard(number).artifacts for number in (1, 2)]
    )
    assert result(run, report) == alone


def test_a_shard_says_how_much_of_its_own_part_is_done(in_parts, given, monkeypatch):
    monkeypatch.setattr("engine.work.part._PAUSE_S", 0)
    made = [each for each in bugs() if isinstance(each, Bug)]
    given("bugs", made)
    run, _ = in_parts({"builder": "faults"}, 2)
    said = [each.payload for each in run.shard(1).all_events() if each.kind == "progress"]
    assert {each.total for each in said} == {-(-len(made) // 2)}
    assert [each.done for each in said] == sorted(each.done for each in said)
    assert len({each.done for each in said}) > 2
    assert said[-1].done <= said[-1].total
    assert said[-1].text == f"{said[-1].done:g} bugs prepared"


def test_the_memory_of_a_shard_does_not_grow_with_what_it_reads(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.work.prepared.MOST_CHARACTERS", 100_000)
    monkeypatch.setattr("engine.work.prepared.MOST", 1000)

    def peak(count):
        writer = prepared.Writer(tmp_path, Part(1, 2), lambda block: [repr(each) for each in block])
        tracemalloc.start()
        for number in range(count):
            code = f"x = {number}\n" * 500
            writer.make(Sample(f"s{number}", (Segment(code), Segment("b", True))))
            writer.lose("broken", f"row {number}")
        writer.close({}, Funnel())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(100), peak(1500)
    assert many < 1.2 * few < 3 << 20
