"""Every registered benchmark keeps the contract on its first bugs, and in full where time is given."""

from __future__ import annotations

import pytest

from engine.benchmarks import registry
from engine.benchmarks.contract import check
from engine.errors import SandboxUnavailable, UserError
from engine.sandboxes import strongest

pytestmark = pytest.mark.slow

FOLDERS = {"quixbugs": "quixbugs"}  # benchmarks that read a checkout, and where it lies beside a developer's


@pytest.fixture(scope="module")
def sandbox():
    try:
        return strongest()
    except SandboxUnavailable as reason:
        pytest.skip(str(reason))


def made(name, request, **settings):
    if name in FOLDERS:
        settings["folder"] = str(request.getfixturevalue("shared_data") / FOLDERS[name])
    benchmark = registry.create(registry.params({"name": name, **settings}))
    if not benchmark.bugs():
        pytest.skip(f"{name} has no bugs here yet")
    return benchmark


@pytest.mark.parametrize("name", registry.names())
def test_the_first_bugs_keep_the_contract(name, sandbox, request):
    quick = {"timeout_s": 2} if name == "quixbugs" else {}  # whose first bug never ends
    benchmark = made(name, request, **quick)
    judged = check(benchmark, sandbox, limit=1)
    skipped = benchmark.skipped()
    assert judged == len({bug.language for bug in benchmark.bugs() if bug.id not in skipped})
    if skipped:
        pytest.skip(f"judged {judged}; not: {'; '.join(sorted(set(skipped.values())))}")


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names())
def test_all_bugs_keep_the_contract(name, sandbox, request):
    benchmark = made(name, request)
    assert check(benchmark, sandbox) == len(benchmark.bugs()) - len(benchmark.skipped())


@pytest.mark.parametrize("name", FOLDERS)
def test_a_missing_checkout_is_said_with_what_to_do(name, tmp_path):
    for folder in ("", str(tmp_path)):
        benchmark = registry.create(registry.params({"name": name, "folder": folder}))
        for look in (benchmark.check, benchmark.bugs):
            with pytest.raises(UserError, match="git clone"):
                look()
