"""A module named in an import is imported at its first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = "import sys; from studio.later import import_later; import_later('pandas'); import pandas as pd; "
IS_HERE = "'pandas.core.frame' in sys.modules"


def said(program):
    done = subprocess.run([sys.executable, "-c", BEGIN + program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_an_import_alone_does_not_import_it():
    assert said(f"import pandas; print({IS_HERE})") == ["False"]


@pytest.mark.parametrize(
    "use",
    [
        "pd.DataFrame",
        "__import__('pandas').DataFrame",
        "__import__('pandas.core.frame')",
        "getattr(__import__('pandas', fromlist=['DataFrame']), 'DataFrame')",
    ],
)
def test_the_first_use_does(use):
    assert said(f"{use}; import pandas; print({IS_HERE}, pd.DataFrame is pandas.DataFrame)") == ["True", "True"]


def test_it_is_found_as_installed_and_has_no_effect_twice():
    program = f"import importlib.util as u; import_later('pandas'); print(u.find_spec('pandas').name, {IS_HERE})"
    assert said(program) == ["pandas", "False"]


def test_one_that_is_missing_stays_missing():
    assert said("import_later('no_such_module'); print('no_such_module' in sys.modules)") == ["False"]


def test_the_server_does_not_import_pandas_to_show_its_pages(tmp_path):
    program = (
        "import sys, studio.app; from pathlib import Path; from engine.control.workspace import Workspace; "
        f"studio.app.create_app(Workspace(Path({str(tmp_path)!r}))); print({IS_HERE})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False"], done.stderr
