"""One adapter after another on a base model that is loaded once, each exactly as if it had been loaded afresh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open

from engine.domain import Model
from engine.models.adapters import WEIGHTS
from engine.models.loading import Loaded, load, with_model
from engine.models.tensors import tensors

MATRICES = (".lora_A.weight", ".lora_B.weight")


class Memory:
    """The base model in memory, and what is on it now. One call at a time."""

    def __init__(self, bits: int = 16) -> None:
        """`bits` of each weight as in `engine.models.loading.quantised`."""
        self._bits = bits
        self._held: Loaded | None = None
        self._model: Model | None = None
        self._layers: list[str] | None = None  # as the adapter was when it was put on: its folder may be written anew

    def load(self, model: Model) -> Loaded:
        """`model` as `engine.models.loading.load` gives it; what was returned before is no longer valid.

        The base model is read again only if it is another one, or if what is on it cannot be taken off exactly.
        Raises UserError.
        """
        held, before = self._held, self._model
        self._held = self._model = None  # what fails half-way is not used again
        base = self._bare(held, before) if held and before and before.weights == model.weights else None
        if base is None:
            del held  # its memory is needed now
            base = load(Model(model.name, "base", model.weights), bits=self._bits)
        loaded = with_model(base, model, bits=self._bits)
        self._layers = adapted_layers(Path(model.path)) if model.kind == "adapter" else None
        self._held, self._model = loaded, model
        return loaded

    def _bare(self, held: Loaded, model: Model) -> Loaded | None:
        """The base model without the adapter of `model`; None where it cannot be made so."""
        if self._bits == 4 and held.device.type == "cpu":
            return None  # bitsandbytes rearranges such weights when they are first used, and cannot undo that exactly
        if model.kind != "adapter":
            return held
        if self._layers is None:
            return None
        if hasattr(held.model, "unload"):
            return replace(held, model=held.model.unload().eval())
        return held if restore(held.model, Path(model.weights), self._layers) else None


def adapted_layers(adapter: Path) -> list[str] | None:
    """The layers that an adapter adds a product of two matrices to; None if it changes anything in another way."""
    names = tensors(adapter / WEIGHTS)
    if not all(name.endswith(MATRICES) for name in names):
        return None
    return sorted({name.removeprefix("base_model.model.").partition(".lora_")[0] for name in names})


@torch.no_grad()
def restore(model: torch.nn.Module, folder: Path, layers: list[str]) -> bool:
    """Read the weights of these layers again from a model's folder; False, with nothing changed, if they are not there.

    A file may call a layer otherwise than the model in memory does.
    """
    files = {name: (file, each.shape) for file in folder.glob("*.safetensors") for name, each in tensors(file).items()}
    weights = {f"{layer}.weight": model.get_parameter(f"{layer}.weight") for layer in layers}
    if any(name not in files or files[name][1] != tuple(weight.shape) for name, weight in weights.items()):
        return False
    for path in {files[name][0] for name in weights}:
        with safe_open(path, framework="pt") as file:
            for name, weight in weights.items():
                if files[name][0] == path:
                    weight.copy_(file.get_tensor(name))
    return True
