"""Columns computed from patches are consistent with them, in whatever order the events come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from engine.control.patch_rows import PatchRows
from engine.domain import Outcome
from engine.events import BugEvent, PatchEvent, VerdictFields
from engine.scoring import CandidateSummary
from storage.database import Database
from storage.tables import Bug, OutcomeCount, Patch, Run, Text

TEXTS = ("fixed\n", "buggy\n", "other\n", None)
PATCHES = st.builds(
    PatchEvent,
    bug_id=st.sampled_from(["b/1", "b/2"]),
    source=st.sampled_from(["model", "model", "model", "known_fix", "buggy_code"]),
    rank=st.integers(1, 4),
    text=st.sampled_from(TEXTS),
    verdict=st.builds(VerdictFields, outcome=st.sampled_from(list(Outcome))),
)
BUGS = st.builds(
    BugEvent,
    id=st.sampled_from(["b/1", "b/2"]),
    language=st.just("python"),
    path=st.just("a.py"),
    start=st.just(1),
    end=st.just(1),
    buggy=st.just("buggy\n"),
    fixed=st.just("fixed\n"),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return Database(tmp_path_factory.mktemp("patch_rows") / "studio.db")


@given(st.lists(st.lists(PATCHES | BUGS, max_size=8), max_size=4))
def test_summaries_and_counts_follow_every_patch(database, batches):
    with database.write() as session:
        run = Run(kind="benchmark", name="x", state="running", created_at=0.0)
        session.add(run)
        session.flush()
        for batch in batches:
            patch_rows = PatchRows(session, run.id)
            for said in batch:
                patch_rows.add(said)
            patch_rows.store()
    said = [event for batch in batches for event in batch]
    newest = {(each.bug_id, each.source, each.rank): each for each in said if isinstance(each, PatchEvent)}
    told = {each.id for each in said if isinstance(each, BugEvent)}
    with database.read() as session:
        bugs = {bug.bug_id: bug for bug in session.scalars(select(Bug).where(Bug.run_id == run.id))}
        counts = session.scalars(select(OutcomeCount).where(OutcomeCount.run_id == run.id)).all()
        stored = session.scalars(select(Patch).join(Bug, Patch.bug == Bug.id).where(Bug.run_id == run.id)).all()
    assert bugs.keys() == told | {key[0] for key in newest}
    assert len(stored) == len(newest)
    for bug_id, bug in bugs.items():
        mine = {key: each for key, each in newest.items() if key[0] == bug_id}
        ranks = {rank: each.verdict.outcome for (_, source, rank), each in mine.items() if source == "model"}
        at = CandidateSummary.of(ranks)
        assert CandidateSummary(bug.first_plausible, bug.first_unjudged, bug.plausible, bug.judged) == at
        known = [each for each in mine.values() if each.source == "model" and each.text == "fixed\n"]
        found = any(each.verdict.outcome is Outcome.PLAUSIBLE for each in known)
        assert bug.has_known_fix is (found and bug_id in told)
    expected: dict[str, int] = {}
    for (_, source, _), each in newest.items():
        if source == "model":
            expected[each.verdict.outcome] = expected.get(each.verdict.outcome, 0) + 1
    assert {row.outcome: row.candidates for row in counts if row.candidates} == expected


def test_a_text_that_many_patches_have_is_kept_once(database):
    with database.write() as session:
        run = Run(kind="benchmark", name="x", state="running", created_at=0.0)
        session.add(run)
        session.flush()
        patch_rows = PatchRows(session, run.id)
        verdict = VerdictFields(Outcome.TEST_FAILED, log="a log that is nowhere else")
        for rank in range(1, 101):
            patch_rows.add(PatchEvent("b/1", "model", rank, verdict, text="a patch that is nowhere else"))
        patch_rows.store()
    with database.read() as session:
        texts = session.scalars(select(Text.text).where(Text.text.like("a % that is nowhere else"))).all()
    assert sorted(texts) == ["a log that is nowhere else", "a patch that is nowhere else"]
