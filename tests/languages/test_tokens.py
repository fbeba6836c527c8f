"""Code as tokens: what is a name in it, and what is a word of the language."""

from __future__ import annotations

import pytest

from engine.languages import LANGUAGES
from engine.languages.tokens import names_print, tokens_of

LOOP = "while (a) {{ {}; }}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_the_language_are_no_names(language: str):
    leave, repeat = (tokens_of(LOOP.format(word)) for word in ("break", "continue"))
    assert names_print(language, leave) != names_print(language, repeat)


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_with_other_names_is_the_same(language: str):
    one, other = (tokens_of(f"while ({name}) {{ {name} = next({name}, error); }}") for name in ("a", "line"))
    assert names_print(language, one) == names_print(language, other)
