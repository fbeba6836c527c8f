"""The current and the peak memory of this process: on its GPU if there is one, else in main memory."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Memory:
    """Bytes used by this process, and where."""

    bytes: int
    device: str  # "NVIDIA H200", or "CPU"


def measure() -> Memory:
    """The memory of this process now: on the GPU by NVML, which includes the context, or its resident set."""
    if name := _gpu_name():
        return Memory(_nvml_bytes() or _torch_reserved(), name)
    return Memory(psutil.Process().memory_info().rss, "CPU")


def peak() -> Memory:
    """The peak so far: on a GPU, torch's own peak plus the size of the context."""
    if name := _gpu_name():
        import torch

        beside = max(0, _nvml_bytes() - _torch_reserved())
        return Memory(torch.cuda.max_memory_reserved() + beside, name)
    return Memory(most_resident(), "CPU")


def most_resident() -> int:
    """The largest resident set of this process in bytes.

    Linux counts `ru_maxrss` on from what the starting process held (getrusage(2)); VmHWM begins with the program.
    """
    with suppress(OSError), open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _gpu_name() -> str:
    torch = sys.modules.get("torch")  # a process that never imported torch has nothing on a GPU
    if torch is None or not torch.cuda.is_available():
        return ""
    return str(torch.cuda.get_device_name())


def _torch_reserved() -> int:
    import torch

    return int(torch.cuda.memory_reserved())


def _nvml_bytes() -> int:
    """This process' bytes on the current GPU; 0 if NVML does not know them (inside some containers)."""
    import pynvml
    import torch

    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
        return sum(one.usedGpuMemory or 0 for one in processes if one.pid == os.getpid())
    except pynvml.NVMLError:
        return 0
