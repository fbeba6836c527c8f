"""Starts workers as detached processes of this machine, identified by boot id, process number and start time."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import psutil
from pydantic import AfterValidator, Field

from engine.errors import UserError
from engine.gpus import gpus
from engine.launchers.priced import Priced
from engine.params import setting, shown
from engine.spec import Spec

MARK = "REPAIR_STUDIO_RUN"  # in the environment of a worker and of all that it starts
ALL, CPU, PROCESSOR = "all", "cpu", "processor"
FIELD = "launcher"
_GPU = "GPU "
_DEVICES = re.compile(rf"{ALL}|{CPU}|\d{{1,3}}(,\d{{1,3}})*")


def _devices(text: str) -> str:
    text = text.replace(" ", "")
    if not _DEVICES.fullmatch(text):
        raise ValueError(f"should be {ALL}, {CPU}, or numbers of GPUs, as 0 or 0,1 (got {shown(text)})")
    return text


Devices = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_devices)]


class Local:
    """Starts a worker in a new session, so that it continues when the studio ends."""

    name: ClassVar[str] = "local"
    module: ClassVar[str] = "engine.work"  # that Python runs, and by which the process is found again

    class Params(Priced):
        """Which of this machine's devices a run has; each has one run at a time, unless the runs share a GPU."""

        name: Literal["local"] = "local"
        devices: Devices = setting(
            ALL,
            "all: every GPU, or the processor where there is none; cpu: the processor; or numbers of GPUs, as 0 or 0,1",
        )
        gpu_memory_gib: float | None = setting(
            None,
            "of each GPU, that the run needs; runs that fit into it together share it; left open: it has the GPU alone",
            title="GPU memory (GiB)",
            gt=0,
        )

    params: Params

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def check(self, spec: Spec) -> None:
        """Every kind of run can be started."""

    def room(self) -> Mapping[str, float]:
        return {PROCESSOR: 1.0, **{_gpu(number): 1.0 for number in range(len(gpus()))}}

    def needs(self) -> Mapping[str, float]:
        cards, wanted, memory = gpus(), self.params.devices, self.params.gpu_memory_gib
        if wanted == CPU or (wanted == ALL and not cards):
            return {PROCESSOR: 1.0}
        found = {}
        for number in range(len(cards)) if wanted == ALL else sorted({int(each) for each in wanted.split(",")}):
            if number >= len(cards):
                has = f"GPUs 0 to {len(cards) - 1}" if cards else "no GPU that NVIDIA's driver shows"
                raise UserError(f"launcher.devices: there is no GPU {number}; this machine has {has}", field=FIELD)
            share = (memory * (1 << 30)) / cards[number].memory_bytes if memory else 1.0
            if share > 1:
                has = f"{cards[number].memory_bytes / (1 << 30):.1f} GiB"
                raise UserError(f"launcher.gpu_memory_gib: GPU {number} has {has}, not {memory:g}", field=FIELD)
            found[_gpu(number)] = share
        return found

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        """Start the worker; its output goes to a file, since an unread pipe would freeze it."""
        with (run_dir / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                self._command(run_dir),
                cwd=run_dir,
                env={**os.environ, **environment, **self._visible(), MARK: str(run_dir)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return f"{boot_id()}:{process.pid}:{start_time(process.pid)}"

    def places(self) -> Sequence[Local]:
        """One for each GPU; on the processor workers run one after the other, since each uses all cores."""
        gpus_used = [each for each in self.needs() if each != PROCESSOR]
        if not gpus_used or not isinstance(self.params, Local.Params):
            return [self]
        numbers = [each.removeprefix(_GPU) for each in gpus_used]
        return [Local(self.params.model_copy(update={"devices": number})) for number in numbers]

    def _command(self, run_dir: Path) -> list[str]:
        return [sys.executable, "-P", "-m", self.module, str(run_dir)]

    def _visible(self) -> Mapping[str, str]:
        """What CUDA is told of the GPUs; their numbers are those of NVML, which counts by bus."""
        if not isinstance(self.params, Local.Params) or self.params.devices == ALL:
            return {}  # a launcher that is made from this one may have other settings
        chosen = "" if self.params.devices == CPU else self.params.devices
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": chosen}

    def find(self, run_dir: Path) -> str:
        """The first process of the session that `submit` opened for this folder."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                is_ours = process.environ().get(MARK) == str(run_dir) and self.module in process.cmdline()
                if is_ours and os.getsid(process.pid) == process.pid:
                    return f"{boot_id()}:{process.pid}:{start_time(process.pid)}"
        return ""

    def is_alive(self, handle: str) -> bool:
        boot, pid, started = parse_handle(handle)
        if boot != boot_id():
            return False
        with contextlib.suppress(ChildProcessError):  # not our child: another studio started it
            os.waitpid(pid, os.WNOHANG)
        return start_time(pid) == started and not _is_dead(pid)

    def interruption(self, handle: str) -> str:
        return "" if parse_handle(handle)[0] == boot_id() else "the machine was restarted while it ran"

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Send SIGTERM to the worker, and SIGCONT if it is suspended; or SIGKILL to it and everything it started."""
        number = signal.SIGKILL if force else signal.SIGTERM
        boot, pid, started = parse_handle(handle)
        if boot == boot_id() and start_time(pid) == started:
            descendants = _descendants(pid)  # listed first: the children of a killed process cannot be found
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number) if force else os.kill(self._asked(pid, descendants), number)
                os.kill(pid, signal.SIGCONT)
            if force:
                for process in descendants:
                    with contextlib.suppress(psutil.Error):
                        process.kill()  # psutil checks the start time, so it is never another process
        if force:
            self.sweep(run_dir)

    def _asked(self, pid: int, descendants: Sequence[psutil.Process]) -> int:
        """The process that saves and ends when it is asked to."""
        return pid

    def sweep(self, run_dir: Path) -> int:
        """Kill all processes that have this run's mark in their environment; returns how many."""
        swept = 0
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get(MARK) == str(run_dir):
                    process.kill()
                    swept += 1
        return swept


def _gpu(number: int) -> str:
    return f"{_GPU}{number}"


def boot_id() -> str:
    """The kernel's random name for this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_time(pid: int) -> int | None:
    """Start of a process in clock ticks since boot (proc(5), field 22); None if there is no such process."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def parse_handle(handle: str) -> tuple[str, int, int | None]:
    """(boot id, process number, start time in clock ticks since boot)."""
    boot, pid, started = handle.split(":")
    return boot, int(pid), None if started == "None" else int(started)


def _is_dead(pid: int) -> bool:
    """Whether a process has ended and only waits for its parent; its files are closed once its last thread is gone."""
    fields = _stat(pid)
    return not fields or (fields[0] == "Z" and int(fields[17]) <= 1)


def _stat(pid: int) -> list[str]:
    """Fields from the third of /proc/PID/stat; the name before them may contain spaces and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text[text.rindex(")") + 2 :].split()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []
