"""What `repair-studio bench ... --json` has measured on some machine, for a plan of a run on such cards."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from engine.errors import UserError
from engine.params import explain

LONGEST = 1 << 20  # bytes of such a file


@dataclass(frozen=True)
class Way:
    """The faster of both ways of training that `bench train` measures."""

    tokens_per_s: float = Field(gt=0)


@dataclass(frozen=True)
class Bench:
    """The fields of such a file that a plan uses: `ours` if from `bench train`, else `prompts_per_s`."""

    shape: str
    device: str
    parameters: int = Field(gt=0)
    ours: Way | None = None
    prompts_per_s: float | None = Field(None, gt=0)
    beams: int = Field(1, ge=1)

    @property
    def said(self) -> str:
        return f"bench with the shape {self.shape} on one {self.device}"

    def fits(self, parameters: int) -> bool:
        """Whether its model is about as large."""
        return 0.9 <= self.parameters / max(parameters, 1) <= 1.1


_adapter: TypeAdapter[Bench] = TypeAdapter(Bench)


def read(paths: Iterable[Path]) -> tuple[Bench, ...]:
    """Raises UserError naming the file, and what is wrong with it."""
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> Bench:
    how = "write it with repair-studio bench train|generate --json > FILE"
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST + 1)
        found = _adapter.validate_python(json.loads(text) if len(text) <= LONGEST else None)
    except OSError as error:
        raise UserError(f"--bench: {path} cannot be read: {error.strerror}; {how}") from None
    except ValidationError as error:
        raise UserError(f"--bench: {path} is no result of bench: {explain(error)}; {how}") from None
    except (ValueError, RecursionError):
        raise UserError(f"--bench: {path} is not JSON; {how}") from None
    if found.ours is None and found.prompts_per_s is None:
        raise UserError(f"--bench: {path} has neither ours.tokens_per_s nor prompts_per_s; {how}")
    return found
