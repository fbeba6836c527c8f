"""The NVIDIA GPUs of this machine and their driver, from NVML; loads no CUDA context."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU as NVML describes it; bytes."""

    name: str
    memory_bytes: int
    used_bytes: int


@dataclass(frozen=True)
class GpuSample:
    """What one GPU does just now; None: NVML does not have it for this GPU, or not here (inside some containers)."""

    total_bytes: int
    used_bytes: int  # by everybody
    process_bytes: int | None  # by the processes that were asked for
    utilisation: int | None  # percent of the last moments in which a kernel ran, 0 to 100
    temperature: int | None  # degrees Celsius
    power: float | None  # watts


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


def visible(environment: Mapping[str, str] = os.environ) -> tuple[Gpu, ...]:
    """Those that CUDA shows to a process with this environment, where it names them by number."""
    chosen, cards = environment.get("CUDA_VISIBLE_DEVICES"), gpus()
    if chosen is None:
        return cards
    numbers = [int(each) for each in chosen.split(",") if each.strip().isdecimal()]
    if chosen.strip() and not numbers:  # named by UUID
        return cards
    return tuple(cards[number] for number in numbers if number < len(cards))


def samples(uuids: Sequence[str], pids: Collection[int]) -> tuple[GpuSample | None, ...]:
    """What each of these GPUs ("GPU-8f1c...") does now, and what these processes hold there.

    None for a GPU that NVML does not find; empty if it does not answer at all.
    """
    with _nvml() as nvml:
        return () if nvml is None else tuple(_sample(nvml, uuid, pids) for uuid in uuids)


def driver() -> str:
    """The version of NVIDIA's driver; empty if NVML does not answer."""
    with _nvml() as nvml:
        return str(nvml.nvmlSystemGetDriverVersion()) if nvml is not None else ""


def _sample(nvml: Any, uuid: str, pids: Collection[int]) -> GpuSample | None:
    def asked(call: Callable[[], Any]) -> Any:
        with suppress(nvml.NVMLError):
            return call()
        return None

    handle = asked(lambda: nvml.nvmlDeviceGetHandleByUUID(uuid))
    memory = handle and asked(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    if not memory:
        return None
    processes = asked(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or ()
    ours = [one.usedGpuMemory for one in processes if one.pid in pids and one.usedGpuMemory is not None]
    milliwatts = asked(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    return GpuSample(
        total_bytes=int(memory.total),
        used_bytes=int(memory.used),
        process_bytes=sum(ours) if ours else None,
        utilisation=asked(lambda: int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
        temperature=asked(lambda: int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))),
        power=None if milliwatts is None else milliwatts / 1000,
    )


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
