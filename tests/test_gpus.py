"""The GPUs as NVML tells of them; a library in its place, since this machine may have none."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from engine import gpus

GIB = 1 << 30


class Nvml(SimpleNamespace):
    """As much of pynvml as is used: two cards, the second without power or temperature."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    def nvmlInit(self): ...
    def nvmlShutdown(self): ...

    def nvmlDeviceGetCount(self):
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):
        return ("GPU-a", "GPU-b")[index]

    def nvmlDeviceGetHandleByUUID(self, uuid):
        if uuid not in ("GPU-a", "GPU-b"):
            raise self.NVMLError
        return uuid

    def nvmlDeviceGetName(self, handle):
        return f"Card {handle[-1]}"

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(total=10 * GIB, used=3 * GIB)

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        unknown = SimpleNamespace(pid=7, usedGpuMemory=None)
        return [unknown, *(SimpleNamespace(pid=pid, usedGpuMemory=pid * GIB) for pid in (1, 2, 5))]

    def nvmlDeviceGetUtilizationRates(self, handle):
        return SimpleNamespace(gpu=93, memory=40)

    def nvmlDeviceGetTemperature(self, handle, sensor):
        return self._only_first(handle, 61)

    def nvmlDeviceGetPowerUsage(self, handle):
        return self._only_first(handle, 312_500)

    def _only_first(self, handle, value):
        if handle != "GPU-a":
            raise self.NVMLError
        return value


@pytest.fixture
def nvml(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())


def test_a_sample_has_what_the_card_tells_and_only_our_processes(nvml):
    first, second = gpus.samples(["GPU-a", "GPU-b"], {1, 2, 99})
    assert first == gpus.GpuSample(10 * GIB, 3 * GIB, 3 * GIB, 93, 61, 312.5)
    assert second == gpus.GpuSample(10 * GIB, 3 * GIB, 3 * GIB, 93, None, None)


def test_a_process_that_nvml_does_not_see_is_not_known_and_not_zero(nvml):
    assert [one.process_bytes for one in gpus.samples(["GPU-a"], {99, 7})] == [None]


def test_a_card_that_nvml_does_not_find_is_left_out(nvml):
    assert gpus.samples(["GPU-x"], set()) == (None,)


def test_without_nvml_there_is_nothing(monkeypatch):
    class Missing(Nvml):
        def nvmlInit(self):
            raise self.NVMLError

    monkeypatch.setitem(sys.modules, "pynvml", Missing())
    assert (gpus.samples(["GPU-a"], {1}), gpus.gpus(), gpus.driver()) == ((), (), "")
