"""Starts a worker as a job of a SLURM cluster, through submitit; the run's folder is on a file system that it shares.

A run's handle is "NUMBER:NAME" of its job; the name is made of the folder, so that a job is found again by it, and an
earlier cluster's job with the same number is not taken for it.
"""

from __future__ import annotations

import math
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

from engine import ranks, requeued
from engine.errors import MissingDependency, OutsideFailure, UserError
from engine.launchers import Place
from engine.launchers.local import MARK
from engine.launchers.named import name_of
from engine.launchers.slurm_jobs import WAITS, WORKS, Job, cancel, exit_code, job, jobs_called, partitions
from engine.launchers.slurm_settings import SlurmParams, named
from engine.launchers.together import check_together
from engine.params import shown
from engine.spec import Spec

FIELD = "launcher"
RESOURCE = "SLURM jobs"
AFTER_S = 600  # in which the processes of a training end after the first one has; it may be saving
LEADER = f"{ranks.FOLDER}/leader"  # in the run's folder: the number of the first of these processes
NOT_PUT_BACK = 75  # exit code of slurm_job.sh: the scheduler has ended the worker, and it could not be put back
# Of one whose modules are not there, or whose Python is not or lacks the studio: a worker's own error has a last event
NOT_STARTED = ("1:0", "126:0", "127:0")
UNSEEN = "0:53"  # exit code of a job whose node could not open its log (slurmstepd: ESLURMD_IO_ERROR)
OF_A_JOB = ("SLURM_", "SBATCH_", "SUBMITIT_")  # variables of a job in which the studio itself may run
HOW_TO_GET = "pip install 'repair-studio[slurm]'"
WHY = {
    "TIMEOUT": "reached its time limit",
    "DEADLINE": "reached its deadline",
    "PREEMPTED": "was pre-empted",
    "NODE_FAIL": "lost its node",
    "BOOT_FAIL": "lost its node, which did not start",
    "OUT_OF_MEMORY": "needed more than launcher.memory_gib",
    "CANCELLED": "was cancelled, and not by the studio",
    "REVOKED": "was moved to another cluster",
}


class Slurm:
    """Submits a job, which is put back into SLURM's queue when it is pre-empted or its time is over.

    It has one node, or several that train one model together.
    """

    name: ClassVar[str] = "slurm"

    Params = SlurmParams

    params: SlurmParams

    def __init__(self, params: SlurmParams | None = None) -> None:
        self.params = params or SlurmParams()

    def check(self, spec: Spec) -> None:
        """Raises MissingDependency if SLURM's commands or submitit are not here, UserError for several processes of
        a run that works in one only."""
        if why := unavailable():
            raise MissingDependency(f"launcher: {why}", field=FIELD)
        if self._count > 1:
            check_together(spec, "slurm with more than one process", self.params)

    def room(self) -> Mapping[str, float]:
        return {RESOURCE: float(self.params.most_active)}

    def needs(self) -> Mapping[str, float]:
        return {RESOURCE: 1.0}

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        """Write the job's script and submit it. Raises OutsideFailure with sbatch's own words if that fails.

        The environment goes to SLURM through a file that only this user can read and that is removed at once: a command
        line and a script can be read by others. SLURM keeps it as its own user, for when the job starts again.
        """
        if not str(run_dir).isprintable():
            raise UserError(f"the run's folder {shown(str(run_dir))} has a name that no sbatch script can hold")
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        requeued.begin(run_dir)
        folder = run_dir / "slurm"
        folder.mkdir(exist_ok=True)
        executor = SlurmExecutor(folder=folder)
        descriptor, exported = tempfile.mkstemp(dir=folder, prefix=".environment-")  # with mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_exported({**os.environ, **environment}))
            executor.update_parameters(**self._parameters(run_dir, exported))
            # not `submit`, which pickles a function and would buffer the log: the worker is a command of our own
            number = executor._submit_command(self._script(run_dir)).job_id
        except (FailedJobError, FailedSubmissionError) as error:
            said = " ".join(str(error).replace("sbatch: error: ", "").split())
            how = "this cluster may have no GPUs, then set launcher.gpus=0; " if "gres" in said else ""
            raise OutsideFailure(
                f"SLURM did not take the job: {said}; {how}change the launcher's settings in a new run, or resume this "
                "one when SLURM answers again"
            ) from None
        finally:
            os.unlink(exported)
        return f"{number}:{name_of(run_dir)}"

    def _parameters(self, run_dir: Path, exported: str) -> dict[str, object]:
        """Those of submitit, and in `additional_parameters` options of sbatch by name."""
        wanted, log = self.params, str(run_dir / "log.txt").replace("%", "%%")
        more: dict[str, object] = {
            **dict(named(wanted.options)),
            "export-file": exported,
            "chdir": str(run_dir),
            "output": log,
            "requeue": True,
            "signal": f"B:TERM@{wanted.signal_s}",  # to the script alone, and not to the tests that the worker runs
        }
        memory = wanted.memory_gib
        return {
            "job_name": name_of(run_dir),
            "partition": wanted.partition or None,
            "account": wanted.account or None,
            "qos": wanted.qos or None,
            "time": math.ceil(wanted.hours * 60),
            "gpus_per_node": wanted.gpus or None,
            "nodes": wanted.nodes,
            "ntasks_per_node": wanted.processes,
            "cpus_per_task": self._cores,
            "mem": f"{math.ceil(memory * 1024)}M" if memory else None,
            "wckey": None,
            "stderr_to_stdout": True,
            "use_srun": False,
            "setup": [_loading(wanted.modules)] if wanted.modules else None,
            "additional_parameters": more,
        }

    def _script(self, run_dir: Path) -> str:
        """What the job runs: slurm_job.sh, with the run's own words before it."""
        wanted = self.params
        python = [*shlex.split(wanted.prefix), *(shlex.split(wanted.python) or [sys.executable])]
        values = {
            "folder": str(run_dir),
            "mark": f"{MARK}={run_dir}",
            "requeues": str(wanted.requeues),
            "stop": str(run_dir / requeued.STOP),
            "together": "",
        }
        worker = shlex.join([*python, "-P", "-m", "engine.work", str(run_dir)])
        if self._count > 1:
            values["together"] = str(run_dir / ranks.FOLDER)
            worker = self._together(worker)
        own = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
        script = resources.files("engine.launchers").joinpath("slurm_job.sh").read_text(encoding="utf-8")
        return "\n".join([*own, f"export {requeued.STARTS_AGAIN}=yes", script.replace("WORKER", worker, 1)])

    def _together(self, worker: str) -> str:
        """One process for each task of the job. They find each other in the run's folder, as those of `torchrun` do."""
        wanted = self.params
        own = {
            "RANK": "$SLURM_PROCID", "LOCAL_RANK": "$SLURM_LOCALID", "GROUP_RANK": "$SLURM_NODEID",
            "ROLE_RANK": "$SLURM_PROCID", "WORLD_SIZE": str(self._count), "ROLE_WORLD_SIZE": str(self._count),
            "LOCAL_WORLD_SIZE": str(wanted.processes), ranks.STRATEGY: wanted.strategy,
            "OMP_NUM_THREADS": f"${{OMP_NUM_THREADS:-{self._cores}}}",
            "MASTER_ADDR": "$SLURM_LAUNCH_NODE_IPADDR",  # accelerate wants to see one, and connects to none
        }  # fmt: skip
        named_leader = f'[ "$RANK" != 0 ] || echo $$ > {LEADER}'
        task = f"export {' '.join(f'{name}={value}' for name, value in own.items())}; {named_leader}; exec {worker}"
        shape = [f"--nodes={wanted.nodes}", f"--ntasks-per-node={wanted.processes}", f"--cpus-per-task={self._cores}"]
        # a task that has ended does not end the others at once: the first may still be saving
        return shlex.join(["srun", *shape, "--mpi=none", "--export=ALL", f"--wait={AFTER_S}", "bash", "-c", task])

    @property
    def _count(self) -> int:
        """Processes of the run."""
        return self.params.nodes * self.params.processes

    @property
    def _cores(self) -> int:
        """Of each process."""
        return max(1, self.params.cpus // self.params.processes)

    def find(self, run_dir: Path) -> str:
        found = jobs_called(name_of(run_dir))
        return f"{found[-1].number}:{found[-1].name}" if found else ""

    def is_alive(self, handle: str) -> bool | Literal["pending"]:
        found = _job(handle)
        if found is None:
            return False
        return "pending" if found.state in WAITS else found.state in WORKS

    def place(self, handle: str) -> Place:
        """Its job, its node, and SLURM's own reason for which it waits."""
        found = _job(handle)
        if found is None:
            return Place()
        where = f"SLURM job {found.number}" + (f" on {found.nodes}" if found.nodes else "")
        return Place(where, found.state.lower(), "" if found.reason == "None" else found.reason)

    def interruption(self, handle: str) -> str:
        found = _job(handle, is_fresh=True)
        if found is None:
            return "its SLURM job ended while no studio was open, and SLURM has forgotten how"
        if found.state in WORKS | WAITS or found.state == "COMPLETED":
            return ""
        code, what = exit_code(found.number), f"its SLURM job {found.number}"
        if found.state in WHY:
            return f"{what} {WHY[found.state]}"
        if code == UNSEEN or found.reason == "JobLaunchFailure":
            return (
                f"{what} could not be started: node {found.nodes} does not see the run's folder, or may not write to "
                "it; give the studio a --home on a file system that all nodes share"
            )
        if code in NOT_STARTED:
            return (
                f"{what} could not start the worker, see the run's log; launcher.modules, launcher.prefix and "
                "launcher.python say how it does that"
            )
        return f"{what} was ended by SLURM, and could not be queued again" if code == f"{NOT_PUT_BACK}:0" else ""

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Signal the job's script, which asks the worker or kills it with all it started; cancel a job that waits."""
        if (found := _job(handle, is_fresh=True)) is None or found.state not in WAITS | WORKS:
            return
        requeued.ask_to_stop(run_dir)
        if found.state not in WAITS:
            cancel(found, "--batch", f"--signal={'USR2' if force else 'TERM'}")
        if force or found.state in WAITS:
            cancel(found)  # SLURM itself kills what is left of it after KillWait seconds
        else:
            cancel(found, "--state=PENDING")  # it was put back in between


def unavailable() -> str:
    """Why no job can be submitted from here; empty if one can."""
    if shutil.which("sbatch") is None:
        return "there is no sbatch here; start the studio on a login node of the cluster"
    if find_spec("submitit") is None:
        return f"slurm needs submitit: {HOW_TO_GET}"
    return ""


def described() -> tuple[bool, str]:
    """Whether jobs can be submitted from here, and the cluster's partitions, or why not."""
    if why := unavailable():
        return False, why
    try:
        return True, f"partitions: {partitions()}"
    except OSError as error:
        return False, f"{error}; start the studio where SLURM's own commands work"


def _job(handle: str, *, is_fresh: bool = False) -> Job | None:
    number, _, name = handle.partition(":")
    return job(number, name, is_fresh=is_fresh)


def _loading(modules: str) -> str:
    """A line that loads modules; `module` is a function that a shell without login may lack."""
    return f"command -v module >/dev/null || . /etc/profile\nmodule load {shlex.join(shlex.split(modules))} || exit 1"


def _exported(environment: Mapping[str, str]) -> bytes:
    """As sbatch's --export-file reads it: NAME=value, each ended by a null byte."""
    kept = ((name, value) for name, value in environment.items() if not name.startswith(OF_A_JOB))
    return b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in kept)
