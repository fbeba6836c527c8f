"""What processes that train one model together agree on, and how each takes its share of a batch and of the weights.

Imports torch: for worker processes only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch._C._distributed_c10d import FileStore

from engine import ranks
from engine.errors import UserError
from engine.rundir import RunDir

PATIENCE = timedelta(hours=1)  # for one process that is far behind, as while a checkpoint is written to a slow disk


def join(run: RunDir) -> None:
    """Connect this process with the others; they find each other in the run's folder, and no port is opened for it."""
    store = FileStore(str(run.path / ranks.FOLDER / "store"), ranks.count())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, store=store, rank=ranks.own(), world_size=ranks.count(), timeout=PATIENCE)


def leads() -> bool:
    """Whether this process writes events, checkpoints and results."""
    return ranks.own() == 0


def told(number: int) -> int:
    """The number that the leading process has; all of them call this at the same place."""
    if ranks.count() < 2:
        return number
    said = torch.tensor([number])
    distributed.broadcast(said, src=0)
    return int(said.item())


def agreed(asked: bool) -> bool:
    """Whether the leading process was asked to stop; all of them call this at the same place."""
    return bool(told(int(asked)))


def wait() -> None:
    """Return once every process is here."""
    if ranks.count() > 1:
        distributed.all_reduce(torch.zeros(1))  # and not `barrier`, which with NCCL needs a GPU's stream


def share(batch: int, passes: int) -> tuple[int, int]:
    """(samples per forward pass, forward passes per step) of each process, so that a step has the samples of `batch` x
    `passes` in all, whichever the number of processes. Raises UserError if it cannot be divided."""
    count = ranks.count()
    if batch % count == 0:
        return batch // count, passes
    if passes % count == 0:
        return batch, passes // count
    raise UserError(
        f"neither batch_size ({batch}) nor accumulation ({passes}) can be divided among {count} processes; set one of "
        f"them to a multiple of {count}",
        field="trainer.batch_size",
    )


def arguments(checkpointing: bool) -> dict[str, Any]:
    """TRL's arguments for how the weights are shared, and for activations that are computed twice."""
    if not ranks.strategy().startswith("fsdp"):
        return {"activation_checkpointing": checkpointing}
    offload = ranks.strategy() == "fsdp_offload"
    return {
        "activation_checkpointing": False,
        "fsdp": True,
        "fsdp_config": {"version": 2, "cpu_offload": offload, "activation_checkpointing": checkpointing},
    }


@contextmanager
def sharding() -> Iterator[None]:
    """In this context transformers makes its `Accelerator`, which has to share the weights where that is asked for.

    torch's FSDP works on a CPU with gloo. But accelerate (1.15, `AcceleratorState.__init__`) takes its FSDP settings
    only where the processes have GPUs or the like, and trains by DDP else, saying nothing; so it is told they do.
    """
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedType

    is_on_cpu = ranks.strategy().startswith("fsdp") and not torch.cuda.is_available()
    if is_on_cpu:
        PartialState().distributed_type = DistributedType.MULTI_GPU
    yield
    if ranks.strategy().startswith("fsdp"):
        assert AcceleratorState().distributed_type is DistributedType.FSDP, "the weights are not shared"


def gathered(trainer: Any) -> dict[str, Any]:
    """All weights as an argument of `save_pretrained`, where the processes share them; else nothing."""
    if not ranks.strategy().startswith("fsdp"):
        return {}
    return {"state_dict": each_once(trainer.model, trainer.accelerator.get_state_dict(trainer.model))}


def each_once(model: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Without the weights that are another's too, as a head that is the embedding: gathered from the processes, they
    are copies, and would be saved twice."""
    tied = getattr(model, "all_tied_weights_keys", {})  # name -> the name under which it is saved
    return {name: weight for name, weight in state.items() if tied.get(name) not in state}
