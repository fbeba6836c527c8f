"""A run's newest job and its cluster, by the note in the run's folder."""

from __future__ import annotations

import time
from pathlib import Path

from engine.launchers import ray_local
from engine.launchers.ray_folder import Note, begun
from engine.launchers.ray_jobs import WORKS, Cluster, Job, token
from engine.launchers.ray_settings import LOCAL
from engine.rundir import RunDir

ENDING_S, LOOK_S = 60.0, 0.5  # for a job to end after its worker has, and how often that is looked for


def cluster_of(run_dir: Path, note: Note) -> Cluster | None:
    """The cluster of that job; None for one of this machine that has ended."""
    return ray_local.running(RunDir(run_dir).home) if note.address == LOCAL else Cluster(note.address, token())


def once_ended(run_dir: Path, note: Note) -> Job | None:
    """The newest job, which is given the time to end if its worker has: the next one uses the same files."""
    deadline = time.monotonic() + ENDING_S
    while True:
        found = job_of(run_dir, note, is_fresh=True)
        is_ending = found and found.status == WORKS and begun(run_dir, note.job) and not RunDir(run_dir).is_held()
        if not is_ending or time.monotonic() > deadline:
            return found
        time.sleep(LOOK_S)


def job_of(run_dir: Path, note: Note, *, is_fresh: bool = False) -> Job | None:
    """The run's newest job; None if the cluster does not know it. Raises NoAnswer if it does not answer."""
    cluster = cluster_of(run_dir, note) if note.job else None
    return cluster.job(note.job, is_fresh=is_fresh) if cluster else None
