"""What every test shares: a home folder of its own, and the data that only lies beside a developer's checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's client is imported, which can be before the first test
# Read when torch is imported. Several test processes with a thread for every core each wait for one another most of the
# time: as long as the computation itself on two cores, and ten times as long with other programs running.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("studio", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("studio")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No test ever touches the user's own home folder, nor a network."""
    folder = tmp_path / "home"
    monkeypatch.setenv("REPAIR_STUDIO_HOME", str(folder))
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    return folder


def pytest_runtest_setup(item):
    """A test that needs an NVIDIA GPU skips where there is none, however it was chosen."""
    if item.get_closest_marker("gpu"):
        import torch  # only here: it takes seconds, and most tests need none

        if not torch.cuda.is_available():
            pytest.skip("no NVIDIA GPU here")


@pytest.fixture
def shared_data():
    """Real benchmark data, where it is at hand."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; it lies beside a developer's checkout only")
    return folder
