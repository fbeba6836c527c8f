"""The NVIDIA GPUs of this machine and their driver, from NVML; loads no CUDA context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU as NVML describes it; bytes."""

    name: str
    memory_bytes: int
    used_bytes: int


def gpus() -> tuple[Gpu, ...]:
    """The GPUs now; empty if NVML does not answer."""
    with _nvml() as nvml:
        if nvml is None:
            return ()
        found = []
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            found.append(Gpu(str(nvml.nvmlDeviceGetName(handle)), int(memory.total), int(memory.used)))
        return tuple(found)


def driver() -> str:
    """The version of NVIDIA's driver; empty if NVML does not answer."""
    with _nvml() as nvml:
        return str(nvml.nvmlSystemGetDriverVersion()) if nvml is not None else ""


@contextmanager
def _nvml() -> Iterator[Any]:
    """The initialised NVML library; None if it is missing."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()
