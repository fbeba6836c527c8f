"""Model folders into memory: base, merged and adapter, and the user's mistakes in plain words.

Imports torch: for worker processes only. Only safetensors are read and no code from a model folder is ever run.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from engine.domain import Model
from engine.errors import UserError

CPU_CACHE_BYTES = 1 << 29  # larger batches are no faster on a CPU (measured)


@dataclass(frozen=True)
class Loaded:
    """Weights with their tokenizer, on their device."""

    model: Any  # transformers PreTrainedModel, or peft PeftModel around one
    tokenizer: Any  # PreTrainedTokenizerBase; pads on the left
    context: int  # tokens that prompt and completion may have together

    @property
    def device(self) -> torch.device:
        return torch.device(self.model.device)


def best_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """bf16 on a GPU that has it, fp16 on an older one, fp32 on a CPU, where the half types are slow."""
    if device.type == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def load(model: Model, dtype: torch.dtype | None = None, *, merge: bool | None = None, bits: int = 16) -> Loaded:
    """Weights and tokenizer of `model`, ready to generate; `bits` of each weight as in `quantised`.

    `merge` as in `with_model`. Raises UserError.
    """
    device = best_device()
    base = load_weights(Path(model.weights), device_map={"": device}, **quantised(bits, dtype or best_dtype(device)))
    tokenizer = load_tokenizer(Path(model.weights))
    return with_model(Loaded(base.eval(), tokenizer, context_of(base.config)), model, merge=merge, bits=bits)


def with_model(base: Loaded, model: Model, *, merge: bool | None = None, bits: int = 16) -> Loaded:
    """`base` with the adapter that `model` is, or as it stands where it is none; it must not be used for itself then.

    An adapter in fp32 is merged in memory (`merge=None`): twice as fast on a CPU and the same up to rounding. In a
    half type, or in fewer bits, merging would round the weights, so there the adapter stays beside its base. Raises
    UserError.
    """
    if model.kind != "adapter":
        return base
    merge = (base.model.dtype is torch.float32 and bits == 16) if merge is None else merge
    together = with_adapter(base.model, Path(model.path), trainable=False)
    if merge:
        together = together.merge_and_unload()
    return replace(base, model=together.eval())


def quantised(bits: int, compute: torch.dtype) -> dict[str, Any]:
    """Options of `load_weights` for weights of 16 (those of `compute`), 8 (LLM.int8) or 4 bits (doubly quantised NF4).

    8 bits: Dettmers et al., "LLM.int8()", 2022; 4 bits: Dettmers et al., "QLoRA", 2023.
    """
    from transformers import BitsAndBytesConfig

    if bits == 16:
        return {"dtype": compute}
    if bits == 8:
        return {"dtype": compute, "quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    four_bits = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )
    return {"dtype": compute, "quantization_config": four_bits}


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in `folder`, padding on the left as generation needs it. Raises UserError."""
    from transformers import AutoTokenizer

    if not (folder / "tokenizer.json").exists() and not (folder / "tokenizer_config.json").exists():
        raise UserError(f"{folder} holds no tokenizer: neither tokenizer.json nor tokenizer_config.json is there")
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, padding_side="left", trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise UserError(f"the tokenizer in {folder} cannot be loaded: {_first_line(error)}") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked by position, never by this id
    return tokenizer


def load_weights(folder: Path, **options: Any) -> Any:
    """The causal language model in `folder`; `options` go to `from_pretrained`. Raises UserError."""
    from transformers import AutoModelForCausalLM

    check_folder(folder)
    try:
        return AutoModelForCausalLM.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True, use_safetensors=True, **options
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the model's
        raise UserError(f"the model in {folder} cannot be loaded: {_first_line(error)}") from error


def check_folder(folder: Path) -> None:
    """Raises UserError naming what a model folder lacks."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; choose a folder that holds a model")
    if not (folder / "config.json").is_file():
        what = "an adapter, not a whole model" if (folder / "adapter_config.json").exists() else "no model"
        raise UserError(f"{folder} holds {what}: config.json is missing")
    if not any(folder.glob("*.safetensors")):
        pickled = "; its .bin files are pickles, which are never loaded: convert them to safetensors"
        raise UserError(f"{folder} holds no weights (*.safetensors){pickled if any(folder.glob('*.bin')) else ''}")


def with_adapter(base: Any, folder: Path, *, trainable: bool) -> Any:
    """`base` with the adapter in `folder` beside its weights. Raises UserError where the two do not fit."""
    from peft import PeftModel

    check_adapter_fits(base, folder)
    try:
        return PeftModel.from_pretrained(base, folder, is_trainable=trainable, local_files_only=True)
    except (ValueError, RuntimeError, TypeError, SafetensorError) as error:
        raise UserError(f"the adapter in {folder} cannot be loaded: {_first_line(error)}") from error


def check_adapter_fits(base: Any, folder: Path) -> None:
    """Compares every LoRA matrix with the layer it belongs to, by the file's header alone. Raises UserError."""
    weights = folder / "adapter_model.safetensors"
    for path in (folder / "adapter_config.json", weights):
        if not path.is_file():
            raise UserError(f"{folder} holds no adapter: {path.name} is missing")
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    if config.get("peft_type") != "LORA":
        raise UserError(f"{folder} holds a {config.get('peft_type')} adapter; only LORA adapters can be used")
    layers = dict(base.named_modules())
    try:
        with safe_open(weights, framework="pt") as file:
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{weights} is not a whole safetensors file: {error}") from error
    for key, shape in shapes.items():
        name, _, matrix = key.removeprefix("base_model.model.").partition(".lora_")
        if not matrix.startswith(("A.", "B.")):
            continue
        layer = layers.get(name)
        # lora_A: (rank, inputs); lora_B: (outputs, rank)
        width = getattr(layer, "in_features" if matrix.startswith("A.") else "out_features", None)
        if width != (shape[1] if matrix.startswith("A.") else shape[0]):
            has = "has no such layer" if layer is None else f"has {width} there"
            raise UserError(
                f"the adapter in {folder} was made for another base model than {base.name_or_path}: "
                f"{key} is {' x '.join(map(str, shape))}, and the base model {has}"
            )


def context_of(config: Any) -> int:
    """The longest sequence in tokens; 2,048 where the configuration does not say."""
    return int(getattr(config, "max_position_embeddings", 0) or 2048)


def cache_bytes_per_token(config: Any, dtype: torch.dtype) -> int:
    """Keys and values of all layers for one token of one sequence."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * head * dtype.itemsize)


def tokens_that_fit(loaded: Loaded) -> int:
    """How many tokens of keys and values the free memory holds, at least one context.

    On a GPU two fifths of what is free (reordering beams needs a second copy); on a CPU 512 MiB, beyond which
    larger batches no longer help.
    """
    free = 0.4 * torch.cuda.mem_get_info(loaded.device)[0] if loaded.device.type == "cuda" else CPU_CACHE_BYTES
    per_token = cache_bytes_per_token(loaded.model.config, loaded.model.dtype)
    return max(loaded.context, math.floor(free / per_token))


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
