"""What we know of each language's syntax: its comment marker, its file ending, and where its functions stand."""

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
    brackets: bool  # a function ends with a bracket, so what follows it is not part of it
    functions: frozenset[str]  # node types
    query: str
    telltale: re.Pattern[str]  # found in every text that has a comment, a doc-string or a string over several lines


LANGUAGES = {
    "python": Language(
        name="python",
        grammar="tree_sitter_python",
        marker="#",
        ending=".py",
        brackets=False,
        functions=frozenset({"function_definition"}),
        telltale=re.compile(r"""#|\"{3}|'{3}|\\\r?\n|^[ \t]*[rRuUbBfF]{0,2}["']""", re.MULTILINE),
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
        telltale=re.compile(r"//|/\*|\"{3}"),
        query="""
            (line_comment) @comment
            (block_comment) @comment
            (string_literal) @string
        """,
    ),
}


def language(name: str) -> Language:
    """The language called `name`. Raises UserError naming those we know."""
    if name not in LANGUAGES:
        raise UserError(f"there is no syntax for the language {name!r}; known: {', '.join(LANGUAGES)}")
    return LANGUAGES[name]
