"""How each family of code models writes fill-in-the-middle: its special tokens and its stops.

Sources: the model cards and tokenizer files of Code Llama, Qwen2.5-Coder, DeepSeek-Coder, StarCoder2 and
stable-code-3b; all use the prefix-suffix-middle order of Bavarian et al. (arXiv 2207.14255).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import UserError


@dataclass(frozen=True)
class Layout:
    """The three special tokens of one family, and the texts behind which an answer is over."""

    prefix: str
    suffix: str
    middle: str
    stops: tuple[str, ...]

    @property
    def tokens(self) -> tuple[str, str, str]:
        return (self.prefix, self.suffix, self.middle)

    @property
    def special(self) -> tuple[str, ...]:
        """All texts that mean something to the model, so that code which holds one cannot be shown."""
        return (*self.tokens, *self.stops)

    def cut(self, text: str) -> str:
        """`text` up to the first special token."""
        return cut_at(text, self.special)


_QWEN_STOPS = (
    "<|endoftext|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|im_start|>", "<|im_end|>",
)  # fmt: skip

LAYOUTS = {
    "qwen": Layout("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", _QWEN_STOPS),
    "starcoder": Layout("<fim_prefix>", "<fim_suffix>", "<fim_middle>", ("<|endoftext|>", "<fim_pad>", "<file_sep>")),
    "codellama": Layout("▁<PRE>", "▁<SUF>", "▁<MID>", ("▁<EOT>", "<EOT>", "</s>")),
    "deepseek": Layout("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", ("<｜end▁of▁sentence｜>", "<|EOT|>")),
}


def cut_at(text: str, special: Iterable[str]) -> str:
    """`text` up to the first of these."""
    return text[: min(at for at in (len(text), *map(text.find, special)) if at >= 0)]


def special_in(vocabulary: frozenset[str]) -> tuple[str, ...]:
    """The special texts of all families that this vocabulary has as tokens."""
    texts = (text for layout in LAYOUTS.values() for text in layout.special)
    return tuple(dict.fromkeys(text for text in texts if text in vocabulary))


def layout_for(vocabulary: frozenset[str], wanted: str = "auto") -> str:
    """The name of the layout whose tokens are all in `vocabulary`.

    Raises UserError naming the missing tokens where the wanted one, or with "auto" every one, lacks some.
    """
    names = list(LAYOUTS) if wanted == "auto" else [wanted]
    missing = {name: [token for token in LAYOUTS[name].tokens if token not in vocabulary] for name in names}
    for name in names:
        if not missing[name]:
            return name
    lacks = "; ".join(f"{name} needs {' '.join(tokens)}" for name, tokens in missing.items())
    raise UserError(
        f"this model's tokenizer lacks the tokens for filling in the middle: {lacks}. "
        "Choose a base model trained for it, such as Qwen2.5-Coder",
        field="representation.fim",
    )
