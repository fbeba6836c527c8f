"""Trees that several threads build at the same time."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.languages import source
from engine.languages.python_syntax import tree_of


@pytest.fixture
def restless():
    """Garbage is collected often, in Python code of ours, where another thread may go on."""
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()

    def collecting(phase, info):
        sum(range(50))

    gc.callbacks.append(collecting)
    gc.set_threshold(500)
    sys.setswitchinterval(1e-6)
    yield
    gc.callbacks.remove(collecting)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def test_many_threads_may_build_trees_at_once(restless):
    text = Path(source.__file__).read_text()
    with ThreadPoolExecutor(4) as pool:
        assert len({len(tree.body) for tree in pool.map(tree_of, [text] * 100)}) == 1
