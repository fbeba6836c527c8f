"""The Landlock launcher kills its tree with one call, so it must be certain that it can signal nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.sandboxes.landlock import OLDEST_ABI, abi

ROOT = Path(__file__).resolve().parents[2]
CONFINED = """
import os, sys
sys.path.insert(0, "engine/sandboxes")
import jail
jail.SIGNALS = int(sys.argv[1])
try:
    jail.confine_signals(os.getppid())
except OSError as refused:
    print(refused)
else:
    child = os.fork() or os._exit(0)
    os.kill(child, 0)
    print("confined")
"""

pytestmark = pytest.mark.skipif(abi() < OLDEST_ABI, reason=f"Landlock ABI {abi()}, needs {OLDEST_ABI}")


@pytest.mark.parametrize(("scopes", "said"), [(0b10, "confined"), (0b01, "the runner is within reach of signals")])
def test_signals_are_confined_or_the_launcher_gives_up(scopes, said):
    argv = [sys.executable, "-B", "-c", CONFINED, str(scopes)]
    assert subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20).stdout.strip() == said
