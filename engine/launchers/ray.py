"""Starts a worker as a job of a Ray cluster; the run's folder is on a file system that its nodes see.

A run's handle is its folder: there it says which is its newest job, and there the worker is asked what it has to do
(`ray_folder.py`). A cluster that does not answer changes nothing.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

from engine import requeued
from engine.errors import MissingDependency, OutsideFailure, UserError
from engine.launchers import Place, ray_folder, ray_local
from engine.launchers.named import name_of
from engine.launchers.ray_folder import KILL, Note, begun, read_note
from engine.launchers.ray_jobs import (
    FAILED,
    LATE,
    STOPPED,
    WAITS,
    WORKS,
    Cluster,
    Job,
    NoAnswer,
    token,
    why_failed,
)
from engine.launchers.ray_newest import cluster_of, job_of, once_ended
from engine.launchers.ray_settings import (
    FROM_ENVIRONMENT,
    LOCAL,
    TESTS,
    RayParams,
    custom,
    reserved,
    resolved,
    runtime_env,
    too_large,
)
from engine.launchers.together import check_together
from engine.rundir import CALL_LOCK, RunDir
from engine.spec import Spec

FIELD = "launcher"
RESOURCE = "Ray jobs"
HOW_TO_GET = "pip install 'repair-studio[ray]'"
MOST_SAVING_S = 660  # that Ray's own stop waits for a worker to save, as long as the studio does


class Ray:
    """Gives a run to Ray Jobs, with its resources reserved on the node that Ray chooses.

    Several processes that train together are one job, too.
    """

    name: ClassVar[str] = "ray"

    Params = RayParams

    params: RayParams

    def __init__(self, params: RayParams | None = None) -> None:
        self.params = params or RayParams()

    def check(self, spec: Spec) -> None:
        """Raises UserError if no cluster is named, MissingDependency if Ray is needed here and is not installed,
        UserError for several processes of a run that works in one only."""
        runtime_env(self.params)
        if self.params.processes > 1:
            check_together(spec, "ray with more than one process", self.params)
            if self.params.gpus not in (0, 1):
                raise UserError(
                    f"launcher.gpus: is {self.params.gpus:g}, and each of several processes trains on one GPU; set it "
                    "to 1, or to 0 for the processor",
                    field="launcher.gpus",
                )
        if resolved(self.params.address) == LOCAL and find_spec("ray") is None:
            raise MissingDependency(f"launcher: a cluster of this machine needs Ray: {HOW_TO_GET}", field=FIELD)

    def room(self) -> Mapping[str, float]:
        return {RESOURCE: float(self.params.most_active)}

    def needs(self) -> Mapping[str, float]:
        return {RESOURCE: 1.0}

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        """Give the run's next job to Ray, with its variables in a file; one that has not ended is taken over.

        Raises UserError with Ray's words if it refuses the job, OutsideFailure if it does not answer.
        """
        note = replace(read_note(run_dir) or Note(), address=resolved(self.params.address))
        try:
            if note.address == LOCAL:
                ray_local.start(RunDir(run_dir).home)
            before = once_ended(run_dir, note)
            if note.is_stopped or before is None or before.status not in (WAITS, WORKS):
                named = {name: os.environ[name] for name in self.params.environment if name in os.environ}
                ray_folder.begin(run_dir, {**self._visible(), **self._tests(), **named, **environment})
                self._give(run_dir, replace(note, lost=0, is_stopped=False))
        except NoAnswer as error:
            ray_folder.forget_variables(run_dir)
            raise OutsideFailure(f"{error}; resume the run when it does") from None
        return str(run_dir)

    def _give(self, run_dir: Path, before: Note) -> None:
        """Submit the job after this one. Raises UserError as `submit`, NoAnswer if Ray does not answer."""
        number = before.number + 1
        note = replace(before, number=number, job=f"{name_of(run_dir)}-{number}", is_taken=False)
        if (cluster := cluster_of(run_dir, note)) is None:
            raise NoAnswer("the Ray cluster of this machine has ended")
        note.write(run_dir)  # first, so that a studio that is killed now finds the job
        try:
            cluster.submit(note.job, self._command(run_dir, note.job), self._request())
        except ValueError as error:
            if "already exists" in str(error):  # of an earlier run in a folder of this name
                return self._give(run_dir, note)
            ray_folder.forget_variables(run_dir)
            raise UserError(f"launcher: Ray does not take the job: {error}", field=FIELD) from None
        except NoAnswer:
            if cluster.job(note.job, is_fresh=True) is None:
                raise
            # it was taken, and only the answer was lost
        replace(note, is_taken=True).write(run_dir)

    def _command(self, run_dir: Path, job: str) -> str:
        python = shlex.split(self.params.python) or [sys.executable]
        is_kept = "yes" if self.params.restarts else "no"
        words = [str(run_dir), job, is_kept]
        if self.params.processes == 1:
            return f"exec {shlex.join([*python, '-P', '-m', 'engine.launchers.ray_worker', *words])}"
        each = {"python": python, "strategy": self.params.strategy, "reserved": self._reserved()}
        return f"exec {shlex.join([*python, '-P', '-m', 'engine.launchers.ray_ranks', *words, json.dumps(each)])}"

    def _reserved(self) -> list[dict[str, float]]:
        """Of each process."""
        return [reserved(self.params)] * self.params.processes

    def _request(self) -> dict[str, Any]:
        """The fields of Ray's request that say what the job reserves and gets."""
        wanted, needed = runtime_env(self.params), reserved(self.params)
        variables = {**wanted["env_vars"], "RAY_JOB_STOP_WAIT_TIME_S": str(MOST_SAVING_S)}
        if self.params.processes > 1:  # what the job starts reserves for itself
            return {"runtime_env": {**wanted, "env_vars": variables}}
        fields = {
            "entrypoint_num_cpus": needed["CPU"],
            "entrypoint_num_gpus": needed.get("GPU"),
            "entrypoint_memory": int(needed["memory"]) if "memory" in needed else None,
            "entrypoint_resources": custom(self.params) or None,
            "runtime_env": {**wanted, "env_vars": variables},
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _visible(self) -> dict[str, str]:
        """Ray itself names the GPUs that it reserved, by the numbers that the driver has for them."""
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if self.params.gpus else {"CUDA_VISIBLE_DEVICES": ""}

    def _tests(self) -> dict[str, str]:
        return {TESTS: str(self.params.most_tests)} if self.params.validate_on == "cluster" else {}

    def find(self, run_dir: Path) -> str:
        """Raises NoAnswer if the cluster does not answer."""
        note = read_note(run_dir) or Note()
        found = None if note.is_stopped else job_of(run_dir, note, is_fresh=True)
        return str(run_dir) if found and found.status in (WAITS, WORKS) else ""

    def is_alive(self, handle: str) -> bool | Literal["pending"]:
        """Whether its job waits or works; one that waited too long for Ray, or lost its node, may be given to it again.

        While the cluster does not answer it counts as before, unless it is to be killed and writes no heartbeat.
        """
        folder = Path(handle)
        note = read_note(folder) or Note()
        is_begun = bool(begun(folder, note.job))
        try:
            found = job_of(folder, note)
            if found and found.status == WORKS and self.params.processes > 1 and not is_begun:
                return "pending"  # until there is room for all its processes
            if found and found.status == WORKS:
                return True
            if found and found.status == WAITS:
                return False if note.is_stopped else "pending"
            if is_begun and (found is None or found.is_lost) and RunDir(folder).beats():
                return True  # Ray has lost it, and it has not ended
            return "pending" if self._goes_on(folder, note) else False
        except NoAnswer:
            if is_begun:
                return RunDir(folder).beats() or not (folder / KILL).exists()
            return False if note.is_stopped else "pending"

    def _goes_on(self, folder: Path, note: Note) -> bool:
        """Whether a job that has ended has a next one: then Ray has it, or is just given it by another process.

        Raises NoAnswer.
        """
        try:
            with RunDir(folder).held(CALL_LOCK):
                if (read_note(folder) or Note()) != note:
                    return True  # another process has given the next one to Ray by now
                found = job_of(folder, note, is_fresh=True)
                if found and found.status in (WAITS, WORKS):
                    return True
                if self._is_given_again(found, folder, note):
                    self._give(folder, replace(note, lost=note.lost + bool(found and found.is_lost)))
                    return True
                ray_folder.forget_variables(folder)
                return False
        except OutsideFailure:  # it is held: a job is being given, or ended
            return True

    def _is_given_again(self, found: Job | None, folder: Path, note: Note) -> bool:
        if requeued.is_asked_to_stop(folder):
            return False
        if found is None:
            return not note.is_taken and not begun(folder, note.job)
        return found.error == LATE or (found.is_lost and note.lost < self.params.restarts)

    def place(self, handle: str) -> Place:
        """Its job and its node; Ray's own message while it waits, or that no node is large enough."""
        folder = Path(handle)
        note = read_note(folder) or Note()
        host = begun(folder, note.job)
        where = f"Ray job {note.job}" + (f" on {host}" if host else "")
        try:
            if (found := job_of(folder, note)) is None:
                return Place(where)
            if found.status == WAITS or (found.status == WORKS and not host and self.params.processes > 1):
                said = found.message if found.status == WAITS else f"room for {self.params.processes} processes"
                return Place(where, "pending", self._too_large(folder, note) or said)
            return Place(f"{where} ({found.ip})" if host and found.ip else where, found.status.lower())
        except NoAnswer as error:
            return Place(f"{where} ({error})", "", str(error))

    def _too_large(self, folder: Path, note: Note) -> str:
        cluster = cluster_of(folder, note)
        return too_large(self.params, cluster.nodes()) if cluster else ""

    def interruption(self, handle: str) -> str:
        folder = Path(handle)
        note = read_note(folder) or Note()
        what = f"its Ray job {note.job}"
        try:
            found = job_of(folder, note, is_fresh=True)
        except NoAnswer as error:
            return str(error)
        if found is None:
            return f"the Ray cluster has ended or was started again, and does not know {what}"
        if found.status == STOPPED and not requeued.is_asked_to_stop(folder):
            return f"{what} was stopped in Ray, and not by the studio"
        return why_failed(found, what, begun(folder, note.job)) if found.status == FAILED else ""

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Leave word in the folder for a worker that has begun; a job that waits is cancelled in Ray.

        Raises NoAnswer if a job that has not begun is to be cancelled, and the cluster does not answer.
        """
        note = read_note(run_dir) or Note()
        requeued.ask_to_stop(run_dir)
        if force:
            (run_dir / KILL).touch()
        if begun(run_dir, note.job):
            return
        found, cluster = job_of(run_dir, note, is_fresh=True), cluster_of(run_dir, note)
        if found and cluster and found.status == WAITS:
            # Ray lets a job that waits begin all the same, and ends it then; that one finds that it is not wanted
            replace(note, is_stopped=True).write(run_dir)
            ray_folder.forget_variables(run_dir)
            cluster.stop(note.job)

    def examined(self) -> tuple[bool, str]:
        """Whether the cluster answers, and what its nodes have, or why not."""
        try:
            if (address := resolved(self.params.address)) == LOCAL:
                has = find_spec("ray") is not None
                return has, "a cluster of this machine is started with the first run" if has else HOW_TO_GET
            cluster = Cluster(address, token())
            nodes = cluster.nodes()
            total = {name: sum(node.get(name, 0) for node in nodes) for name in ("CPU", "GPU")}
            has_them = ", ".join(f"{name} {amount:g}" for name, amount in total.items())
            return True, f"Ray {cluster.version()} at {address}; nodes: {len(nodes)}; {has_them}"
        except (UserError, NoAnswer) as error:
            return False, str(error)


def described() -> tuple[bool, str]:
    """Whether Ray is installed, or the cluster that the environment names answers."""
    has = find_spec("ray") is not None
    how = "installed" if has else f"not installed: {HOW_TO_GET}"
    if not any(os.environ.get(name) for name in FROM_ENVIRONMENT):
        return has, f"{how}; a cluster is named by launcher.address or {FROM_ENVIRONMENT[0]}, or is started: {LOCAL}"
    answers, said = Ray().examined()
    return answers, f"{how}; {said}"
