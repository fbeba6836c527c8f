"""A model named by its hub id, brought to this machine before the work begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from engine.rundir import Inputs, RunDir

WANTED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")  # never a pickle, never code


def fetched(inputs: Inputs, run: RunDir) -> Inputs:
    """The same inputs with every model as a folder. Raises UserError where a hub id cannot be had."""
    model = inputs.model
    if model is None:
        return inputs
    path = _folder(model.path, run)
    base = _folder(model.base, run) if model.base else ""
    return replace(inputs, model=replace(model, path=path, base=base))


def _folder(reference: str, run: RunDir) -> str:
    if Path(reference).is_dir():
        return reference
    from httpx2 import HTTPError  # what the hub's client raises, its own errors included
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    run.emit("progress", done=0, total=None, text=f"downloading {reference}")
    try:
        return str(snapshot_download(reference, allow_patterns=list(WANTED)))
    except (HTTPError, HFValidationError, OSError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"model: {reference!r} is no folder here and cannot be had from the Hugging Face hub ({why}); "
            "check the name, the network and HF_TOKEN, or give the folder of a model you have",
            field="model",
        ) from None
