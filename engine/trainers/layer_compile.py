"""Compiles a model's decoder layers, one compilation for all of them, and keeps what was compiled in the home folder.

Layers keep their names, so adapters and checkpoints are the same. Imports torch: for worker processes only.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger(__name__)
CACHE = "compiled"  # the folder in the home
MOST_VARIANTS = 32  # of one function, after which it is computed as before; a length of batches is one


def obstacle(device: torch.device) -> str:
    """Why nothing can be compiled here, as a sentence without its end; empty if it can."""
    from torch._inductor.exc import InvalidCxxCompiler
    from torch.utils._triton import has_triton

    if device.type == "cuda" and not has_triton():
        return "there is no Triton for this GPU"
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler

        get_cpp_compiler()
    except InvalidCxxCompiler:
        return "there is no C++ compiler (Debian: apt install g++)"
    return ""


def decoder_layers(model: Any) -> list[Any]:
    """The decoder layers of a model, also of one with added matrices."""
    return list(max((each for each in model.modules() if isinstance(each, torch.nn.ModuleList)), key=len, default=[]))


def keep_in(home: Path) -> None:
    """Keep what is compiled in the home folder, unless the environment names another; before anything is compiled."""
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    if os.environ.get("TORCHINDUCTOR_CACHE_DIR", default_cache_dir()) == default_cache_dir():  # torch sets it itself
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(home / CACHE)


def compile_layers(model: Any, device: torch.device) -> str:
    """Compile the layers at their first use; returns why they stay as they are, or nothing.

    What cannot be compiled then is computed as before, with torch's reason in the log.
    """
    if reason := obstacle(device):
        log.warning("the layers are not compiled: %s", reason)
        return reason
    torch._dynamo.config.suppress_errors = True
    torch._dynamo.config.recompile_limit = MOST_VARIANTS
    for layer in decoder_layers(model):
        layer.compile(dynamic=False)
    log.info("the layers are compiled at their first use; kept in %s", os.environ.get("TORCHINDUCTOR_CACHE_DIR"))
    return ""
