"""The syntax of each known language: its comment marker, file ending, and queries for comments and functions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import UserError


@dataclass(frozen=True)
class Language:
    """One language. `query` is in tree-sitter's notation and captures comments, doc-strings and strings."""

    name: str  # as in `Bug.language`
    grammar: str  # module that holds the tree-sitter grammar
    marker: str  # starts a comment that ends with the line
    ending: str  # of file names
    brackets: bool  # a function ends with a bracket, so that nothing after it belongs to it
    functions: frozenset[str]  # node types
    comments: frozenset[str]  # node types of what is no code: comments, and marks that a line goes on
    strings: frozenset[str]  # node types of literals in which white space counts
    query: str
    quick_check: re.Pattern[str]  # matches every text that has a comment, a docstring or a string over several lines


LANGUAGES = {
    "python": Language(
        name="python",
        grammar="tree_sitter_python",
        marker="#",
        ending=".py",
        brackets=False,
        functions=frozenset({"function_definition"}),
        comments=frozenset({"comment", "line_continuation"}),
        strings=frozenset({"string"}),
        quick_check=re.compile(r"""#|\"{3}|'{3}|\\\r?\n|^[ \t]*[rRuUbBfF]{0,2}["']""", re.MULTILINE),
        query="""
            (comment) @comment
            (string) @string
            (module . (comment)* . (expression_statement . (string) .) @doc)
            (function_definition body: (block . (comment)* . (expression_statement . (string) .) @doc))
            (class_definition body: (block . (comment)* . (expression_statement . (string) .) @doc))
        """,
    ),
    "java": Language(
        name="java",
        grammar="tree_sitter_java",
        marker="//",
        ending=".java",
        brackets=True,
        functions=frozenset({"method_declaration", "constructor_declaration", "compact_constructor_declaration"}),
        comments=frozenset({"line_comment", "block_comment"}),
        strings=frozenset({"string_literal", "character_literal"}),
        quick_check=re.compile(r"//|/\*|\"{3}"),
        query="""
            (line_comment) @comment
            (block_comment) @comment
            (string_literal) @string
        """,
    ),
    "c": Language(
        name="c",
        grammar="tree_sitter_c",
        marker="//",
        ending=".c",
        brackets=True,
        functions=frozenset({"function_definition"}),
        comments=frozenset({"comment"}),
        strings=frozenset({"string_literal", "char_literal"}),
        quick_check=re.compile(r"//|/\*|\"[^\"\n]*\\\r?\n"),
        query="""
            (comment) @comment
            (string_literal) @string
        """,
    ),
}


def language(name: str) -> Language:
    """The language `name`. Raises UserError, which lists the known ones."""
    if name not in LANGUAGES:
        raise UserError(f"there is no syntax for the language {name!r}; known: {', '.join(LANGUAGES)}")
    return LANGUAGES[name]
