"""What to change where a training needs more memory than there is: only changes with which it would fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.errors import UserError
from engine.params import Params

Needs = Callable[[Params, int], int | None]  # settings, tokens of the longest row -> bytes; None: not known
SHORTEST = 128  # tokens of rows that are worth naming
MOST = 4  # that a sentence names


@dataclass(frozen=True)
class Advice:
    """A change with which a training fits."""

    words: str  # "batch_size 4 with accumulation 2"
    changes: Mapping[str, Any]  # of the trainer's settings; empty where it is about the dataset
    total: int  # bytes it then needs


def advice(params: Params, tokens: int, have: int, needs: Needs, most: int = MOST) -> tuple[Advice, ...]:
    """Changes that make it fit into `have` bytes, those first that change the result least.

    One change at a time; if none is enough, all that save memory together.
    """
    single = [
        found for words, changes in _changes(params) if (found := _tried(words, changes, params, tokens, have, needs))
    ]
    if (length := _shorter(params, tokens, have, needs)) is not None:
        single.append(length)
    if single:
        return tuple(single[:most])
    together: dict[str, Any] = {}
    for _, changes in _changes(params, least=True):
        together |= {name: value for name, value in changes.items() if name not in together}
    words = ", ".join(f"{name} {_shown(value)}" for name, value in together.items())
    found = _tried(words, together, params, tokens, have, needs)
    return (found,) if found else ()


def advised(found: Sequence[Advice]) -> str:
    """As the end of a sentence: "it would fit with batch_size 4, or with ..."."""
    if not found:
        return "no change of batch, checkpointing, method or optimizer makes it fit; choose a smaller model"
    return "it would fit with " + ", or with ".join(each.words for each in found)


def _changes(params: Params, *, least: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Words and settings of each change that these settings leave open; `least`: only the smallest batch."""
    value = params.model_dump()
    batch, accumulation = value.get("batch_size", 1), value.get("accumulation", 1)
    evaluated = value.get("eval_batch_size")
    if evaluated and evaluated > batch:
        yield f"eval_batch_size {batch}", {"eval_batch_size": batch}
    sizes = [size for size in range(batch - 1, 0, -1) if batch % size == 0] if batch > 1 else []
    for size in sizes[-1:] if least else sizes:
        more = {"batch_size": size, "accumulation": accumulation * (batch // size)}
        yield f"batch_size {size} and accumulation {more['accumulation']}", more
    if value.get("activation_checkpointing") is False:
        yield "activation_checkpointing", {"activation_checkpointing": True}
    if value.get("optimizer") in ("adamw", "paged_adamw_32bit"):
        yield "optimizer adamw_8bit", {"optimizer": "adamw_8bit"}
    if value.get("method") == "lora":
        yield "method qlora", {"method": "qlora", "base_bits": 16}
    if value.get("method") == "full":
        yield "method lora", {"method": "lora"}


def _tried(
    words: str, changes: Mapping[str, Any], params: Params, tokens: int, have: int, needs: Needs
) -> Advice | None:
    """The change, if the settings allow it and it fits."""
    try:
        changed = type(params).model_validate({**params.model_dump(), **changes})
        total = needs(changed, tokens)
    except (ValidationError, UserError):
        return None
    return Advice(words, changes, total) if total is not None and total <= have else None


def _shorter(params: Params, tokens: int, have: int, needs: Needs) -> Advice | None:
    """The longest rows that fit, in steps of 64 tokens; None if they would be very short, or all fit."""
    for length in range((tokens - 1) // 64 * 64, SHORTEST - 1, -64):
        total = needs(params, length)
        if total is not None and total <= have:
            return Advice(f"rows of at most {length:,} tokens (max_tokens of the dataset)", {}, total)
    return None


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
