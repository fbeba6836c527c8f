"""Code as a sequence of tokens, to compare it whatever its layout, its names, or a few changed lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.languages import LANGUAGES
from engine.languages.fingerprint import digest

# names, numbers, strings on one line, and any other character by itself
_TOKEN = re.compile(r"""[^\W\d]\w*|\d[\w.]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[^\w\s]""")


def tokens_of(code: str) -> list[str]:
    """The tokens of code whose comments were removed; text of any kind gives some sequence."""
    return _TOKEN.findall(code)


def without_names(tokens: Sequence[str], language: str) -> Iterator[str]:
    """Each identifier as the number of its first appearance, so that code with other names gives the same sequence."""
    keywords = LANGUAGES[language].keywords if language in LANGUAGES else frozenset()
    numbers: dict[str, str] = {}
    for token in tokens:
        is_name = (token[0].isalpha() or token[0] == "_") and token not in keywords
        yield numbers.setdefault(token, f"${len(numbers)}") if is_name else token


def names_print(language: str, *codes: Sequence[str]) -> bytes:
    """A hash of 16 bytes of the tokens of some functions that is the same under other names, consistently chosen."""
    return digest(" ".join(without_names([token for code in codes for token in (*code, "\n")], language)))


def grams(tokens: Sequence[str], size: int) -> set[tuple[str, ...]]:
    """All runs of `size` tokens; the whole sequence where it is shorter, nothing of an empty one."""
    if len(tokens) < size:
        return {tuple(tokens)} if tokens else set()
    return set(zip(*(tokens[start:] for start in range(size)), strict=False))
