"""What a safetensors file holds, by its header alone: names, shapes, and where each tensor's bytes are.

The header's length comes first, in 8 bytes, little-endian; then the header, a JSON object; then the tensors' bytes,
to which the offsets refer: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError

LENGTH_BYTES = 8
HEADER_BYTES = 100_000_000  # the safetensors library refuses longer headers too


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file; bytes `start` up to, not including, `end` of the whole file."""

    shape: tuple[int, ...]
    start: int
    end: int


def tensors(file: Path) -> dict[str, Tensor]:
    """Name -> tensor. Raises UserError where the file is broken or cut off."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(LENGTH_BYTES))
            if length > HEADER_BYTES:
                raise ValueError(f"a header of {length:,} bytes")
            header = json.loads(opened.read(length))
        data, size = LENGTH_BYTES + length, file.stat().st_size
        found = {
            name: Tensor(tuple(values["shape"]), *(data + int(offset) for offset in values["data_offsets"]))
            for name, values in header.items()
            if name != "__metadata__"
        }
        if any(not data <= tensor.start <= tensor.end <= size for tensor in found.values()):
            raise ValueError(f"its tensors do not lie within its {size:,} bytes")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, struct.error, RecursionError) as error:
        raise UserError(f"{file} is not a whole safetensors file: {error}") from None
    return found
