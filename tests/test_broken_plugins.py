"""A package whose plug-in cannot be used is named in a sentence, and hinders none of the others."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

from engine import plugins
from engine.errors import UserError
from engine.plugins import Registry
from engine.shell.cli import app

GROUP = "repair_studio.builders"


def end():
    raise SystemExit(3)


@pytest.fixture
def builders(monkeypatch):
    """The registry of builders with these packages installed: (name, path) of each plug-in."""

    def installed(*found):
        points = [EntryPoint(name, path, GROUP) for name, path in found]
        monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == GROUP else [])
        registry = Registry("builders", "builder", {"faults": "engine.builders.faults:FaultInjection"})
        monkeypatch.setattr(plugins.BUILDERS, "__dict__", registry.__dict__)
        return registry

    return installed


@pytest.fixture
def odd_module(monkeypatch):
    module = types.ModuleType("odd_package")
    module.NoParams = type("NoParams", (), {})
    module.OddParams = type("OddParams", (), {"Params": 5})
    module.Ends = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "odd_package", module)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no_such_package:X", "No module named 'no_such_package'"),
        ("odd_package:Missing", "no attribute 'Missing'"),
        ("odd_package:NoParams", "Params"),
        ("odd_package:OddParams", "issubclass"),
        ("antigravity_that_ends:X", "SystemExit: 3"),
        ("raises_on_import:X", "ZeroDivisionError"),
    ],
)
def test_a_broken_plugin_is_one_sentence_in_the_shell(builders, odd_module, tmp_path, monkeypatch, home, path, said):
    (tmp_path / "antigravity_that_ends.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "raises_on_import.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = builders(("weird", path))
    with pytest.raises(UserError, match="the builders plug-in 'weird' cannot be loaded from") as error:
        registry.plugin("weird")
    assert said in str(error.value)
    words = ["dataset", "build", "--set", "builder=weird", "--home", str(home)]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.stderr
    assert path in done.stderr
    assert registry.plugin("faults").__name__ == "FaultInjection"


def test_a_second_plugin_of_a_name_is_logged_and_not_used(builders, caplog):
    registry = builders(("faults", "other:Faults"), ("mine", "first:X"), ("mine", "second:X"), ("mine", "first:X"))
    assert registry.names() == ["faults", "mine"]
    assert registry.plugin("faults").__name__ == "FaultInjection"
    assert [record.getMessage() for record in caplog.records] == [
        "faults of builders: engine.builders.faults:FaultInjection is used, and other:Faults is not",
        "mine of builders: first:X is used, and second:X is not",
    ]
