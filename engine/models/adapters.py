"""What an adapter's files say of it, read without torch: its base model, and the settings it was made with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.assets import STARTER_MODEL
from engine.errors import UserError
from engine.models.tensors import tensors

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
HEAD = "lm_head"  # the output head's name in all models whose code transformers has
HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


@dataclass(frozen=True)
class Lora:
    """The settings of an adapter that cannot be changed after its creation."""

    rank: int
    alpha: float
    dropout: float
    rslora: bool
    dora: bool
    train_head: bool  # the output head is part of it, every weight
    layers: frozenset[
        str
    ]  # that have matrices: "model.layers.0.mlp.up_proj", or the end of such names; empty: not known


def config_of(folder: Path) -> dict[str, Any]:
    """The adapter's adapter_config.json. Raises UserError where it is missing or not readable."""
    try:
        return dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"{folder / CONFIG} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{folder / CONFIG} is not a JSON object: {error}") from None


def base_of(folder: Path) -> str:
    """The folder or the hub id of the adapter's base model. Raises UserError where there is no such folder here."""
    stated = str(config_of(folder).get("base_model_name_or_path") or "")
    if stated == "assets/starter-model":  # the shipped adapter, wherever the studio is installed
        return str(STARTER_MODEL)
    if stated and (Path(stated).is_dir() or HUB_ID.match(stated)):
        return stated
    raise UserError(
        f"the base model of the adapter {folder} is {stated!r}, which is not here; put its folder into "
        f"base_model_name_or_path of {CONFIG}"
    )


def lora_of(folder: Path) -> Lora:
    """The settings in the adapter's files. Raises UserError where these cannot be read."""
    config = config_of(folder)
    try:
        rank, alpha, dropout = int(config["r"]), float(config["lora_alpha"]), float(config.get("lora_dropout") or 0)
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{folder / CONFIG} states no rank and alpha (r, lora_alpha) of a LoRA adapter") from None
    return Lora(
        rank,
        int(alpha) if alpha.is_integer() else alpha,
        dropout,
        rslora=bool(config.get("use_rslora")),
        dora=bool(config.get("use_dora")),
        train_head=HEAD in (config.get("modules_to_save") or ()),
        layers=_adapted(folder, config),
    )


def linear_layers(model: Path) -> frozenset[str]:
    """The names of the layers that "all-linear" means in a model's folder; empty: not known.

    Those are the matrices that have no row for each token, as input and output embeddings have.
    """
    try:
        vocabulary = json.loads((model / "config.json").read_text(encoding="utf-8")).get("vocab_size")
    except (OSError, ValueError, AttributeError):
        return frozenset()
    return frozenset(
        name.removesuffix(".weight")
        for file in model.glob("*.safetensors")
        for name, tensor in tensors(file).items()
        if name.endswith(".weight") and len(tensor.shape) == 2 and tensor.shape[0] != vocabulary
    )


def _adapted(folder: Path, config: dict[str, Any]) -> frozenset[str]:
    """By the matrices that are there: the configuration may hold a pattern, or the full name of each layer."""
    if (folder / WEIGHTS).is_file():
        names = (name.removeprefix("base_model.model.").partition(".lora_") for name in tensors(folder / WEIGHTS))
        return frozenset(layer for layer, is_lora, _ in names if is_lora)
    stated = config.get("target_modules")
    return frozenset(map(str, stated)) if isinstance(stated, list) else frozenset()


def named(ends: Iterable[str], layers: Iterable[str]) -> frozenset[str]:
    """The layers that are called so, or whose names end so after a dot: how PEFT reads a list of target modules."""
    wanted = tuple(ends)
    return frozenset(each for each in layers if each in wanted or each.endswith(tuple(f".{end}" for end in wanted)))
