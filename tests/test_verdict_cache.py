"""A verdict is kept under all that it depends on, and not where nothing was run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.domain import Isolation, Outcome, Verdict
from engine.verdict_cache import BLOCK_BYTES, FOLDERS, MOST_BYTES, VerdictCache

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
NOWHERE = Path("/nowhere")
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
    for damage in ("", "{", '{"outcome": "fine"}', "[]", "[" * 200_000, '{"outcome": "not_run"}', "\0"):
        file.write_text(damage)
        assert cache.get(*CONDITIONS) is None
    file.write_text('{"outcome": "timeout"}')
    assert cache.get(*CONDITIONS) == Verdict(Outcome.TIMEOUT)
    file.write_text('{"outcome": "timeout"}' + " " * MOST_BYTES)
    assert cache.get(*CONDITIONS) is None


def test_only_a_regular_file_is_a_verdict(cache, tmp_path):
    cache.put(KEPT, *CONDITIONS)
    (file,) = (tmp_path / "verdicts").rglob("*.json")
    file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")
    assert cache.get(*CONDITIONS) is None
    file.unlink()
    os.mkfifo(file)
    assert cache.get(*CONDITIONS) is None, "nothing is waited for"
    cache.put(KEPT, *CONDITIONS)
    assert cache.get(*CONDITIONS) == KEPT, "what was in the way is replaced"
    file.unlink()
    file.mkdir()
    cache.put(KEPT, *CONDITIONS)
    assert cache.get(*CONDITIONS) is None
    assert [path.name for path in file.parent.iterdir()] == [file.name], "nothing half written"


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path):
    (tmp_path / "verdicts").write_text("a file")
    cache = VerdictCache(tmp_path / "verdicts")
    cache.put(KEPT, *CONDITIONS)
    assert cache.get(*CONDITIONS) is None


def in_one_folder(count):
    """Conditions whose verdicts lie in the same folder as those of the first."""
    found = {}
    for number in range(count * FOLDERS * 3):
        folder = VerdictCache._path(VerdictCache(NOWHERE), (str(number),)).parent
        found.setdefault(folder, []).append((str(number),))
        if len(found[folder]) == count:
            return found[folder]
    raise AssertionError("the hash spreads nothing")


def test_beyond_its_limit_what_was_not_used_for_longest_is_removed(tmp_path):
    cache = VerdictCache(tmp_path / "verdicts", FOLDERS * 3 * BLOCK_BYTES)
    first, second, third, fourth, fifth = in_one_folder(5)
    for when, conditions in enumerate((first, second, third), 1):
        cache.put(KEPT, *conditions)
        os.utime(cache._path(conditions), (when, when))
    assert cache.get(*first) == KEPT  # used just now
    cache.put(KEPT, *fourth)
    assert cache.get(*second) is None
    assert [cache.get(*each) for each in (first, third, fourth)] == [KEPT] * 3
    os.utime(cache._path(first), (1, 1))
    cache.put(KEPT, *fifth)
    assert [cache.get(*each) for each in (first, third, fourth, fifth)] == [None, KEPT, KEPT, KEPT]


def test_a_home_that_grew_without_a_limit_shrinks_to_it(tmp_path):
    many = in_one_folder(12)
    for conditions in many:
        VerdictCache(tmp_path / "verdicts").put(KEPT, *conditions)
    assert len(list((tmp_path / "verdicts").rglob("*.json"))) == 12
    VerdictCache(tmp_path / "verdicts", FOLDERS * 2 * BLOCK_BYTES).put(KEPT, *many[0])
    assert len(list((tmp_path / "verdicts").rglob("*.json"))) == 2


def test_many_runs_at_once_stay_within_the_limit_and_raise_nothing(tmp_path):
    conditions, limit = in_one_folder(40), 4
    caches = [VerdictCache(tmp_path / "verdicts", FOLDERS * limit * BLOCK_BYTES) for _ in range(8)]

    def use(number):
        for each in conditions[number:] + conditions[:number]:
            caches[number].put(KEPT, *each)
            assert caches[number].get(*each) in (KEPT, None)  # another run may have removed it

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    caches[0].put(KEPT, *conditions[0])
    left = [path for path in (tmp_path / "verdicts").rglob("*") if path.is_file()]
    assert len(left) == limit
    assert all(path.suffix == ".json" for path in left)  # nothing half written


def test_what_cannot_be_removed_breaks_nothing(tmp_path):
    cache = VerdictCache(tmp_path / "verdicts", 0)
    (conditions,) = in_one_folder(1)
    in_the_way = cache._path(conditions).parent / "a folder" / "in it"
    in_the_way.mkdir(parents=True)
    cache.put(KEPT, *conditions)
    assert cache.get(*conditions) is None  # beyond the limit
    assert in_the_way.is_dir()
