"""Training an adapter further: it keeps the settings that it was made with, whatever else is asked for is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from engine.domain import Model
from engine.errors import UserError
from engine.models.adapters import Lora, linear_layers, lora_of, named
from engine.trainers.weight_settings import ALL_LINEAR, WeightParams

P = TypeVar("P", bound=WeightParams)
FIXED = ("rank", "alpha", "dropout", "target_modules", "rslora", "dora", "train_head")  # once an adapter is made


def fitted(params: P, model: Model) -> P:
    """The settings for this model, with an adapter's own values for what was left open.

    Raises UserError naming each setting in which the adapter differs from what is asked for.
    """
    if model.kind != "adapter":
        return params.filled()
    if not params.adds_matrices:
        what = "every weight" if params.method == "full" else "the base model's own layers"
        raise UserError(
            f"trainer.method: {params.method} trains {what}, and {model.name!r} is an adapter; merge it first, or "
            "choose lora",
            field="trainer.method",
        )
    if not Path(model.path).is_dir():
        return params  # on the hub; the worker looks again
    own = lora_of(Path(model.path))
    layers = _layers(params, own, model)
    its = {name: getattr(own, name) for name in FIXED if name != "target_modules"} | {"target_modules": layers}
    asked = {name: value for name in FIXED if (value := getattr(params, name)) is not None}
    differing = {f"trainer.{name}": (its[name], value) for name, value in asked.items() if value != its[name]}
    if differing:
        has = "; ".join(
            f"{name}: the adapter has {_shown(own_value)}, not {_shown(value)}"
            for name, (own_value, value) in differing.items()
        )
        raise UserError(
            f"{has}; {model.name!r} can only be trained further with its own settings: leave "
            f"{'these' if len(differing) > 1 else 'this'} out, or merge it and train the merged model",
            field=next(iter(differing)),
        )
    return params.filled(own).model_copy(update={"target_modules": layers})


def _layers(params: WeightParams, own: Lora, model: Model) -> str:
    """The adapter's layers in the notation of the setting; the setting itself if both mean the same."""
    asked = params.layer_names
    linear = linear_layers(Path(model.weights))
    every = linear or own.layers
    its = named(own.layers, every)
    wanted = every if isinstance(asked, str) else named(asked, every)
    if not its or its == wanted:
        return params.target_modules or ALL_LINEAR
    if its == linear:
        return ALL_LINEAR
    ends = {name.rpartition(".")[2] for name in its}
    # as short as it can be said: "q_proj", or "7.mlp.down_proj" where not every layer has one
    return ",".join(
        sorted(ends if named(ends, every) == its else (name.partition("layers.")[2] or name for name in its))
    )


def _shown(value: object) -> str:
    """A value as a user would type it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
