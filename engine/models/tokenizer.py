"""A model's tokenizer as a dataset needs it: many texts at a time, no tokens added, copied beside the rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from engine.errors import UserError

_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
)  # fmt: skip


class Tokenizer(Protocol):
    """Turns texts into token ids, as training and generation will."""

    end: int  # the id of the end-of-text token

    def vocabulary(self) -> frozenset[str]:
        """Every token as text, special ones included."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text; special tokens only where the text spells them."""

    def ends(self, text: str) -> list[int]:
        """The character after each token of a text, as `encode` makes them."""

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files into a new folder."""


def special_tokens(folder: Path) -> tuple[str, ...]:
    """The texts that the tokenizer in this folder takes for special tokens; none where its file does not tell."""
    try:
        added = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
        return tuple(each["content"] for each in added if each["special"] and each["content"])
    except (OSError, ValueError, LookupError, TypeError):
        return ()


def tokenizer_print(folder: Path) -> str:
    """A hash of the tokenizer.json in a folder; empty without one."""
    try:
        return sha256((folder / "tokenizer.json").read_bytes()).hexdigest()
    except OSError:
        return ""


def tokenizer_of(weights: Path) -> Tokenizer:
    """The tokenizer in a model's folder. Raises UserError where there is none, or it has no end-of-text token."""
    if not weights.is_dir():
        raise UserError(f"the model's folder {str(weights)!r} does not exist", field="model")
    config = _config(weights)
    # A generic class is its tokenizer.json and nothing else, so the five seconds that transformers takes to import
    # are saved; any other class may change what the file says.
    is_generic = config.get("tokenizer_class") in ("TokenizersBackend", "PreTrainedTokenizerFast")
    end = config.get("eos_token")
    end = end.get("content") if isinstance(end, dict) else end
    if is_generic and isinstance(end, str) and (weights / "tokenizer.json").is_file():
        return FromFile(weights, end)
    return FromTransformers(weights)


class FromFile:
    """A tokenizer that one tokenizer.json holds completely."""

    def __init__(self, weights: Path, end: str) -> None:
        from tokenizers import Tokenizer as Backend

        self._weights = weights
        try:
            self._backend = Backend.from_file(str(weights / "tokenizer.json"))
        except Exception as error:  # the library raises nothing narrower
            raise UserError(f"{weights / 'tokenizer.json'} cannot be read: {error}", field="model") from None
        self._backend.no_truncation()
        self._backend.no_padding()
        found = self._backend.token_to_id(end)
        if found is None:
            raise UserError(f"the tokenizer in {str(weights)!r} has no token {end!r}", field="model")
        self.end: int = found

    def vocabulary(self) -> frozenset[str]:
        return frozenset(self._backend.get_vocab(with_added_tokens=True))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._backend.encode_batch_fast(list(texts), add_special_tokens=False)]

    def ends(self, text: str) -> list[int]:
        return [end for _, end in self._backend.encode(text, add_special_tokens=False).offsets]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            if (self._weights / name).is_file():
                shutil.copyfile(self._weights / name, folder / name)


class FromTransformers:
    """Any other tokenizer, with what transformers changes about it."""

    def __init__(self, weights: Path) -> None:
        self._tokenizer = of_transformers(weights)
        if self._tokenizer.eos_token_id is None:
            raise UserError(f"the tokenizer in {str(weights)!r} has no end-of-text token", field="model")
        self.end: int = self._tokenizer.eos_token_id

    def vocabulary(self) -> frozenset[str]:
        return frozenset(self._tokenizer.get_vocab())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        found: list[list[int]] = self._tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return found

    def ends(self, text: str) -> list[int]:
        """Raises UserError for a tokenizer written in Python, which does not know the places of its tokens."""
        if not self._tokenizer.is_fast:
            raise UserError("the tokenizer does not tell the places of its tokens; choose another model", field="model")
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return [end for _, end in found["offset_mapping"]]

    def save(self, folder: Path) -> None:
        self._tokenizer.save_pretrained(folder)


def of_transformers(weights: Path) -> Any:
    """transformers' own PreTrainedTokenizerBase. Raises UserError where there is none in the folder."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(weights, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise UserError(f"there is no usable tokenizer in {str(weights)!r}: {first}", field="model") from None


def _config(weights: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((weights / "tokenizer_config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
