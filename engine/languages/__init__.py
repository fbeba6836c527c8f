"""The syntax of each known language: its comment marker, file ending, and queries for comments and functions."""

from __future__ import annotations

import keyword
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
    keywords: frozenset[str]  # words that are no names that a program chooses
    functions: frozenset[str]  # node types
    begins: re.Pattern[str]  # what the first line of a function, or of its annotations, begins with
    comments: frozenset[str]  # node types of what is no code: comments, and marks that a line goes on
    strings: frozenset[str]  # node types of literals in which white space counts
    query: str
    no_code: re.Pattern[str]  # begins a line that is blank, a comment or an import
    test_names: re.Pattern[str]  # of files that hold tests, as the usual tools find them, or that help tests
    made_names: re.Pattern[str]  # of files that programs make
    marks: tuple[str, ...]  # one of them is in every text that has a comment, a docstring or a string over lines
    quick_check: re.Pattern[str]  # matches every such text

    def may_have_comments(self, text: str) -> bool:
        """Whether a text may have a comment, a docstring or a string over several lines; false if it has none."""
        return any(mark in text for mark in self.marks) and self.quick_check.search(text) is not None


# Java Language Specification 3.9, with the literals and the contextual ones that stand in functions
_JAVA = (
    "abstract assert boolean break byte case catch char class const continue default do double else enum extends "
    "final finally float for goto if implements import instanceof int interface long native new package private "
    "protected public return short static strictfp super switch synchronized this throw throws transient try void "
    "volatile while true false null var record yield "
)
_MEMBER = (  # of a class of Java: modifiers, a type and a name, a constructor, or an annotation
    r"\s*(?:@\w|(?:(?:public|protected|private|static|final|abstract|synchronized|native|default|strictfp)\b|<)"
    r"|(?!(?:return|else|new|throw|case|assert|yield)\b)[\w.]+(?:<.*>)?(?:\s*\[\s*\])*\s+\w+\s*\(|[A-Z]\w*\s*\()"
)
# C23 (ISO/IEC 9899:2024, 6.4.1) with the spellings of C11, and the words of directives (6.10) that name no variable
_C = (
    "alignas alignof auto bool break case char const constexpr continue default do double else enum extern false "
    "float for goto if inline int long nullptr register restrict return short signed sizeof static static_assert "
    "struct switch thread_local true typedef typeof typeof_unqual union unsigned void volatile while NULL _Alignas "
    "_Alignof _Atomic _BitInt _Bool _Complex _Decimal128 _Decimal32 _Decimal64 _Generic _Imaginary _Noreturn "
    "_Static_assert _Thread_local define defined elif elifdef elifndef endif ifdef ifndef pragma undef"
)

LANGUAGES = {
    "python": Language(
        name="python",
        grammar="tree_sitter_python",
        marker="#",
        ending=".py",
        brackets=False,
        keywords=frozenset([*keyword.kwlist, "self", "cls"]),
        functions=frozenset({"function_definition"}),
        begins=re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]"),
        comments=frozenset({"comment", "line_continuation"}),
        strings=frozenset({"string"}),
        no_code=re.compile(r"\s*($|#|import\s|from\s+\S+\s+import\s)"),
        test_names=re.compile(r"(test_\w*|\w*_tests?|tests?|conftest)\.py"),
        made_names=re.compile(r".*(_pb2(_grpc)?|_generated|\.g)\.py|_version\.py"),
        marks=("#", '"', "'", "\\"),
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
        keywords=frozenset(_JAVA.split()),
        functions=frozenset({"method_declaration", "constructor_declaration", "compact_constructor_declaration"}),
        begins=re.compile(_MEMBER),
        comments=frozenset({"line_comment", "block_comment"}),
        strings=frozenset({"string_literal", "character_literal"}),
        no_code=re.compile(r"\s*($|//|/?\*|(import|package)\s)"),
        test_names=re.compile(r"(Test\w*|\w*Tests?|\w*TestCase|\w*IT)\.java"),
        made_names=re.compile(r".*(Grpc|OuterClass|_Generated)\.java"),
        marks=("//", "/*", '"""'),
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
        keywords=frozenset(_C.split()),
        functions=frozenset({"function_definition"}),
        begins=re.compile("[A-Za-z_]"),
        comments=frozenset({"comment"}),
        strings=frozenset({"string_literal", "char_literal"}),
        no_code=re.compile(r"\s*($|//|/?\*|#[ \t]*include\b)"),
        test_names=re.compile(r"([Tt]est[_-].*|.*[_-](unit)?tests?|tests?)\.c"),
        made_names=re.compile(r".*(\.tab|\.pb-c|_generated)\.c|lex\.\w+\.c"),
        marks=("//", "/*", "\\"),
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
