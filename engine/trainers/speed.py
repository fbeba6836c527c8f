"""Puts the settings of speed into effect on a model that is ready to be trained, and settles `speed` auto once a run.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import psutil
import torch
from pydantic import ValidationError

from engine import ranks
from engine.errors import UserError
from engine.params import explain
from engine.reading import open_regular
from engine.rundir import RunDir
from engine.trainers import layer_compile, together, varlen_attention
from engine.trainers.fastest import Choice, Place, choose
from engine.trainers.rows import Rows
from engine.trainers.sft_settings import SftParams
from engine.trainers.speed_settings import CHOSEN
from engine.trainers.step_batches import Steps
from engine.trainers.step_plan import Division

log = logging.getLogger(__name__)
SETTLED = "speed.json"  # in the run's artifacts: what was chosen, for a resumed run and for whoever repeats it
FEWEST = 256  # tokens to whose multiples packed batches are filled up where layers are compiled
PIECES = 8  # of `batch_tokens`: lengths that are compiled at most


def free_bytes(device: torch.device) -> int:
    """Memory that is free before anything was loaded: of the GPU, or the machine's."""
    return int(torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available)


def settled(
    params: SftParams, weights: Any, rows: Rows, rows_seen: int, free: int, compute: torch.dtype, run: RunDir
) -> Choice:
    """The settings without `auto`; what was chosen when the run began holds when it is resumed.

    Processes that train together take what the first chose: each of them finds other memory free.
    """
    if params.speed != "auto":
        return Choice(params, ())
    file = run.artifacts / SETTLED
    if together.leads() and not file.exists():
        choice = choose(params, weights.config.to_dict(), rows.lengths, rows_seen, place_of(weights, free, compute))
        _keep(choice, file)
        for words in choice.words:
            log.info("speed: %s", words)
        log.info("speed: the same anywhere with %s", " ".join(as_options(choice)))
    together.wait()  # another process may see less memory free, and all of them divide the steps alike
    return _kept(params, file)


def _keep(choice: Choice, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(json.dumps({"settings": choice.settings, "words": choice.words}), encoding="utf-8")
    unfinished.replace(file)


def _kept(params: SftParams, file: Path) -> Choice:
    """What was chosen. Raises UserError if somebody has changed the file."""
    try:
        with open(open_regular(file), encoding="utf-8") as opened:
            kept = json.load(opened)
        chosen = {name: kept["settings"][name] for name in CHOSEN}
        found = SftParams.model_validate({**params.model_dump(), **chosen, "speed": "as_set"})
        return Choice(found, tuple(map(str, kept["words"])))
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        why = explain(error) if isinstance(error, ValidationError) else error
        raise UserError(
            f"{file} is not as this run wrote it ({why}); start a new run, or delete the file to have it chosen anew",
            field="trainer.speed",
        ) from None


def as_options(choice: Choice) -> list[str]:
    """What was chosen as options of the shell's verb, those that differ from the default."""
    fields = SftParams.model_fields
    changed = {name: value for name, value in choice.settings.items() if value != fields[name].default}
    return [f"--set trainer.{name}={str(value).lower()}" for name, value in changed.items()]


def place_of(weights: Any, free: int, compute: torch.dtype) -> Place:
    """What is possible with this model on its device."""
    device = weights.device
    return Place(
        "cuda" if device.type == "cuda" else "cpu",
        free,
        no_varlen=varlen_attention.obstacle(weights, device, compute),
        no_compiler=layer_compile.obstacle(device) if device.type == "cuda" else "",
        can_pack=can_pack(weights),
    )


def can_pack(weights: Any) -> bool:
    """Whether transformers tells this model's attention where a sample of a packed row begins."""
    base = _base(weights)
    types = set(getattr(base.config.get_text_config(), "layer_types", None) or varlen_attention.LAYERS)
    return bool(getattr(base, "_supports_attention_backend", False)) and types <= varlen_attention.LAYERS


def put_into_effect(params: SftParams, weights: Any, compute: torch.dtype) -> None:
    """Set the attention and compile the layers. Raises UserError for what this model or device cannot do."""
    if params.packing and not can_pack(weights):
        raise UserError(
            "packing: this model cannot be told where a packed sample begins; leave packing out",
            field="trainer.packing",
        )
    reason = varlen_attention.obstacle(weights, weights.device, compute)
    attention = params.attention
    if attention == "auto":
        attention = ("sdpa" if reason else "varlen") if params.packing else "auto"
    if attention == "varlen" and reason:
        raise UserError(f"attention: varlen is not possible, since {reason}; set it to auto", field="trainer.attention")
    if attention == "flex" and weights.device.type == "cpu":
        raise UserError("attention: flex is trained with on a GPU only; set it to auto", field="trainer.attention")
    if attention == "varlen":
        varlen_attention.register()
    if attention != "auto":
        _base(weights).set_attn_implementation({"flex": "flex_attention"}.get(attention, attention))
        log.info("attention: %s", attention)
    if params.compile_layers:
        layer_compile.compile_layers(weights, weights.device)


def steps_of(params: SftParams, rows: Any, places: list[int], lengths: Any, pad: int, *, on_gpu: bool) -> Steps | None:
    """The plan of all steps, where there is one."""
    if not params.plans_steps:
        return None
    is_filled = params.packing and params.compile_layers
    tokens = params.batch_tokens or params.batch_size * int(lengths.max())
    multiple = max(FEWEST, tokens // PIECES) if is_filled else 1
    return Steps(
        rows, places, params.batch_size * params.accumulation, lengths,
        Division(params.batch_size, params.batch_tokens, params.packing, multiple),
        pad, ranks.count(), is_filled and on_gpu,
    )  # fmt: skip


def _base(weights: Any) -> Any:
    return weights.get_base_model() if hasattr(weights, "get_base_model") else weights
