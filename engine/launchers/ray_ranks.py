"""`python -m engine.launchers.ray_ranks RUN_DIR JOB KEPT WANTED`: a job of Ray whose processes train one model.

It reserves what all of them need at once, by a placement group, and starts one actor for each, which runs there what
any job of Ray runs on its node (`ray_worker.py`): that is asked to stop or to kill through the run's folder.
WANTED: JSON with `python` (words), `strategy` and `reserved` (one a process; Ray's names and amounts).

Exit code 0: done, or stopped as asked; LOST: a node was lost; else that of the process that failed first.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import ranks, requeued
from engine.launchers.ray_folder import BEGUN, KILL, LOST, SAVE, UNSEEN, forget_variables, read_note
from engine.rundir import STOPPED
from engine.whole_files import write_whole

LOOK_S = 0.5
REST_S = 60.0  # for the others to end, once the leading process has, or one has failed


class Process:
    """What is beside a training process on its node. Ray sends this class there, so it uses nothing of the studio."""

    def place(self) -> tuple[str, str]:
        """(Ray's id of the node, its name)."""
        import ray

        return ray.get_runtime_context().get_node_id(), socket.gethostname()

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
        """(exit code, what it wrote), once it has ended."""
        own, pipe = {**os.environ, **environment}, subprocess.PIPE
        try:
            done = subprocess.run(command, env=own, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT)
        except OSError as error:
            return 127, str(error)  # as a shell that finds no such command
        return done.returncode, done.stdout.decode(errors="replace")[-2000:]


def main(folder: Path, job: str, wanted: Mapping[str, Any], *, is_kept: bool) -> int:
    """Reserve, start and watch the processes; returns the exit code. `is_kept`: a later job needs their variables."""
    import ray
    from ray.util.placement_group import placement_group

    ray.init(log_to_driver=False, configure_logging=False)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))  # Ray's own would end this at once
    reserved = [dict(each) for each in wanted["reserved"]]
    group = placement_group(reserved, strategy="SPREAD")
    is_ready = False
    while not is_ready:
        if asked:
            return STOPPED
        try:
            if _is_unwanted(folder, job):
                return 0
        except (OSError, ValueError) as error:
            return _unseen(error)
        is_ready = group.wait(LOOK_S)
    actors = [_actor(group, number, amounts) for number, amounts in enumerate(reserved)]
    places = ray.get([actor.place.remote() for actor in actors])
    here = ray.get_runtime_context().get_node_id()
    # the leading one beside this process, if it can be: then a node fewer can be lost
    order = sorted(range(len(actors)), key=lambda number: (places[number][0] != here, places[number][0]))
    try:
        meeting = folder / ranks.FOLDER
        shutil.rmtree(meeting, ignore_errors=True)
        meeting.mkdir()
        if _is_unwanted(folder, job):
            return 0
        write_whole(folder / BEGUN, {"job": job, "host": ", ".join(dict.fromkeys(places[each][1] for each in order))})
    except (OSError, ValueError) as error:
        return _unseen(error)
    command = [*wanted["python"], "-P", "-m", "engine.launchers.ray_worker", str(folder), job, "yes"]
    own = environments([places[each][0] for each in order], wanted["strategy"], "GPU" in reserved[0])
    started = {actors[each].run.remote(command, own[rank]): rank for rank, each in enumerate(order)}
    code = _watched(ray, started, folder, asked, is_kept=is_kept)
    for actor in actors:
        ray.kill(actor)
    return code


def environments(nodes: Sequence[str], strategy: str, has_gpu: bool) -> list[dict[str, str]]:
    """What tells each process which it is; `nodes`: of each in the order of their numbers, those of a node together."""
    found, distinct = [], list(dict.fromkeys(nodes))
    for rank, node in enumerate(nodes):
        local = nodes[:rank].count(node)
        found.append({
            "RANK": str(rank), "ROLE_RANK": str(rank), "GROUP_RANK": str(distinct.index(node)),
            "LOCAL_RANK": "0" if has_gpu else str(local),  # Ray lets each see its own GPU only, as number 0
            "WORLD_SIZE": str(len(nodes)), "ROLE_WORLD_SIZE": str(len(nodes)),
            "LOCAL_WORLD_SIZE": str(nodes.count(node)), ranks.STRATEGY: strategy,
            "MASTER_ADDR": "127.0.0.1",  # accelerate wants to see one, and connects to none
        })  # fmt: skip
    return found


def _actor(group: Any, number: int, amounts: Mapping[str, float]) -> Any:
    import ray
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    other = {name: amount for name, amount in amounts.items() if name not in ("CPU", "GPU", "memory")}
    needed = {"num_cpus": amounts["CPU"], "num_gpus": amounts.get("GPU", 0), "memory": amounts.get("memory")}
    at = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number)
    return ray.remote(Process).options(**needed, resources=other, scheduling_strategy=at).remote()


def _watched(ray: Any, started: dict[Any, int], folder: Path, asked: Sequence[int], *, is_kept: bool) -> int:
    """The exit code of them all, once they have ended or their time is over."""
    count, code, deadline = len(started), 0, float("inf")
    waits, has_secrets = dict(started), not is_kept
    while waits and time.monotonic() < deadline:
        over, _ = ray.wait(list(waits), timeout=LOOK_S)
        for each in over:
            rank = waits.pop(each)
            ended, said = _ended(ray, each)
            sys.stdout.write(f"process {rank + 1} of {count} ended with {ended}: {said}\n")
            code = LOST if ended == LOST else code or ended
            if rank == 0 or ended:
                deadline = min(deadline, time.monotonic() + REST_S)
        if has_secrets and all((folder / ranks.beside(rank)).exists() for rank in started.values()):
            forget_variables(folder)  # all have read them
            has_secrets = False
        if (asked or code) and not (folder / SAVE).exists():
            (folder / SAVE).touch()  # the leading one saves, or says what it was that failed
    if not is_kept or code != LOST:
        forget_variables(folder)
    return code


def _ended(ray: Any, result: Any) -> tuple[int, str]:
    try:
        code, said = ray.get(result)
    except ray.exceptions.RayActorError as error:
        return LOST, str(error)
    return (code if code >= 0 else 128 - code), said


def _is_unwanted(folder: Path, job: str) -> bool:
    """Whether it was stopped while it waited. Raises OSError if the folder is not to be seen."""
    if (note := read_note(folder)) is None:
        raise FileNotFoundError(f"there is no note of a job in {folder}")
    return note.job != job or not {requeued.STOP, KILL}.isdisjoint(os.listdir(folder))


def _unseen(error: Exception) -> int:
    sys.stdout.write(f"node {socket.gethostname()} does not see the run's folder, or may not use it: {error}\n")
    return UNSEEN


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[4]), is_kept=sys.argv[3] == "yes")
    sys.stdout.flush()
    sys.exit(code)
