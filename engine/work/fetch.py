"""Downloads a model named by its hub id before the work begins; only the files that this kind of run needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.domain import Model
from engine.errors import DISK_FULL, UserError
from engine.events import Progress
from engine.models import adapters
from engine.rundir import Inputs, RunDir
from engine.specs import KINDS

# No pickles and no code; building a dataset needs only the tokenizer
WHOLE = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
TOKENIZER = (
    "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "spiece.model",
    "sentencepiece*", "chat_template*", "config.json", adapters.CONFIG,
)  # fmt: skip
# Checkpoints in subfolders, and copies of the weights in another format
UNWANTED = ("*/*", "consolidated*")


def fetch_model(inputs: Inputs, run: RunDir, kind: str) -> Inputs:
    """The inputs with a local folder for every model, which contains what a run of this kind needs.

    Whether a model of the hub is an adapter, and of which base model, is read from its files. Raises UserError if the
    files no longer exist, or a model cannot be downloaded.
    """
    model = inputs.model
    if model is None or model.kind == "endpoint":
        return inputs
    spec = KINDS[kind]
    fetch = _Fetch(
        run, TOKENIZER if spec.reads == "tokenizer" else WHOLE, "adapter" if "adapter" in spec.model_fields else "model"
    )
    path = fetch.folder(model.path, model.name)
    if path != model.path:
        is_adapter = (Path(path) / adapters.CONFIG).is_file()
        base = adapters.base_of(Path(path)) if is_adapter else ""
        model = Model(model.name, "adapter" if is_adapter else "base", path, base)
    base = fetch.folder(model.base, f"the base model of {model.name}") if model.base else ""
    return replace(inputs, model=replace(model, path=path, base=base))


class _Fetch:
    def __init__(self, run: RunDir, wanted: Sequence[str], field: str) -> None:
        self._run = run
        self._wanted = wanted
        self._field = field

    def folder(self, reference: str, name: str) -> str:
        """The folder of the model `reference`, which is a folder or a hub id."""
        if Path(reference).is_dir():
            return reference
        if Path(reference).is_absolute():
            raise UserError(
                f"{self._field}: the files of {name!r} are no longer in {reference}; train it again or choose another "
                "model",
                field=self._field,
            )
        from httpx2 import HTTPError  # what the hub's client raises, its own errors included
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError

        self._run.emit(Progress(0, text=f"downloading {reference}"))
        try:
            found = snapshot_download(reference, allow_patterns=list(self._wanted), ignore_patterns=list(UNWANTED))
        except (HTTPError, HFValidationError, OSError) as error:
            if getattr(error, "errno", None) in DISK_FULL:
                raise
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(
                f"{self._field}: {reference!r} is not a folder here and cannot be downloaded from the Hugging Face hub "
                f"({why}); check the name, the network and HF_TOKEN, or give the folder of a model you have",
                field=self._field,
            ) from None
        return str(found)
