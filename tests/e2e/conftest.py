"""The shell as a person uses it: a real process, its output and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


class Shell:
    """Runs `repair-studio` with a home folder of the test's own."""

    def __init__(self, home):
        self.home = home

    def __call__(self, *words, code=0, cwd=None):
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words, "--home", str(self.home)],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
            cwd=cwd,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words, code=0):
        return json.loads(self(*words, "--json", code=code).stdout)


@pytest.fixture
def shell(home):
    return Shell(home)
