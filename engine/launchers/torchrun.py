"""Starts several processes of one training run on this machine, one a GPU, under torch's own launcher `torchrun`.

A run's handle is torchrun's process. The worker that leads, process 0, is the only one that is asked to stop: it tells
the others at the end of a step, when all are there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import psutil

from engine import ranks
from engine.errors import UserError
from engine.launchers.local import FIELD, PROCESSOR, Local
from engine.launchers.together import TogetherParams, check_together
from engine.params import setting
from engine.spec import Spec

# Else a port is opened for torchrun's own store, and the processes listen on the machine's first address
LOCAL_ONLY = {
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1", "GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo",
}  # fmt: skip


class Torchrun(Local):
    """The same worker in several processes, which share each batch, and with FSDP the weights too."""

    name: ClassVar[str] = "torchrun"
    module: ClassVar[str] = "torch.distributed.run"

    class Params(TogetherParams, Local.Params):
        """Which devices, how many processes, and whether they share the weights."""

        name: Literal["torchrun"] = "torchrun"  # type: ignore[assignment]
        processes: int = setting(0, "that train together on this machine; 0: one for each GPU of the run", ge=0, le=64)

    params: Params

    def __init__(self, params: Params | None = None) -> None:
        super().__init__(params or self.Params())

    def check(self, spec: Spec) -> None:
        check_together(spec, self.name, self.params)

    def needs(self) -> Mapping[str, float]:
        needed = super().needs()
        wanted = self.params.processes
        if PROCESSOR not in needed and wanted > len(needed):
            raise UserError(
                f"launcher.processes: {wanted} processes need as many GPUs, and the run has {len(needed)}; leave it at "
                "0, or set launcher.devices to cpu",
                field=FIELD,
            )
        return needed

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        meeting = run_dir / ranks.FOLDER
        shutil.rmtree(meeting, ignore_errors=True)  # of an earlier start, whose processes are gone
        meeting.mkdir()
        threads = str(max(1, len(os.sched_getaffinity(0)) // self._count()))
        shared = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads), ranks.STRATEGY: self.params.strategy}
        return super().submit(run_dir, {**environment, **shared, **LOCAL_ONLY})

    def _command(self, run_dir: Path) -> list[str]:
        """torchrun's; the processes meet in a file, since its usual way is a port that any machine may connect to."""
        meeting = ["--rdzv-backend", "c10d", "--rdzv-conf", "store_type=file"]
        # a file of its own: torchrun of an earlier start may be ending still, and closes the one where it met
        place = ["--rdzv-endpoint", str(run_dir / ranks.FOLDER / f"rendezvous-{time.time_ns()}")]
        here = ["--local-addr", "127.0.0.1"]
        own_gpu = [] if PROCESSOR in self.needs() else ["--virtual-local-rank"]  # the only one that a process sees
        started = ["--nnodes", "1", "--nproc-per-node", str(self._count()), "--no-python"]
        return [
            sys.executable,
            "-P",
            "-m",
            self.module,
            *meeting,
            *place,
            *here,
            *own_gpu,
            *started,
            *Local()._command(run_dir),
        ]

    def _count(self) -> int:
        needed = self.needs()
        return self.params.processes or (1 if PROCESSOR in needed else len(needed))

    def _asked(self, pid: int, descendants: Sequence[psutil.Process]) -> int:
        """Process 0; torchrun itself while it has started none. Those that are suspended go on."""
        found = pid
        for process in descendants:
            with contextlib.suppress(psutil.Error):
                if Local.module in process.cmdline() and process.environ().get("RANK") == "0":
                    found = process.pid
                process.send_signal(signal.SIGCONT)
        return found
