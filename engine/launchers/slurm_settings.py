"""The settings of a job of SLURM, and which words its script may hold."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

from pydantic import AfterValidator

from engine.launchers.priced import Priced
from engine.launchers.together import TogetherParams
from engine.params import setting, shown

# Options of sbatch that the studio sets itself
OURS = frozenset({
    "array", "chdir", "clusters", "error", "export", "export-file", "input", "job-name", "no-requeue", "open-mode",
    "output", "requeue", "signal", "wrap", "partition", "account", "qos", "time", "gpus-per-node", "cpus-per-task",
    "mem", "nodes", "ntasks", "ntasks-per-node", "parsable", "test-only", "wait",
})  # fmt: skip
MOST_HOURS = 100 * 365 * 24  # SLURM counts the minutes in 32 bits
MOST_CORES, MOST_GIB = 65_533, 1 << 40  # of a node; what sbatch can read


def _word(text: str) -> str:
    if not re.fullmatch(r"[\w.,:@+-]*", text) or text.startswith("-"):
        raise ValueError(f"should be a name as in SLURM's own commands (got {shown(text)})")
    return text


def _words(text: str) -> str:
    try:
        shlex.split(text)
    except ValueError as error:
        raise ValueError(f"should be words as in a shell: {error} (got {shown(text)})") from None
    if not text.isprintable():
        raise ValueError(f"should be one line (got {shown(text)})")
    return text


def _options(text: str) -> str:
    for name, _ in named(_words(text)):
        if not re.fullmatch(r"[a-z][a-z0-9-]+", name):
            raise ValueError(f"should be options such as --constraint=a100 --exclusive (got {shown(text)})")
        # sbatch takes the beginning of a name for the name; --gpus is one of its own
        if name != "gpus" and any(each.startswith(name) for each in OURS):
            raise ValueError(f"--{name} is set by the studio, or by a setting of its own (got {shown(text)})")
    return text


def named(text: str) -> list[tuple[str, str | bool]]:
    """Options of sbatch as (name, value), True for one without a value; the name is empty for what is no option."""
    parted = [word.partition("=") for word in shlex.split(text)]
    return [(name[2:] if name.startswith("--") else "", value if is_set else True) for name, is_set, value in parted]


Word = Annotated[str, AfterValidator(_word)]
Words = Annotated[str, AfterValidator(_words)]
Options = Annotated[str, AfterValidator(_options)]


class SlurmParams(TogetherParams, Priced):
    """What the job asks SLURM for, and how its worker is started on the node."""

    name: Literal["slurm"] = "slurm"
    partition: Word = setting("", "SLURM's partition; empty: the cluster's default")
    account: Word = setting("", "that is charged; empty: your default")
    qos: Word = setting("", "quality of service; empty: the default", title="QOS")
    hours: float = setting(
        24.0,
        "time limit of the job; when it is over, the run saves, is queued again and goes on",
        unit="h",
        gt=0,
        le=MOST_HOURS,
    )
    gpus: int = setting(1, "of each node", ge=0, le=64, title="GPUs")
    cpus: int = setting(4, "cores of each node", ge=1, le=MOST_CORES, title="CPUs")
    nodes: int = setting(1, "that train one model together", ge=1, le=1024)
    processes: int = setting(
        1, "of a training on each node, usually one a GPU; other runs have one", ge=1, le=64, title="Processes"
    )
    memory_gib: float | None = setting(
        None, "main memory; left open: the partition's default", title="Memory (GiB)", gt=0, le=MOST_GIB
    )
    modules: Words = setting("", "environment modules that are loaded first, as in cuda/12.4 gcc/13", more=True)
    prefix: Words = setting("", "words before the worker's command, as in apptainer exec --nv studio.sif", more=True)
    python: Words = setting("", "that runs the worker on the node or in the container; empty: this one", more=True)
    options: Options = setting("", "further options of sbatch, as in --constraint=a100 --reservation=lab", more=True)
    signal_s: int = setting(
        120, "before the time limit, for the run to finish its step and to save", unit="s", ge=10, more=True
    )
    requeues: int = setting(100, "how often the run may be queued again; after that it is interrupted", ge=0, more=True)
    most_active: int = setting(20, "runs that are given to SLURM at a time; others wait here", ge=1, more=True)

    def machines(self) -> tuple[int, int]:
        return self.nodes, self.gpus
