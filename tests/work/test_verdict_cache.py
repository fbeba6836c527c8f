"""A verdict is kept under all that it depends on, and not where nothing was run."""

from __future__ import annotations

import pytest

from engine.domain import Isolation, Outcome, Verdict
from engine.work.verdict_cache import VerdictCache

KEPT = Verdict(
    Outcome.TEST_FAILED,
    "x",
    "log",
    ("test_a",),
    0.5,
    "bubblewrap 0.8.0",
    Isolation.SHARED,
    {"compile": 0.25},
)
CONDITIONS = ("pocket/py-gcd", "version", "text", "bubblewrap 0.8.0")


@pytest.fixture
def cache(tmp_path):
    return VerdictCache(tmp_path / "verdicts")


def test_a_verdict_is_found_again_by_another_process(cache, tmp_path):
    assert cache.get(*CONDITIONS) is None
    cache.put(KEPT, *CONDITIONS)
    assert VerdictCache(tmp_path / "verdicts").get(*CONDITIONS) == KEPT


@pytest.mark.parametrize("other", range(4))
def test_another_condition_is_another_verdict(cache, other):
    cache.put(KEPT, *CONDITIONS)
    changed = [value + "x" if place == other else value for place, value in enumerate(CONDITIONS)]
    assert cache.get(*changed) is None
    assert cache.get("".join(CONDITIONS[:2]), "", *CONDITIONS[2:]) is None


def test_what_was_not_run_is_not_kept(cache, tmp_path):
    cache.put(Verdict(Outcome.NOT_RUN, "infra_error"), *CONDITIONS)
    assert cache.get(*CONDITIONS) is None
    assert not (tmp_path / "verdicts").exists()


def test_a_damaged_file_is_no_verdict(cache, tmp_path):
    cache.put(KEPT, *CONDITIONS)
    (file,) = (tmp_path / "verdicts").rglob("*.json")
    for damage in ("", "{", '{"outcome": "fine"}', "[]"):
        file.write_text(damage)
        assert cache.get(*CONDITIONS) is None


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path):
    (tmp_path / "verdicts").write_text("a file")
    cache = VerdictCache(tmp_path / "verdicts")
    cache.put(KEPT, *CONDITIONS)
    assert cache.get(*CONDITIONS) is None
