"""Every registered sandbox keeps the contract, or says why it cannot run here."""

from __future__ import annotations

import pytest

from engine.errors import SandboxUnavailable
from engine.registry import Params
from engine.sandboxes import registry, strongest
from engine.sandboxes.contract import check


@pytest.mark.parametrize("name", registry.names())
def test_a_sandbox_keeps_the_contract(name):
    sandbox = registry.create(Params(name=name))
    if reason := sandbox.unavailable():
        pytest.skip(reason)
    check(sandbox)


def test_the_check_fails_for_a_plain_subprocess():
    class Plain(registry.plugin("bubblewrap")):
        def unavailable(self):
            return ""

        def run(self, argv, files, limits, *, results=(), tools=None):
            ran = super().run(argv, files, limits, results=results, tools=tools)
            return type(ran)("exit", 0, ran.stdout, ran.stderr, ran.wall_s)

    with pytest.raises(AssertionError):
        check(Plain(Params(name="bubblewrap")))


def test_without_any_level_nothing_runs_and_every_reason_is_given(monkeypatch):
    ran = []
    for name in registry.names():
        plugin = registry.plugin(name)
        monkeypatch.setattr(plugin, "unavailable", lambda self: f"no {self.name} today")
        monkeypatch.setattr(plugin, "run", lambda *_, **__: ran.append(1))
    with pytest.raises(SandboxUnavailable) as refused:
        strongest()
    assert all(f"no {name} today" in str(refused.value) for name in registry.names())
    assert ran == []
